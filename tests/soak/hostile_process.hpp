// A process of hostile peers (tests/hostile) that know an engine's films: for each film a seed that lies where nobody else shares
// the blame (not for v2 alone, see there), one that sends everything twice, one that sends what nobody asked for, one that vanishes in the middle of a block,
// a leecher that asks for anything, there or not, and one that asks for what it was told is there. They come back for ever.
//
// Make it before there are threads (it forks). The process ends with the object, and with its parent.
#pragma once

#include "soak/noise_film.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <vector>

#include <sys/types.h>

namespace slipstream::soak {

// What its peers saw, all together.
struct hostile_figures
{
	std::int64_t connections = 0;
	std::int64_t wrong_blocks_sent = 0;
	std::int64_t right_blocks = 0; // received
	std::int64_t wrong_blocks = 0;
	std::int64_t rejects = 0;
};

class hostile_process
{
public:
	// Throws std::runtime_error.
	explicit hostile_process(std::vector<noise_film> const& films);
	~hostile_process();
	hostile_process(hostile_process const&) = delete;
	hostile_process& operator=(hostile_process const&) = delete;

	// Once: they all connect to this. And once, afterwards: they all leave. Throw std::runtime_error.
	void begin(boost::asio::ip::tcp::endpoint const& engine);
	[[nodiscard]] hostile_figures end();

private:
	pid_t m_pid = -1;
	int m_ask = -1;
	int m_answer = -1;
};

} // namespace slipstream::soak
