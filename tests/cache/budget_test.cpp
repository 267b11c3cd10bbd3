#include "cache/budget.hpp"

#include <gtest/gtest.h>

using namespace slipstream;

namespace {

budget example()
{
	budget b;
	b.capacity_blocks = 4096; // 64 MiB
	b.scratch_blocks = 8;
	b.connections = 100;
	b.largest_piece_blocks = 64; // 1 MiB
	b.torrents = 1;
	b.busy_torrents = 1;
	b.piece_blocks = 64;
	return b;
}

TEST(budget, the_terms_add_up_to_the_capacity)
{
	auto const b = example();
	EXPECT_EQ(b.scratch_blocks + b.arriving_blocks() + b.open_blocks() + b.protectable_blocks(), b.capacity_blocks);
	EXPECT_EQ(b.floor_blocks(), 8 + 88 + 4 * 64); // arriving: a third of the rest
	EXPECT_TRUE(b.holds());
}

TEST(budget, below_the_floor_it_does_not_hold_and_says_the_sum)
{
	auto b = example();
	b.capacity_blocks = b.floor_blocks();
	EXPECT_TRUE(b.holds());
	b.capacity_blocks -= 1;
	EXPECT_FALSE(b.holds());
	auto const text = b.text();
	EXPECT_NE(text.find(std::to_string(b.capacity_blocks * 16384)), std::string::npos) << text;
	EXPECT_NE(text.find(std::to_string(b.floor_blocks() * 16384)), std::string::npos) << text;
	EXPECT_NE(text.find("100 connections"), std::string::npos) << text;
	b.capacity_blocks = 1;
	EXPECT_EQ(b.protectable_blocks(), 0);
}

TEST(budget, few_connections_are_provided_for_in_full)
{
	auto b = example();
	b.connections = 10;
	EXPECT_EQ(b.arriving_blocks(), 20);
	EXPECT_EQ(b.floor_blocks(), 8 + 20 + 4 * 64);
}

TEST(budget, at_the_floor_what_can_be_protected_is_what_is_open)
{
	for (int const connections : {0, 1, 10, 50, 200, 10000})
	{
		auto b = example();
		b.connections = connections;
		b.capacity_blocks = b.floor_blocks();
		EXPECT_GE(b.protectable_blocks(), b.open_blocks()) << connections;
		EXPECT_LE(b.protectable_blocks(), b.open_blocks() + 1) << connections;
	}
}

TEST(budget, a_torrent_that_is_neither_read_nor_wanted_costs_nothing)
{
	auto b = example();
	b.piece_blocks = 0;
	b.busy_torrents = 0;
	EXPECT_EQ(b.open_blocks(), 0);
}

} // namespace
