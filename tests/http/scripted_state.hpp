// What is behind a script and its engine, for the two files that make them: script.cpp, which tests tell what happens, and
// scripted_engine.cpp, which the server calls. Everything is the state's, under its mutex; completions run without it.
#pragma once

#include "http/scripted_engine.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

namespace slipstream {
namespace test {

class script::state
{
public:
	std::mutex mutex;
	std::condition_variable changed;
	std::map<std::string, scripted_torrent> torrents;
	std::set<reader::impl*> readers;
	std::vector<std::string> added;
	int opened = 0;
	std::size_t largest_lease = 0;
	std::size_t leases = 0;
	std::atomic<std::size_t> lent_bytes{0};
	std::size_t most_lent_bytes = 0;

	bool wait(std::function<bool()> const& seen)
	{
		std::unique_lock lock(mutex);
		return changed.wait_for(lock, std::chrono::seconds(20), seen);
	}
};

} // namespace test

class reader::impl
{
public:
	using lease_done = std::function<void(boost::system::error_code, lease)>;
	using completion = std::function<void()>;

	std::shared_ptr<test::script::state> shared;
	std::string id;
	std::size_t file = 0;
	std::int64_t size_bytes = 0;
	std::int64_t position = 0;
	std::size_t max_bytes = 0;
	lease_done waiting;

	// Bytes at the position, as far as they are here; empty at the end of the file. With the lock held.
	std::optional<lease> lend(test::scripted_torrent const& t, std::size_t const most)
	{
		std::string const& content = t.contents[file];
		auto const from = static_cast<std::size_t>(position);
		std::size_t const end = std::min(content.size(), t.here_bytes);
		if (from < content.size() && from >= end) return std::nullopt;

		// What the leases that are alive hold is counted.
		std::shared_ptr<std::string> const bytes(new std::string(content.substr(from, std::min(most, end - from)))
			, [s = shared](std::string* const held) { s->lent_bytes -= held->size(); delete held; });
		shared->lent_bytes += bytes->size();
		shared->most_lent_bytes = std::max<std::size_t>(shared->most_lent_bytes, shared->lent_bytes);
		std::vector<lease::view> views;
		// Cut where blocks of the file would be cut.
		for (std::size_t at = 0; at < bytes->size();)
		{
			std::size_t const block = block_size_bytes - (from + at) % block_size_bytes;
			std::size_t const length = std::min(block, bytes->size() - at);
			views.emplace_back(bytes->data() + at, length);
			at += length;
		}
		position += static_cast<std::int64_t>(bytes->size());
		++shared->leases;
		shared->changed.notify_all();
		shared->largest_lease = std::max(shared->largest_lease, bytes->size());
		return lease(std::move(views), bytes);
	}

	// What the waiting read completes with, when it can. With the lock held; run without it.
	completion step()
	{
		if (!waiting) return {};
		auto const found = shared->torrents.find(id);
		if (found == shared->torrents.end()) return finish(errc::no_such_torrent);
		auto bytes = lend(found->second, max_bytes);
		if (!bytes) return found->second.read_failure ? finish(*found->second.read_failure) : completion{};
		return [done = std::exchange(waiting, {}), l = std::move(*bytes)] { done({}, l); };
	}

	completion finish(errc const e)
	{
		return [done = std::exchange(waiting, {}), e] { done(make_error_code(e), lease{}); };
	}
};

namespace test {

struct current
{
	std::mutex mutex;
	std::weak_ptr<script::state> state;
};

// The state of the newest script.
[[nodiscard]] current& newest();
// Makes it ready, with these files behind those it has.
void fill(scripted_torrent& t, std::string const& id, std::vector<std::pair<std::string, std::string>> const& files);

template <typename Change>
void change_and_step(script::state& s, Change const& change)
{
	std::vector<std::function<void()>> completions;
	{
		std::lock_guard const lock(s.mutex);
		change();
		for (reader::impl* const r : s.readers)
		{
			if (auto c = r->step()) completions.push_back(std::move(c));
		}
	}
	for (auto const& c : completions) c();
	s.changed.notify_all();
}

template <typename Change>
void end_ready_waits(script::state& s, std::string const& id, boost::system::error_code const ec
	, Change const& change)
{
	std::vector<std::function<void(boost::system::error_code)>> waits;
	{
		std::lock_guard const lock(s.mutex);
		scripted_torrent& t = s.torrents[id];
		change(t);
		waits.swap(t.ready_waits);
	}
	for (auto const& w : waits) w(ec);
}

} // namespace test
} // namespace slipstream
