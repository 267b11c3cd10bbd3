// To read a piece is to use it: of what nobody protects, what was used least recently goes first.
#include "disk/disk_core.hpp"
#include "disk/memory_disk_io.hpp"
#include "disk/torrent_storage.hpp"
#include "support/disk_harness.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

using namespace slipstream;
using namespace slipstream::test;

namespace {

struct another_torrent final : evictee
{
	std::vector<int> asked;
	bool evict(int const piece) noexcept override
	{
		asked.push_back(piece);
		return true;
	}
};

TEST(a_piece_that_a_peer_read, goes_after_one_that_nobody_read_since)
{
	auto const core = std::make_shared<disk_core>(
		memory_disk_options{.capacity_bytes = memory_disk::min_capacity_bytes, .evict = true});
	disk_harness disk([&](lt::io_context& ioc, lt::settings_interface const& settings, lt::counters& counters)
		-> std::unique_ptr<lt::disk_interface> { return std::make_unique<memory_disk_io>(ioc, settings, counters, core); });
	constexpr int piece_blocks = 16;
	test_torrent const film{{"film", protocol::v1, piece_blocks * block_size_bytes, {8 * piece_blocks * block_size_bytes}}};
	auto& s = disk.add(film);
	// Of 64 blocks so many are used that one piece has to go.
	for (int p = 0; p < 3; ++p) disk.write_piece(s, lt::piece_index_t(p));
	disk.event([&] { core->find_owned_by(s.torrent.get())->verified(lt::piece_index_t(0)); });
	auto const other = std::make_shared<another_torrent>();
	core->cache.verified(core->cache.enter(other, 8 * piece_blocks, piece_blocks), 5);

	EXPECT_FALSE(disk.read(s, film.blocks().front()).wait().error.ec);
	core->cache.make_room();
	EXPECT_EQ(other->asked, std::vector{5});
}

} // namespace
