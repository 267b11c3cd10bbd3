// What peers hear of a memory that runs low: to stop in time, and to go on when there is room. And what a connection costs.
#include "support/disk_harness.hpp"

#include <slipstream/memory_disk.hpp>

#include <libtorrent/settings_pack.hpp>

#include <gtest/gtest.h>

#include <memory>

using namespace slipstream;
using namespace slipstream::test;

namespace {

constexpr int block = block_size_bytes;

lt::settings_pack four_connections()
{
	lt::settings_pack s;
	s.set_int(lt::settings_pack::connections_limit, 4);
	s.set_int(lt::settings_pack::max_queued_disk_bytes, 64 << 20); // the queue itself never stops anybody here
	return s;
}

// 64 blocks, 8 of them for reads; more pieces of 4 blocks than fit. Nothing may go: nobody says what is verified.
struct low_memory : ::testing::Test
{
	memory_disk memory{{.capacity_bytes = memory_disk::min_capacity_bytes, .evict = true}};
	disk_harness disk{memory.constructor(), four_connections()};
	test_torrent const film{{"film", protocol::v1, 4 * block, {32 * 4 * block}}};
	disk_harness::storage& s = disk.add(film);
	std::shared_ptr<watermark_observer> const peer = disk.make_observer();
	std::size_t written = 0;

	// The peer brings the next block. Whether it is told to stop.
	bool is_stopped_by_the_next()
	{
		auto const b = film.blocks()[written++];
		auto const w = disk.write(s, b.piece, b.start, film.bytes(b), peer);
		EXPECT_FALSE(w.wait().error.ec);
		return w.wait().over_watermark;
	}
	void fill_up_to(std::size_t const blocks)
	{
		while (written < blocks) ASSERT_FALSE(is_stopped_by_the_next()) << written;
	}
	[[nodiscard]] std::int64_t protectable_blocks() const { return memory.stats().protectable_bytes / block; }
};

// 2 blocks for each of 4 connections, and a piece: 12 of the 56.
TEST_F(low_memory, stops_a_peer_when_less_is_free_than_may_still_arrive_and_lets_it_go_on_when_there_is_room)
{
	fill_up_to(44);
	EXPECT_TRUE(is_stopped_by_the_next());
	EXPECT_TRUE(is_stopped_by_the_next());
	disk.settle();
	disk.settle();
	EXPECT_EQ(peer->times_told(), 0) << "its writes have completed, and there is no more room for that";
	disk.clear_piece(s, lt::piece_index_t(0)).wait();
	peer->wait_until_told();
	EXPECT_EQ(peer->times_told(), 1);
	EXPECT_TRUE(peer->told_properly());
	// 42 are in use.
	EXPECT_FALSE(is_stopped_by_the_next());
	EXPECT_FALSE(is_stopped_by_the_next());
	EXPECT_TRUE(is_stopped_by_the_next());
	disk.destroy();
	EXPECT_TRUE(disk.broken_handler_rules().empty());
}

TEST_F(low_memory, is_one_in_which_more_connections_may_send_at_once)
{
	fill_up_to(40);
	// 16 have to be free now, which they are; then they are not.
	disk.change_setting(lt::settings_pack::connections_limit, 6);
	EXPECT_TRUE(is_stopped_by_the_next());
	disk.change_setting(lt::settings_pack::connections_limit, 4);
	EXPECT_FALSE(is_stopped_by_the_next());
	disk.destroy();
}

// docs/design.md, "The budget": what connections may send, a quarter of the capacity at most, cannot be protected.
TEST_F(low_memory, protects_less_where_there_are_more_connections_and_refuses_none)
{
	// 64 less 8 for reads, 8 that may be lent, 8 that are open.
	EXPECT_EQ(protectable_blocks(), 40 - 2 * 4);
	for (auto const& [connections, blocks] : {std::pair(0, 0), {1, 2}, {6, 12}, {8, 16}, {9, 16}, {100'000, 16}, {4, 8}})
	{
		disk.change_setting(lt::settings_pack::connections_limit, connections);
		EXPECT_EQ(protectable_blocks(), 40 - blocks) << connections;
	}
	// Those of another session are added, until it ends.
	{
		disk_harness other(memory.constructor(), four_connections());
		EXPECT_EQ(protectable_blocks(), 40 - 16);
		disk.change_setting(lt::settings_pack::connections_limit, 1);
		EXPECT_EQ(protectable_blocks(), 40 - 2 * 5);
		other.destroy();
	}
	EXPECT_EQ(protectable_blocks(), 40 - 2);
	disk.destroy();
}

} // namespace
