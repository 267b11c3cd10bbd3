// The piece store: the blocks of one torrent that are in memory, by piece.
//
// The life of a piece, and who moves it:
//   1 absent    nothing of it is here.
//   2 partial   put() brought some blocks.
//   3 complete  put() brought the last one that is not padding.
//   4 verified  mark_verified(): libtorrent found its hash right. Its blocks are those that were hashed.
//   back to 1   drop() or take_all(); to 2 or 3 by a put() into a verified piece: other bytes, other hash;
//               from 3 to 2, and from either to 1, by drop_unverified().
//
// Blocks are immutable. A block written again is another block in the same place; who held the old one
// keeps it. So a read or a hash takes shares under the lock and does its work outside it.
//
// Thread-safe, one mutex, never held across a copy, a hash or a callback. Owned by its torrent's
// storage. It allocates no blocks and decides nothing.
#pragma once

#include "block/block_pool.hpp"
#include "block/mutex.hpp"
#include "store/block_slots.hpp"
#include "store/geometry.hpp"

#include <slipstream/memory_disk.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace slipstream {

class piece_store
{
public:
	explicit piece_store(geometry g) : m_geometry(std::move(g)) {}

	[[nodiscard]] geometry const& shape() const noexcept { return m_geometry; }

	// Precondition of all that take a piece: shape().has(piece), and a block inside it.

	// Answers whether the piece was verified and, with these new bytes, is not any more.
	bool put(lt::piece_index_t piece, int block, block_ref bytes) EXCLUDES(m_mutex);

	[[nodiscard]] piece_state state(lt::piece_index_t piece) const EXCLUDES(m_mutex);
	// Those of all pieces, of one moment.
	[[nodiscard]] std::vector<piece_state> states() const EXCLUDES(m_mutex);
	// An empty reference when the block is not here.
	[[nodiscard]] block_ref block(lt::piece_index_t piece, int block) const EXCLUDES(m_mutex);
	// Shares of blocks [first, first + count); missing ones are empty. `state` is set to the
	// piece's at the same moment.
	[[nodiscard]] std::vector<block_ref> blocks(lt::piece_index_t piece, int first, int count
		, piece_state& state) const EXCLUDES(m_mutex);

	// `hashed` are the blocks whose hash was right, one for each block of the piece: they become
	// the piece's again where another write came in between. False when some block that is not
	// padding is missing.
	bool mark_verified(lt::piece_index_t piece, std::vector<block_ref> hashed) EXCLUDES(m_mutex);
	// The same without a record of what was hashed: whatever is here now, when complete.
	bool mark_verified(lt::piece_index_t piece) EXCLUDES(m_mutex);

	// Forgets one block of a piece that is not verified; false where there is none.
	bool drop_unverified(lt::piece_index_t piece, int block) EXCLUDES(m_mutex);
	// Forgets the piece; answers what it was.
	piece_state drop(lt::piece_index_t piece) EXCLUDES(m_mutex);
	// Forgets everything, and needs no memory for that. Where there are many blocks, and there is
	// memory, it leaves them to the caller, for block_pool::bury(); else it drops them and answers
	// null.
	[[nodiscard]] std::unique_ptr<remains> take_all() noexcept EXCLUDES(m_mutex);

	// The pieces of which some blocks are here; those that are verified.
	[[nodiscard]] std::vector<lt::piece_index_t> partial() const EXCLUDES(m_mutex);
	[[nodiscard]] std::vector<lt::piece_index_t> verified() const EXCLUDES(m_mutex);

	[[nodiscard]] bool empty() const EXCLUDES(m_mutex);
	[[nodiscard]] int num_verified() const noexcept { return m_num_verified.load(std::memory_order_relaxed); }
	[[nodiscard]] std::int64_t num_blocks() const noexcept { return m_num_blocks.load(std::memory_order_relaxed); }

private:
	struct piece
	{
		block_slots blocks;
		int missing = 0;  // blocks that are neither here nor padding
		bool verified = false;

		[[nodiscard]] piece_state state() const noexcept
		{ return verified ? piece_state::verified : missing == 0 ? piece_state::complete : piece_state::partial; }
	};
	using pieces_by_index = std::unordered_map<lt::piece_index_t, piece>;
	class dead_pieces;

	// Fewer are dropped as fast as somebody is told.
	static constexpr std::int64_t many_blocks = 1024;

	[[nodiscard]] std::vector<lt::piece_index_t> in_state(piece_state state) const EXCLUDES(m_mutex);
	// The piece, new if it is not here. `make_places` may need memory: what throws leaves no new piece.
	template <typename MakePlaces>
	[[nodiscard]] piece& open(lt::piece_index_t index, MakePlaces make_places) REQUIRES(m_mutex);
	bool set_verified(piece& p, bool verified) REQUIRES(m_mutex);

	geometry const m_geometry;
	std::atomic<std::int64_t> m_num_blocks{0};
	std::atomic<int> m_num_verified{0};
	mutable mutex m_mutex;
	pieces_by_index m_pieces GUARDED_BY(m_mutex);
};

} // namespace slipstream
