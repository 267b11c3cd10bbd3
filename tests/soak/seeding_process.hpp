// A process that seeds films with libtorrent's own disk: apart, so that its memory and its files are not
// counted with those that are watched.
//
// Make it before there are threads (it forks). The process ends with the object, and with its parent.
#pragma once

#include "soak/noise_film.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <filesystem>
#include <vector>

#include <sys/types.h>

namespace slipstream::soak {

class seeding_process
{
public:
	// Seeds what lies in the folder on a free port of 127.0.0.1. Throws std::runtime_error.
	seeding_process(std::vector<noise_film> const& films, std::filesystem::path const& folder);
	~seeding_process();
	seeding_process(seeding_process const&) = delete;
	seeding_process& operator=(seeding_process const&) = delete;

	[[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return m_endpoint; }

private:
	pid_t m_pid = -1;
	boost::asio::ip::tcp::endpoint m_endpoint;
};

} // namespace slipstream::soak
