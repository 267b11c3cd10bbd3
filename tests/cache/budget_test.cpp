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
	EXPECT_EQ(b.scratch_blocks + b.arriving_blocks() + b.lent_blocks() + b.open_blocks() + b.protectable_blocks(), b.capacity_blocks);
	EXPECT_EQ(b.lent_blocks(), 4096 / 8);
	EXPECT_EQ(b.floor_blocks(), 423); // 8 + 4 * 64, and as arriving is a quarter and lent an eighth, 8/5 of it
	EXPECT_EQ(b.scratch_blocks + b.arriving_at_floor_blocks() + b.lent_at_floor_blocks() + 2 * b.open_blocks(), b.floor_blocks());
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
	EXPECT_EQ(b.floor_blocks(), 325); // 8/7 of 8 + 20 + 4 * 64
	EXPECT_EQ(b.lent_at_floor_blocks(), 325 - 284);
}

TEST(budget, at_the_floor_what_can_be_protected_is_what_is_open)
{
	for (int const connections : {0, 1, 10, 50, 200, 10000})
	{
		auto b = example();
		b.connections = connections;
		b.capacity_blocks = b.floor_blocks();
		EXPECT_GE(b.protectable_blocks(), b.open_blocks()) << connections;
		EXPECT_LE(b.protectable_blocks(), b.open_blocks() + 2) << connections;
	}
}

TEST(budget, above_the_floor_it_always_holds_and_open_pieces_can_be_protected)
{
	for (int const connections : {0, 7, 30, 200})
		for (std::int64_t piece = 1; piece <= 300; piece += 7)
		{
			auto b = example();
			b.connections = connections;
			b.piece_blocks = piece;
			auto const floor = b.floor_blocks();
			for (b.capacity_blocks = floor; b.capacity_blocks < floor + 40; ++b.capacity_blocks)
			{
				EXPECT_TRUE(b.holds());
				EXPECT_GE(b.protectable_blocks(), b.open_blocks()) << connections << " " << piece << " " << b.capacity_blocks;
			}
		}
}

// docs/design.md, "The budget".
TEST(budget, of_the_film_in_the_documents_is_what_they_say)
{
	auto b = example();
	b.connections = 30;
	EXPECT_EQ(b.floor_blocks(), 371);
	EXPECT_EQ(b.arriving_blocks(), 60);
	EXPECT_EQ(b.open_blocks(), 128);
	EXPECT_EQ(b.lent_blocks(), 512);
	EXPECT_EQ(b.protectable_blocks(), 3388);
	b.capacity_blocks = 370;
	EXPECT_FALSE(b.holds());
}

TEST(budget, a_torrent_that_is_neither_read_nor_wanted_costs_nothing)
{
	auto b = example();
	b.piece_blocks = 0;
	b.busy_torrents = 0;
	EXPECT_EQ(b.open_blocks(), 0);
}

} // namespace
