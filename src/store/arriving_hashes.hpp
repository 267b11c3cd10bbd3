// Arriving hashes: begins the hash of a piece while its blocks arrive, so that the last block finds
// the piece nearly hashed.
//
// For each piece that is not complete yet it knows how far a hash can go: v1 as far as there is no
// hole, v2 (whose blocks are messages of their own) any block. Blocks are given to the hasher a few
// at a time, more rarely in the beginning than towards the end: half as many as are still missing,
// so that a piece of 256 blocks costs a dozen hand-overs and the last block leaves two to hash.
// What was given is always what is in the store: a block that is written again after it was given
// spoils the run, and a new one begins. Pieces of less than half a megabyte are not worth the
// hand-overs: their hash takes 0.15 ms.
//
// One torrent's, owned by its storage; network thread. It holds no blocks but for those on their
// way to the hasher, and its runs tell nobody: take() gives a piece's to the job that asks for the
// hash.
#pragma once

#include "store/hasher.hpp"
#include "store/piece_store.hpp"

#include <memory>
#include <unordered_map>
#include <vector>

namespace slipstream {

class arriving_hashes
{
public:
	// Both outlive it. `v1`, `v2`: which hashes will be asked for, until take() says otherwise.
	arriving_hashes(piece_store const& pieces, hasher& workers, bool const v1, bool const v2)
		: m_pieces(pieces), m_workers(workers), m_v1(v1), m_v2(v2) {}
	~arriving_hashes() { clear(); }
	arriving_hashes(arriving_hashes const&) = delete;
	arriving_hashes& operator=(arriving_hashes const&) = delete;

	static constexpr int least_blocks = 32;

	// The block is in the store now. Where there is no memory to begin with it, the piece begins
	// anew with the next block, and what was not begun is hashed when that is asked for.
	void arrived(lt::piece_index_t piece, int block) noexcept;
	// What was begun of the piece's hash, of the blocks that are in the store now; null when
	// nothing was. The piece begins anew from here. `v1`, `v2`: what is asked for.
	[[nodiscard]] std::shared_ptr<hash_run> take(lt::piece_index_t piece, bool v1, bool v2);
	// The piece left the store.
	void forget(lt::piece_index_t piece) noexcept;
	void clear() noexcept;

private:
	struct entry
	{
		std::vector<bool> is_here;     // or padding
		int num_missing = 0;
		int first_missing = 0;
		int num_given = 0;             // to the run; the first ones where in_order
		std::vector<int> waiting;      // here and not given; where not in_order
		bool in_order = false;         // v1 is wanted
		std::shared_ptr<hash_run> run; // once something was given
	};

	void add(lt::piece_index_t piece, int block);
	[[nodiscard]] entry open(lt::piece_index_t piece) const;
	void restart(lt::piece_index_t piece, entry& e);
	void give(lt::piece_index_t piece, entry& e);

	piece_store const& m_pieces;
	hasher& m_workers;
	bool m_v1;
	bool m_v2;
	std::unordered_map<lt::piece_index_t, entry> m_entries;
};

} // namespace slipstream
