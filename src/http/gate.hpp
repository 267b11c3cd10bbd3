// The way back from the engine's thread to the server's: an executor that outlives the server.
//
// The engine keeps the executor of a waiting handler until it calls or drops it, which may be after the
// server has gone. An io_context's own executor would dangle then, and would keep run() from returning
// while a wait of a minute is under way. Through a gate a handler is posted while the server lives and
// dropped afterwards; it counts as no work. A gate belongs to all that hold it; any thread.
#pragma once

#include "block/mutex.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>

#include <memory>
#include <utility>

namespace slipstream::http {

class gate
{
public:
	explicit gate(boost::asio::io_context& io) : m_io(&io) {}

	// Call before the io_context is destroyed.
	void close() EXCLUDES(m_mutex)
	{
		mutex_lock const lock(m_mutex);
		m_io = nullptr;
	}

	template <typename Function>
	void post(Function&& f) EXCLUDES(m_mutex)
	{
		mutex_lock const lock(m_mutex);
		if (m_io != nullptr) boost::asio::post(*m_io, std::forward<Function>(f));
	}

private:
	mutex m_mutex;
	boost::asio::io_context* m_io GUARDED_BY(m_mutex);  // null once closed
};

// A gate as Asio's Executor (of the Networking TS).
class gate_executor
{
public:
	explicit gate_executor(std::shared_ptr<gate> g) : m_gate(std::move(g)) {}

	// Asked for by the requirements, used by nobody: the io_context may be gone.
	[[nodiscard]] boost::asio::execution_context& context() const noexcept
	{
		return boost::asio::system_executor().context();
	}
	void on_work_started() const noexcept {}
	void on_work_finished() const noexcept {}

	template <typename Function, typename Allocator>
	void dispatch(Function&& f, Allocator const&) const { m_gate->post(std::forward<Function>(f)); }
	template <typename Function, typename Allocator>
	void post(Function&& f, Allocator const&) const { m_gate->post(std::forward<Function>(f)); }
	template <typename Function, typename Allocator>
	void defer(Function&& f, Allocator const&) const { m_gate->post(std::forward<Function>(f)); }

	friend bool operator==(gate_executor const& a, gate_executor const& b) noexcept
	{
		return a.m_gate == b.m_gate;
	}
	friend bool operator!=(gate_executor const& a, gate_executor const& b) noexcept { return !(a == b); }

private:
	std::shared_ptr<gate> m_gate;
};

} // namespace slipstream::http
