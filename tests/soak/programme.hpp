// What is on: the films that the engine has at the moment, and the tally of what players saw.
//
// Shared by the players and by whoever takes films away and brings them back. Any thread.
#pragma once

#include "soak/noise_film.hpp"

#include <slipstream/engine.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace slipstream::soak {

// Everything since the start; each is right by itself at any moment.
struct tally
{
	std::atomic<std::int64_t> verified_bytes{0};
	std::atomic<std::int64_t> wrong_bytes{0};
	std::atomic<std::int64_t> streams{0};       // readers opened
	std::atomic<std::int64_t> seeks{0};
	std::atomic<std::int64_t> vanished{0};      // readers dropped while they waited
	std::atomic<std::int64_t> interrupted{0};   // reads that ended because their torrent was removed
	std::atomic<std::int64_t> stalls{0};        // reads that timed out
	std::atomic<std::int64_t> unexpected{0};    // any other error
	std::atomic<std::int64_t> removals{0};
	std::atomic<std::int64_t> capacity_changes{0};
};

class programme
{
public:
	programme(engine& e, std::vector<noise_film> const& films);

	[[nodiscard]] engine& player_engine() const { return m_engine; }
	[[nodiscard]] std::vector<noise_film> const& films() const { return m_films; }
	[[nodiscard]] tally& seen() { return m_seen; }

	// Brings a film on; throws std::runtime_error when it does not become ready. Takes it off.
	void bring(std::size_t film);
	void take_off(std::size_t film);
	// Waits until the film is on: its id. Nothing when it is over.
	[[nodiscard]] std::optional<std::string> wait_for(std::size_t film);

	[[nodiscard]] bool is_over() const { return m_over; }
	// Everybody stops; who waits is woken.
	void end();
	// Returns after that time, or at once when it is over.
	void pause(std::chrono::milliseconds time);

	// Something that must not happen: says it and what the engine knows, the first few times.
	void complain(std::size_t film, std::int64_t position_bytes, std::string const& what);

private:
	engine& m_engine;
	std::vector<noise_film> const& m_films;
	tally m_seen;
	std::atomic<bool> m_over{false};
	std::atomic<int> m_complaints{0};
	std::mutex m_mutex;
	std::condition_variable m_changed;
	std::vector<std::optional<std::string>> m_ids; // guarded by m_mutex
};

} // namespace slipstream::soak
