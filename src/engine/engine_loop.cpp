#include "engine/engine_loop.hpp"

#include <spdlog/spdlog.h>

namespace slipstream {

engine_loop::engine_loop()
	: m_work(boost::asio::make_work_guard(m_context))
	, m_thread([this] { run(); })
{}

engine_loop::~engine_loop() { close(); }

void engine_loop::close()
{
	{
		mutex_lock const lock(m_gate);
		m_closed = true;
	}
	m_work.reset();
	if (m_thread.joinable()) m_thread.join();
}

void engine_loop::run()
{
	for (;;)
	{
		// A handler that throws is a defect; the others still get their turn.
		try
		{
			m_context.run();
			return;
		}
		catch (std::exception const& e) { spdlog::error("engine: a handler threw: {}", e.what()); }
		catch (...) { spdlog::error("engine: a handler threw something that is no exception"); }
	}
}

} // namespace slipstream
