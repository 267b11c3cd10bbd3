// Consumption: how fast a reader takes bytes, as far as it was seen.
//
// A value; it has no clock of its own. It weighs the last half minute of reading most. A player
// reads in bursts and pauses: silences count up to a limit, so that a long pause does not make the
// film look slow.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace slipstream::stream {

class consumption
{
public:
	using clock = std::chrono::steady_clock;
	// Longer silences count as this much.
	static constexpr std::chrono::seconds longest_silence{10};
	// Of reading, before a rate is told: the first seconds fill the player's own memory.
	static constexpr std::chrono::seconds least_seen{5};

	// What another reader of the same file was seen to take; told until this one has been seen itself.
	void suppose(std::optional<std::int64_t> const bytes_s) { m_supposed_bytes_s = bytes_s; }
	// `bytes` were taken at `now`, which does not go back. Precondition: bytes >= 0.
	void took(clock::time_point now, std::int64_t bytes);
	// Bytes a second; nothing when too little was seen.
	[[nodiscard]] std::optional<std::int64_t> bytes_s() const;

private:
	std::optional<std::int64_t> m_supposed_bytes_s;
	std::optional<clock::time_point> m_last;
	double m_bytes = 0;    // both fade
	double m_seconds = 0;
	double m_seen_s = 0;   // does not
};

} // namespace slipstream::stream
