#include "disk/sending_at_once.hpp"

#include <boost/asio/ip/tcp.hpp>

// Not of the public interface, but installed with it; the class moved after 2.0.
#if __has_include(<libtorrent/aux_/peer_connection.hpp>)
#include <libtorrent/aux_/peer_connection.hpp>
#else
#include <libtorrent/peer_connection.hpp>
#endif

namespace slipstream {

void send_at_once(lt::peer_connection_handle const& peer)
{
	auto const connection = peer.native_handle();
	if (!connection) return;
	lt::error_code ignored;
	connection->get_socket().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

} // namespace slipstream
