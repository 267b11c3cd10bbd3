// The watch: looks at the memory and at the process all the time, on a thread of its own.
//
// What it looks for: the cap passed at any sample. What it keeps: resident memory over time.
#pragma once

#include <slipstream/memory_disk.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace slipstream::soak {

[[nodiscard]] std::int64_t resident_bytes();
[[nodiscard]] int open_files();

class watch
{
public:
	explicit watch(memory_disk memory);
	~watch();
	watch(watch const&) = delete;
	watch& operator=(watch const&) = delete;

	// Ends the watching; the figures are complete afterwards. Idempotent.
	void stop();

	[[nodiscard]] std::int64_t samples() const { return m_samples; }
	// Samples at which more was in use than the capacity allows. When it shrinks, what is in use may take a while to
	// go: for that long, but half a minute at most, the old one counts.
	[[nodiscard]] std::int64_t cap_passed() const { return m_cap_passed; }
	[[nodiscard]] std::int64_t most_resident_bytes() const { return m_most_resident; }
	// Bytes a minute by which resident memory beyond the blocks' grew, a line through the samples after the first fifth.
	[[nodiscard]] double slope_bytes_per_minute() const;

private:
	struct sample { double minutes; double bytes; };
	void run();
	[[nodiscard]] bool is_within(memory_stats const& now);

	memory_disk const m_memory;
	std::int64_t m_samples = 0;
	std::int64_t m_cap_passed = 0;
	std::int64_t m_capacity_in_force = 0;
	std::chrono::steady_clock::time_point m_since; // it was last what the memory says
	std::int64_t m_most_resident = 0;
	std::vector<sample> m_resident;
	bool m_over = false;
	std::mutex m_mutex;
	std::condition_variable m_changed;
	std::thread m_thread;
};

} // namespace slipstream::soak
