// One order of everything that forgetting has to do with, chosen by a seed: a crowded memory, torrents (fake_torrent) with
// peers that send, ask, come and go, readers whose windows move, a capacity that changes, ticks, deliveries, the
// beginning and the end of each hash, rechecks, removals.
//
// After each step it holds that
//   - no more blocks are in use than the capacity, or than there were when it became less
//   - what libtorrent takes for had is verified in memory; each peer that understands believes in just that
//   - no piece left that was protected when it began to go
//   - what is kept from being wanted is on record, and no piece that passed and is held is unwanted
//   - every block in use is in a store, lent, or at a hash worker
// and in the end, when everyone does what is due, that peers go on, that what was granted to readers and what is wanted
// comes, that each handler came once, and that every block is home.
//
// One thread. A run owns all it tests; step n of a seed draws the same numbers whatever steps were left out before it.
#pragma once

#include "disk/disk_core.hpp"
#include "disk/memory_disk_io.hpp"
#include "interleavings/fake_torrent.hpp"
#include "support/disk_harness.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace slipstream::test {

class forgetting_explorer
{
public:
	static constexpr int steps_in_a_run = 240;

	explicit forgetting_explorer(std::uint64_t seed, std::set<int> left_out = {});
	~forgetting_explorer();

	// Empty, or what went wrong first.
	std::string run();
	[[nodiscard]] std::string trace() const;

	struct counts
	{
		std::int64_t sent = 0, cancelled = 0, passed = 0, began_to_go = 0, gone = 0, rechecks = 0, lies = 0, withheld = 0, reads = 0
			, waited = 0, settled = 0, awaited = 0, never_hashed = 0;
	};
	[[nodiscard]] counts const& seen() const { return m_seen; }

private:
	struct film;
	struct lent { std::vector<block_ref> blocks; std::int64_t counted; };
	struct buffer { lt::disk_buffer_holder bytes; std::uint64_t content; int length; };

	[[nodiscard]] std::uint64_t next();
	[[nodiscard]] int pick(int const below) { return int(next() % std::uint64_t(below)); }
	[[nodiscard]] bool one_in(int const n) { return pick(n) == 0; }
	void fail(std::string const& what);
	void expect(bool const holds, std::string const& what) { if (!holds) fail(what); }
	void note(std::string what) { m_trace.push_back(std::to_string(m_step) + " " + std::move(what)); }

	void step();
	void step_of_peer(film& f, int what);
	void step_of_player(film& f, int what);
	void add();
	void remove(film& f);
	void resize();
	void send(film& f);
	int send_wanted(film& f, fake_peer& peer, int most, int from);
	void read(film& f);
	void lend(film& f);
	void take_back();
	void protect(film& f);
	void want_what_is_read(film& f);
	void deliver(int most);
	[[nodiscard]] bool work();
	void begins_to_go(fake_torrent& t, int piece);

	void judge();
	void judge(film& f);
	void judge_blocks();
	void settle();
	bool settle_once();
	void judge_settled();
	void end();

	std::uint64_t const m_seed;
	std::set<int> const m_left_out;
	std::uint64_t m_state = 0;
	int m_step = 0;
	std::string m_failure;
	std::vector<std::string> m_trace;
	counts m_seen;
	int m_next_torrent = 1;
	int m_next_peer = 1;
	std::int64_t m_used = 0; // after the last step
	int m_reads_waiting = 0;

	handlers m_handlers{[this](std::string const& what) { fail(what); }};
	lt::io_context m_ios;
	shared_settings m_settings{lt::settings_pack{}};
	lt::counters m_counters;
	wanting m_who{};
	std::shared_ptr<disk_core> m_core;
	std::unique_ptr<memory_disk_io> m_disk;
	std::shared_ptr<memory_events> m_no_events;
	std::shared_ptr<lt::plugin> m_plugin;
	std::vector<std::shared_ptr<film>> m_films;
	std::vector<std::shared_ptr<film>> m_removed;
	std::vector<lent> m_lent;
	std::vector<buffer> m_buffers;
};

} // namespace slipstream::test
