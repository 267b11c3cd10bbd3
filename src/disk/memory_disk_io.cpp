// The half of the disk that moves bytes: read, write, hash.
#include "disk/memory_disk_io.hpp"
#include "block/copy.hpp"
#include "disk/hashes.hpp"

#include <libtorrent/operations.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

namespace slipstream {

namespace {

lt::storage_error failure(boost::system::error_code const ec, lt::operation_t const op)
{ return {ec, op}; }

lt::storage_error aborted(lt::operation_t const op)
{ return failure(boost::asio::error::operation_aborted, op); }

lt::storage_error refused(boost::system::errc::errc_t const e, lt::operation_t const op)
{ return failure(boost::system::errc::make_error_code(e), op); }

bool valid_for_read(geometry const& shape, lt::peer_request const& r)
{
	return shape.has(r.piece) && r.start >= 0 && r.length > 0 && r.length <= block_size_bytes
		&& r.length <= shape.piece_bytes(r.piece) - r.start;
}

// libtorrent writes whole blocks, but for the end of the piece (contract of async_write).
bool valid_for_write(geometry const& shape, lt::peer_request const& r)
{
	return shape.has(r.piece) && r.start >= 0 && r.start % block_size_bytes == 0
		&& r.start < shape.piece_bytes(r.piece)
		&& r.length == shape.block_length(r.piece, r.start / block_size_bytes);
}

// Adds the time it lived to one of libtorrent's timers, and to the sum of all. To look at the clock
// costs a tenth of a read, so one call in 17 is timed and stands for all (a prime: blocks come in
// powers of two). `calls` counts them.
class timed
{
public:
	timed(lt::counters& counters, int const timer, std::uint32_t& calls)
		: m_counters(counters), m_timer(timer), m_is_timed(calls++ % std::uint32_t{one_in} == 0)
	{ if (m_is_timed) m_start = clock::now(); }
	~timed()
	{
		if (!m_is_timed) return;
		auto const us = std::chrono::duration_cast<std::chrono::microseconds>(one_in * (clock::now() - m_start)).count();
		m_counters.inc_stats_counter(m_timer, us);
		m_counters.inc_stats_counter(lt::counters::disk_job_time, us);
	}
	timed(timed const&) = delete;
	timed& operator=(timed const&) = delete;

private:
	static constexpr int one_in = 17;
	using clock = std::chrono::steady_clock;
	lt::counters& m_counters;
	int const m_timer;
	bool const m_is_timed;
	clock::time_point m_start;
};

void count(std::atomic<std::int64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

} // namespace

// -- reading

void memory_disk_io::async_read(lt::storage_index_t const index, lt::peer_request const& r
	, std::function<void(lt::disk_buffer_holder, lt::storage_error const&)> handler, lt::disk_job_flags_t)
{
	m_completions->promised();
	read_done done{std::move(handler), {}, {}};
	if (auto const storage = live(index)) return read_or_wait(storage, r, std::move(done));
	done.error = aborted(lt::operation_t::file_read);
	m_completions->push(std::move(done));
}

// What is read for a peer stays with it until it took it, whatever becomes of the piece; so there
// is a bound to what is lent at a time, and beyond it reads wait. (To refuse them would be worse:
// libtorrent disconnects a peer after 100 refusals.)
void memory_disk_io::read_or_wait(std::shared_ptr<torrent_storage> const& storage, lt::peer_request const& r
	, read_done done)
{
	if (!m_waiting_reads.empty() || !m_core->lending.try_lend(m_read_room))
	{
		m_waiting_reads.push_back({storage, r, std::move(done)});
		return;
	}
	done.buffer = read(*storage, r, done.error);
	if (!done.buffer) m_core->lending.came_home(1);
	m_completions->push(std::move(done));
}

void memory_disk_io::serve_waiting_reads()
{
	while (!m_waiting_reads.empty() && m_core->lending.try_lend(m_read_room))
	{
		auto [weak, request, done] = std::move(m_waiting_reads.front());
		m_waiting_reads.pop_front();
		if (auto const storage = weak.lock(); storage && !storage->removed()) done.buffer = read(*storage, request, done.error);
		else done.error = aborted(lt::operation_t::file_read);
		if (!done.buffer) m_core->lending.came_home(1);
		m_completions->push(std::move(done));
	}
}

void memory_disk_io::end_waiting_reads(torrent_storage const& storage, boost::system::error_code const why
	, std::optional<lt::piece_index_t> const piece)
{
	for (auto i = m_waiting_reads.begin(); i != m_waiting_reads.end();)
	{
		if (i->storage.lock().get() != &storage || (piece && i->request.piece != *piece))
		{
			++i;
			continue;
		}
		i->done.error = failure(why, lt::operation_t::file_read);
		m_completions->push(std::move(i->done));
		i = m_waiting_reads.erase(i);
	}
}

// The blocks are found and shared here, so that the outcome is of the moment in which it is served.
lt::disk_buffer_holder memory_disk_io::read(torrent_storage const& storage, lt::peer_request const& r
	, lt::storage_error& error)
{
	timed const t(m_counters, lt::counters::disk_read_time, m_num_reads);
	auto const& shape = storage.shape();
	if (!valid_for_read(shape, r))
	{
		error = refused(boost::system::errc::invalid_argument, lt::operation_t::file_read);
		return {};
	}
	auto const first = r.start / block_size_bytes;
	auto const last = (r.start + r.length - 1) / block_size_bytes;
	auto const offset = r.start % block_size_bytes;
	block_ref blocks[2] = {storage.pieces().block(r.piece, first), {}};
	if (last != first) blocks[1] = storage.pieces().block(r.piece, last);

	for (int b = first; b <= last; ++b)
	{
		if (blocks[b - first] || shape.is_padding(r.piece, b)) continue;
		count(m_core->count.reads_missed);
		error = failure(boost::asio::error::eof, lt::operation_t::file_read);
		error.file(shape.file_at(r.piece, std::max(r.start, b * block_size_bytes)));
		return {};
	}
	count(m_core->count.blocks_read);
	storage.touched(r.piece);
	m_counters.inc_stats_counter(lt::counters::num_blocks_read);
	m_counters.inc_stats_counter(lt::counters::num_read_ops);
	if (first == last && blocks[0])
		return lt_compat::make_buffer(*this, std::move(blocks[0]).lend(std::size_t(offset)), r.length);

	// Two blocks, or padding: put together in a block of its own.
	auto whole = m_core->pool.acquire_reserved();
	if (!whole)
	{
		error = refused(boost::system::errc::not_enough_memory, lt::operation_t::alloc_cache_piece);
		return {};
	}
	count(m_core->count.reads_copied);
	int filled = 0;
	for (int b = first; b <= last; ++b)
	{
		auto const from = b == first ? offset : 0;
		auto const n = std::min(r.length - filled, block_size_bytes - from);
		auto const& block = blocks[b - first];
		if (block) std::memcpy(whole.bytes() + filled, block.bytes() + from, std::size_t(n));
		else std::memset(whole.bytes() + filled, 0, std::size_t(n));
		filled += n;
	}
	return lt_compat::make_buffer(*this, std::move(whole).freeze().lend(0), r.length);
}

void memory_disk_io::free_disk_buffer(char* const buffer)
{
	block_ref::take_back(buffer);
	m_core->lending.came_home(1);
}

// -- writing

bool memory_disk_io::async_write(lt::storage_index_t const index, lt::peer_request const& r
	, char const* const buf, std::shared_ptr<lt::disk_observer> const observer
	, std::function<void(lt::storage_error const&)> handler, lt::disk_job_flags_t)
{
	m_completions->promised();
	write_done done{std::move(handler), {}, m_watermark, r.length};
	auto const storage = live(index);
	if (storage && storage->can_forget()) storage->write_begins(r.piece);
	// libtorrent takes what it did not ask for, and what came too late: neither may fill a memory
	// that is too small already.
	if (!storage || (observer && storage->is_unwanted(r.piece))) done.error = aborted(lt::operation_t::file_write);
	else if (!storage->is_forgetting(r.piece)) done.error = write(*storage, r, buf);
	bool const cancelled = storage && done.error.ec == boost::asio::error::operation_aborted;
	if (cancelled && !observer) storage->given_write_cancelled(r.piece);
	else if (storage && !observer && !done.error) storage->given(r.piece);

	m_core->cache.make_room();
	bool const low = m_core->cache.is_low();
	bool const over = m_watermark->add(r.length, low, observer);
	if (low) m_core->tell_when_room(m_room);

	// Blocks from peers have an observer; one of each piece is kept back where pieces may have to go.
	try
	{
		if (storage && observer && !done.error && storage->hold(r.piece, done)) m_watermark->held(r.length);
		else m_completions->push(std::move(done));
	}
	catch (std::bad_alloc const&)
	{
		// libtorrent hears of it from the exception, and of no completion: its bytes must not be
		// waited for.
		m_watermark->held(r.length);
		throw;
	}
	if (cancelled && observer) storage->cancelled_write_pushed(r.piece);
	if (storage && storage->can_forget() && !storage->is_forgetting(r.piece)) storage->writes_pushed(r.piece);
	return over;
}

// The one copy: libtorrent's receive buffer is ours for the length of the call.
lt::storage_error memory_disk_io::write(torrent_storage& storage, lt::peer_request const& r
	, char const* const bytes)
{
	timed const t(m_counters, lt::counters::disk_write_time, m_num_writes);
	auto const& shape = storage.shape();
	if (!valid_for_write(shape, r))
		return refused(boost::system::errc::invalid_argument, lt::operation_t::file_write);

	auto block = m_core->pool.acquire();
	if (!block && storage.can_forget() && storage.make_way(r.piece, r.start / block_size_bytes))
		block = m_core->pool.acquire();
	if (!block)
	{
		count(m_core->count.writes_refused);
		// Where pieces can go, room is on its way, of a piece, or of blocks that were lent when
		// theirs went: libtorrent asks for a cancelled block again.
		if (m_core->cache.enabled() && storage.can_forget()) return aborted(lt::operation_t::file_write);
		auto error = refused(boost::system::errc::no_space_on_device, lt::operation_t::file_write);
		error.file(shape.file_at(r.piece, r.start));
		return error;
	}
	copy_past_cache(block.bytes(), bytes, std::size_t(r.length));
	shape.clear_padding(r.piece, r.start, r.length, block.bytes());
	storage.write(r.piece, r.start / block_size_bytes, std::move(block).freeze());
	count(m_core->count.blocks_written);
	m_counters.inc_stats_counter(lt::counters::num_blocks_written);
	m_counters.inc_stats_counter(lt::counters::num_write_ops);
	return {};
}

// -- hashing

void memory_disk_io::async_hash(lt::storage_index_t const index, lt::piece_index_t const piece
	, lt::span<lt::sha256_hash> const v2, lt::disk_job_flags_t const flags
	, std::function<void(lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&)> handler)
{
	m_completions->promised();
	auto storage = live(index);
	auto job = std::make_unique<piece_hash>(piece, std::move(handler), m_ioc, m_counters);
	for (auto& digest : v2) digest.clear();
	if (!storage)
		job->error = aborted(lt::operation_t::file_read);
	else if (!storage->shape().has(piece)
		|| (!v2.empty() && v2.size() < storage->shape().num_blocks2(piece)))
		job->error = refused(boost::system::errc::invalid_argument, lt::operation_t::file_read);
	else
	{
		auto const& shape = storage->shape();
		piece_state state{};
		job->blocks = storage->pieces().blocks(piece, 0, shape.num_blocks(piece), state);
		job->bytes1 = flags & lt::disk_interface::v1_hash ? shape.piece_bytes(piece) : 0;
		job->bytes2 = v2.empty() ? 0 : shape.piece_bytes2(piece);
		job->v2 = v2.first(v2.empty() ? 0 : shape.num_blocks2(piece));
		if (storage->is_forgetting(piece)) state = piece_state::absent;
		if (state == piece_state::complete || state == piece_state::verified)
		{
			storage->hash_begins(piece);
			job->run = storage->take_run(piece, job->bytes1 > 0, job->bytes2 > 0);
			return start(std::move(job), storage);
		}
		job->blocks.clear();
		// libtorrent hashes a piece as soon as its last write was given to the disk, and writes of
		// this one are being cancelled. It must hear that there is no hash before it hears of
		// these: a piece that loses its last block while it is being hashed keeps an empty download
		// entry, and once its priority was 0 for a moment it is never asked for again.
		if (storage->take_unheard_cancelled(piece) && !storage->is_forgetting(piece))
		{
			job->error = aborted(lt::operation_t::file_read);
			m_completions->push_early(hash_done{std::move(job)});
			return;
		}
		if (!storage->is_forgetting(piece)) storage->before_hash_of_given(piece);
		// Not here, as a check of what is in memory asks: zeros are nobody's hash, and an error
		// would stop the torrent (contract, 19 and 24).
	}
	m_completions->push(hash_done{std::move(job)});
	if (storage && storage->shape().has(piece)) storage->hash_asked(piece);
}

void memory_disk_io::async_hash2(lt::storage_index_t const index, lt::piece_index_t const piece
	, int const offset, lt::disk_job_flags_t
	, std::function<void(lt::piece_index_t, lt::sha256_hash const&, lt::storage_error const&)> handler)
{
	m_completions->promised();
	auto storage = live(index);
	auto job = std::make_unique<block_hash>(piece, std::move(handler), m_ioc, m_counters);
	if (!storage)
		job->error = aborted(lt::operation_t::file_read);
	else if (!storage->shape().has(piece) || offset < 0 || offset % block_size_bytes != 0
		|| offset >= storage->shape().piece_bytes2(piece))
		job->error = refused(boost::system::errc::invalid_argument, lt::operation_t::file_read);
	else
	{
		auto const& shape = storage->shape();
		auto block = storage->pieces().block(piece, offset / block_size_bytes);
		if (block || shape.is_padding(piece, offset / block_size_bytes))
		{
			job->blocks.push_back(std::move(block));
			job->bytes2 = std::min(block_size_bytes, shape.piece_bytes2(piece) - offset);
			return start(std::move(job), storage);
		}
		job->error = failure(boost::asio::error::eof, lt::operation_t::file_read);
		job->error.file(shape.file_at(piece, offset));
	}
	m_completions->push(hash_done{std::move(job)});
}

void memory_disk_io::start(std::unique_ptr<hash> job, std::shared_ptr<torrent_storage> const& storage)
{
	job->sink = this;
	job->begin(storage);
	auto const number = job->number();
	m_hash_jobs.fetch_add(1, std::memory_order_relaxed);
	try { m_core->hasher.submit(std::move(job)); }
	catch (...)
	{
		// No memory to queue it: libtorrent is told by the exception, and fences must not wait for it.
		m_hash_jobs.fetch_sub(1, std::memory_order_relaxed);
		storage->hash_never_began(number);
		throw;
	}
}

// On a worker. The job is the completion's from here on; it keeps the io_context running until delivered.
void memory_disk_io::hashed(std::unique_ptr<hash_job> job) noexcept
{
	m_completions->push(hash::completed(std::unique_ptr<hash>(static_cast<hash*>(job.release()))));
	m_hash_jobs.fetch_sub(1, std::memory_order_relaxed);
}

} // namespace slipstream
