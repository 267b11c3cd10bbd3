#include "http/scripted_state.hpp"

#include <stdexcept>
#include <utility>

namespace slipstream {

using script_state = test::script::state;

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
