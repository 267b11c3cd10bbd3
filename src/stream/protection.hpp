// Protection: which pieces of a torrent its readers need kept, in order of importance.
//
// Pure functions from windows to the lists that memory_torrent's set_reader_pieces and
// set_lookbehind_pieces take. No state, no thread of their own. They neither grant (the cache does)
// nor fetch (demand.hpp).
#pragma once

#include "stream/window.hpp"

#include <libtorrent/units.hpp>

#include <functional>
#include <span>
#include <vector>

namespace slipstream::stream {

// The windows' pieces, nearest to its reader first: every window's first, then every window's
// second, each piece once.
[[nodiscard]] std::vector<lt::piece_index_t> reader_pieces(std::span<window const> windows);

// The pieces before the windows that `have` says are in memory, nearest first and the readers in
// turn, each once. Of the i-th window max_pieces[i] at most; what readers have in common counts for
// each of them. A gap, as a seek forward leaves one, is stepped over as far as four times that many
// pieces. Precondition: as many max_pieces as windows.
[[nodiscard]] std::vector<lt::piece_index_t> lookbehind_pieces(std::span<window const> windows
	, std::span<int const> max_pieces, std::function<bool(lt::piece_index_t)> const& have);

} // namespace slipstream::stream
