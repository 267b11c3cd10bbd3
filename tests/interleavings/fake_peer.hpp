// A connection of a fake_torrent, which keeps it, as its writes under way do; one thread. What it believes is what it was told
// by libtorrent and by the plugin.
#pragma once

#include <libtorrent/disk_observer.hpp>
#include <libtorrent/extensions.hpp>

#include <memory>
#include <set>

namespace slipstream::test {

struct fake_peer final : lt::disk_observer, std::enable_shared_from_this<fake_peer>
{
	int number = 0;
	bool connected = true;
	bool shook_hands = false;
	bool greeted = false;          // its extension handshake came
	bool knows_dont_have = false;  // BEP 54
	bool stopped = false;          // told to send no more
	std::set<int> believes;
	std::shared_ptr<lt::peer_plugin> part;

	void on_disk() override { stopped = false; }
	// Whole messages of the plugin's.
	void received(char const* bytes, int size);
};

} // namespace slipstream::test
