#include "block/block_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <sys/mman.h>

using namespace slipstream;

namespace {

// A region of the pool: 4 MiB, one block of which is its header.
constexpr std::int64_t region_blocks = 255;
constexpr std::int64_t region_bytes = 4 << 20;

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

TEST(block_pool, memory_goes_back_to_the_system_but_for_one_spare_region)
{
	block_pool pool(10 * region_blocks, 1);
	std::vector<unique_block> held;
	while (auto b = pool.acquire()) held.push_back(std::move(b));
	EXPECT_EQ(pool.mapped_bytes(), std::int64_t{10} * (4 << 20));
	held.clear();
	EXPECT_EQ(pool.mapped_bytes(), std::int64_t{1} * (4 << 20));
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

TEST(block_pool, the_next_region_is_asked_for_once_when_the_last_one_is_half_used)
{
	block_pool pool(3 * region_blocks, 1);
	int asked = 0;
	pool.when_upkeep_is_due([&] { ++asked; });
	std::vector<unique_block> held;
	auto const take = [&](std::int64_t const n) { for (int i = 0; i < n; ++i) held.push_back(pool.acquire()); };
	take(region_blocks / 2);
	EXPECT_EQ(asked, 0);
	pool.prepare();
	EXPECT_EQ(pool.mapped_bytes(), region_bytes) << "nobody asked";
	take(2);
	EXPECT_EQ(asked, 1);
	EXPECT_EQ(pool.mapped_bytes(), region_bytes) << "it only asks";
	// Nobody has done it yet, and blocks come and go.
	held.resize(100);
	take(100);
	EXPECT_EQ(asked, 1);
	pool.prepare();
	pool.prepare();
	EXPECT_EQ(pool.mapped_bytes(), 2 * region_bytes) << "one is enough";
	take(region_blocks - 200 + 1);
	EXPECT_EQ(pool.mapped_bytes(), 2 * region_bytes) << "the second region is the one that was prepared";
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
	pool.prepare();
	EXPECT_EQ(pool.mapped_bytes(), region_bytes);
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
	{ return pool.mapped_bytes() / region_bytes - (std::int64_t(held.size()) + region_blocks - 1) / region_blocks; }

	block_pool pool;
	int asked = 0;
	std::vector<unique_block> held;
};

TEST_F(outrunning, makes_twice_as_many_regions_be_prepared_each_time_and_eight_at_most)
{
	take_regions(1);
	EXPECT_FALSE(pool.is_ahead()) << "nobody could have had the first";
	take_regions(1);
	pool.prepare();
	EXPECT_EQ(spares(), 2);
	take_regions(3); // the third is missing
	pool.prepare();
	EXPECT_EQ(spares(), 4);
	for (int i = 0; i < 3; ++i)
	{
		take_regions(9);
		pool.prepare();
		EXPECT_EQ(spares(), 8);
	}
	EXPECT_TRUE(pool.is_ahead());
}

TEST_F(outrunning, asks_again_with_each_region_that_is_begun)
{
	take_regions(2);
	pool.prepare();
	auto const before = asked;
	held.push_back(pool.acquire());
	EXPECT_EQ(asked, before + 1);
	pool.prepare();
	EXPECT_EQ(spares(), 2);
}

TEST_F(outrunning, leaves_one_spare_region_when_it_is_over)
{
	take_regions(2);
	pool.prepare();
	take_regions(3);
	pool.prepare();
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

TEST_F(outrunning, does_not_keep_those_that_are_given_back)
{
	take_regions(2);
	pool.prepare();
	pool.trim();
	EXPECT_EQ(spares(), 0);
	held.clear();
	EXPECT_EQ(pool.mapped_bytes(), region_bytes);
}

struct outrunning_a_small_pool : outrunning
{
	outrunning_a_small_pool() : outrunning(64) {}
};

TEST_F(outrunning_a_small_pool, makes_a_32nd_of_the_capacity_be_prepared_and_never_more_than_the_capacity)
{
	take_regions(60);
	pool.prepare();
	EXPECT_EQ(spares(), 2);
	while (auto b = pool.acquire())
	{
		held.push_back(std::move(b));
		pool.prepare();
		ASSERT_LE(pool.mapped_bytes(), 64 * region_bytes);
	}
	EXPECT_EQ(spares(), 0);
}

// Shares that somebody let go of.
class dead_blocks final : public remains
{
public:
	explicit dead_blocks(std::vector<block_ref> blocks) : remains(std::int64_t(blocks.size())), m_blocks(std::move(blocks)) {}
	std::int64_t drop_some() noexcept override
	{
		if (m_blocks.empty()) return 0;
		m_blocks.pop_back();
		return 1;
	}

private:
	std::vector<block_ref> m_blocks;
};

TEST(block_pool, what_is_buried_counts_as_free_and_is_dropped_when_a_block_is_wanted)
{
	block_pool pool(20, 2);
	int due = 0;
	pool.when_upkeep_is_due([&] { ++due; });
	std::vector<block_ref> dead;
	while (auto b = pool.acquire()) dead.push_back(std::move(b).freeze());
	int told = 0;
	pool.when_free(6, [&] { ++told; });
	auto const kept = dead.front(); // somebody reads it
	std::vector<block_ref> more;
	for (int i = 0; i < 4; ++i, dead.pop_back()) more.push_back(std::move(dead.back()));
	pool.bury(nullptr);
	pool.bury(std::make_unique<dead_blocks>(std::move(more)));
	EXPECT_EQ(told, 0);
	EXPECT_EQ(pool.free_blocks(), 4);
	pool.bury(std::make_unique<dead_blocks>(std::move(dead)));
	EXPECT_EQ(told, 1);
	EXPECT_EQ(due, 2);
	EXPECT_EQ(pool.free_blocks(), 18);
	EXPECT_EQ(pool.used_blocks(), 18) << "nothing was dropped yet";
	std::vector<unique_block> held;
	while (auto b = pool.acquire()) held.push_back(std::move(b));
	EXPECT_EQ(held.size(), 17u) << "all but the one that is read";
	EXPECT_EQ(pool.peak_blocks(), 18);
	EXPECT_FALSE(pool.dispose_some());
	EXPECT_EQ(pool.free_blocks(), 0);
	EXPECT_EQ(told, 1);
}

TEST(block_pool, what_is_buried_where_nobody_does_the_upkeep_is_dropped_at_once)
{
	block_pool pool(20, 2);
	std::vector<block_ref> dead;
	while (auto b = pool.acquire()) dead.push_back(std::move(b).freeze());
	pool.bury(std::make_unique<dead_blocks>(std::move(dead)));
	EXPECT_EQ(pool.used_blocks(), 0);
	EXPECT_EQ(pool.free_blocks(), 18);
}

// Whether the system has memory for the block's page (mincore(2)).
bool is_resident(char* const block)
{
	unsigned char has = 0;
	return ::mincore(block, 1, &has) == 0 && (has & 1) != 0;
}

TEST(block_pool, what_is_trimmed_while_some_is_buried_goes_back_when_it_is_dropped)
{
	block_pool pool(64, 1);
	pool.when_upkeep_is_due([] {});
	std::vector<block_ref> kept;
	std::vector<block_ref> dead;
	std::vector<char*> pages;
	for (int i = 0; i < 20; ++i)
	{
		auto b = pool.acquire();
		b.bytes()[0] = 1;
		if (i % 2 == 0) pages.push_back(b.bytes());
		(i % 2 == 0 ? dead : kept).push_back(std::move(b).freeze());
	}
	pool.bury(std::make_unique<dead_blocks>(std::move(dead)));
	pool.trim(); // room was told of when they were buried
	while (pool.dispose_some()) {}
	ASSERT_EQ(pool.used_blocks(), 10);
	for (auto* const page : pages) EXPECT_FALSE(is_resident(page));
}

TEST(block_pool, what_is_buried_comes_home_before_the_pool_dies)
{
	block_pool pool(20, 2);
	pool.when_upkeep_is_due([] {});
	for (int i = 0; i < 3; ++i)
	{
		std::vector<block_ref> dead;
		dead.push_back(pool.acquire().freeze());
		pool.bury(std::make_unique<dead_blocks>(std::move(dead)));
	}
	EXPECT_EQ(pool.used_blocks(), 3);
	pool.when_free(18, [] {}); // dies with the pool
}

// Burials, whoever drops, and whoever wants blocks, at once.
TEST(block_pool, no_block_is_lost_and_the_capacity_holds_while_burials_are_dropped)
{
	constexpr std::int64_t capacity = 600;
	block_pool pool(capacity, 1);
	pool.when_upkeep_is_due([] {});
	std::vector<std::thread> threads;
	std::atomic<bool> stop{false};
	threads.emplace_back([&] { while (!stop) pool.dispose_some(); });
	std::atomic<std::int64_t> buried{0};
	std::vector<std::thread> writers;
	for (int t = 0; t < 2; ++t)
		writers.emplace_back([&] {
			for (int round = 0; round < 200; ++round)
			{
				std::vector<block_ref> mine;
				while (mine.size() < 250)
				{
					// The other has 250 at most: what is missing is buried, and comes.
					auto b = pool.acquire();
					if (b) mine.push_back(std::move(b).freeze());
				}
				buried += std::int64_t(mine.size());
				pool.bury(std::make_unique<dead_blocks>(std::move(mine)));
			}
		});
	for (auto& t : writers) t.join();
	stop = true;
	for (auto& t : threads) t.join();
	while (pool.dispose_some()) {}
	EXPECT_EQ(buried, 2 * 200 * 250);
	EXPECT_EQ(pool.used_blocks(), 0);
	EXPECT_EQ(pool.free_blocks(), capacity - 1);
	EXPECT_LE(pool.peak_blocks(), capacity);
}

using block_pool_death = ::testing::Test;

TEST(block_pool_death, a_block_that_never_came_home_is_noticed)
{
	::testing::FLAGS_gtest_death_test_style = "threadsafe";
	EXPECT_DEATH({
		unique_block stray;
		block_pool pool(4, 1);
		stray = pool.acquire();
	}, "every block comes home");
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

} // namespace
