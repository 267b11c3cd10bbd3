// The engine's thread: one io_context, run by one thread of its own, and a gate in front of it.
//
// All state of an engine lives on this thread, so it needs no locks; the one mutex here guards the gate
// alone. Everything that passes the gate is run, in order; once the gate is closed nothing passes and
// calls say so instead of waiting for ever. Owned by the engine and by what outlives it (readers,
// wake-ups on libtorrent's thread), for which a closed loop is harmless. It knows nothing of torrents.
#pragma once

#include "block/mutex.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace slipstream {

class engine_loop
{
public:
	// Starts the thread.
	engine_loop();
	~engine_loop();
	engine_loop(engine_loop const&) = delete;
	engine_loop& operator=(engine_loop const&) = delete;

	// For timers of what lives on the thread. Work goes through post().
	[[nodiscard]] boost::asio::io_context& context() { return m_context; }

	// Runs `f` on the thread later. Any thread. False when the gate is closed: `f` is dropped.
	template <typename F>
	bool post(F f) EXCLUDES(m_gate)
	{
		mutex_lock const lock(m_gate);
		if (m_closed) return false;
		boost::asio::post(m_context, std::move(f));
		return true;
	}

	// Runs `f` on the thread and waits for its value, or for its exception, which is thrown here. Empty
	// when the gate is closed. Any thread but this one, which would wait for itself.
	template <typename F>
	auto call(F f) -> std::optional<std::invoke_result_t<F>>
	{
		// Shared: set_value may still be leaving the promise when the waiting thread has its value.
		auto const answer = std::make_shared<std::promise<std::invoke_result_t<F>>>();
		bool const passed = post([answer, &f] {
			try { answer->set_value(f()); }
			catch (...) { answer->set_exception(std::current_exception()); }
		});
		if (!passed) return std::nullopt;
		return answer->get_future().get();
	}

	// Closes the gate, runs what passed before, waits for the thread to end. What has timers must have
	// cancelled them. Any thread but this one; idempotent, not from two threads at once.
	void close() EXCLUDES(m_gate);

private:
	void run();

	boost::asio::io_context m_context{1};
	boost::asio::executor_work_guard<boost::asio::io_context::executor_type> m_work;
	mutex m_gate;
	bool m_closed GUARDED_BY(m_gate) = false;
	std::thread m_thread;
};

} // namespace slipstream
