#include "block/upkeep.hpp"

#include <system_error>

namespace slipstream {

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
