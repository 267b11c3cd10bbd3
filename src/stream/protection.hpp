// Protection: which pieces of a torrent its readers need kept, in order of importance.
//
// Pure functions from windows to the lists that memory_torrent's set_reader_pieces and set_lookbehind_pieces
// take. No state, no thread of their own. They neither grant (the cache does) nor fetch (demand.hpp).
#pragma once

#include "stream/window.hpp"

#include <libtorrent/units.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace slipstream::stream {

// How one torrent's share of the protectable memory is divided. All in bytes, none negative.
struct division
{
	std::int64_t lookbehind_bytes = 0;      // of all its readers together
	std::int64_t read_ahead_bytes = 0;      // of each reader
};

// `share_bytes`: what the torrent may protect. Lookbehind gets what is wanted of it, half of the share at most; readers divide
// the rest, and none gets more than `read_ahead_bytes`.
[[nodiscard]] division divide(std::int64_t share_bytes, std::int64_t lookbehind_bytes, std::int64_t read_ahead_bytes
	, int readers);

// The windows' pieces, nearest to its reader first: every window's first, then every window's second, each piece once.
[[nodiscard]] std::vector<lt::piece_index_t> reader_pieces(std::span<window const> windows);

// The pieces before the windows that `have` says are in memory, nearest first and the readers in turn, each once,
// `max_pieces` at most. A gap, as a seek forward leaves one, is stepped over as far as four times that many pieces.
[[nodiscard]] std::vector<lt::piece_index_t> lookbehind_pieces(std::span<window const> windows, int max_pieces
	, std::function<bool(lt::piece_index_t)> const& have);

} // namespace slipstream::stream
