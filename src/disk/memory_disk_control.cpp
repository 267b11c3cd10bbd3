// The half of the disk that moves no bytes: storages come and go, are checked, stopped, renamed; the
// disk is measured and aborted.
#include "disk/memory_disk_io.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/disk_interface.hpp> // open_file_state
#include <libtorrent/session_handle.hpp> // delete_files
#include <libtorrent/torrent_flags.hpp>

#include <algorithm>
#include <new>
#include <vector>

namespace slipstream {

namespace {

// Memory is not low any more: lets this session's peers go on, on its network thread.
class room_step final : public own_step
{
public:
	explicit room_step(std::shared_ptr<write_watermark> watermark) : m_watermark(std::move(watermark)) {}
	void run() override { m_watermark->has_room(); }

private:
	std::shared_ptr<write_watermark> const m_watermark;
};

class session_room final : public room_listener
{
public:
	session_room(std::shared_ptr<completion_queue> completions, std::shared_ptr<write_watermark> watermark)
		: m_completions(std::move(completions)), m_watermark(std::move(watermark)) {}
	void room() noexcept override
	{
		try { m_completions->push(step_due{std::make_unique<room_step>(m_watermark)}); }
		catch (std::bad_alloc const&) {} // peers go on when a write completes, or room is told of again
	}

private:
	std::shared_ptr<completion_queue> const m_completions;
	std::shared_ptr<write_watermark> const m_watermark;
};

// More may be lent: `serve` runs on the session's network thread. It is the disk's own, which
// closes the queue before it dies.
class read_step final : public own_step
{
public:
	explicit read_step(std::function<void()> serve) : m_serve(std::move(serve)) {}
	void run() override { m_serve(); }

private:
	std::function<void()> const m_serve;
};

class read_room final : public room_listener
{
public:
	read_room(std::shared_ptr<completion_queue> completions, std::function<void()> serve)
		: m_completions(std::move(completions)), m_serve(std::move(serve)) {}
	void room() noexcept override
	{
		try { m_completions->push(step_due{std::make_unique<read_step>(m_serve)}); }
		catch (std::bad_alloc const&) {} // what waits is served when the next read comes home or waits
	}

private:
	std::shared_ptr<completion_queue> const m_completions;
	std::function<void()> const m_serve;
};

} // namespace

memory_disk_io::memory_disk_io(lt::io_context& ioc, lt::settings_interface const& settings
	, lt::counters& counters, std::shared_ptr<disk_core> core)
	: m_core(std::move(core))
	, m_ioc(ioc)
	, m_settings(settings)
	, m_counters(counters)
	, m_completions(std::make_shared<completion_queue>(ioc, m_core->count.handlers))
	, m_room(std::make_shared<session_room>(m_completions, m_watermark))
	, m_read_room(std::make_shared<read_room>(m_completions, [this] { serve_waiting_reads(); }))
{
	settings_updated();
}

// In order, everything has been delivered. If the io_context was stopped early there may be completions,
// with buffers that would come home here, and jobs at the workers: neither may outlive this object.
memory_disk_io::~memory_disk_io()
{
	abort(true);
	// A handler may hold the torrent, and the torrent its storage_holder, which calls
	// remove_torrent() here. So what is left dies while every member is alive.
	std::vector<std::shared_ptr<torrent_storage>> left;
	m_storages.for_each([&](auto const& storage) { left.push_back(storage); });
	for (auto const& storage : left)
	{
		m_core->leave(*storage);
		storage->remove();
		storage->drop_fenced();
	}
	m_completions->close();
	m_core->cache.change_connections(-m_connections);
}

void memory_disk_io::abort(bool const wait)
{
	m_aborted = true;
	for (auto& waiting : std::exchange(m_waiting_reads, {}))
	{
		waiting.done.error = {boost::asio::error::operation_aborted, lt::operation_t::file_read};
		m_completions->push(std::move(waiting.done));
	}
	m_core->hasher.cancel(*this);
	// The workers are the core's and outlive the session; what must have ended is their work for it.
	if (wait) m_core->hasher.wait_for(*this);
}

// Completions go out with the event that made the first of them, and workers start at once.
void memory_disk_io::submit_jobs() {}

void memory_disk_io::settings_updated()
{
	// Two blocks at least, whatever it says (min_memory_usage() says 1 byte): one alone may be
	// held, and then nothing that is queued would let its peer go on.
	m_watermark->set_limit_bytes(std::max(m_settings.get_int(lt::settings_pack::max_queued_disk_bytes), 2 * block_size_bytes));
	m_core->serve_session(m_settings.get_int(lt::settings_pack::hashing_threads));
	auto const connections = std::max(0, m_settings.get_int(lt::settings_pack::connections_limit));
	m_core->cache.change_connections(connections - std::exchange(m_connections, connections));
}

// queued_write_bytes is not among them: libtorrent itself adds a write's bytes and takes them off again.
void memory_disk_io::update_stats_counters(lt::counters& counters) const
{
	auto const queued = m_completions->size() + static_cast<int>(m_waiting_reads.size()) + m_hash_jobs.load(std::memory_order_relaxed);
	counters.set_value(lt::counters::disk_blocks_in_use, m_core->pool.used_blocks());
	counters.set_value(lt::counters::queued_disk_jobs, queued);
	counters.set_value(lt::counters::num_jobs, queued);
}

// No file is open, ever.
std::vector<lt::open_file_state> memory_disk_io::get_status(lt::storage_index_t) const { return {}; }

// -- storages

lt::storage_holder memory_disk_io::new_torrent(lt::storage_params const& params
	, std::shared_ptr<void> const& torrent)
{
	// For a hybrid torrent libtorrent gives the truncated v2 hash; the v1 hash is learnt later.
	lt::info_hash_t hashes;
	if (params.files.v2()) std::copy(params.info_hash.begin(), params.info_hash.end(), hashes.v2.begin());
	else hashes.v1 = params.info_hash;

	auto storage = std::make_shared<torrent_storage>(m_core, geometry(params.files), torrent, hashes, m_completions);
	try
	{
		storage->enter_cache();
		m_core->enter(storage);
		return {m_storages.add(storage), *this};
	}
	catch (...)
	{
		// No memory for it: it was never here.
		m_core->leave(*storage);
		storage->remove();
		throw;
	}
}

void memory_disk_io::remove_torrent(lt::storage_index_t const index)
{
	auto const storage = m_storages.remove(index);
	if (!storage) return;
	end_waiting_reads(*storage, boost::asio::error::operation_aborted);
	m_core->leave(*storage);
	storage->remove();
}

std::shared_ptr<torrent_storage> memory_disk_io::live(lt::storage_index_t const index) const
{ return m_aborted ? nullptr : m_storages.find(index); }

void memory_disk_io::fence(std::shared_ptr<torrent_storage> const& storage, completion c)
{
	if (storage) storage->fence(std::move(c));
	else m_completions->push(std::move(c));
}

namespace {

lt::storage_error aborted_unless(bool const alive)
{
	if (alive) return {};
	return {boost::asio::error::operation_aborted, lt::operation_t::unknown};
}

bool claims_data(lt::add_torrent_params const& resume)
{
	return resume.have_pieces.count() > 0 || !resume.unfinished_pieces.empty();
}

} // namespace

// What is asked is "does what the resume data says stand?". Memory that is empty has nothing of what an
// earlier session had:
// - nothing claimed: start at once;
// - pieces claimed: an error beside no_error makes libtorrent drop the claims and start at once;
// - seed mode: only a check makes libtorrent leave it;
// - pieces too large for the capacity: the torrent stops with an error;
// - something is in memory (a recheck): hash it, and what is missing is then not had.
void memory_disk_io::async_check_files(lt::storage_index_t const index
	, lt::add_torrent_params const* const resume_data, lt::aux::vector<std::string, lt::file_index_t>
	, std::function<void(lt::status_t, lt::storage_error const&)> handler)
{
	m_completions->promised();
	auto const storage = live(index);
	check_done done{std::move(handler), lt_compat::no_error(), aborted_unless(storage != nullptr)};
	if (storage)
	{
		if (resume_data)
		{
			storage->learn(resume_data->info_hashes);
			m_core->enter_names(storage);
		}
		// It was refused before, and is to be tried again: the capacity may have changed.
		if (!m_core->cache.knows(storage->cache_id())) storage->enter_cache();
		// Its pieces are too large: it could only stall. memory_disk::room_for() says the sum.
		if (m_core->cache.refusal(storage->cache_id()))
		{
			// What stops needs no room, and takes none from others.
			m_core->cache.leave(storage->cache_id());
			done.status = lt_compat::fatal_error();
			done.error = {make_error_code(errc::no_space), lt::operation_t::check_resume};
		}
		else if (!storage->pieces().empty() || (resume_data && (resume_data->flags & lt::torrent_flags::seed_mode)))
			done.status = lt_compat::need_full_check();
		else if (resume_data && claims_data(*resume_data))
			done.error = {boost::system::errc::make_error_code(boost::system::errc::no_such_file_or_directory)
				, lt::file_index_t(0), lt::operation_t::check_resume};
	}
	fence(storage, std::move(done));
}

// Everything on the blocks takes effect when it is called, so there is nothing to stop but what
// hashes and what waits to be read. What is in memory stays: a pause ends.
void memory_disk_io::async_stop_torrent(lt::storage_index_t const index, std::function<void()> handler)
{
	m_completions->promised();
	auto const storage = m_storages.find(index);
	if (storage) end_waiting_reads(*storage, boost::asio::error::operation_aborted);
	fence(storage, plain_done{std::move(handler)});
}

// There are no files to close, and the data is still wanted.
void memory_disk_io::async_release_files(lt::storage_index_t const index, std::function<void()> handler)
{
	m_completions->promised();
	fence(m_storages.find(index), plain_done{std::move(handler)});
}

void memory_disk_io::async_move_storage(lt::storage_index_t const index, std::string path, lt::move_flags_t
	, std::function<void(lt::status_t, std::string const&, lt::storage_error const&)> handler)
{
	m_completions->promised();
	auto const storage = live(index);
	fence(storage, move_done{std::move(handler), std::move(path), aborted_unless(storage != nullptr)});
}

void memory_disk_io::async_rename_file(lt::storage_index_t const index, lt::file_index_t const file
	, std::string name
	, std::function<void(std::string const&, lt::file_index_t, lt::storage_error const&)> handler)
{
	m_completions->promised();
	auto const storage = live(index);
	fence(storage, rename_done{std::move(handler), std::move(name), file, aborted_unless(storage != nullptr)});
}

void memory_disk_io::async_delete_files(lt::storage_index_t const index, lt::remove_flags_t const options
	, std::function<void(lt::storage_error const&)> handler)
{
	m_completions->promised();
	auto const storage = live(index);
	if (storage) end_waiting_reads(*storage, boost::asio::error::operation_aborted);
	if (storage && (options & lt::session_handle::delete_files)) storage->drop_all();
	fence(storage, delete_done{std::move(handler), aborted_unless(storage != nullptr)});
}

void memory_disk_io::async_set_file_priority(lt::storage_index_t const index
	, lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities
	, std::function<void(lt::storage_error const&
		, lt::aux::vector<lt::download_priority_t, lt::file_index_t>)> handler)
{
	m_completions->promised();
	auto const storage = live(index);
	fence(storage, priority_done{std::move(handler), std::move(priorities), aborted_unless(storage != nullptr)});
}

void memory_disk_io::async_clear_piece(lt::storage_index_t const index, lt::piece_index_t const piece
	, std::function<void(lt::piece_index_t)> handler)
{
	m_completions->promised();
	auto const storage = live(index);
	if (storage && storage->shape().has(piece))
	{
		// What would find nothing any more.
		end_waiting_reads(*storage, boost::asio::error::eof, piece);
		storage->clear(piece);
	}
	fence(storage, clear_done{std::move(handler), piece});
}

} // namespace slipstream
