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
		+ " + arriving from " + std::to_string(connections) + " connections " + bytes(arriving_at_floor_blocks())
		+ " + lent to peers and players " + bytes(lent_at_floor_blocks())
		+ " + twice " + std::to_string(open_pieces) + " open pieces of each of " + std::to_string(busy_torrents)
		+ " torrent(s) that are read or wanted " + bytes(2 * open_blocks());
}

} // namespace slipstream
