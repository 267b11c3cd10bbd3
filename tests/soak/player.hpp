// A player: a thread that reads films with a habit and compares every byte with what the film has there.
//
// Its choices come from its number alone; when they happen does not. Joined by its destructor, after
// programme::end().
#pragma once

#include "soak/programme.hpp"

#include <random>
#include <thread>
#include <vector>

namespace slipstream::soak {

enum class habit
{
	sequential,   // from the start to the end
	seeks_back,   // plays on and looks at the last seconds again
	jumps,        // a little everywhere
	slow,         // as fast as a film plays
	vanishes,     // leaves while it waits, as players do that look for an index
};

class player
{
public:
	player(programme& p, habit h, std::uint32_t number);

private:
	enum class outcome { fine, at_end, off };

	void run();
	void watch(std::size_t film, reader& r);
	void leave_waiting(reader& r);
	// Reads so many bytes, or to the end.
	outcome play(std::size_t film, reader& r, std::int64_t size_bytes);
	outcome seek(std::size_t film, reader& r, std::int64_t position_bytes);
	outcome failed(std::size_t film, reader const& r, error const& e);
	[[nodiscard]] std::int64_t up_to(std::int64_t most);

	programme& m_programme;
	habit const m_habit;
	std::mt19937_64 m_random;
	std::vector<char> m_buffer;
	std::jthread m_thread;  // the last: it uses all of the above
};

} // namespace slipstream::soak
