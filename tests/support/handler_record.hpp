// What happens to handlers: records that say when, where and how often each was called and when it
// died.
//
// A call_record is shared by the test and the handler it is about; it may outlive the disk. The
// harness makes them; tests read them and wait on them, from any thread, with a deadline.
#pragma once

#include <libtorrent/disk_observer.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace slipstream::test {

// No wait of a healthy disk comes near it, under sanitizers on a busy machine included.
inline constexpr std::chrono::seconds deadline{60};

// How one handler fared. Written by whoever calls the handler, read by any thread.
class call_record
{
public:
	explicit call_record(std::string call) : name(std::move(call)) {}

	void wait_until_called() const;
	void wait_until_destroyed() const;
	[[nodiscard]] int times_called() const;
	[[nodiscard]] bool destroyed() const;

	std::string const name;
	std::atomic<bool> inside_a_call{false};      // it ran while the disk was being called
	std::atomic<bool> off_network_thread{false};
	std::atomic<int> sequence{0};                // which of the harness's handlers it was, from 1
	std::atomic<int> copies{0};                  // made of the handler after it was handed over

private:
	friend class handler_life;
	friend struct network_state;
	void wait(std::function<bool()> const& ready, char const* what) const;

	mutable std::mutex m_mutex;
	mutable std::condition_variable m_changed;
	int m_times_called = 0;
	int m_alive = 0;
};

// Part of every handler: counts the handler's copies, and sees the last of them die.
class handler_life
{
public:
	explicit handler_life(std::shared_ptr<call_record> record);
	handler_life(handler_life const& other);
	handler_life(handler_life&& other) noexcept = default;
	handler_life& operator=(handler_life const&) = delete;
	handler_life& operator=(handler_life&&) = delete;
	~handler_life();

private:
	std::shared_ptr<call_record> m_record;
};

// What handlers need to know of the harness; they may outlive a test's interest in them.
struct network_state
{
	std::atomic<std::thread::id> thread;
	std::atomic<int> calls_entered{0};
	std::atomic<int> delivered{0};

	[[nodiscard]] bool here() const { return thread == std::this_thread::get_id(); }
	void note_delivery(call_record& record);
};

// A handler's way home: fills the result and notes the call. Lives in the handler.
template <typename Result>
class delivery
{
public:
	delivery(std::shared_ptr<network_state> network, std::shared_ptr<call_record> record
		, std::shared_ptr<Result> result)
		: m_life(record), m_network(std::move(network)), m_record(std::move(record))
		, m_result(std::move(result)) {}

	template <typename Fill>
	void operator()(Fill const& fill) const
	{
		// A second call is counted and otherwise ignored: the first result is being looked at.
		if (m_record->times_called() == 0) fill(*m_result);
		m_network->note_delivery(*m_record);
	}

private:
	handler_life m_life;
	std::shared_ptr<network_state> m_network;
	std::shared_ptr<call_record> m_record;
	std::shared_ptr<Result> m_result;
};

template <typename Result>
class pending
{
public:
	pending() = default;
	pending(std::shared_ptr<call_record> record, std::shared_ptr<Result> result)
		: m_record(std::move(record)), m_result(std::move(result)) {}

	// Throws std::runtime_error when the deadline passes first.
	Result& wait() const
	{
		m_record->wait_until_called();
		return *m_result;
	}
	[[nodiscard]] call_record const& record() const { return *m_record; }
	[[nodiscard]] bool called() const { return m_record->times_called() > 0; }

private:
	std::shared_ptr<call_record> m_record;
	std::shared_ptr<Result> m_result;
};

// A peer, as the disk sees it.
class watermark_observer final : public lt::disk_observer
{
public:
	explicit watermark_observer(std::shared_ptr<network_state> network)
		: m_network(std::move(network)) {}
	void on_disk() override;
	void wait_until_told() const;
	[[nodiscard]] int times_told() const;
	[[nodiscard]] bool told_properly() const { return m_proper; }

private:
	std::shared_ptr<network_state> m_network;
	mutable std::mutex m_mutex;
	mutable std::condition_variable m_changed;
	int m_times = 0;
	std::atomic<bool> m_proper{true};  // on the network thread, outside any call
};

} // namespace slipstream::test
