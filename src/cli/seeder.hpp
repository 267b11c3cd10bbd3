// A plain libtorrent session that seeds one file from where it lies: the other side of the demo.
//
// It is as far from Slipstream as can be had in one process: libtorrent's own disk, no code of ours.
// Owns its session; one thread at a time.
#pragma once

#include <slipstream/error.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <libtorrent/session.hpp>

#include <filesystem>
#include <functional>
#include <vector>

namespace slipstream::cli {

// A hybrid torrent file of `file`, without trackers. `progress` hears pieces hashed and pieces in all.
// Errors: bad_torrent.
[[nodiscard]] expected<std::vector<char>> make_torrent(std::filesystem::path const& file
	, std::function<void(int, int)> const& progress);

class seeder
{
public:
	// Seeds `file` on a free port of 127.0.0.1. Throws std::runtime_error.
	seeder(std::vector<char> const& torrent, std::filesystem::path const& file);

	[[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return m_endpoint; }

private:
	lt::session m_session;
	boost::asio::ip::tcp::endpoint m_endpoint;
};

} // namespace slipstream::cli
