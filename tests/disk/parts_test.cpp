#include "disk/completion_queue.hpp"
#include "disk/storage_slots.hpp"
#include "disk/write_watermark.hpp"

#include <gtest/gtest.h>

#include <set>

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

} // namespace
