#include "block/upkeep.hpp"

#include <system_error>

#include <sched.h>

namespace slipstream {

namespace {

constexpr std::chrono::milliseconds between_looks{100};

// Who wakes this thread is a network thread in the middle of a call: it goes on, and this one
// begins on the other processor, or when that one waits. Where the system refuses, it is as other
// threads are.
void give_way_to_who_wakes_us() noexcept
{
	sched_param const no_priority{};
	::sched_setscheduler(0, SCHED_BATCH, &no_priority);
}

} // namespace

upkeep::upkeep(block_pool& pool) : m_pool(pool)
{
	try { m_thread = std::thread([this] { work(); }); }
	catch (std::system_error const&) { return; }
	m_pool.when_upkeep_is_due([this] { is_due(); });
}

upkeep::~upkeep()
{
	if (!m_thread.joinable()) return;
	{
		mutex_lock const lock(m_mutex);
		m_stopping = true;
	}
	m_wake.notify_one();
	m_thread.join();
	m_pool.when_upkeep_is_due(nullptr);
	// While those who hear of room are alive.
	while (m_pool.dispose_some()) {}
}

void upkeep::is_due() noexcept
{
	{
		mutex_lock const lock(m_mutex);
		m_is_due = true;
	}
	m_wake.notify_one();
}

bool upkeep::wait(std::optional<clock::time_point> const until) noexcept
{
	mutex_lock const lock(m_mutex);
	while (!m_is_due && !m_stopping)
	{
		if (!until) m_wake.wait(m_mutex);
		else if (m_wake.wait_until(m_mutex, *until) == std::cv_status::timeout) break;
	}
	m_is_due = false;
	return !m_stopping;
}

void upkeep::work() noexcept
{
	give_way_to_who_wakes_us();
	auto settled = clock::now();
	while (wait(m_pool.is_ahead() ? std::optional(settled + between_looks) : std::nullopt))
	{
		// A region at a time, and some of what is to be dropped: neither waits for all of the other.
		for (bool more = true; more && !is_stopping();)
		{
			bool const to_prepare = m_pool.prepare();
			more = m_pool.dispose_some() || to_prepare;
			// By the clock, and not when it is quiet: something may be due all the time.
			if (auto const now = clock::now(); now >= settled + between_looks)
			{
				m_pool.settle();
				settled = now;
			}
		}
	}
}

bool upkeep::is_stopping() noexcept
{
	mutex_lock const lock(m_mutex);
	return m_stopping;
}

} // namespace slipstream
