// A session plugin that keeps idle torrents connected.
//
// A torrent that no reader wants anything of counts as finished for libtorrent, which then greets peers
// as "upload only" (BEP 21); seeds hang up on that at once, and the next reader would wait for a new
// connection. A torrent here may be read at any moment, so it does not say so. The plugin takes that one
// entry out of the extension handshake (BEP 10), on libtorrent's network thread; it has no state, and is
// owned by the session it is added to.
#pragma once

#include <libtorrent/extensions.hpp>

#include <memory>

namespace slipstream {

[[nodiscard]] std::shared_ptr<lt::plugin> steadfast_peers();

} // namespace slipstream
