#include "disk/awaited_blocks.hpp"
#include "disk/completion_queue.hpp"
#include "disk/disk_core.hpp"
#include "disk/memory_disk_io.hpp"
#include "disk/storage_slots.hpp"
#include "disk/write_watermark.hpp"
#include "support/disk_harness.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <vector>

using namespace slipstream;

namespace {

TEST(storage_slots, an_index_of_an_earlier_life_finds_nothing_while_its_slot_serves_another)
{
	storage_slots<int> slots;
	auto const first = slots.add(std::make_shared<int>(1));
	EXPECT_EQ(*slots.find(first), 1);
	EXPECT_EQ(*slots.remove(first), 1);
	EXPECT_EQ(slots.remove(first), nullptr);
	auto const second = slots.add(std::make_shared<int>(2));
	EXPECT_NE(first, second);
	EXPECT_EQ(slots.find(first), nullptr);
	EXPECT_EQ(*slots.find(second), 2);
}

TEST(storage_slots, an_index_comes_again_only_after_4096_lives_of_its_slot)
{
	storage_slots<int> slots;
	std::set<std::uint32_t> seen;
	for (int life = 0; life < 4096; ++life)
	{
		auto const index = slots.add(std::make_shared<int>(life));
		ASSERT_TRUE(seen.insert(static_cast<std::uint32_t>(index)).second) << life;
		ASSERT_EQ(*slots.remove(index), life);
	}
}

TEST(storage_slots, an_index_that_was_never_given_out_finds_nothing)
{
	storage_slots<int> slots;
	EXPECT_EQ(slots.find(lt::storage_index_t(0)), nullptr);
	EXPECT_EQ(slots.find(lt::storage_index_t(~std::uint32_t{0})), nullptr);
	EXPECT_EQ(slots.remove(lt::storage_index_t(7)), nullptr);
}

// What a session of such a setting makes of the number of threads that hash; a session's threads outlive it.
TEST(hashing_threads, are_what_the_largest_setting_of_any_session_asks_for_unless_the_application_says_how_many)
{
	lt::io_context ios;
	lt::counters counters;
	for (int const said : {0, 2})
	{
		auto const core = std::make_shared<disk_core>(memory_disk_options{.capacity_bytes = 4 << 20, .hash_threads = said});
		for (auto const& [setting, threads] : {std::pair(3, 3), {2, 3}, {-1, 3}, {1000, 64}})
		{
			test::shared_settings settings{lt::settings_pack{}};
			settings.set_int(lt::settings_pack::hashing_threads, setting);
			auto const disk = std::make_unique<memory_disk_io>(ios, settings, counters, core);
			EXPECT_EQ(core->hasher.num_threads(), said == 0 ? threads : said) << setting;
			disk->abort(true);
		}
	}
}

TEST(awaited_blocks, are_told_once_and_not_after_their_piece_was_verified)
{
	lt::piece_index_t const one(1);
	lt::piece_index_t const two(2);
	awaited_blocks awaited;
	EXPECT_FALSE(awaited.take(one, 2));
	awaited.await(one, 2);
	awaited.await(one, 3);
	awaited.await(two, 0);
	EXPECT_FALSE(awaited.take(one, 1));
	EXPECT_TRUE(awaited.take(one, 2));
	EXPECT_FALSE(awaited.take(one, 2));
	awaited.stop(one);
	EXPECT_FALSE(awaited.take(one, 3));
	EXPECT_TRUE(awaited.take(two, 0));
}

struct counting_observer final : lt::disk_observer
{
	int told = 0;
	void on_disk() override { ++told; }
};

TEST(write_watermark, tells_each_observer_once_at_half_of_the_limit)
{
	write_watermark mark;
	mark.set_limit_bytes(100);
	auto const peer = std::make_shared<counting_observer>();
	auto gone = std::make_shared<counting_observer>();
	EXPECT_FALSE(mark.add(100, false, peer));
	EXPECT_TRUE(mark.add(10, false, peer));
	EXPECT_TRUE(mark.add(10, false, peer));
	EXPECT_TRUE(mark.add(10, false, gone));
	EXPECT_TRUE(mark.add(10, false, nullptr));
	gone.reset();
	mark.delivered(89);
	EXPECT_EQ(peer->told, 0);
	mark.delivered(1);
	EXPECT_EQ(peer->told, 1);
	mark.delivered(50);
	EXPECT_EQ(peer->told, 1);
}

struct queue_fixture
{
	lt::io_context ioc;
	std::shared_ptr<completion_queue> const queue
		= std::make_shared<completion_queue>(ioc, std::make_shared<std::atomic<std::int64_t>>(0));
	std::vector<int> delivered;

	completion noting(int const n)
	{
		queue->promised();
		return plain_done{[this, n] { delivered.push_back(n); }};
	}
	hash_done noting_hash(int const n)
	{
		struct noted final : delivery
		{
			noted(std::vector<int>& l, int const i) : list(l), number(i) {}
			void deliver() override { list.push_back(number); }
			std::vector<int>& list;
			int const number;
		};
		queue->promised();
		return {std::make_unique<noted>(delivered, n)};
	}
	std::size_t poll()
	{
		ioc.restart();
		return ioc.poll();
	}
};

TEST(completion_queue, delivers_in_the_order_of_the_pushes_but_what_is_early_first)
{
	queue_fixture f;
	// With memory of its own, and then with that of what was delivered.
	for (int round = 0; round < 4; ++round)
	{
		SCOPED_TRACE(round);
		f.delivered.clear();
		for (int n = 0; n < 8; n += 2)
		{
			EXPECT_TRUE(f.queue->push(f.noting(n)));
			EXPECT_TRUE(f.queue->push(make_ready(f.noting(n + 1))));
		}
		EXPECT_TRUE(f.queue->push_early(f.noting_hash(100)));
		EXPECT_TRUE(f.delivered.empty()) << "never inside the call";
		EXPECT_EQ(f.poll(), 1u);
		EXPECT_EQ(f.delivered, (std::vector{100, 0, 1, 2, 3, 4, 5, 6, 7}));
	}
}

TEST(completion_queue, takes_nothing_and_posts_nothing_once_it_is_closed)
{
	for (int const delivered_before : {0, 8})
	{
		SCOPED_TRACE(delivered_before);
		queue_fixture f;
		for (int n = 0; n < delivered_before; ++n)
		{
			EXPECT_TRUE(f.queue->push(f.noting(n)));
			EXPECT_EQ(f.poll(), 1u);
		}
		f.delivered.clear();
		EXPECT_TRUE(f.queue->push(f.noting(1))); // is dropped
		f.queue->close();
		EXPECT_EQ(f.queue->size(), 0);
		EXPECT_EQ(f.poll(), 1u) << "the post of what was dropped";
		EXPECT_FALSE(f.queue->push(f.noting(2)));
		EXPECT_FALSE(f.queue->push(make_ready(f.noting(3))));
		EXPECT_FALSE(f.queue->push_early(f.noting_hash(4)));
		EXPECT_EQ(f.queue->size(), 0);
		EXPECT_EQ(f.poll(), 0u);
		EXPECT_TRUE(f.delivered.empty());
	}
}

} // namespace
