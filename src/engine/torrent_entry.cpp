#include "engine/torrent_entry.hpp"

#include "engine/info_hash_text.hpp"
#include "engine/reader_impl.hpp"

#include <boost/asio/post.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <libtorrent/peer_info.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/pex_flags.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <filesystem>

namespace slipstream {

namespace {

// The head of a window, which gets deadlines: enough to keep several peers busy, and not so much that
// everything is urgent.
constexpr int urgent_bytes = 2 << 20;
constexpr int min_urgent_pieces = 2;
constexpr int max_urgent_pieces = 16;

int urgent_pieces(int const piece_length_bytes)
{
	return std::clamp(urgent_bytes / piece_length_bytes + 1, min_urgent_pieces, max_urgent_pieces);
}

std::vector<file_entry> list_files(lt::torrent_info const& metadata)
{
	lt::file_storage const& files = metadata.files();
	std::vector<file_entry> result;
	result.reserve(static_cast<std::size_t>(files.num_files()));
	for (lt::file_index_t const i : files.file_range())
	{
		file_entry entry;
		entry.index = static_cast<int>(i);
		entry.path = files.file_path(i);
		entry.name = std::string(files.file_name(i));
		entry.size_bytes = files.file_size(i);
		entry.pad = files.pad_file_at(i);
		result.push_back(std::move(entry));
	}
	return result;
}

bool is_verified(memory_torrent const& torrent, lt::piece_index_t const piece)
{
	auto const state = torrent.state(piece);
	return state && *state == piece_state::verified;
}

} // namespace

std::int64_t torrent_environment::read_ahead_bytes() const
{
	auto const capacity = disk.capacity_bytes();
	return options.read_ahead_bytes > 0 ? std::min(options.read_ahead_bytes, capacity)
		: stream::default_read_ahead_bytes(capacity);
}

std::int64_t torrent_environment::lookbehind_bytes() const
{ return options.lookbehind_bytes > 0 ? options.lookbehind_bytes : disk.capacity_bytes() / 4; }

stream::division torrent_environment::share(int const readers) const
{
	auto const torrents = std::max(1, streaming_torrents);
	return stream::divide(disk.stats().protectable_bytes / torrents, lookbehind_bytes() / torrents, read_ahead_bytes()
		, readers);
}

std::size_t torrent_environment::max_lease_bytes() const
{
	return static_cast<std::size_t>(std::clamp<std::int64_t>(disk.capacity_bytes() / 64, 4 * block_size_bytes, 1 << 20));
}

torrent_entry::torrent_entry(torrent_environment& environment, lt::torrent_handle handle
	, lt::add_torrent_params const& params)
	: m_environment(environment)
	, m_handle(std::move(handle))
	, m_id(id_of(params.ti ? params.ti->info_hashes() : params.info_hashes))
	, m_hashes(params.ti ? params.ti->info_hashes() : params.info_hashes)
	, m_name(params.name)
	, m_metadata_timer(environment.context)
{
	if (params.ti) use_metadata(params.ti);
}

void torrent_entry::start()
{
	for (auto const& peer : m_environment.options.connect) connect(peer);
	// While the files are being checked libtorrent connects to nobody: checked() resumes then.
	if (m_metadata) return;
	resume();
	m_metadata_timer.expires_after(m_environment.options.metadata_timeout);
	m_metadata_timer.async_wait([self = weak_from_this()](boost::system::error_code const ec) {
		if (auto const entry = self.lock(); entry && !ec) entry->metadata_timed_out();
	});
}

void torrent_entry::use_metadata(std::shared_ptr<lt::torrent_info const> metadata)
{
	m_metadata = std::move(metadata);
	m_hashes = m_metadata->info_hashes();
	m_name = m_metadata->name();
	m_files = list_files(*m_metadata);
	m_phase = torrent_phase::checking;
	m_failure.reset();
	// libtorrent stops it as well; here the reason is known.
	if (auto const room = m_environment.disk.room_for(m_metadata->total_size(), m_metadata->piece_length()); !room)
		fail(room.error().is(errc::no_space) ? errc::no_space : errc::bad_torrent, "the memory is too small for its pieces: "
			+ room.error().detail);
}

void torrent_entry::metadata_arrived()
{
	if (m_metadata) return;
	auto metadata = m_handle.torrent_file();
	if (!metadata) return;
	m_metadata_timer.cancel();
	use_metadata(std::move(metadata));
	spdlog::info("torrent {}: metadata is here, \"{}\"", m_id, m_name);
}

void torrent_entry::metadata_timed_out()
{
	// The timer may have run out in the moment the metadata came.
	if (m_metadata) return;
	fail(errc::metadata_timeout, fmt::format("no peer sent the metadata within {} ms"
		, m_environment.options.metadata_timeout.count()));
}

void torrent_entry::checked()
{
	resume();
	if (!m_metadata) metadata_arrived();
	if (!m_metadata || m_phase == torrent_phase::failed) return;
	m_phase = torrent_phase::ready;
	answer_waiting({});
	demand_changed();
}

void torrent_entry::fail(errc const e, std::string detail)
{
	// What is known to be too large is stopped by libtorrent, too, which does not know why.
	if (m_metadata && m_failure && m_failure->is(errc::no_space)) return;
	spdlog::warn("torrent {}: {}", m_id, detail);
	m_phase = torrent_phase::failed;
	m_failure = error(e, std::move(detail));
	answer_waiting(make_error_code(e));
	for (auto const& r : m_readers) r->fail(e);
}

void torrent_entry::out_of_space(std::string const& detail)
{
	// Every block that was under way is refused; once is enough to say.
	if (!m_upload_mode)
		spdlog::warn("torrent {}: no space in memory: {}", m_id, detail);
	m_upload_mode = true;
	for (auto const& r : m_readers) r->fail(errc::no_space);
}

void torrent_entry::piece_verified(lt::piece_index_t const piece)
{
	for (auto const& r : m_readers) r->piece_changed(piece);
	demand_changed();
}

void torrent_entry::piece_gone(lt::piece_index_t const piece)
{
	m_demand.gone(piece);
	if (!m_readers.empty()) demand_changed();
}

void torrent_entry::removed(errc const why)
{
	m_metadata_timer.cancel();
	answer_waiting(make_error_code(why));
	for (auto const& r : m_readers) r->torrent_gone(why);
	if (!m_readers.empty()) --m_environment.streaming_torrents;
	m_readers.clear();
}

void torrent_entry::wait_ready(ready_handler done)
{
	if (m_phase == torrent_phase::ready) done({});
	else if (m_failure) done(m_failure->code);
	else m_waiting.push_back(std::move(done));
}

void torrent_entry::answer_waiting(boost::system::error_code const ec)
{
	for (auto const& done : std::exchange(m_waiting, {})) done(ec);
}

expected<stream::file_geometry> torrent_entry::file(int const index) const
{
	if (!m_metadata)
		return error(errc::no_metadata, fmt::format("the metadata of torrent {} has not arrived", m_id));
	if (m_phase == torrent_phase::failed) return *m_failure;
	lt::file_storage const& files = m_metadata->files();
	lt::file_index_t const file_index{index};
	if (index < 0 || file_index >= files.end_file())
		return error(errc::no_such_file, fmt::format("torrent {} has files 0 to {}, not {}", m_id
			, files.num_files() - 1, index));
	if (files.pad_file_at(file_index))
		return error(errc::no_such_file, fmt::format("file {} of torrent {} is padding", index, m_id));
	return stream::file_geometry{.offset_bytes = files.file_offset(file_index)
		, .size_bytes = files.file_size(file_index), .piece_length_bytes = m_metadata->piece_length()};
}

void torrent_entry::connect(boost::asio::ip::tcp::endpoint const& peer)
{
	try { m_handle.connect_peer(peer); }
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
}

void torrent_entry::resume()
{
	if (m_paused) return;
	try { m_handle.resume(); }
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
}

void torrent_entry::attach(std::shared_ptr<reader::impl> r)
{
	if (m_readers.empty()) ++m_environment.streaming_torrents;
	m_readers.push_back(std::move(r));
}

void torrent_entry::detach(reader::impl const* const r)
{
	auto const gone = std::erase_if(m_readers, [r](auto const& other) { return other.get() == r; });
	if (gone == 0) return;
	if (m_readers.empty()) --m_environment.streaming_torrents;
	demand_changed();
}

void torrent_entry::demand_changed()
{
	// A fast swarm verifies thousands of pieces a second, and the demand is worked out over whole windows.
	if (std::exchange(m_update_posted, true)) return;
	boost::asio::post(m_environment.context, [self = weak_from_this()] {
		if (auto const entry = self.lock()) entry->update_demand();
	});
}

void torrent_entry::update_demand()
{
	m_update_posted = false;
	if (!m_metadata) return;
	auto const readers = std::count_if(m_readers.begin(), m_readers.end(), [](auto const& r) { return !r->window(0).empty(); });
	if (readers == 0 && !m_demand.wants_anything()) return stop_protecting();
	auto const share = m_environment.share(static_cast<int>(readers));
	auto const shown = windows(share.read_ahead_bytes);
	memory_torrent const& here = memory();
	auto const may_want = protect(shown, share.lookbehind_bytes);
	if (!may_want)
	{
		if (!may_want.error().is(errc::no_space)) return; // the storage is not there yet, or not any more
		spdlog::warn("torrent {}: cannot be read as well: {}", m_id, may_want.error().detail);
		for (auto const& r : m_readers) r->fail(errc::no_space);
		return;
	}
	int const piece_length = m_metadata->piece_length();
	auto const have = [&](lt::piece_index_t const p) { return is_verified(here, p); };
	auto const wanted = m_demand.choose(shown, urgent_pieces(piece_length), have
		, [&](lt::piece_index_t const p) { return may_want->contains(static_cast<int>(p)); });
	bool const at_rest = !m_demand.wants_anything();
	// Complete is as good as verified here: its hash is on the way, and libtorrent has it.
	apply(m_demand.replace(wanted, !m_demand.wants_anything() && !requests_in_flight()
		, [&](lt::piece_index_t const p) { return here.has_piece(p); }));
	if (at_rest && m_demand.wants_anything()) look_for_peers();
}

std::vector<stream::window> torrent_entry::windows(std::int64_t const read_ahead_bytes) const
{
	std::vector<stream::window> result;
	for (auto const& r : m_readers)
		if (auto const w = r->window(read_ahead_bytes); !w.empty()) result.push_back(w);
	return result;
}

// Lookbehind first: what a reader just left is protected anew before it stops being a reader's piece.
expected<std::unordered_set<int>> torrent_entry::protect(std::span<stream::window const> const shown
	, std::int64_t const lookbehind_bytes)
{
	memory_torrent const& here = memory();
	if (!shown.empty()) // see stop_protecting()
	{
		auto const most = static_cast<int>(lookbehind_bytes / m_metadata->piece_length());
		auto const behind = stream::lookbehind_pieces(shown, most, [&](lt::piece_index_t const p) { return is_verified(here, p); });
		if (auto const kept = here.set_lookbehind_pieces(behind); !kept) return kept.error();
	}
	auto const pieces = stream::reader_pieces(shown);
	auto const granted = here.set_reader_pieces(pieces);
	if (!granted) return granted.error();
	std::unordered_set<int> may_want;
	for (auto const p : std::span(pieces).first(static_cast<std::size_t>(granted->pieces))) may_want.insert(static_cast<int>(p));
	m_protecting = !pieces.empty();
	return may_want;
}

// Nobody reads. A player that seeks closes one connection and opens the next, so what is behind it stays protected
// until others need the room (which take it) or a new reader says anew what is behind it.
void torrent_entry::stop_protecting()
{
	if (!std::exchange(m_protecting, false)) return;
	static_cast<void>(memory().set_reader_pieces({}));
}

// libtorrent cancels all requests without a deadline when a torrent gets its first one, and some peers
// (Transmission 3.0) neither serve nor reject what was cancelled: such requests hang until they time out, and
// with them the stream. So deadlines are for a start from rest; after that, priorities do.
bool torrent_entry::requests_in_flight() const
{
	try
	{
		std::vector<lt::peer_info> peers;
		m_handle.get_peer_info(peers);
		return std::any_of(peers.begin(), peers.end()
			, [](lt::peer_info const& p) { return p.download_queue_length > 0; });
	}
	catch (lt::system_error const&) { return true; }
}

void torrent_entry::apply(stream::demand_changes const& changes)
{
	if (changes.empty()) return;
	try
	{
		for (auto const piece : changes.deadlines_reset) m_handle.reset_piece_deadline(piece);
		for (auto const& [piece, ms] : changes.deadlines_set) m_handle.set_piece_deadline(piece, ms);
		if (!changes.priorities.empty()) m_handle.prioritize_pieces(changes.priorities);
	}
	// The handle's torrent left the session; whoever removes it answers the readers.
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
}

std::optional<errc> torrent_entry::prepare_to_wait()
{
	if (m_phase == torrent_phase::failed) return m_failure->is(errc::no_space) ? errc::no_space : errc::torrent_failed;
	if (!m_upload_mode) return std::nullopt;
	// A write was refused before; memory may have become free since. If not, the next write tells.
	m_upload_mode = false;
	try { m_handle.unset_flags(lt::torrent_flags::upload_mode); }
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
	return std::nullopt;
}

memory_torrent const& torrent_entry::memory() const
{
	if (!m_memory.alive()) m_memory = m_environment.disk.torrent(m_hashes);
	return m_memory;
}

expected<lease> torrent_entry::view(stream::place const& at, int const length)
{
	return memory().view(at.piece, at.offset_bytes, length, true);
}

payload_totals torrent_entry::payload() const
{
	try
	{
		lt::torrent_status const status = m_handle.status(lt::status_flags_t{});
		return {status.total_payload_download, status.total_payload_upload};
	}
	catch (lt::system_error const&) { return {}; }
}

torrent_summary torrent_entry::summary() const
{
	torrent_summary s;
	s.hashes = m_hashes;
	s.id = m_id;
	s.name = m_name;
	s.phase = m_phase;
	s.failure = m_failure;
	s.paused = m_paused;
	s.files = m_files;
	s.readers = static_cast<int>(m_readers.size());
	if (m_metadata)
	{
		s.size_bytes = m_metadata->total_size();
		s.piece_length_bytes = m_metadata->piece_length();
		s.num_pieces = m_metadata->num_pieces();
		if (auto const verified = memory().num_verified_pieces()) s.verified_pieces = *verified;
	}
	try
	{
		lt::torrent_status const status = m_handle.status(lt::status_flags_t{});
		s.peers = status.num_peers;
		s.download_rate_bytes_s = status.download_payload_rate;
		s.upload_rate_bytes_s = status.upload_payload_rate;
		s.downloaded_bytes = status.total_payload_download;
		s.uploaded_bytes = status.total_payload_upload;
	}
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
	return s;
}

} // namespace slipstream
