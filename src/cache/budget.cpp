#include "cache/budget.hpp"

#include "block/block_pool.hpp"

namespace slipstream {

namespace {

std::string bytes(std::int64_t const blocks) { return std::to_string(blocks * std::int64_t{block_bytes}); }

} // namespace

std::string budget::text() const
{
	return "capacity " + bytes(capacity_blocks) + " bytes; needed " + bytes(floor_blocks())
		+ " = scratch " + bytes(scratch_blocks)
		+ " + 2 blocks for each of " + std::to_string(connections) + " connections " + bytes(arriving_blocks())
		+ " + twice the " + std::to_string(open_pieces) + " open pieces of " + bytes(largest_piece_blocks)
		+ " bytes of " + std::to_string(torrents) + " torrent(s) " + bytes(2 * open_blocks());
}

} // namespace slipstream
