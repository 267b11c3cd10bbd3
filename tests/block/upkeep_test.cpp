#include "block/upkeep.hpp"
#include "regions.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using namespace slipstream;
using namespace slipstream::test;

namespace {

template <typename Condition>
[[nodiscard]] bool comes_true(Condition const& condition)
{
	auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
	while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
	return condition();
}

TEST(upkeep, the_next_region_is_there_before_it_is_needed)
{
	block_pool pool(4 * region_blocks, 1);
	upkeep const thread(pool);
	std::vector<unique_block> held;
	auto const take = [&](std::int64_t const n) { for (int i = 0; i < n; ++i) held.push_back(pool.acquire()); };
	for (std::int64_t regions = 1; regions < 4; ++regions)
	{
		take(region_blocks / 2 + 1);
		EXPECT_TRUE(comes_true([&] { return pool.mapped_bytes() == (regions + 1) * region_size; })) << regions;
		take(region_blocks / 2);
	}
	// The last one that the capacity needs.
	while (auto b = pool.acquire()) held.push_back(std::move(b));
	EXPECT_EQ(pool.mapped_bytes(), 4 * region_size);
}

// Somebody took ten regions as fast as he could, and eight more are prepared.
struct upkeep_after_a_burst : ::testing::Test
{
	block_pool pool{300 * region_blocks, 1};
	std::vector<unique_block> held;

	upkeep_after_a_burst()
	{
		pool.when_upkeep_is_due([] {});
		for (std::int64_t b = 0; b < 10 * region_blocks; ++b) held.push_back(pool.acquire());
		prepare_all(pool);
	}
};

TEST_F(upkeep_after_a_burst, gives_back_what_it_prepared_for_who_does_not_come_any_more)
{
	ASSERT_EQ(pool.mapped_bytes(), (10 + 8) * region_size);
	upkeep const thread(pool);
	EXPECT_TRUE(comes_true([&] { return pool.mapped_bytes() == (10 + 1) * region_size; }));
	EXPECT_FALSE(pool.is_ahead());
}

// What takes for ever to drop, until somebody says that it is enough.
struct endless final : remains
{
	explicit endless(std::atomic<bool> const& e) : remains(0), enough(e) {}
	std::int64_t drop_some() noexcept override { return enough ? 0 : 1; }
	std::atomic<bool> const& enough;
};

TEST_F(upkeep_after_a_burst, gives_back_what_is_too_many_though_it_has_something_to_do_all_the_time)
{
	std::atomic<bool> enough{false};
	ASSERT_EQ(pool.mapped_bytes(), (10 + 8) * region_size);
	upkeep const thread(pool);
	pool.bury(std::make_unique<endless>(enough));
	EXPECT_TRUE(comes_true([&] { return pool.mapped_bytes() == (10 + 1) * region_size; }));
	enough = true;
}

TEST(upkeep, may_end_with_work_due_and_is_not_missed)
{
	for (int i = 0; i < 100; ++i)
	{
		block_pool pool(4 * region_blocks, 1);
		std::vector<unique_block> held;
		{
			upkeep const thread(pool);
			for (int b = 0; b < 150; ++b) held.push_back(pool.acquire());
			ASSERT_TRUE(held.back());
		}
		// Nobody does it from now on, and nobody is missed.
		for (int b = 0; b < 500; ++b) held.push_back(pool.acquire());
		ASSERT_TRUE(held.back());
	}
}

} // namespace
