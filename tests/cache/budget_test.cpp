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
	return b;
}

TEST(budget, the_terms_add_up_to_the_capacity)
{
	auto const b = example();
	EXPECT_EQ(b.scratch_blocks + b.arriving_blocks() + b.open_blocks() + b.protectable_blocks(), b.capacity_blocks);
	EXPECT_EQ(b.floor_blocks(), 8 + 200 + 4 * 64);
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

} // namespace
