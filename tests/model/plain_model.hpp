// What the pool, the piece stores and the cache should hold, in plain containers that are searched from end to end.
//
// A block's bytes are all made from its serial number, which is never used twice: equal numbers are equal blocks.
// Owned by random_steps; one thread. It predicts and judges; it never touches what it is a model of.
#pragma once

#include "block/block_pool.hpp"
#include "cache/eviction_order.hpp"
#include "store/geometry.hpp"

#include <slipstream/memory_disk.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace slipstream::test {

// 0: no block.
using serial = std::uint64_t;

void fill(char* bytes, serial number);
// Whether all bytes of the block are those of the number; `quick`: looks at a few only.
[[nodiscard]] bool is_filled(char const* bytes, serial number, bool quick);

// Which blocks somebody holds, and how many shares of each there are.
class plain_pool
{
public:
	void hold(serial const s) { if (s != 0) ++m_shares[s]; }
	void hold(std::vector<serial> const& blocks) { for (auto const s : blocks) hold(s); }
	void let_go(serial s);
	void let_go(std::vector<serial> const& blocks) { for (auto const s : blocks) let_go(s); }
	[[nodiscard]] std::int64_t used() const { return static_cast<std::int64_t>(m_shares.size()); }
	[[nodiscard]] bool is_held(serial const s) const { return m_shares.count(s) != 0; }

private:
	std::unordered_map<serial, int> m_shares;
};

// One torrent's pieces.
class plain_store
{
public:
	struct piece
	{
		std::vector<serial> blocks;
		bool verified = false;
	};

	plain_store(geometry const& shape, plain_pool& pool) : m_shape(shape), m_pool(pool) {}

	// The new block is held already. Answers whether the piece was verified.
	bool put(int piece, int block, serial bytes);
	[[nodiscard]] piece_state state(int piece) const;
	[[nodiscard]] serial block(int piece, int block) const;
	[[nodiscard]] std::vector<serial> blocks(int piece) const;
	bool mark_verified(int piece, std::vector<serial> const& hashed);
	bool mark_verified(int piece);
	bool drop_unverified(int piece, int block);
	piece_state drop(int piece);
	std::vector<int> clear();
	[[nodiscard]] std::map<int, piece> const& pieces() const { return m_pieces; }
	[[nodiscard]] std::int64_t num_blocks() const;
	[[nodiscard]] std::vector<int> in_state(piece_state state) const;

private:
	piece& open(int index);
	[[nodiscard]] bool is_whole(int index, std::vector<serial> const& blocks) const;

	geometry const& m_shape;
	plain_pool& m_pool;
	std::map<int, piece> m_pieces;
};

// Who may go, in which order.
class plain_order
{
public:
	struct entry
	{
		standing stands;
		bool leaving = false;
		bool until_low = false;  // goes only while memory is low, as far as is known
		bool was_wanted = false;
		// Wished, not granted, while grants were made anew: whether it was wanted for a moment on the way, and so how
		// old it is, is not for a model to say.
		bool uncertain = false;
		std::uint64_t since = 0; // when it became open, or was read
		int blocks = 0;          // of a whole piece of its torrent
	};

	void insert(piece_key key, standing s, int blocks);
	void erase(piece_key key) { m_entries.erase(key); }
	void erase_torrent(std::uint64_t torrent);
	void touch(piece_key key);
	// Pieces that become open with one call are equally old.
	void set_standing(piece_key key, standing s);
	void set_uncertain(piece_key key);
	void next_age() { ++m_now; }

	// The piece was named. Empty, or what is wrong with that.
	[[nodiscard]] std::string name(piece_key key);
	void stay(piece_key key, bool until_low = false);

	[[nodiscard]] std::int64_t leaving_blocks() const;
	[[nodiscard]] std::int64_t unprotected_blocks(std::uint64_t torrent) const;
	[[nodiscard]] bool anyone_may_go() const;
	// Of those that stay until memory is low: what certainly is, and what may be.
	[[nodiscard]] std::pair<std::int64_t, std::int64_t> until_low_blocks() const;
	// One of those that a reader left behind, for certain.
	[[nodiscard]] bool is_spent(entry const& e) const
	{ return !e.leaving && !e.uncertain && e.was_wanted && e.stands.what == standing::kind::unprotected; }
	[[nodiscard]] bool any_spent() const;
	[[nodiscard]] entry const* find(piece_key key) const;
	[[nodiscard]] std::map<piece_key, entry> const& entries() const { return m_entries; }
	std::uint64_t compared = 0; // pairs of pieces whose order was judged

private:
	void settle(entry& e);

	std::uint64_t m_now = 1;
	std::map<piece_key, entry> m_entries;
};

} // namespace slipstream::test
