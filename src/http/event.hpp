// Something that a coroutine of the server's thread waits for, and others of that thread bring about.
//
// Belongs to one io_context with one thread: no locks. It remembers being set until it is cleared.
#pragma once

#include "http/wire.hpp"

#include <boost/asio/steady_timer.hpp>

namespace slipstream::http {

class event
{
public:
	explicit event(asio::any_io_executor const& executor)
		: m_timer(executor, asio::steady_timer::time_point::max()) {}

	void set()
	{
		m_set = true;
		m_timer.cancel();
	}
	void clear() { m_set = false; }

	// Returns when it is set; at once when it is already.
	asio::awaitable<void> wait()
	{
		while (!m_set)
		{
			error_code ec;
			co_await m_timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
		}
	}

private:
	asio::steady_timer m_timer;  // never expires; cancelled to wake
	bool m_set = false;
};

} // namespace slipstream::http
