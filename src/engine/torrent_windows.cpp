// A torrent's readers: what they want and keep, and when they and the torrent are idle.
#include "engine/torrent_entry.hpp"

#include "engine/reader_impl.hpp"

#include <boost/asio/post.hpp>

#include <spdlog/spdlog.h>

#include <libtorrent/peer_info.hpp>

#include <algorithm>
#include <utility>

namespace slipstream {

namespace {

constexpr std::chrono::milliseconds least_between_updates{5};

// The head of a window, which gets deadlines: enough to keep several peers busy, and not so much that
// everything is urgent.
constexpr int urgent_bytes = 2 << 20;
constexpr int min_urgent_pieces = 2;
constexpr int max_urgent_pieces = 16;

int urgent_pieces(int const piece_length_bytes)
{
	return std::clamp(urgent_bytes / piece_length_bytes + 1, min_urgent_pieces, max_urgent_pieces);
}

bool is_verified(memory_torrent const& torrent, lt::piece_index_t const piece)
{
	auto const state = torrent.state(piece);
	return state && *state == piece_state::verified;
}

} // namespace

void torrent_entry::attach(std::shared_ptr<reader::impl> r)
{
	if (auto const known = m_histories.find(r->file().offset_bytes); known != m_histories.end())
		r->consumed().suppose(known->second.consumed_bytes_s);
	m_readers.push_back(std::move(r));
	live_on();
}

void torrent_entry::detach(reader::impl& r)
{
	auto const gone = std::erase_if(m_readers, [&](auto const& other) { return other.get() == &r; });
	if (gone == 0) return;
	if (auto const consumed = r.consumed().bytes_s()) m_histories[r.file().offset_bytes].consumed_bytes_s = consumed;
	if (m_environment.reader_shares.forget(r.number())) m_environment.shares_changed(this);
	live_on();
	demand_changed();
}

void torrent_entry::left(stream::file_geometry const& file, std::int64_t const first, std::int64_t const end)
{
	if (first < end) m_histories[file.offset_bytes].probed.left(file, first, end);
}

void torrent_entry::shares_changed()
{
	if (!m_readers.empty()) demand_changed();
}

// A fast swarm verifies thousands of pieces a second, and players open and close as many
// connections: the demand is worked out over whole windows, and told to the disk and to libtorrent,
// so not for each of these.
void torrent_entry::demand_changed()
{
	if (m_update_posted || m_update_timed) return;
	m_update_timer.expires_at(m_updated + least_between_updates);
	m_update_timer.async_wait([self = weak_from_this()](boost::system::error_code const ec) {
		auto const entry = self.lock();
		if (entry && !ec && std::exchange(entry->m_update_timed, false)) entry->update_demand();
	});
	m_update_timed = true;
}

void torrent_entry::demand_is_urgent()
{
	if (m_update_posted) return;
	boost::asio::post(m_environment.context, [self = weak_from_this()] {
		auto const entry = self.lock();
		if (!entry || !std::exchange(entry->m_update_posted, false)) return;
		entry->m_update_timed = false;
		entry->m_update_timer.cancel();
		entry->update_demand();
	});
	m_update_posted = true;
}

bool torrent_entry::settle()
{
	bool const was_posted = std::exchange(m_update_posted, false);
	bool const was_timed = std::exchange(m_update_timed, false);
	if (!was_posted && !was_timed) return false;
	m_update_timer.cancel();
	update_demand();
	return true;
}

void torrent_entry::update_demand()
{
	m_updated = clock::now();
	if (!m_metadata || m_removed) return;
	share_memory();
	if (m_environment.options.early) await_blocks();
	std::vector<stream::window> shown;
	for (auto const* const r : active_readers()) shown.push_back(r->window());
	if (shown.empty() && !m_demand.wants_anything()) return stop_protecting();
	memory_torrent const& here = memory();
	auto may_want = protect(shown);
	// A film that was left a moment ago may still have the room that this one needs.
	if (!may_want && may_want.error().is(errc::no_space) && m_environment.settle_others(this)) may_want = protect(shown);
	if (!may_want)
	{
		if (!may_want.error().is(errc::no_space)) return; // the storage is not there yet, or not any more
		spdlog::warn("torrent {}: cannot be read as well: {}", m_id, may_want.error().detail);
		for (auto const& r : m_readers) r->fail(error(errc::no_space, "the memory is too small to read this torrent as well: "
			+ may_want.error().detail));
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
	// After the priorities: libtorrent, that may have had all that was wanted until now, counts
	// those that it has use for.
	if ((at_rest || m_lost_peers) && m_demand.wants_anything()) look_for_peers();
}

// Here, and not where a reader begins to wait: the storage may not be there then.
void torrent_entry::await_blocks()
{
	memory_torrent const& here = memory();
	std::vector<lt::piece_index_t> came;
	for (auto const& r : m_readers)
	{
		if (!r->waits()) continue;
		stream::place const at = stream::locate(r->file(), r->position_bytes());
		if (auto const is_here = here.tell_when_written(at.piece, at.offset_bytes); is_here && *is_here) came.push_back(at.piece);
	}
	for (auto const piece : came) block_written(piece);
}

std::vector<reader::impl*> torrent_entry::active_readers() const
{
	std::vector<reader::impl*> active;
	for (auto const& r : m_readers)
		if (!r->window().empty()) active.push_back(r.get());
	return active;
}

void torrent_entry::share_memory()
{
	note_idle_readers();
	auto const active = active_readers();
	memory_torrent const& here = memory();
	auto const piece_length = m_metadata->piece_length();
	auto const capacity = m_environment.disk.capacity_bytes();
	for (auto& [offset, history] : m_histories) history.readers = 0;
	for (auto const* const r : active)
	{
		auto& history = m_histories[r->file().offset_bytes];
		if (history.readers++ > 0) continue;
		auto const most = static_cast<int>(std::min<std::int64_t>(
			capacity / std::max(piece_length, block_size_bytes), m_metadata->num_pieces()));
		history.probed_here = history.probed.pieces(r->file(), most
			, [&](lt::piece_index_t const p) { return is_verified(here, p); });
	}
	bool news = false;
	for (auto const& r : m_readers)
	{
		if (r->window().empty())
		{
			news |= m_environment.reader_shares.forget(r->number());
			continue;
		}
		auto const& history = m_histories[r->file().offset_bytes];
		shares::facts f{.piece_length_bytes = piece_length, .size_bytes = r->file().size_bytes};
		// Rounded up, so that the readers of a file together have all of it.
		f.probed_bytes = (std::int64_t{piece_length} * std::ssize(history.probed_here) + history.readers - 1) / history.readers;
		f.consumed_bytes_s = r->consumed().bytes_s();
		f.idle = r->idle();
		news |= m_environment.reader_shares.tell(r->number(), f);
	}
	if (!active.empty())
	{
		auto const protectable = m_environment.disk.stats().protectable_bytes;
		for (auto* const r : active) r->allot(m_environment.reader_shares.of(r->number(), capacity, protectable));
	}
	if (news) m_environment.shares_changed(this);
}

// One timer, for the reader that may be idle first. Readers read on without telling it: then it
// finds nothing, and is set anew.
void torrent_entry::note_idle_readers()
{
	auto const now = clock::now();
	std::optional<clock::time_point> next;
	for (auto* const r : active_readers())
	{
		auto const at = r->unread_for(m_environment.options.reader_idle_after);
		r->set_idle(at && *at <= now);
		if (at && !r->idle()) next = next ? std::min(*next, *at) : *at;
	}
	if (!next || (m_idle_timer_at && *m_idle_timer_at <= *next)) return;
	m_idle_timer_at = next;
	m_idle_timer.expires_at(*next);
	m_idle_timer.async_wait([self = weak_from_this()](boost::system::error_code const ec) {
		auto const entry = self.lock();
		// A timer that ran out while it was set anew has another time to come.
		if (!entry || ec || entry->m_idle_timer.expiry() > clock::now()) return;
		entry->m_idle_timer_at.reset();
		entry->demand_changed();
	});
}

std::vector<lt::piece_index_t> torrent_entry::probed_pieces() const
{
	std::map<std::int64_t, std::int64_t> may_have;  // by the file's offset
	for (auto const* const r : active_readers()) may_have[r->file().offset_bytes] += r->portion().probed_bytes;
	std::vector<lt::piece_index_t> pieces;
	for (auto const& [offset, bytes] : may_have)
	{
		auto const& here = m_histories.at(offset).probed_here;
		auto const count = std::min<std::int64_t>(std::ssize(here), bytes / m_metadata->piece_length());
		pieces.insert(pieces.end(), here.begin(), here.begin() + count);
	}
	return pieces;
}

// Lookbehind first: what a reader just left is protected anew before it stops being a reader's
// piece. What was probed stands behind the lookbehind in one list: it goes first when another
// torrent has to have the room for what it reads.
expected<std::unordered_set<int>> torrent_entry::protect(std::span<stream::window const> const shown)
{
	memory_torrent const& here = memory();
	if (!shown.empty()) // see stop_protecting()
	{
		std::vector<int> most;
		for (auto const* const r : active_readers())
			most.push_back(static_cast<int>(r->portion().lookbehind_bytes / m_metadata->piece_length()));
		auto behind = stream::lookbehind_pieces(shown, most, [&](lt::piece_index_t const p) { return is_verified(here, p); });
		for (auto const p : probed_pieces())
			if (std::find(behind.begin(), behind.end(), p) == behind.end()) behind.push_back(p);
		if (auto const kept = here.set_lookbehind_pieces(behind); !kept) return kept.error();
		m_keeping = true;
	}
	auto const pieces = stream::reader_pieces(shown);
	auto const granted = here.set_reader_pieces(pieces);
	if (!granted) return granted.error();
	std::unordered_set<int> may_want;
	for (auto const p : std::span(pieces).first(static_cast<std::size_t>(granted->pieces))) may_want.insert(static_cast<int>(p));
	m_protecting = !pieces.empty();
	return may_want;
}

// Nobody reads. A player that seeks closes one connection and opens the next, so what is behind it
// stays protected for a while (live_on() ends that), until others need the room (which take it), or
// until a new reader says anew what is behind it.
void torrent_entry::stop_protecting()
{
	if (!std::exchange(m_protecting, false)) return;
	static_cast<void>(memory().set_reader_pieces({}));
}

void torrent_entry::live_on()
{
	if (m_removed) return;
	auto const now = clock::now();
	bool const is_waited_for = !m_waiting.empty();
	if (m_life.users(now, static_cast<int>(m_readers.size())) || is_waited_for) m_drops_at.reset();
	if (std::exchange(m_was_waited_for, is_waited_for) || is_waited_for) m_life.touch(now);
	auto const drop_after = m_environment.options.drop_idle_after;
	auto const drop_at = drop_after.count() > 0 && !is_waited_for ? m_life.unused_for(drop_after) : std::nullopt;
	auto const forget_at = m_keeping ? m_life.unused_for(m_environment.options.reader_idle_after) : std::nullopt;
	if (drop_at && !m_drops_at)
		m_drops_at = std::chrono::system_clock::now()
			+ std::chrono::duration_cast<std::chrono::system_clock::duration>(*drop_at - now);
	if (!drop_at && !forget_at)
	{
		m_life_timer.cancel();
		return;
	}
	m_life_timer.expires_at(std::min(drop_at.value_or(clock::time_point::max()), forget_at.value_or(clock::time_point::max())));
	m_life_timer.async_wait([self = weak_from_this()](boost::system::error_code const ec) {
		auto const entry = self.lock();
		if (entry && !ec && entry->m_life_timer.expiry() <= clock::now()) entry->age();
	});
}

// Its memory first, then the torrent.
void torrent_entry::age()
{
	if (m_removed) return;
	auto const now = clock::now();
	auto const is_past = [&](clock::duration const time) {
		auto const at = m_life.unused_for(time);
		return at && *at <= now;
	};
	if (m_keeping && is_past(m_environment.options.reader_idle_after))
	{
		m_keeping = false;
		memory().clear_lookbehind();
	}
	auto const drop_after = m_environment.options.drop_idle_after;
	if (drop_after.count() > 0 && is_past(drop_after)) return m_environment.drop(m_id);
	live_on();
}

// libtorrent cancels all requests without a deadline when a torrent gets its first one, and some
// peers (Transmission 3.0) neither serve nor reject what was cancelled: such requests hang until
// they time out, and with them the stream. So deadlines are for a start from rest; after that,
// priorities do.
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

} // namespace slipstream
