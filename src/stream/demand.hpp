// Demand: what a torrent's readers want, and what of that libtorrent has not been told yet.
//
// A demand turns the windows of all readers of one torrent into one list of wanted pieces in order of
// need, remembers what libtorrent was told and answers the difference. Everything that is not wanted has
// priority 0 (dont_download). A pure value on one thread; it talks to no torrent and keeps no piece:
// wanting and keeping are two things.
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

struct demand_limits
{
	// How many missing pieces at the head of each window are urgent; at least 1.
	int urgent_pieces = 2;
	// Memory that is free. What is wanted already may still take a whole piece each, so that much is set
	// aside and only the rest admits new pieces. The piece at a reader's position is wanted whatever
	// this says: without it the reader would wait for nothing.
	std::int64_t free_bytes = 0;
	int piece_length_bytes = 1;
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
	// The missing pieces of the windows that fit, most needed first: every window's first missing piece,
	// then every window's second, and so on, each piece once. What was wanted before and still is in a
	// window stays wanted: it may be on its way. `have` tells which pieces are here already.
	[[nodiscard]] std::vector<wanted_piece> choose(std::span<window const> windows
		, demand_limits const& limits, std::function<bool(lt::piece_index_t)> const& have) const;

	// What changes when exactly `wanted` is wanted from now on. Its order gives the deadlines' order; new ones
	// are set only `with_deadlines`, those that are set stay as long as their piece is urgent.
	[[nodiscard]] demand_changes replace(std::span<wanted_piece const> wanted, bool with_deadlines);
	[[nodiscard]] bool wants_anything() const { return !m_told.empty(); }

private:
	struct told
	{
		lt::download_priority_t priority{0};
		bool has_deadline = false;
	};
	std::map<lt::piece_index_t, told> m_told;  // what is not in it has priority 0 and no deadline
};

} // namespace slipstream::stream
