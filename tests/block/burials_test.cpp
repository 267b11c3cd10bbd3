// What nobody will use any more: it counts as free at once, and is dropped by whoever has time, or wants a block.
#include "regions.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <sys/mman.h>

using namespace slipstream;
using namespace slipstream::test;

namespace {

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

} // namespace
