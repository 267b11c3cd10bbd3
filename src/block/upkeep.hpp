// Upkeep: a thread that does for a pool what nobody should have to wait for: it prepares the next
// region before it is needed, and drops what removed torrents left. Where several are prepared it
// looks ten times a second whether one was missing all the same, and if not, half of what is too
// many goes back to the system.
//
// Not a hash worker's errand: those are busy just when blocks come fast, and what is prepared too
// late is prepared in vain. It takes no memory of its own, so nothing it does can fail half-way.
// Where the system has no thread for it the pool does without: whoever needs a region maps it.
//
// Owned by the disk's core, beside the pool, which outlives it. Nobody waits for it but its
// destructor.
#pragma once

#include "block/block_pool.hpp"
#include "block/mutex.hpp"

#include <chrono>
#include <condition_variable>
#include <optional>
#include <thread>

namespace slipstream {

class upkeep
{
public:
	// While nobody else uses the pool, as the destructor.
	explicit upkeep(block_pool& pool);
	~upkeep();
	upkeep(upkeep const&) = delete;
	upkeep& operator=(upkeep const&) = delete;

private:
	using clock = std::chrono::steady_clock;

	void is_due() noexcept EXCLUDES(m_mutex);
	void work() noexcept EXCLUDES(m_mutex);
	// Until something is due, or that time comes; false when it is to stop.
	[[nodiscard]] bool wait(std::optional<clock::time_point> until) noexcept EXCLUDES(m_mutex);
	[[nodiscard]] bool is_stopping() noexcept EXCLUDES(m_mutex);

	block_pool& m_pool;
	mutex m_mutex;
	std::condition_variable_any m_wake;
	bool m_is_due GUARDED_BY(m_mutex) = false;
	bool m_stopping GUARDED_BY(m_mutex) = false;
	std::thread m_thread;
};

} // namespace slipstream
