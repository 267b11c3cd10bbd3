#include "engine/steadfast_peers.hpp"

#include <libtorrent/entry.hpp>

namespace slipstream {

namespace {

class peer_part final : public lt::peer_plugin
{
public:
	void add_handshake(lt::entry& handshake) override
	{
		if (handshake.type() == lt::entry::dictionary_t) handshake.dict().erase("upload_only");
	}
};

class torrent_part final : public lt::torrent_plugin
{
public:
	std::shared_ptr<lt::peer_plugin> new_connection(lt::peer_connection_handle const&) override
	{
		return std::make_shared<peer_part>();
	}
};

class session_part final : public lt::plugin
{
public:
	std::shared_ptr<lt::torrent_plugin> new_torrent(lt::torrent_handle const&
		, lt::client_data_t) override
	{
		return std::make_shared<torrent_part>();
	}
};

} // namespace

std::shared_ptr<lt::plugin> steadfast_peers() { return std::make_shared<session_part>(); }

} // namespace slipstream
