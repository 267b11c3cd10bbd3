// One order of operations and completions, chosen by a seed: sessions' disks over one core, turned step by step. Calls,
// deliveries, the beginning and the end of each hash, removals and the end of a session come in any order, and what every
// handler brings is compared with what a plain model said when the call was made (operations take effect when they are
// called; only completions wait).
//
// Checked as well: each handler once, never inside a call, and gone afterwards; fences after every hash that was asked for
// before them; blocks in use as many as somebody holds; piece_verified and piece_gone as the pieces did.
// One thread. A run owns all it tests; step n of a seed does the same whatever steps were left out before it, so a failing
// run can be made short by leaving out what it does not need (shortest_trace).
#pragma once

#include "disk/disk_core.hpp"
#include "disk/memory_disk_io.hpp"
#include "interleavings/handlers.hpp"
#include "model/plain_model.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace slipstream::test {

class explorer
{
public:
	static constexpr int steps_in_a_run = 160;

	explorer(std::uint64_t seed, std::set<int> left_out = {});
	~explorer();

	// Empty, or what went wrong first.
	std::string run();
	[[nodiscard]] std::string trace() const;

	struct counts { std::int64_t calls = 0, hashed = 0, verified = 0, refused = 0, missed = 0, stale = 0, fences = 0, aborted = 0; };
	[[nodiscard]] counts const& seen() const { return m_seen; }

private:
	struct session;
	struct torrent;
	struct events;
	struct hash_out { std::shared_ptr<handlers::call const> call; torrent const* of; };
	struct lent { std::vector<block_ref> blocks; std::vector<serial> numbers; std::string want; };
	struct buffer
	{
		lt::disk_buffer_holder bytes;
		std::string want;
		std::vector<serial> holds; // of the model's blocks
	};

	[[nodiscard]] std::uint64_t next();
	[[nodiscard]] int pick(int const below) { return int(next() % std::uint64_t(below)); }
	[[nodiscard]] bool one_in(int const n) { return pick(n) == 0; }
	void fail(std::string const& what);
	void expect(bool const holds, std::string const& what) { if (!holds) fail(what); }
	void note(std::string what) { m_trace.push_back(std::move(what)); }

	void step();
	void judge();
	void end();

	// -- who is here

	[[nodiscard]] torrent* any_torrent();
	// Null when it was removed.
	[[nodiscard]] torrent* still_here(int number) const;
	// Of a call that is about to be made.
	[[nodiscard]] handlers::end promise(torrent const& t, std::string const& what);
	[[nodiscard]] std::string content(torrent const& t, int piece, int start, int length) const;
	[[nodiscard]] bool may_write() const;
	// Blocks that somebody holds: as the model says, and those that only hash workers have any more.
	[[nodiscard]] std::int64_t num_held() const;

	[[nodiscard]] int missing_block(torrent& t, int piece);
	void resize();
	void add();
	void remove();
	void write(torrent& t, int piece, int block);
	void write_on(torrent& t, int piece);
	void read(torrent& t, int piece, int start, int length);
	void hash(torrent& t, int piece);
	void hash_block(torrent& t, int piece, int block);
	void clear(torrent& t, int piece);
	void fence(torrent& t);
	[[nodiscard]] auto after_hashes(torrent const& t, handlers::end end);
	void stale(torrent const& gone);
	void lend(torrent& t);
	void abort(session& s);
	void deliver(session& s);
	void hashed(torrent* t, int piece, std::vector<serial> const& numbers);

	std::uint64_t const m_seed;
	std::set<int> const m_left_out;
	bool const m_large;        // pieces that are hashed while they arrive
	std::uint64_t m_state = 0;
	int m_step = 0;
	std::string m_failure;
	std::vector<std::string> m_trace;
	counts m_seen;

	plain_pool m_plain_pool;
	serial m_next_serial = 1;
	int m_next_call = 1;
	int m_next_torrent = 1;
	std::map<char const*, serial> m_written; // what was written last where
	handlers m_handlers{[this](std::string const& what) { fail(what); }};
	std::vector<hash_out> m_hashes_out; // some have come

	std::shared_ptr<disk_core> m_core;
	std::vector<std::unique_ptr<session>> m_sessions;
	std::vector<std::shared_ptr<torrent>> m_torrents;
	std::vector<std::shared_ptr<torrent>> m_gone;
	std::vector<lent> m_lent;
	std::vector<buffer> m_buffers;
};

} // namespace slipstream::test
