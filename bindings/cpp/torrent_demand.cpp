#include "torrent_demand.hpp"

#include "hashes.hpp"
#include "session_core.hpp"

#include <libtorrent/peer_info.hpp>

#include <algorithm>

namespace slipstream::binding {

namespace {

constexpr std::int64_t urgent_bytes = 2 << 20;
constexpr int max_deadlines = 16;
constexpr lt::download_priority_t ahead_priority{6};

bool is_verified(memory_torrent const& here, lt::piece_index_t const piece)
{
	auto const state = here.state(piece);
	return state && *state == piece_state::verified;
}

bool requests_in_flight(lt::torrent_handle const& torrent)
{
	std::vector<lt::peer_info> peers;
	torrent.get_peer_info(peers);
	return std::any_of(peers.begin(), peers.end(), [](lt::peer_info const& p) { return p.download_queue_length > 0; });
}

} // namespace

void torrent_demand::set(session_core& core, void const* const reader, lt::info_hash_t const& hashes, read_window const window
	, bool const waiting)
{
	std::scoped_lock const one_at_a_time(m_mutex);
	std::set<lt::piece_index_t> gone;
	{
		std::scoped_lock const l(m_news_mutex);
		m_hashes = hashes;
		std::swap(gone, m_gone);
	}
	m_read = true;
	for (auto const piece : gone)
	{
		m_told.erase(piece);
		m_raised.erase(piece);
		m_with_deadline.erase(piece);
	}
	m_windows[reader] = window;
	auto const here = core.storage(m_entry);
	auto const p = make_plan(here);
	// What a reader just left is protected anew before it stops being a reader's piece.
	if (p.sets_lookbehind) static_cast<void>(here.set_lookbehind_pieces(p.behind));
	auto const granted = here.set_reader_pieces(p.wanted);
	if (!granted && !granted.error().is(errc::no_such_torrent)) fail(granted.error());
	if (granted) tell(core, here, p, static_cast<std::size_t>(granted->pieces), waiting);
}

void torrent_demand::remove(session_core& core, void const* const reader) noexcept
try
{
	std::scoped_lock const one_at_a_time(m_mutex);
	if (m_windows.erase(reader) == 0) return;
	if (m_windows.empty())
	{
		std::scoped_lock const l(m_news_mutex);
		m_gone.clear();
	}
	auto const here = core.storage(m_entry);
	auto p = make_plan(here);
	auto const granted = here.set_reader_pieces(p.wanted);
	// Lookbehind stays until others need the room, or a new reader says anew what is behind it:
	// players seek by opening anew.
	tell(core, here, p, granted ? static_cast<std::size_t>(granted->pieces) : 0, false);
	m_read = !m_windows.empty();
	if (m_windows.empty()) m_told.clear();
}
// Closed, or the torrent is gone: there is nothing to give up any more.
catch (...) {}

void torrent_demand::piece_verified(lt::info_hash_t const& torrent, lt::piece_index_t) { wake_if_mine(torrent); }

void torrent_demand::piece_gone(lt::info_hash_t const& torrent, lt::piece_index_t const piece)
{
	if (!m_read) return;
	{
		std::scoped_lock const l(m_news_mutex);
		if (!same_torrent(torrent, m_hashes)) return;
		m_gone.insert(piece);
	}
	m_entry.changed.wake();
}

void torrent_demand::wake_if_mine(lt::info_hash_t const& torrent)
{
	if (!m_read) return;
	{
		std::scoped_lock const l(m_news_mutex);
		if (!same_torrent(torrent, m_hashes)) return;
	}
	m_entry.changed.wake();
}

torrent_demand::plan torrent_demand::make_plan(memory_torrent const& here) const
{
	plan p;
	std::vector<std::pair<int, int>> ahead;  // [first, end) of each window
	std::set<lt::piece_index_t> behind, seen;
	std::size_t longest = 0;
	for (auto const& [reader, w] : m_windows)
	{
		if (w.position >= w.end) continue;
		int const first = static_cast<int>(w.position / w.piece_length);
		int const end = static_cast<int>((std::min(w.end, w.position + std::max<std::int64_t>(w.read_ahead_bytes, 1)) - 1)
			/ w.piece_length) + 1;
		ahead.emplace_back(first, end);
		longest = std::max(longest, static_cast<std::size_t>(end - first));
		auto const urgent = std::clamp<int>(static_cast<int>(urgent_bytes / w.piece_length), 1, max_deadlines);
		for (int i = first; i < std::min(end, first + urgent); ++i) p.urgent.insert(lt::piece_index_t(i));
	}
	for (std::size_t i = 0; i < longest; ++i)
		for (auto const& [first, end] : ahead)
			if (auto const piece = first + static_cast<int>(i); piece < end && seen.insert(lt::piece_index_t(piece)).second)
				p.wanted.emplace_back(piece);
	for (auto const& [reader, w] : m_windows)
	{
		if (w.lookbehind_bytes <= 0) continue;
		p.sets_lookbehind = true;
		int left = static_cast<int>(w.lookbehind_bytes / w.piece_length);
		for (auto piece = static_cast<int>(w.position / w.piece_length) - 1, first = static_cast<int>(w.file_begin / w.piece_length)
			; piece >= first && left > 0; --piece)
		{
			lt::piece_index_t const i(piece);
			if (seen.count(i) != 0 || !is_verified(here, i)) continue;
			if (behind.insert(i).second) p.behind.push_back(i);
			--left;
		}
	}
	return p;
}

void torrent_demand::tell(session_core& core, memory_torrent const& here, plan const& p, std::size_t const granted
	, bool const waiting)
{
	session_core::use const session(core);
	auto const& torrent = m_entry.handle;
	std::vector<std::pair<lt::piece_index_t, lt::download_priority_t>> changes;
	std::set<lt::piece_index_t> wanted;
	std::vector<lt::piece_index_t> deadlines;
	std::vector<lt::download_priority_t> before;
	for (std::size_t i = 0; i < p.wanted.size(); ++i)
	{
		auto const piece = p.wanted[i];
		// Without what is at its position a reader would wait for nothing.
		if (i >= std::max(granted, m_windows.size())) break;
		wanted.insert(piece);
		if (here.has_piece(piece)) continue;
		bool const urgent = p.urgent.count(piece) != 0;
		if (urgent) deadlines.push_back(piece);
		auto const priority = urgent ? lt::top_priority : ahead_priority;
		if (auto const at = m_told.find(piece); at != m_told.end() && at->second == priority) continue;
		if (before.empty()) before = torrent.get_piece_priorities();
		auto const index = static_cast<std::size_t>(static_cast<int>(piece));
		if (index >= before.size()) break;
		m_raised.emplace(piece, before[index]);
		m_told[piece] = priority;
		changes.emplace_back(piece, priority);
	}
	put_back(wanted, here, changes);
	if (changes.empty()) return;
	if (waiting && !deadlines.empty() && !requests_in_flight(torrent))
	{
		int ms = 0;
		for (auto const piece : deadlines)
		{
			torrent.set_piece_deadline(piece, ms += 10);
			m_with_deadline.insert(piece);
		}
	}
	torrent.prioritize_pieces(changes);
}

void torrent_demand::put_back(std::set<lt::piece_index_t> const& keep, memory_torrent const& here
	, std::vector<std::pair<lt::piece_index_t, lt::download_priority_t>>& changes)
{
	for (auto at = m_raised.begin(); at != m_raised.end();)
	{
		auto const [piece, priority] = *at;
		if (keep.count(piece) != 0) { ++at; continue; }
		m_told.erase(piece);
		at = m_raised.erase(at);
		// Before the priority: it sets one of its own.
		if (m_with_deadline.erase(piece) != 0) m_entry.handle.reset_piece_deadline(piece);
		// What is here keeps its priority: libtorrent miscounts pieces that it has and that nobody wants.
		if (!here.has_piece(piece)) changes.emplace_back(piece, priority);
	}
}

} // namespace slipstream::binding
