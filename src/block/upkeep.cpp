#include "block/upkeep.hpp"

#include <system_error>

#include <sched.h>

namespace slipstream {

namespace {

// Who wakes this thread is a network thread in the middle of a call: it goes on, and this one begins on the other processor, or
// when that one waits. Where the system refuses, it is as other threads are.
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

void upkeep::work() noexcept
{
	give_way_to_who_wakes_us();
	for (;;)
	{
		{
			mutex_lock const lock(m_mutex);
			while (!m_is_due && !m_stopping) m_wake.wait(m_mutex);
			if (m_stopping) return;
			m_is_due = false;
		}
		// Between two steps of the one that may be long: the other may have become due.
		do m_pool.prepare();
		while (!is_stopping() && m_pool.dispose_some());
	}
}

bool upkeep::is_stopping() noexcept
{
	mutex_lock const lock(m_mutex);
	return m_stopping;
}

} // namespace slipstream
