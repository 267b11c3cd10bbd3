// What the server has done, counted for /metrics; and how much memory it may borrow.
//
// The server's thread alone. Counters never fall. Nothing is decided by what is counted but the
// size of leases.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>

namespace slipstream::http {

// Of durations; as Prometheus counts them, but for the sum over buckets, which is made when they
// are told.
struct histogram
{
	static constexpr std::array bounds_s{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0};
	std::array<std::int64_t, bounds_s.size() + 1> counts{};  // the last: longer than every bound
	double sum_s = 0;

	void add(std::chrono::duration<double> const took)
	{
		auto const at = std::lower_bound(bounds_s.begin(), bounds_s.end(), took.count());
		++counts[static_cast<std::size_t>(at - bounds_s.begin())];
		sum_s += took.count();
	}
};

struct traffic
{
	// A read that takes longer waited for bytes, and was not only carried to another thread and back.
	static constexpr std::chrono::milliseconds shortest_wait{20};

	std::map<unsigned, std::int64_t> answers;  // by status
	std::int64_t connections_open = 0;
	std::int64_t streams_open = 0;      // with a reader
	std::int64_t streamed_bytes = 0;    // of files, not of headers
	std::int64_t lent_bytes = 0;        // of leases that are asked for or being written
	std::int64_t waits = 0;             // of streams for bytes
	double waited_s = 0;
	histogram first_byte;               // from the request to the first bytes of the file being there
	histogram seek;                     // of these, of streams that begin elsewhere than at the file's start
};

// Bytes of the next lease, at most: all leases together have an eighth of the capacity, the more of
// it is lent the smaller they become, and a block each is the least. So clients that take nothing
// cannot keep the memory.
[[nodiscard]] inline std::size_t lease_limit(std::int64_t const capacity_bytes, std::int64_t const lent_bytes
	, std::size_t const most)
{
	constexpr std::int64_t block_bytes = 16 << 10;
	auto const fair = (capacity_bytes / 8 - lent_bytes) / 4;
	return static_cast<std::size_t>(std::clamp<std::int64_t>(fair, block_bytes, static_cast<std::int64_t>(most)));
}

} // namespace slipstream::http
