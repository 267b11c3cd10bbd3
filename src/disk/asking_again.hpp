// Asking again: has libtorrent ask its peers for blocks whose writes were cancelled.
//
// libtorrent asks a peer for more when the peer sends something, or when what is wanted changes. A
// block whose write was cancelled (for want of memory) is free to be asked for, but when it was the
// last thing its peer had to send, nothing makes libtorrent look: at best after the five seconds of
// its end game, and after a graceful pause never. So something that is wanted changes here, for a
// moment, and in the end nothing has.
//
// A function; network thread. It keeps no record of what was cancelled (torrent_storage does).
#pragma once

#include <slipstream/memory_disk.hpp>

#include <libtorrent/torrent_handle.hpp>

#include <vector>

namespace slipstream {

// `states`: of all pieces. True when libtorrent was made to look, or lacks nothing: what was
// cancelled needs no further look. False where it lacks something and nothing can change for a
// moment: of every piece that nobody wants something is here, and of the wanted ones either one
// alone is lacking or all that are lacking are begun. Then libtorrent's end game is left to ask.
[[nodiscard]] bool ask_again(lt::torrent_handle const& torrent, std::vector<piece_state> const& states);

} // namespace slipstream
