#include "support/disk_harness.hpp"

#include <boost/asio/post.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace slipstream::test {

namespace {

// A thread that hangs cannot be taken back; the test program ends here, and says where.
[[noreturn]] void hung(char const* where)
{
	std::fprintf(stderr, "disk_harness: %s did not end in %d s\n", where
		, static_cast<int>(deadline.count()));
	std::abort();
}

std::string make_directory()
{
	std::string name = (std::filesystem::temp_directory_path() / "slipstream-disk-XXXXXX").string();
	if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
	return name;
}

struct inside_call
{
	explicit inside_call(network_state& n) : network(n) { ++network.calls_entered; }
	~inside_call() { --network.calls_entered; }
	inside_call(inside_call const&) = delete;
	inside_call& operator=(inside_call const&) = delete;
	network_state& network;
};

} // namespace

void shared_settings::set_str(int const name, std::string val)
{
	std::lock_guard const lock(m_mutex);
	m_pack.set_str(name, std::move(val));
}
void shared_settings::set_int(int const name, int const val)
{
	std::lock_guard const lock(m_mutex);
	m_pack.set_int(name, val);
}
void shared_settings::set_bool(int const name, bool const val)
{
	std::lock_guard const lock(m_mutex);
	m_pack.set_bool(name, val);
}
bool shared_settings::has_val(int) const { return true; }
std::string const& shared_settings::get_str(int const name) const
{
	std::lock_guard const lock(m_mutex);
	return m_pack.get_str(name);
}
int shared_settings::get_int(int const name) const
{
	std::lock_guard const lock(m_mutex);
	return m_pack.get_int(name);
}
bool shared_settings::get_bool(int const name) const
{
	std::lock_guard const lock(m_mutex);
	return m_pack.get_bool(name);
}

disk_harness::disk_harness(lt::disk_io_constructor_type const& make
	, lt::settings_pack const& settings)
	: m_directory(make_directory())
	, m_work(m_ios.get_executor())
	, m_settings(settings)
{
	m_disk = make(m_ios, m_settings, m_counters);
	m_thread = std::thread([this] {
		m_network->thread = std::this_thread::get_id();
		m_ios.run();
		m_ran_dry.set_value();
	});
	settle();
}

disk_harness::~disk_harness()
{
	destroy();
	std::error_code ignored;
	std::filesystem::remove_all(m_directory, ignored);
}

void disk_harness::event(std::function<void()> const& work, submit const s)
{
	if (m_network->here())
	{
		work();
		return;
	}
	std::promise<void> done;
	boost::asio::post(m_ios, [&] {
		try
		{
			work();
			if (s == submit::yes && m_disk)
			{
				inside_call const entered(*m_network);
				m_disk->submit_jobs();
			}
			done.set_value();
		}
		catch (...) { done.set_exception(std::current_exception()); }
	});
	auto ended = done.get_future();
	if (ended.wait_for(deadline) != std::future_status::ready) hung("an event on the network thread");
	ended.get();
}

void disk_harness::call(std::function<void(lt::disk_interface&)> const& f)
{
	event([&] {
		inside_call const entered(*m_network);
		f(*m_disk);
	});
}

disk_harness::storage& disk_harness::add(test_torrent const& content, std::string const& folder)
{
	storage* added = nullptr;
	call([&](lt::disk_interface& disk) {
		auto s = std::make_unique<storage>();
		s->content = &content;
		s->torrent = std::make_shared<lt::torrent_info>(*content.info());
		s->owner = s->torrent;
		{
			// Valid during the call, and not after it.
			auto const where = std::make_unique<std::string>(path(folder));
			auto const priorities
				= std::make_unique<lt::aux::vector<lt::download_priority_t, lt::file_index_t>>();
			lt::storage_params const params(s->torrent->files(), nullptr, *where
				, lt::storage_mode_sparse, *priorities, content.info()->info_hashes().get_best());
			s->holder = disk.new_torrent(params, s->torrent);
		}
		s->index = s->holder;
		added = s.get();
		m_storages.push_back(std::move(s));
	});
	return *added;
}

void disk_harness::remove(storage& s)
{
	call([&](lt::disk_interface&) { s.holder.reset(); });
	s.torrent.reset();
}

template <typename Result, typename Start>
pending<Result> disk_harness::launch(char const* const name, Start const& start)
{
	auto const record = std::make_shared<call_record>(name);
	auto const result = std::make_shared<Result>();
	call([&](lt::disk_interface& disk) {
		m_records.push_back(record);
		delivery<Result> to(m_network, record, result);
		start(disk, std::move(to), *result, *record);
	});
	return {record, result};
}

pending<read_result> disk_harness::read(storage const& s, lt::piece_index_t const piece
	, int const start, int const length, lt::disk_job_flags_t const flags)
{
	return launch<read_result>("async_read", [&](auto& disk, auto to, auto& result, auto& record) {
		result.length = length;
		std::function<void(lt::disk_buffer_holder, lt::storage_error const&)> handler
			= [to = std::move(to)](lt::disk_buffer_holder b, lt::storage_error const& e) {
				to([&](read_result& r) { r.buffer = std::move(b); r.error = e; });
			};
		record.copies = 0;
		disk.async_read(s.index, {piece, start, length}, std::move(handler), flags);
	});
}

pending<write_result> disk_harness::write(storage const& s, lt::piece_index_t const piece
	, int const start, std::string_view const bytes, std::shared_ptr<lt::disk_observer> observer
	, lt::disk_job_flags_t const flags)
{
	return launch<write_result>("async_write", [&](auto& disk, auto to, auto& result, auto& record) {
		std::function<void(lt::storage_error const&)> handler
			= [to = std::move(to)](lt::storage_error const& e) {
				to([&](write_result& r) { r.error = e; });
			};
		record.copies = 0;
		auto const lent = std::make_unique<char[]>(bytes.size());
		std::memcpy(lent.get(), bytes.data(), bytes.size());
		result.over_watermark = disk.async_write(s.index, {piece, start, static_cast<int>(bytes.size())}
			, lent.get(), std::move(observer), std::move(handler), flags);
		std::memset(lent.get(), 0xdb, bytes.size());
	});
}

namespace {

void wait_for_success(std::vector<pending<write_result>> const& writes)
{
	for (auto const& w : writes)
		if (auto const& error = w.wait().error)
			throw std::runtime_error("async_write: " + error.ec.message());
}

} // namespace

void disk_harness::write_all(storage const& s)
{
	for (auto const piece : s.content->pieces()) write_piece(s, piece);
}

void disk_harness::write_piece(storage const& s, lt::piece_index_t const piece)
{
	std::vector<pending<write_result>> writes;
	event([&] {
		for (auto const& b : s.content->blocks(piece)) writes.push_back(write(s, b));
	});
	wait_for_success(writes);
}

pending<hash_result> disk_harness::hash(storage const& s, lt::piece_index_t const piece
	, lt::disk_job_flags_t const extra)
{
	int const v2_blocks = s.content->has_v2()
		? (s.content->piece_size2(piece) + block_bytes - 1) / block_bytes : 0;
	return hash(s, piece, v2_blocks
		, s.content->has_v1() ? extra | lt::disk_interface::v1_hash : extra);
}

pending<hash_result> disk_harness::hash(storage const& s, lt::piece_index_t const piece
	, int const v2_blocks, lt::disk_job_flags_t const flags)
{
	return launch<hash_result>("async_hash", [&](auto& disk, auto to, auto&, auto& record) {
		std::vector<lt::sha256_hash> v2(static_cast<std::size_t>(v2_blocks));
		lt::span<lt::sha256_hash> const span = v2;
		auto const* const memory = v2.data();
		std::function<void(lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&)> handler
			= [to = std::move(to), v2 = std::move(v2), memory](lt::piece_index_t const p
				, lt::sha1_hash const& v1, lt::storage_error const& e) {
				to([&](hash_result& r) { r = {p, v1, v2, v2.data() == memory, e}; });
			};
		record.copies = 0;
		disk.async_hash(s.index, piece, span, flags, std::move(handler));
	});
}

pending<hash2_result> disk_harness::hash2(storage const& s, lt::piece_index_t const piece
	, int const start)
{
	return launch<hash2_result>("async_hash2", [&](auto& disk, auto to, auto&, auto&) {
		disk.async_hash2(s.index, piece, start, {}, [to = std::move(to)]
			(lt::piece_index_t const p, lt::sha256_hash const& h, lt::storage_error const& e) {
				to([&](hash2_result& r) { r = {p, h, e}; });
			});
	});
}

pending<move_result> disk_harness::move(storage const& s, std::string const& folder)
{
	return launch<move_result>("async_move_storage", [&](auto& disk, auto to, auto&, auto&) {
		disk.async_move_storage(s.index, path(folder), lt::move_flags_t::always_replace_files
			, [to = std::move(to)](lt::status_t const status, std::string const& where
				, lt::storage_error const& e) {
				to([&](move_result& r) { r = {status, where, e}; });
			});
	});
}

pending<done_result> disk_harness::release_files(storage const& s)
{
	return launch<done_result>("async_release_files", [&](auto& disk, auto to, auto&, auto&) {
		disk.async_release_files(s.index, [to = std::move(to)] { to([](auto&) {}); });
	});
}

pending<check_result> disk_harness::check_files(storage const& s
	, lt::add_torrent_params const* const resume)
{
	return launch<check_result>("async_check_files", [&](auto& disk, auto to, auto&, auto&) {
		// A torrent keeps its resume data until it was checked.
		auto const kept = resume ? std::make_shared<lt::add_torrent_params const>(*resume) : nullptr;
		disk.async_check_files(s.index, kept.get(), {}, [to = std::move(to), kept]
			(lt::status_t const status, lt::storage_error const& e) {
				to([&](check_result& r) { r = {status, e}; });
			});
	});
}

pending<done_result> disk_harness::stop_torrent(storage const& s)
{
	return launch<done_result>("async_stop_torrent", [&](auto& disk, auto to, auto&, auto&) {
		disk.async_stop_torrent(s.index, [to = std::move(to)] { to([](auto&) {}); });
	});
}

pending<rename_result> disk_harness::rename(storage const& s, lt::file_index_t const file
	, std::string const& name)
{
	return launch<rename_result>("async_rename_file", [&](auto& disk, auto to, auto&, auto&) {
		disk.async_rename_file(s.index, file, name, [to = std::move(to)]
			(std::string const& now, lt::file_index_t const f, lt::storage_error const& e) {
				to([&](rename_result& r) { r = {now, f, e}; });
			});
	});
}

pending<delete_result> disk_harness::delete_files(storage const& s
	, lt::remove_flags_t const options)
{
	return launch<delete_result>("async_delete_files", [&](auto& disk, auto to, auto&, auto&) {
		disk.async_delete_files(s.index, options, [to = std::move(to)]
			(lt::storage_error const& e) { to([&](delete_result& r) { r = {e}; }); });
	});
}

pending<priority_result> disk_harness::set_priorities(storage const& s
	, lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities)
{
	return launch<priority_result>("async_set_file_priority", [&](auto& disk, auto to, auto&, auto&) {
		disk.async_set_file_priority(s.index, std::move(priorities), [to = std::move(to)]
			(lt::storage_error const& e, lt::aux::vector<lt::download_priority_t, lt::file_index_t> now) {
				to([&](priority_result& r) { r = {e, std::move(now)}; });
			});
	});
}

pending<clear_result> disk_harness::clear_piece(storage const& s, lt::piece_index_t const piece)
{
	return launch<clear_result>("async_clear_piece", [&](auto& disk, auto to, auto&, auto&) {
		disk.async_clear_piece(s.index, piece, [to = std::move(to)]
			(lt::piece_index_t const p) { to([&](clear_result& r) { r = {p}; }); });
	});
}

std::int64_t disk_harness::counter(int const which)
{
	call([&](lt::disk_interface& disk) { disk.update_stats_counters(m_counters); });
	return m_counters[which];
}

void disk_harness::change_setting(int const name, int const value)
{
	m_settings.set_int(name, value);
	call([](lt::disk_interface& disk) { disk.settings_updated(); });
}

void disk_harness::abort(bool const wait)
{
	// A session submits nothing after it.
	event([&] {
		inside_call const entered(*m_network);
		m_disk->abort(wait);
	}, submit::no);
}

void disk_harness::finish()
{
	if (m_finished) return;
	m_finished = true;
	for (auto const& s : m_storages) if (s->holder) remove(*s);
	abort(false);
	m_work.reset();
	if (m_ran_dry.get_future().wait_for(deadline) != std::future_status::ready)
		hung("the io_context (something keeps it from running dry)");
	m_thread.join();
}

void disk_harness::destroy()
{
	finish();
	m_disk.reset();
}

std::vector<std::string> disk_harness::broken_handler_rules() const
{
	std::vector<std::string> broken;
	for (auto const& r : m_records)
	{
		if (r->times_called() != 1)
			broken.push_back(r->name + ": handler called " + std::to_string(r->times_called()) + " times");
		if (r->off_network_thread) broken.push_back(r->name + ": handler called off the network thread");
		if (r->inside_a_call) broken.push_back(r->name + ": handler called inside a call");
		if (!r->destroyed()) broken.push_back(r->name + ": handler kept");
	}
	return broken;
}

} // namespace slipstream::test
