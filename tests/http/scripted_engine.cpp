#include "http/scripted_engine.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <utility>

namespace slipstream {
namespace test {

using steady = std::chrono::steady_clock;

class script::state
{
public:
	std::mutex mutex;
	std::condition_variable changed;
	std::map<std::string, scripted_torrent> torrents;
	std::set<reader::impl*> readers;
	std::vector<std::string> added;
	int opened = 0;
	std::size_t largest_lease = 0;
	std::size_t leases = 0;
	std::atomic<std::size_t> lent_bytes{0};
	std::size_t most_lent_bytes = 0;

	bool wait(std::function<bool()> const& seen)
	{
		std::unique_lock lock(mutex);
		return changed.wait_for(lock, std::chrono::seconds(20), seen);
	}
};

} // namespace test

using script_state = test::script::state;

class reader::impl
{
public:
	using lease_done = std::function<void(boost::system::error_code, lease)>;
	using completion = std::function<void()>;

	std::shared_ptr<script_state> shared;
	std::string id;
	std::size_t file = 0;
	std::int64_t size_bytes = 0;
	std::int64_t position = 0;
	std::size_t max_bytes = 0;
	lease_done waiting;

	// Bytes at the position, as far as they are here; empty at the end of the file. With the lock held.
	std::optional<lease> lend(test::scripted_torrent const& t, std::size_t const most)
	{
		std::string const& content = t.contents[file];
		auto const from = static_cast<std::size_t>(position);
		std::size_t const end = std::min(content.size(), t.here_bytes);
		if (from < content.size() && from >= end) return std::nullopt;

		// What the leases that are alive hold is counted.
		std::shared_ptr<std::string> const bytes(new std::string(content.substr(from, std::min(most, end - from)))
			, [s = shared](std::string* const held) { s->lent_bytes -= held->size(); delete held; });
		shared->lent_bytes += bytes->size();
		shared->most_lent_bytes = std::max<std::size_t>(shared->most_lent_bytes, shared->lent_bytes);
		std::vector<lease::view> views;
		// Cut where blocks of the file would be cut.
		for (std::size_t at = 0; at < bytes->size();)
		{
			std::size_t const block = block_size_bytes - (from + at) % block_size_bytes;
			std::size_t const length = std::min(block, bytes->size() - at);
			views.emplace_back(bytes->data() + at, length);
			at += length;
		}
		position += static_cast<std::int64_t>(bytes->size());
		++shared->leases;
		shared->changed.notify_all();
		shared->largest_lease = std::max(shared->largest_lease, bytes->size());
		return lease(std::move(views), bytes);
	}

	// What the waiting read completes with, when it can. With the lock held; run without it.
	completion step()
	{
		if (!waiting) return {};
		auto const found = shared->torrents.find(id);
		if (found == shared->torrents.end()) return finish(errc::no_such_torrent);
		auto bytes = lend(found->second, max_bytes);
		if (!bytes) return found->second.read_failure ? finish(*found->second.read_failure) : completion{};
		return [done = std::exchange(waiting, {}), l = std::move(*bytes)] { done({}, l); };
	}

	completion finish(errc const e)
	{
		return [done = std::exchange(waiting, {}), e] { done(make_error_code(e), lease{}); };
	}
};

namespace test {
namespace {

struct current
{
	std::mutex mutex;
	std::weak_ptr<script::state> state;
};

current& newest()
{
	static current c;
	return c;
}

void fill(scripted_torrent& t, std::string const& id
	, std::vector<std::pair<std::string, std::string>> const& files)
{
	t.summary.id = id;
	t.summary.name = "a torrent";
	t.summary.phase = torrent_phase::ready;
	std::vector<file_entry> entries = t.summary.files;
	for (auto const& [name, content] : files)
	{
		entries.push_back({.index = static_cast<int>(t.contents.size()), .path = "d/" + name
			, .name = name, .size_bytes = static_cast<std::int64_t>(content.size())});
		t.contents.push_back(content);
	}
	t.summary.files = std::move(entries);
}

} // namespace

script::script() : m_state(std::make_shared<state>())
{
	std::lock_guard const lock(newest().mutex);
	newest().state = m_state;
}

void script::add(std::string const& id, std::vector<std::pair<std::string, std::string>> files
	, std::size_t const here_bytes)
{
	std::lock_guard const lock(m_state->mutex);
	scripted_torrent& t = m_state->torrents[id];
	fill(t, id, files);
	t.here_bytes = here_bytes;
}

void script::add_waiting(std::string const& id)
{
	std::lock_guard const lock(m_state->mutex);
	m_state->torrents[id].summary.id = id;
}

namespace {

template <typename Change>
void change_and_step(script::state& s, Change const& change)
{
	std::vector<std::function<void()>> completions;
	{
		std::lock_guard const lock(s.mutex);
		change();
		for (reader::impl* const r : s.readers)
		{
			if (auto c = r->step()) completions.push_back(std::move(c));
		}
	}
	for (auto const& c : completions) c();
	s.changed.notify_all();
}

template <typename Change>
void end_ready_waits(script::state& s, std::string const& id, boost::system::error_code const ec
	, Change const& change)
{
	std::vector<std::function<void(boost::system::error_code)>> waits;
	{
		std::lock_guard const lock(s.mutex);
		scripted_torrent& t = s.torrents[id];
		change(t);
		waits.swap(t.ready_waits);
	}
	for (auto const& w : waits) w(ec);
}

} // namespace

void script::arrive(std::string const& id, std::size_t const here_bytes)
{
	change_and_step(*m_state, [&] { m_state->torrents[id].here_bytes = here_bytes; });
}

void script::fail_reads(std::string const& id, errc const e, std::string const& detail)
{
	change_and_step(*m_state, [&] {
		m_state->torrents[id].read_failure = e;
		m_state->torrents[id].failure_detail = detail;
	});
}

void script::set_use(std::string const& id, torrent_use const use
	, std::optional<std::chrono::system_clock::time_point> const drops_at)
{
	std::lock_guard const lock(m_state->mutex);
	m_state->torrents[id].summary.use = use;
	m_state->torrents[id].summary.drops_at = drops_at;
}

void script::fail_metadata(std::string const& id, errc const e)
{
	end_ready_waits(*m_state, id, make_error_code(e), [](scripted_torrent&) {});
}

void script::become_ready(std::string const& id, std::vector<std::pair<std::string, std::string>> files)
{
	end_ready_waits(*m_state, id, {}, [&](scripted_torrent& t) {
		fill(t, id, files);
		t.here_bytes = std::string::npos;
	});
}

bool script::wait_for_readers(std::size_t const count)
{
	return m_state->wait([&] { return m_state->readers.size() == count; });
}

bool script::wait_for_waiting_reads(std::size_t const count)
{
	return m_state->wait([&] {
		return static_cast<std::size_t>(std::count_if(m_state->readers.begin(), m_state->readers.end()
			, [](reader::impl const* const r) { return bool(r->waiting); })) == count;
	});
}

bool script::wait_for_ready_waits(std::size_t const count)
{
	return m_state->wait([&] {
		std::size_t waits = 0;
		for (auto const& [id, t] : m_state->torrents) waits += t.ready_waits.size();
		return waits == count;
	});
}

bool script::wait_until_still()
{
	std::unique_lock lock(m_state->mutex);
	for (auto const end = steady::now() + std::chrono::seconds(20); steady::now() < end;)
	{
		std::size_t const before = m_state->leases;
		if (!m_state->changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return m_state->leases != before; }))
			return true;
	}
	return false;
}

int script::readers_opened()
{
	std::lock_guard const lock(m_state->mutex);
	return m_state->opened;
}

std::size_t script::largest_lease()
{
	std::lock_guard const lock(m_state->mutex);
	return m_state->largest_lease;
}

std::size_t script::most_lent_bytes()
{
	std::lock_guard const lock(m_state->mutex);
	return m_state->most_lent_bytes;
}

std::vector<std::string> script::added()
{
	std::lock_guard const lock(m_state->mutex);
	return m_state->added;
}

} // namespace test

// --- reader

reader::reader(std::shared_ptr<impl> i) : m_impl(std::move(i)) {}

reader::~reader()
{
	cancel();
	{
		std::lock_guard const lock(m_impl->shared->mutex);
		m_impl->shared->readers.erase(m_impl.get());
	}
	m_impl->shared->changed.notify_all();
}

std::int64_t reader::size_bytes() const { return m_impl->size_bytes; }
std::int64_t reader::position_bytes() const { return m_impl->position; }

expected<std::int64_t> reader::seek(std::int64_t const position_bytes)
{
	std::lock_guard const lock(m_impl->shared->mutex);
	if (position_bytes < 0 || position_bytes > m_impl->size_bytes) return errc::out_of_range;
	m_impl->position = position_bytes;
	return position_bytes;
}

std::string reader::failure() const
{
	std::lock_guard const lock(m_impl->shared->mutex);
	auto const found = m_impl->shared->torrents.find(m_impl->id);
	return found == m_impl->shared->torrents.end() ? std::string() : found->second.failure_detail;
}

lease reader::take(std::size_t const max_bytes)
{
	std::lock_guard const lock(m_impl->shared->mutex);
	auto const found = m_impl->shared->torrents.find(m_impl->id);
	if (m_impl->waiting || found == m_impl->shared->torrents.end()) return {};
	auto bytes = m_impl->lend(found->second, max_bytes);
	return bytes ? std::move(*bytes) : lease{};
}

expected<std::size_t> reader::read(std::span<char>) { return errc::bad_argument; }

void reader::cancel()
{
	impl::completion done;
	{
		std::lock_guard const lock(m_impl->shared->mutex);
		if (m_impl->waiting) done = m_impl->finish(errc::cancelled);
	}
	if (done) done();
}

void reader::start_lease(std::size_t const max_bytes, impl::lease_done done)
{
	impl::completion finished;
	{
		std::lock_guard const lock(m_impl->shared->mutex);
		m_impl->waiting = std::move(done);
		m_impl->max_bytes = max_bytes;
		finished = m_impl->step();
	}
	if (finished) finished();
	m_impl->shared->changed.notify_all();
}

// --- engine

class engine::impl
{
public:
	std::shared_ptr<script_state> shared;
	memory_disk memory;
	window_extents windows{{}, extent::share(250'000)};
};

engine::engine(engine_options) : m_impl(std::make_unique<impl>())
{
	std::lock_guard const lock(test::newest().mutex);
	m_impl->shared = test::newest().state.lock();
	if (!m_impl->shared) throw std::invalid_argument("a script must be made before its engine");
}

engine::~engine() { stop(); }

expected<std::string> engine::add_magnet(std::string_view const uri)
{
	std::lock_guard const lock(m_impl->shared->mutex);
	if (!uri.starts_with("magnet:") && !uri.starts_with("MAGNET:")) return error(errc::bad_magnet, "not a magnet link");
	m_impl->shared->added.emplace_back(uri);
	// "magnet:<id>" is all that scripted magnets are.
	std::string const id(uri.substr(std::min<std::size_t>(uri.size(), 7)));
	if (id == "bad") return error(errc::bad_magnet, "a bad magnet");
	if (m_impl->shared->torrents.contains(id)) return error(errc::duplicate, id);
	m_impl->shared->torrents[id].summary.id = id;
	return id;
}

expected<std::string> engine::add_torrent_file(std::span<char const> const bytes)
{
	if (bytes.size() > max_torrent_bytes) return error(errc::too_large, "too large");
	std::lock_guard const lock(m_impl->shared->mutex);
	std::string const text(bytes.begin(), bytes.end());
	if (!text.starts_with("d")) return error(errc::bad_torrent, "not a torrent file");
	std::string const id = "file" + std::to_string(bytes.size());
	if (m_impl->shared->torrents.contains(id)) return error(errc::duplicate, id);
	test::fill(m_impl->shared->torrents[id], id, {});
	return id;
}

expected<std::string> engine::remove(std::string_view const id)
{
	bool found = false;
	test::change_and_step(*m_impl->shared
		, [&] { found = m_impl->shared->torrents.erase(std::string(id)) > 0; });
	if (!found) return error(errc::no_such_torrent, "there is no such torrent");
	return std::string(id);
}

expected<torrent_summary> engine::find(std::string_view const id) const
{
	std::lock_guard const lock(m_impl->shared->mutex);
	auto const found = m_impl->shared->torrents.find(std::string(id));
	if (found == m_impl->shared->torrents.end())
		return error(errc::no_such_torrent, "there is no such torrent");
	return found->second.summary;
}

std::vector<torrent_summary> engine::torrents() const
{
	std::lock_guard const lock(m_impl->shared->mutex);
	std::vector<torrent_summary> all;
	for (auto const& [id, t] : m_impl->shared->torrents) all.push_back(t.summary);
	return all;
}

expected<std::shared_ptr<torrent_files const>> engine::files(std::string_view const id) const
{
	auto const found = find(id);
	if (!found) return found.error();
	if (found->failure) return *found->failure;
	if (found->phase != torrent_phase::ready) return error(errc::no_metadata, "not yet");
	return std::make_shared<torrent_files const>(torrent_files{found->id, found->name, found->files});
}

window_extents engine::windows() const
{
	std::lock_guard const lock(m_impl->shared->mutex);
	return m_impl->windows;
}

expected<window_extents> engine::set_windows(window_extents const& extents)
{
	std::lock_guard const lock(m_impl->shared->mutex);
	return m_impl->windows = extents;
}

expected<std::unique_ptr<reader>> engine::open(std::string_view const id, int const file_index)
{
	auto r = std::make_shared<reader::impl>();
	r->shared = m_impl->shared;
	r->id = id;
	r->file = static_cast<std::size_t>(file_index);
	{
		std::lock_guard const lock(m_impl->shared->mutex);
		auto const found = m_impl->shared->torrents.find(r->id);
		if (found == m_impl->shared->torrents.end()) return errc::no_such_torrent;
		if (r->file >= found->second.contents.size()) return errc::no_such_file;
		r->size_bytes = static_cast<std::int64_t>(found->second.contents[r->file].size());
		m_impl->shared->readers.insert(r.get());
		++m_impl->shared->opened;
	}
	m_impl->shared->changed.notify_all();
	return std::make_unique<reader>(std::move(r));
}

expected<std::string> engine::connect(std::string_view const id, boost::asio::ip::tcp::endpoint)
{
	return std::string(id);
}

std::vector<boost::asio::ip::tcp::endpoint> engine::peer_endpoints() const { return {}; }
payload_totals engine::payload() const { return {}; }
early_totals engine::early() const { return {}; }
memory_disk const& engine::memory() const { return m_impl->memory; }

expected<torrent_details> engine::details(std::string_view const id) const
{
	auto summary = find(id);
	if (!summary) return summary.error();
	torrent_details d;
	d.summary = std::move(*summary);
	d.pieces = {{0, 3, piece_state::verified}, {3, 1, piece_state::absent}};
	peer_entry peer;
	peer.endpoint = {boost::asio::ip::make_address("::1"), 5};
	peer.client = "\xff";
	peer.progress_ppm = 500'000;
	d.peers.push_back(std::move(peer));
	for (auto& r : readers()) if (r.torrent_id == id) d.readers.push_back(std::move(r));
	return d;
}

std::vector<reader_entry> engine::readers() const
{
	std::lock_guard const lock(m_impl->shared->mutex);
	std::vector<reader_entry> all;
	for (reader::impl const* const r : m_impl->shared->readers)
	{
		all.push_back({.torrent_id = r->id, .file_index = static_cast<int>(r->file), .position_bytes = r->position
			, .size_bytes = r->size_bytes, .first_piece = 1, .end_piece = 2, .lookbehind_bytes = 3, .consumed_bytes_s = {}
			, .waiting = bool(r->waiting), .idle = false});
	}
	return all;
}

namespace {

expected<std::string> set_paused(script_state& s, std::string_view const id, bool const paused)
{
	std::lock_guard const lock(s.mutex);
	auto const found = s.torrents.find(std::string(id));
	if (found == s.torrents.end()) return error(errc::no_such_torrent, "there is no such torrent");
	found->second.summary.paused = paused;
	return std::string(id);
}

} // namespace

expected<std::string> engine::pause(std::string_view const id) { return set_paused(*m_impl->shared, id, true); }
expected<std::string> engine::resume(std::string_view const id) { return set_paused(*m_impl->shared, id, false); }

void engine::stop()
{
	std::vector<std::string> ids;
	{
		std::lock_guard const lock(m_impl->shared->mutex);
		for (auto const& [id, t] : m_impl->shared->torrents) ids.push_back(id);
	}
	for (std::string const& id : ids)
		test::end_ready_waits(*m_impl->shared, id, make_error_code(errc::cancelled), [](auto&) {});
}

void engine::start_wait_ready(std::string id, std::function<void(boost::system::error_code)> done)
{
	{
		std::lock_guard const lock(m_impl->shared->mutex);
		auto const found = m_impl->shared->torrents.find(id);
		if (found != m_impl->shared->torrents.end()
			&& found->second.summary.phase == torrent_phase::metadata)
			found->second.ready_waits.push_back(std::move(done));
	}
	m_impl->shared->changed.notify_all();
	if (done) done(make_error_code(errc::no_such_torrent));
}

} // namespace slipstream
