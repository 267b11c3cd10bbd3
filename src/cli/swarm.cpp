#include "cli/swarm.hpp"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <future>
#include <thread>

namespace slipstream::cli {

engine_options options_of(swarm_settings const& s)
{
	engine_options o;
	o.memory.capacity_bytes = s.capacity_bytes;
	o.peer_listen = s.peer_listen;
	o.connect = s.connect;
	o.offline = s.offline;
	o.metadata_timeout = s.metadata_timeout;
	o.read_timeout = s.read_timeout;
	o.lookbehind = s.lookbehind;
	o.read_ahead = s.read_ahead;
	o.early = s.early;
	return o;
}

void stop_within(engine& e, std::chrono::seconds const limit, int const exit_code)
{
	std::promise<void> stopped;
	auto const done = stopped.get_future();
	std::thread stopping([&] { e.stop(); stopped.set_value(); });
	if (done.wait_for(limit) == std::future_status::timeout)
	{
		spdlog::warn("libtorrent did not stop within {} s (a name is being resolved?); leaving it", limit.count());
		std::fflush(nullptr);
		std::_Exit(exit_code);
	}
	stopping.join();
}

void say(std::FILE* const where, std::string const& line)
{
	std::fwrite(line.data(), 1, line.size(), where);
	std::fputc('\n', where);
	std::fflush(where);
}

std::string failure_of(engine const& e, std::string const& id, boost::system::error_code const ec)
{
	auto const found = e.find(id);
	if (found && found->failure) return found->failure->detail;
	return ec ? ec.message() : found ? std::string("it failed") : found.error().detail;
}

} // namespace slipstream::cli
