// Demand: what a torrent's readers want, and what of that libtorrent has not been told yet.
//
// A demand turns the windows of all readers of one torrent into one list of wanted pieces in order
// of need, remembers what libtorrent was told and answers the difference. Everything that is
// neither wanted nor in memory has priority 0 (dont_download); what is in memory keeps the priority
// with which it came until it is gone, because libtorrent miscounts pieces that it has and that
// nobody wants (docs/design.md, "Forgetting"). A pure value on one thread; it talks to no torrent
// and keeps no piece in memory: wanting and keeping are two things (protection.hpp).
#pragma once

#include "stream/window.hpp"

#include <libtorrent/download_priority.hpp>
#include <libtorrent/units.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace slipstream::stream {

struct wanted_piece
{
	lt::piece_index_t piece{0};
	lt::download_priority_t priority{0};  // 1..7, falling along a window
	bool urgent = false;  // has the top priority, and may have a deadline

	friend bool operator==(wanted_piece const&, wanted_piece const&) = default;
};

// What to tell libtorrent, in this order: taking a deadline away sets a priority of libtorrent's own
// choosing, setting one sets the top priority, and a priority sets requests going, which a first deadline
// after it would cancel.
struct demand_changes
{
	std::vector<lt::piece_index_t> deadlines_reset;
	std::vector<std::pair<lt::piece_index_t, int>> deadlines_set;  // milliseconds from now
	std::vector<std::pair<lt::piece_index_t, lt::download_priority_t>> priorities;

	[[nodiscard]] bool empty() const
	{ return deadlines_reset.empty() && priorities.empty() && deadlines_set.empty(); }
};

class demand
{
public:
	using predicate = std::function<bool(lt::piece_index_t)>;

	// The missing pieces of the windows, most needed first: every window's first missing piece,
	// then every window's second, and so on, each piece once. The first `urgent_pieces` (at least
	// 1) missing ones of each window are urgent. `have` tells which pieces are here already;
	// `may_want` for which there is room. The piece at a reader's position is wanted whatever that
	// says: without it the reader would wait for nothing.
	[[nodiscard]] std::vector<wanted_piece> choose(std::span<window const> windows, int urgent_pieces
		, predicate const& have, predicate const& may_want) const;

	// What changes when exactly `wanted` is wanted from now on. Its order gives the deadlines'
	// order; new ones are set only `with_deadlines`, those that are set stay as long as their piece
	// is urgent. What was wanted and of which `have` says that it has come is left alone.
	[[nodiscard]] demand_changes replace(std::span<wanted_piece const> wanted, bool with_deadlines, predicate const& have);
	// The piece left memory, and with that libtorrent was told not to want it.
	void gone(lt::piece_index_t const piece) { m_told.erase(piece); }
	// Something is on its way.
	[[nodiscard]] bool wants_anything() const;

private:
	struct told
	{
		lt::download_priority_t priority{0};
		bool has_deadline = false;
		bool has_come = false;
	};
	std::map<lt::piece_index_t, told> m_told;  // what is not in it has no deadline and, unless it is in memory, priority 0
};

} // namespace slipstream::stream
