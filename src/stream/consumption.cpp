#include "stream/consumption.hpp"

#include <algorithm>
#include <cmath>

namespace slipstream::stream {

namespace {

constexpr double fade_s = 30;

} // namespace

void consumption::took(clock::time_point const now, std::int64_t const bytes)
{
	// What came first was taken in no time: it begins the count and is not in it.
	if (!m_last)
	{
		m_last = now;
		return;
	}
	double const silence_s = std::chrono::duration<double>(std::clamp<clock::duration>(now - *m_last, {}, longest_silence)).count();
	double const kept = std::exp(-silence_s / fade_s);
	m_bytes = m_bytes * kept + static_cast<double>(bytes);
	m_seconds = m_seconds * kept + silence_s;
	m_seen_s += silence_s;
	m_last = now;
}

std::optional<std::int64_t> consumption::bytes_s() const
{
	if (m_seen_s < std::chrono::duration<double>(least_seen).count()) return m_supposed_bytes_s;
	return static_cast<std::int64_t>(m_bytes / m_seconds);
}

} // namespace slipstream::stream
