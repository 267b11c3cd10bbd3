// Who has a block, and for how long.
#include "regions.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>
#include <utility>
#include <vector>

using namespace slipstream;
using namespace slipstream::test;

namespace {

TEST(block_pool, hands_out_its_capacity_and_not_one_block_more)
{
	block_pool pool(10, 2);
	std::vector<unique_block> held;
	while (auto b = pool.acquire()) held.push_back(std::move(b));
	EXPECT_EQ(held.size(), 8u);
	while (auto b = pool.acquire_reserved()) held.push_back(std::move(b));
	EXPECT_EQ(held.size(), 10u);
	EXPECT_EQ(pool.used_blocks(), 10);
	held.clear();
	EXPECT_EQ(pool.used_blocks(), 0);
	EXPECT_EQ(pool.peak_blocks(), 10);
	EXPECT_TRUE(bool(pool.acquire()));
}

TEST(block_pool, blocks_do_not_overlap)
{
	block_pool pool(3 * region_blocks, 1);
	std::vector<unique_block> held;
	for (int i = 0; auto b = pool.acquire(); ++i)
	{
		std::memset(b.bytes(), i & 0xff, block_bytes);
		held.push_back(std::move(b));
	}
	ASSERT_EQ(held.size(), std::size_t(3 * region_blocks - 1));
	for (std::size_t i = 0; i < held.size(); ++i)
		for (std::size_t at = 0; at < block_bytes; at += 1023)
			ASSERT_EQ(static_cast<unsigned char>(held[i].bytes()[at]), i & 0xff);
}

TEST(block_pool, a_block_is_found_from_any_address_inside_it)
{
	block_pool pool(2 * region_blocks, 1);
	for (std::size_t const offset : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, block_bytes - 1})
	{
		auto b = pool.acquire();
		auto ref = std::move(b).freeze();
		auto copy = ref;
		EXPECT_EQ(ref.shares(), 2u);
		char* const lent = std::move(copy).lend(offset);
		EXPECT_EQ(lent, ref.bytes() + offset);
		EXPECT_EQ(ref.shares(), 2u);
		block_ref::take_back(lent);
		EXPECT_EQ(ref.shares(), 1u);
	}
	EXPECT_EQ(pool.used_blocks(), 0);
}

TEST(block_pool, the_last_share_brings_the_block_home)
{
	block_pool pool(4, 1);
	auto b = pool.acquire();
	std::strcpy(b.bytes(), "kept");
	auto first = std::move(b).freeze();
	EXPECT_FALSE(bool(b));
	{
		auto const second = first;
		first = {};
		EXPECT_EQ(pool.used_blocks(), 1);
		EXPECT_STREQ(second.bytes(), "kept");
	}
	EXPECT_EQ(pool.used_blocks(), 0);
}

TEST(block_pool, shares_are_counted_right_from_many_threads)
{
	constexpr std::int64_t capacity = 600;
	block_pool pool(capacity, 1);
	std::vector<std::thread> threads;
	for (unsigned t = 0; t < 4; ++t)
	{
		threads.emplace_back([&pool, t] {
			std::mt19937 random(t);
			std::vector<block_ref> mine;
			for (int i = 0; i < 20000; ++i)
			{
				auto const pick = mine.empty() ? 0 : random() % mine.size();
				switch (random() % 4)
				{
				case 0:
					if (auto b = pool.acquire())
					{
						std::memset(b.bytes(), int(t), 64);
						mine.push_back(std::move(b).freeze());
					}
					break;
				case 1: if (!mine.empty()) { auto copy = mine[pick]; mine.push_back(std::move(copy)); } break;
				case 2: if (!mine.empty()) mine.erase(mine.begin() + std::ptrdiff_t(pick)); break;
				case 3:
					if (mine.empty()) break;
					EXPECT_EQ(mine[pick].bytes()[63], char(t));
					{ auto lent = mine[pick]; block_ref::take_back(std::move(lent).lend(random() % block_bytes)); }
					break;
				}
				if (mine.size() > 300) mine.clear();
			}
		});
	}
	for (auto& t : threads) t.join();
	EXPECT_EQ(pool.used_blocks(), 0);
	EXPECT_LE(pool.peak_blocks(), capacity);
}

TEST(block_pool, who_waits_for_room_is_told_once_by_the_block_that_makes_it)
{
	block_pool pool(10, 2);
	std::vector<unique_block> held;
	while (auto b = pool.acquire()) held.push_back(std::move(b));
	int told = 0;
	pool.when_free(3, [&] { ++told; });
	held.pop_back();
	held.pop_back();
	EXPECT_EQ(told, 0);
	held.pop_back();
	EXPECT_EQ(told, 1) << "three are free now, not more";
	held.clear();
	EXPECT_EQ(told, 1);
	pool.when_free(3, [&] { ++told; });
	EXPECT_EQ(told, 2) << "there is room already";
}

TEST(block_pool_death, a_block_that_never_came_home_is_noticed)
{
	::testing::FLAGS_gtest_death_test_style = "threadsafe";
	EXPECT_DEATH({
		unique_block stray;
		block_pool pool(4, 1);
		stray = pool.acquire();
	}, "every block comes home");
}

} // namespace
