#include "support/handler_record.hpp"

#include <stdexcept>

namespace slipstream::test {

void call_record::wait(std::function<bool()> const& ready, char const* const what) const
{
	std::unique_lock lock(m_mutex);
	if (!m_changed.wait_for(lock, deadline, ready))
		throw std::runtime_error(name + ": the handler was not " + what + " in time");
}

void call_record::wait_until_called() const
{ wait([this] { return m_times_called > 0; }, "called"); }
void call_record::wait_until_destroyed() const
{ wait([this] { return m_alive == 0; }, "destroyed"); }

int call_record::times_called() const
{
	std::lock_guard const lock(m_mutex);
	return m_times_called;
}

bool call_record::destroyed() const
{
	std::lock_guard const lock(m_mutex);
	return m_alive == 0;
}

handler_life::handler_life(std::shared_ptr<call_record> record) : m_record(std::move(record))
{
	std::lock_guard const lock(m_record->m_mutex);
	++m_record->m_alive;
}

handler_life::handler_life(handler_life const& other) : m_record(other.m_record)
{
	if (!m_record) return;
	++m_record->copies;
	std::lock_guard const lock(m_record->m_mutex);
	++m_record->m_alive;
}

handler_life::~handler_life()
{
	if (!m_record) return;
	std::lock_guard const lock(m_record->m_mutex);
	if (--m_record->m_alive == 0) m_record->m_changed.notify_all();
}

void network_state::note_delivery(call_record& record)
{
	if (!here()) record.off_network_thread = true;
	else if (calls_entered > 0) record.inside_a_call = true;
	record.sequence = ++delivered;
	std::lock_guard const lock(record.m_mutex);
	++record.m_times_called;
	record.m_changed.notify_all();
}

void watermark_observer::on_disk()
{
	if (!m_network->here() || m_network->calls_entered > 0) m_proper = false;
	std::lock_guard const lock(m_mutex);
	++m_times;
	m_changed.notify_all();
}

void watermark_observer::wait_until_told() const
{
	std::unique_lock lock(m_mutex);
	if (!m_changed.wait_for(lock, deadline, [this] { return m_times > 0; }))
		throw std::runtime_error("on_disk() was not called in time");
}

int watermark_observer::times_told() const
{
	std::lock_guard const lock(m_mutex);
	return m_times;
}

} // namespace slipstream::test
