// The memory disk that one writes in an afternoon, as a competitor: a piece is a vector, made whole by its first block.
//
// Everything happens on the network thread, in the call: a write copies, a hash hashes, a read lends a pointer into the piece
// and its handler is posted. No lock, no worker, no bound to what it takes. It is the measure of what the rest costs and
// buys, and nothing to use: what it lends is gone with its torrent. v1 and v2, torrents without padding.
#pragma once

#include <libtorrent/disk_interface.hpp>
#include <libtorrent/io_context.hpp>
#include <libtorrent/settings_pack.hpp>

#include <memory>

namespace slipstream::bench {

// A constructor as session_params wants it.
[[nodiscard]] std::unique_ptr<lt::disk_interface> make_vector_disk(lt::io_context& ios, lt::settings_interface const&, lt::counters&);

} // namespace slipstream::bench
