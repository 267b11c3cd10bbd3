#include "block/upkeep.hpp"

#include <chrono>
#include <system_error>

#include <sched.h>

namespace slipstream {

namespace {

constexpr std::chrono::milliseconds between_looks{20};

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

upkeep::errand upkeep::wait_for_errand(bool const is_ahead) noexcept
{
	mutex_lock const lock(m_mutex);
	while (!m_is_due && !m_stopping)
	{
		if (!is_ahead) m_wake.wait(m_mutex);
		else if (m_wake.wait_for(m_mutex, between_looks) == std::cv_status::timeout && !m_is_due && !m_stopping)
			return errand::settle;
	}
	if (m_stopping) return errand::stop;
	m_is_due = false;
	return errand::due;
}

void upkeep::work() noexcept
{
	give_way_to_who_wakes_us();
	for (;;)
	{
		switch (wait_for_errand(m_pool.is_ahead()))
		{
		case errand::stop: return;
		case errand::settle: m_pool.settle(); break;
		case errand::due:
			// Between two steps of the one that may be long: the other may have become due.
			do m_pool.prepare();
			while (!is_stopping() && m_pool.dispose_some());
		}
	}
}

bool upkeep::is_stopping() noexcept
{
	mutex_lock const lock(m_mutex);
	return m_stopping;
}

} // namespace slipstream
