#include "http/scripted_state.hpp"

#include <algorithm>
#include <utility>

namespace slipstream::test {

using steady = std::chrono::steady_clock;

current& newest()
{
	static current c;
	return c;
}

void fill(scripted_torrent& t, std::string const& id
	, std::vector<std::pair<std::string, std::string>> const& files)
{
	t.summary.id = id;
	t.summary.name = "a torrent";
	t.summary.phase = torrent_phase::ready;
	std::vector<file_entry> entries = t.summary.files;
	for (auto const& [name, content] : files)
	{
		entries.push_back({.index = static_cast<int>(t.contents.size()), .path = "d/" + name
			, .name = name, .size_bytes = static_cast<std::int64_t>(content.size())});
		t.contents.push_back(content);
	}
	t.summary.files = std::move(entries);
}

script::script() : m_state(std::make_shared<state>())
{
	std::lock_guard const lock(newest().mutex);
	newest().state = m_state;
}

void script::add(std::string const& id, std::vector<std::pair<std::string, std::string>> files
	, std::size_t const here_bytes)
{
	std::lock_guard const lock(m_state->mutex);
	scripted_torrent& t = m_state->torrents[id];
	fill(t, id, files);
	t.here_bytes = here_bytes;
}

void script::add_waiting(std::string const& id)
{
	std::lock_guard const lock(m_state->mutex);
	m_state->torrents[id].summary.id = id;
}

void script::arrive(std::string const& id, std::size_t const here_bytes)
{
	change_and_step(*m_state, [&] { m_state->torrents[id].here_bytes = here_bytes; });
}

void script::fail_reads(std::string const& id, errc const e, std::string const& detail)
{
	change_and_step(*m_state, [&] {
		m_state->torrents[id].read_failure = e;
		m_state->torrents[id].failure_detail = detail;
	});
}

void script::set_use(std::string const& id, torrent_use const use
	, std::optional<std::chrono::system_clock::time_point> const drops_at)
{
	std::lock_guard const lock(m_state->mutex);
	m_state->torrents[id].summary.use = use;
	m_state->torrents[id].summary.drops_at = drops_at;
}

void script::fail_metadata(std::string const& id, errc const e)
{
	end_ready_waits(*m_state, id, make_error_code(e), [](scripted_torrent&) {});
}

void script::become_ready(std::string const& id, std::vector<std::pair<std::string, std::string>> files)
{
	end_ready_waits(*m_state, id, {}, [&](scripted_torrent& t) {
		fill(t, id, files);
		t.here_bytes = std::string::npos;
	});
}

bool script::wait_for_readers(std::size_t const count)
{
	return m_state->wait([&] { return m_state->readers.size() == count; });
}

bool script::wait_for_waiting_reads(std::size_t const count)
{
	return m_state->wait([&] {
		return static_cast<std::size_t>(std::count_if(m_state->readers.begin(), m_state->readers.end()
			, [](reader::impl const* const r) { return bool(r->waiting); })) == count;
	});
}

bool script::wait_for_ready_waits(std::size_t const count)
{
	return m_state->wait([&] {
		std::size_t waits = 0;
		for (auto const& [id, t] : m_state->torrents) waits += t.ready_waits.size();
		return waits == count;
	});
}

bool script::wait_until_still()
{
	std::unique_lock lock(m_state->mutex);
	for (auto const end = steady::now() + std::chrono::seconds(20); steady::now() < end;)
	{
		std::size_t const before = m_state->leases;
		if (!m_state->changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return m_state->leases != before; }))
			return true;
	}
	return false;
}

int script::readers_opened()
{
	std::lock_guard const lock(m_state->mutex);
	return m_state->opened;
}

std::size_t script::largest_lease()
{
	std::lock_guard const lock(m_state->mutex);
	return m_state->largest_lease;
}

std::size_t script::most_lent_bytes()
{
	std::lock_guard const lock(m_state->mutex);
	return m_state->most_lent_bytes;
}

std::vector<std::string> script::added()
{
	std::lock_guard const lock(m_state->mutex);
	return m_state->added;
}

} // namespace slipstream::test
