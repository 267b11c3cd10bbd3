// Small messages to a peer leave when they are written.
//
// libtorrent leaves Nagle's algorithm (RFC 1122, 4.2.3.4) on: what is smaller than a segment waits
// until what was sent before is acknowledged, and a peer that has nothing to send acknowledges 40
// ms later (4.2.3.2, as Linux does it). A session that wants everything never notices: its peer is
// always sending. One that wants a window asks for a few blocks whenever a piece is done, so its
// requests wait for the acknowledgement of the "have" before them, while the line is idle: a film
// through 64 MiB came at 0.6 of the rate at which it came when everything was kept. Here the option
// that turns it off is set. libtorrent has no setting for it, and no public way to the socket.
//
// Network thread only; owns nothing. Not for web seeds: each request to them is one write.
#pragma once

#include <libtorrent/peer_connection_handle.hpp>

namespace slipstream {

// Sets TCP_NODELAY (RFC 9293, 3.7.4). The connection has to be open: from its handshake on. Does
// nothing to uTP, and nothing when it is refused or the connection has gone: what is sent then
// comes later, and no worse.
void send_at_once(lt::peer_connection_handle const& peer);

} // namespace slipstream
