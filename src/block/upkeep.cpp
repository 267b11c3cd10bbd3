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
		m_pool.prepare();
	}
}

} // namespace slipstream
