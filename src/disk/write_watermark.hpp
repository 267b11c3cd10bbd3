// The write watermark: tells peers to stop when more bytes are written than libtorrent has been
// told of (its max_queued_disk_bytes), or memory is low, and to go on when there is half of that
// and memory again.
//
// Network thread only. Shared by its disk and the write completions on their way. Observers are kept
// weakly, each is called once for each time it was told to stop.
#pragma once

#include <libtorrent/disk_observer.hpp>

#include <cstdint>
#include <memory>
#include <set>
#include <utility>

namespace slipstream {

class write_watermark
{
public:
	void set_limit_bytes(std::int64_t const limit) noexcept { m_limit = limit; }

	// True: stop, and `observer`, if any, will hear when to go on.
	[[nodiscard]] bool add(int const bytes, bool const memory_is_low, std::shared_ptr<lt::disk_observer> const& observer)
	{
		m_queued += bytes;
		m_low |= memory_is_low;
		if (m_queued <= m_limit && !memory_is_low) return false;
		if (observer) m_stopped.insert(observer);
		return true;
	}

	// A write's completion was delivered. Like the next, from a posted step, never from
	// libtorrent's own call.
	void delivered(int const bytes)
	{
		m_queued -= bytes;
		go_on();
	}

	// A write that was added is not completed for now, and not waited for.
	void held(int const bytes) noexcept { m_queued -= bytes; }

	// Memory is not low any more.
	void has_room()
	{
		m_low = false;
		go_on();
	}

private:
	void go_on()
	{
		if (m_low || m_queued > m_limit / 2 || m_stopped.empty()) return;
		for (auto const& weak : std::exchange(m_stopped, {}))
			if (auto const observer = weak.lock()) observer->on_disk();
	}

	bool m_low = false;
	std::int64_t m_queued = 0;
	std::int64_t m_limit = 0;
	std::set<std::weak_ptr<lt::disk_observer>, std::owner_less<>> m_stopped;
};

} // namespace slipstream
