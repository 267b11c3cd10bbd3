// Random steps on a real block pool, real piece stores and a real cache, and beside each the same step on a plain
// model. After every step the two are compared; the first difference ends the run and is its failure().
//
// Torrents here are what the disk's are to the cache (an evictee with a piece_store), without libtorrent: one that is
// asked for a piece gives it up some steps later, keeps it after all, or says at once that it cannot. Hash jobs,
// leases and reads put together hold blocks as they do in the disk. One thread; it owns all it tests.
//
// What a step does follows from the seed, the step's number and what is there. So steps can be left out: shortest_trace()
// finds few that fail, beginning with a run that did.
#pragma once

#include "block/block_pool.hpp"
#include "cache/cache.hpp"
#include "model/plain_model.hpp"
#include "store/piece_store.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace slipstream::test {

inline constexpr cache::protection all_protections[]
	= {cache::protection::reader, cache::protection::reserved, cache::protection::lookbehind};
inline constexpr std::int64_t reserved_blocks = 8;
inline constexpr std::int64_t least_capacity = 24;
inline constexpr std::int64_t most_capacity = 400;

class random_steps
{
public:
	explicit random_steps(std::uint64_t seed);

	// Steps to leave out.
	using left_out = std::vector<bool>;

	// Answers whether all went right.
	bool run(std::int64_t steps, left_out const& without = {});
	// Removes everything, in a random order, and checks that nothing is left.
	bool end();
	// Empty, or what went wrong first, and at which step.
	[[nodiscard]] std::string const& failure() const { return m_failure; }

	struct counts
	{
		std::int64_t writes = 0, refused = 0, verified = 0, named = 0, given_up = 0, stayed = 0, prepared = 0, grants_cut = 0;
		std::uint64_t compared = 0;
	};
	[[nodiscard]] counts const& seen() const { return m_seen; }
	[[nodiscard]] std::int64_t step_number() const { return m_step; }
	// What the step of that number is called. (What it does depends on what is there.)
	[[nodiscard]] static char const* name_of_step(std::uint64_t seed, std::int64_t number);

private:
	using kinds = std::map<cache::protection, std::vector<int>>;

	struct torrent final : evictee
	{
		struct due { int piece; std::int64_t at; };

		random_steps& steps;
		piece_store store;
		plain_store plain;
		std::uint64_t id = 0; // 0: it left
		bool wanting = true;
		std::int64_t share = 0; // when shares were asked for last
		int focus = 0;        // where it downloads
		kinds wished;
		std::vector<due> asked;

		torrent(random_steps& s, geometry const& shape) : steps(s), store(shape), plain(store.shape(), s.m_plain_pool) {}
		[[nodiscard]] geometry const& shape() const { return store.shape(); }
		[[nodiscard]] piece_key key(int const piece) const { return {id, piece}; }
		[[nodiscard]] int any_piece() { return int(steps.pick(shape().num_pieces())); }
		bool evict(int piece) noexcept override;
	};
	// Its torrent may leave before it is done.
	struct hashing
	{
		std::shared_ptr<torrent> of;
		int piece;
		std::vector<block_ref> blocks;
		std::vector<serial> numbers;
	};
	struct naming { torrent* of; int piece; bool goes; };

	struct loan
	{
		std::vector<block_ref> blocks;
		std::vector<serial> numbers;
	};
	struct kind_of_step { int below; char const* name; void (random_steps::*does)(); };
	[[nodiscard]] static kind_of_step const& kind_at(std::int64_t what);
	static void begin_step(std::mt19937_64& random, std::uint64_t seed, std::int64_t number);
	void step();
	void maybe_clear();
	void judge();
	void judge_everything();
	void fail(std::string const& what);
	void expect(bool const holds, char const* const what) { if (!holds) fail(what); }
	[[nodiscard]] std::int64_t pick(std::int64_t below)
	{ return std::int64_t(m_random() % std::uint64_t(below)); }
	[[nodiscard]] bool one_in(int const n) { return pick(n) == 0; }
	[[nodiscard]] torrent* any_torrent();
	[[nodiscard]] unique_block take(bool reserved);

	void enter();
	void leave();
	void write();
	[[nodiscard]] bool make_way(torrent& t, int piece, int block);
	void read();
	void lend();
	void put_together();
	void begin_hash();
	void finish_hash();
	void protect();
	void change_capacity();
	void change_connections();
	void change_wanting();
	void ask_for_shares();
	void drop_piece();
	void clear();
	void make_room();
	void give_up_what_is_due();

	void gone(torrent& t, int piece);
	void verified(torrent& t, int piece);
	// What is granted has changed, perhaps anew for everybody.
	void learn_standings(bool anew);
	[[nodiscard]] std::map<int, standing> standings(torrent& t);
	[[nodiscard]] static std::map<cache::protection, int> fitting(torrent& t, std::int64_t left, std::int64_t open);
	void judge_grants();

	std::uint64_t const m_seed;
	std::mt19937_64 m_random;
	std::int64_t m_step = 0;
	std::string m_failure;
	counts m_seen;
	serial m_next_serial = 1;
	std::int64_t m_connections = 0;

	plain_pool m_plain_pool;
	plain_order m_plain_order;
	std::vector<naming> m_named; // by one make_room()

	block_pool m_pool;
	class cache m_cache;
	std::vector<std::shared_ptr<torrent>> m_torrents;
	std::int64_t m_share = std::numeric_limits<std::int64_t>::max(); // one, when they were asked for last; a newcomer's until then
	std::vector<std::unique_ptr<hashing>> m_hashing;
	std::vector<loan> m_loans;
};

// Of a run that failed at its last step: steps that fail, too, fewer if any can be left out within so many attempts; by number.
[[nodiscard]] std::vector<std::int64_t> shortest_trace(std::uint64_t seed, std::int64_t steps, int attempts);

} // namespace slipstream::test
