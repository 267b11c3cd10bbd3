// When regions are mapped, prepared, kept and given back to the system.
#include "regions.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <sys/mman.h>

using namespace slipstream;
using namespace slipstream::test;

namespace {

TEST(block_pool, memory_goes_back_to_the_system_but_for_one_spare_region)
{
	block_pool pool(10 * region_blocks, 1);
	std::vector<unique_block> held;
	while (auto b = pool.acquire()) held.push_back(std::move(b));
	EXPECT_EQ(pool.mapped_bytes(), 10 * region_size);
	held.clear();
	EXPECT_EQ(pool.mapped_bytes(), region_size);
}

TEST(block_pool, a_freed_block_is_used_again_before_more_memory_is_mapped)
{
	block_pool pool(10 * region_blocks, 1);
	std::vector<unique_block> held;
	for (int i = 0; i < region_blocks; ++i) held.push_back(pool.acquire());
	auto const mapped = pool.mapped_bytes();
	for (int round = 0; round < 100; ++round)
	{
		held.erase(held.begin() + round);
		held.push_back(pool.acquire());
	}
	EXPECT_EQ(pool.mapped_bytes(), mapped);
}

// The count of a block is found by arithmetic on its address, wherever the system puts a region.
TEST(block_pool, blocks_come_home_whatever_else_is_mapped_between_regions)
{
	constexpr std::size_t mib = 1u << 20;
	std::vector<std::pair<void*, std::size_t>> others;
	for (std::size_t i = 0; i < 8; ++i)
	{
		auto const size = (2 * i + 1) * mib;
		void* const other = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		ASSERT_NE(other, MAP_FAILED);
		others.emplace_back(other, size);
		block_pool pool(600, 1);
		std::vector<block_ref> blocks;
		while (auto b = pool.acquire()) blocks.push_back(std::move(b).freeze());
		EXPECT_EQ(blocks.size(), 599u);
		for (auto const& b : blocks) EXPECT_EQ(b.shares(), 1u);
		blocks.clear();
		EXPECT_EQ(pool.used_blocks(), 0);
	}
	for (auto const& [at, size] : others) ::munmap(at, size);
}

TEST(block_pool, the_next_region_is_asked_for_once_when_the_last_one_is_half_used)
{
	block_pool pool(3 * region_blocks, 1);
	int asked = 0;
	pool.when_upkeep_is_due([&] { ++asked; });
	std::vector<unique_block> held;
	auto const take = [&](std::int64_t const n) { for (int i = 0; i < n; ++i) held.push_back(pool.acquire()); };
	take(region_blocks / 2);
	EXPECT_EQ(asked, 0);
	prepare_all(pool);
	EXPECT_EQ(pool.mapped_bytes(), region_size) << "nobody asked";
	take(2);
	EXPECT_EQ(asked, 1);
	EXPECT_EQ(pool.mapped_bytes(), region_size) << "it only asks";
	// Nobody has done it yet, and blocks come and go.
	held.resize(100);
	take(100);
	EXPECT_EQ(asked, 1);
	prepare_all(pool);
	prepare_all(pool);
	EXPECT_EQ(pool.mapped_bytes(), 2 * region_size) << "one is enough";
	take(region_blocks - 200 + 1);
	EXPECT_EQ(pool.mapped_bytes(), 2 * region_size) << "the second region is the one that was prepared";
	for (auto const& b : held) std::memset(b.bytes(), 1, block_bytes);
}

TEST(block_pool, no_region_is_prepared_that_the_capacity_does_not_need)
{
	block_pool pool(region_blocks, 1);
	int asked = 0;
	pool.when_upkeep_is_due([&] { ++asked; });
	std::vector<unique_block> held;
	while (auto b = pool.acquire()) held.push_back(std::move(b));
	EXPECT_EQ(asked, 0);
	prepare_all(pool);
	EXPECT_EQ(pool.mapped_bytes(), region_size);
}

// What who copies as fast as it can meets.
class outrunning : public ::testing::Test
{
protected:
	explicit outrunning(std::int64_t const regions = 300) : pool(regions * region_blocks, 1)
	{ pool.when_upkeep_is_due([this] { ++asked; }); }

	void take_regions(std::int64_t const n)
	{
		for (std::int64_t i = 0; i < n * region_blocks; ++i) held.push_back(pool.acquire());
		ASSERT_TRUE(held.back());
	}
	[[nodiscard]] std::int64_t spares() const
	{ return pool.mapped_bytes() / region_size - (std::int64_t(held.size()) + region_blocks - 1) / region_blocks; }

	block_pool pool;
	int asked = 0;
	std::vector<unique_block> held;
};

TEST_F(outrunning, makes_twice_as_many_regions_be_prepared_each_time_and_eight_at_most)
{
	take_regions(1);
	EXPECT_FALSE(pool.is_ahead()) << "nobody could have had the first";
	take_regions(1);
	prepare_all(pool);
	EXPECT_EQ(spares(), 2);
	take_regions(3); // the third is missing
	prepare_all(pool);
	EXPECT_EQ(spares(), 4);
	for (int i = 0; i < 3; ++i)
	{
		take_regions(9);
		prepare_all(pool);
		EXPECT_EQ(spares(), 8);
	}
	EXPECT_TRUE(pool.is_ahead());
}

TEST_F(outrunning, asks_again_with_each_region_that_is_begun)
{
	take_regions(2);
	prepare_all(pool);
	auto const before = asked;
	held.push_back(pool.acquire());
	EXPECT_EQ(asked, before + 1);
	prepare_all(pool);
	EXPECT_EQ(spares(), 2);
}

TEST_F(outrunning, leaves_one_spare_region_when_it_is_over)
{
	take_regions(2);
	prepare_all(pool);
	take_regions(3);
	prepare_all(pool);
	ASSERT_EQ(spares(), 4);
	pool.settle();
	EXPECT_EQ(spares(), 4) << "some were missing since";
	pool.settle();
	EXPECT_EQ(spares(), 2);
	EXPECT_TRUE(pool.is_ahead());
	pool.settle();
	EXPECT_EQ(spares(), 1);
	EXPECT_FALSE(pool.is_ahead());
	pool.settle();
	EXPECT_EQ(spares(), 1);
}

TEST_F(outrunning, is_answered_a_region_at_a_time)
{
	take_regions(2);
	EXPECT_TRUE(pool.prepare()) << "another is due";
	EXPECT_EQ(spares(), 1);
	EXPECT_FALSE(pool.prepare());
	EXPECT_EQ(spares(), 2);
}

TEST_F(outrunning, counts_no_more_when_the_capacity_is_less)
{
	take_regions(10);
	pool.set_capacity(64 * region_blocks);
	prepare_all(pool);
	EXPECT_EQ(spares(), 2);
}

TEST_F(outrunning, is_forgotten_by_trimming_and_one_region_is_kept_again)
{
	take_regions(2);
	prepare_all(pool);
	pool.trim();
	EXPECT_EQ(spares(), 0);
	held.clear();
	EXPECT_EQ(pool.mapped_bytes(), region_size);
}

struct outrunning_a_small_pool : outrunning
{
	outrunning_a_small_pool() : outrunning(64) {}
};

TEST_F(outrunning_a_small_pool, makes_a_32nd_of_the_capacity_be_prepared_and_never_more_than_the_capacity)
{
	take_regions(60);
	prepare_all(pool);
	EXPECT_EQ(spares(), 2);
	while (auto b = pool.acquire())
	{
		held.push_back(std::move(b));
		prepare_all(pool);
		ASSERT_LE(pool.mapped_bytes(), 64 * region_size);
	}
	EXPECT_EQ(spares(), 0);
}

} // namespace
