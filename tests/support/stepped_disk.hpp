// A disk_interface on an io_context that the test turns by hand: the test's thread is the network thread, and a
// completion is delivered when the test says so and not before. For tests that need millions of calls, or their order.
//
// Owns the disk, its settings and counters. One thread. Counts handlers: calls() were asked for, delivered() came. It
// checks nothing else (disk_harness does).
#pragma once

#include "support/disk_harness.hpp"

#include <libtorrent/file_storage.hpp>
#include <libtorrent/hasher.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace slipstream::test {

class stepped_disk
{
public:
	explicit stepped_disk(lt::disk_io_constructor_type const& make, lt::settings_pack const& settings = {})
		: m_settings(settings), m_disk(make(m_ios, m_settings, m_counters)) {}
	// As a session ends: abort, deliver what comes, destroy. Storages must be gone, and buffers given back.
	~stepped_disk() { end(); }
	stepped_disk(stepped_disk const&) = delete;
	stepped_disk& operator=(stepped_disk const&) = delete;

	[[nodiscard]] lt::disk_interface& disk() { return *m_disk; }
	[[nodiscard]] bool ended() const { return m_disk == nullptr; }

	// `owner` stands for libtorrent's torrent, which owns the files.
	[[nodiscard]] lt::storage_holder add(lt::file_storage const& files, lt::sha1_hash const& hash
		, std::shared_ptr<void> const& owner = std::make_shared<int>())
	{
		lt::aux::vector<lt::download_priority_t, lt::file_index_t> const priorities;
		std::string const path = "/nonexistent";
		return m_disk->new_torrent({files, nullptr, path, lt::storage_mode_sparse, priorities, hash}, owner);
	}

	// Wraps a handler so that it is counted.
	template <typename Handler>
	[[nodiscard]] auto counted(Handler handler)
	{
		++m_calls;
		return [this, handler = std::move(handler)]<typename... Args>(Args&&... args) mutable {
			++m_delivered;
			handler(std::forward<Args>(args)...);
		};
	}

	// Delivers what is ready: all of it, or one event. Answers how many events there were.
	std::size_t deliver()
	{
		m_ios.restart();
		return m_ios.poll();
	}
	std::size_t deliver_one()
	{
		m_ios.restart();
		return m_ios.poll_one();
	}
	// Delivers until nothing is under way, hashes included.
	void run_dry()
	{
		m_ios.restart();
		m_ios.run();
	}

	void end()
	{
		if (ended()) return;
		m_disk->abort(true);
		run_dry();
		m_disk.reset();
	}
	// As above, when the io_context was stopped for good: nothing is delivered any more.
	void end_without_delivery() { m_disk.reset(); }

	[[nodiscard]] std::int64_t calls() const { return m_calls; }
	[[nodiscard]] std::int64_t delivered() const { return m_delivered; }
	[[nodiscard]] lt::counters& counters() { return m_counters; }

private:
	std::int64_t m_calls = 0;
	std::int64_t m_delivered = 0;
	lt::io_context m_ios;
	shared_settings m_settings;
	lt::counters m_counters;
	std::unique_ptr<lt::disk_interface> m_disk;
};

} // namespace slipstream::test
