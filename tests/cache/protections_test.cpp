// What is granted of what torrents wish, and from whom it is taken when not all fits.
#include "cache/cache_fixture.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

using namespace slipstream;
using namespace slipstream::test;

namespace {

using protection = cache::protection;

// Else the grant would make the torrent want it, wanting would take the grant, and so on, a few blocks downloaded each time.
TEST_F(cache_fixture, what_is_reserved_and_still_to_come_is_granted_with_room_for_what_will_be_open)
{
	auto const busy = enter();
	auto const t = enter();
	c.set_wanting(t->id, false);
	// 128 blocks less 8 scratch, 16 lent, 8 open in the busy one: 96, of which two pieces are left.
	ASSERT_EQ(c.protect(busy->id, protection::reserved, pieces(0, 22)).pieces, 22);
	EXPECT_EQ(c.protect(t->id, protection::reserved, {0, 1}).pieces, 0);
	c.set_wanting(t->id, true);
	EXPECT_EQ(c.granted_for(t->id, protection::reserved).pieces, 0);
	// What is here will not be wanted.
	c.set_wanting(t->id, false);
	ASSERT_TRUE(t->download(0));
	ASSERT_TRUE(t->download(1));
	EXPECT_EQ(c.protect(t->id, protection::reserved, {1, 0}).pieces, 2);
}

TEST_F(cache_fixture, protecting_more_than_fits_grants_what_fits_readers_first)
{
	c.change_connections(6);
	auto const t = enter();
	auto const fits = c.current_budget().protectable_blocks() / 4;
	auto const lookbehind = c.protect(t->id, protection::lookbehind, pieces(0, 100));
	EXPECT_EQ(lookbehind.pieces, fits);
	EXPECT_EQ(lookbehind.blocks, fits * 4);
	auto const reader = c.protect(t->id, protection::reader, {200, 201, 202, 203});
	EXPECT_EQ(reader.pieces, 4);
	EXPECT_EQ(c.granted_for(t->id, protection::lookbehind).pieces, fits - 4);
	EXPECT_EQ(c.standing_of(t->id, 200).what, standing::kind::kept);
	EXPECT_EQ(c.standing_of(t->id, 203).what, standing::kind::ahead);
	// The same piece twice costs once.
	EXPECT_EQ(c.protect(t->id, protection::reserved, {200}).blocks, 0);
}

TEST_F(cache_fixture, torrents_do_not_take_protection_from_each_other_and_leaving_frees_it)
{
	auto const a = enter();
	auto const b = enter();
	auto const wish = pieces(0, 100);
	auto const first = c.protect(a->id, protection::lookbehind, wish);
	EXPECT_GT(first.pieces, 0);
	EXPECT_EQ(c.protect(b->id, protection::lookbehind, wish).pieces, 0);
	EXPECT_EQ(c.granted_for(a->id, protection::lookbehind).pieces, first.pieces);
	c.leave(a->id);
	EXPECT_GT(c.granted_for(b->id, protection::lookbehind).pieces, 0);
	EXPECT_EQ(c.protect(a->id, protection::lookbehind, wish).pieces, 0) << "it has left";
}

TEST_F(cache_fixture, what_is_read_now_goes_before_the_lookbehind_of_others)
{
	auto const first = enter();
	auto const second = enter();
	c.set_wanting(second->id, false);
	ASSERT_EQ(c.protect(first->id, protection::reader, {1, 2, 3}).pieces, 3);
	auto const before = c.protect(first->id, protection::lookbehind, pieces(10, 50));
	ASSERT_LT(before.pieces, 50);
	auto const read = c.protect(second->id, protection::reader, {5, 6, 7, 8});
	EXPECT_EQ(read.pieces, 2);
	auto const left = c.granted_for(first->id, protection::lookbehind);
	EXPECT_LT(left.pieces, before.pieces);
	EXPECT_EQ(c.granted_for(first->id, protection::reader).pieces, 3);
	EXPECT_EQ(c.standing_of(first->id, 10).what, standing::kind::kept); // the nearest stays
	EXPECT_EQ(c.standing_of(first->id, 10 + left.pieces).what, standing::kind::unprotected);
	EXPECT_LE(c.granted_blocks(protection::reader) + c.granted_blocks(protection::lookbehind)
		, c.current_budget().protectable_blocks());
}

TEST_F(cache_fixture, what_is_being_read_goes_before_read_ahead_of_others)
{
	auto const first = enter();
	auto const second = enter();
	ASSERT_GT(c.protect(first->id, protection::reader, pieces(0, 100)).pieces, 4);
	EXPECT_EQ(c.protect(second->id, protection::reader, {7, 8}).pieces, 2);
	EXPECT_EQ(c.standing_of(second->id, 7).what, standing::kind::kept);
	auto const left = c.granted_for(first->id, protection::reader).pieces;
	EXPECT_GE(left, 2);
	EXPECT_EQ(c.standing_of(first->id, left - 1).what, standing::kind::ahead);
	EXPECT_EQ(c.standing_of(first->id, left).what, standing::kind::unprotected) << "what was taken may go";
	EXPECT_LE(c.granted_blocks(protection::reader), c.current_budget().protectable_blocks());
}

TEST_F(cache_fixture, what_one_reader_reads_now_is_not_taken_for_another)
{
	auto const first = enter();
	ASSERT_EQ(c.protect(first->id, protection::reader, {0, 1}).pieces, 2);
	// Each of them wants something, which takes from what can be protected, until that is just what is being read.
	auto last = enter();
	while (c.protectable_blocks() > c.granted_blocks(protection::reader)) last = enter();
	EXPECT_EQ(c.protect(last->id, protection::reader, {5, 6}).pieces, 0);
	EXPECT_EQ(c.granted_for(first->id, protection::reader).pieces, 2);
	for (int const piece : {0, 1}) EXPECT_EQ(c.standing_of(first->id, piece).what, standing::kind::kept);
}

TEST_F(cache_fixture, nobody_loses_what_still_fits_when_grants_are_made_anew)
{
	auto const first = enter();
	auto const second = enter();
	ASSERT_EQ(c.protect(second->id, protection::reader, pieces(0, 8)).pieces, 8);
	ASSERT_LT(c.protect(first->id, protection::reader, pieces(0, 100)).pieces, 100);
	EXPECT_EQ(c.granted_for(second->id, protection::reader).pieces, 8);
	c.change_capacity();
	EXPECT_EQ(c.granted_for(second->id, protection::reader).pieces, 8);
	EXPECT_EQ(c.standing_of(second->id, 0).what, standing::kind::kept);
}

TEST_F(cache_fixture, one_torrent_too_many_to_read_is_refused_with_the_sum_and_changes_nothing)
{
	std::vector<std::shared_ptr<fake_evictee>> readers;
	int granted = 0;
	for (int i = 0; i < 12; ++i)
	{
		readers.push_back(enter());
		c.set_wanting(readers.back()->id, false);
		if (c.protect(readers.back()->id, protection::reader, {0, 1}).pieces > 0) ++granted;
		else EXPECT_FALSE(c.budget_with(readers.back()->id).holds());
	}
	EXPECT_EQ(granted, (128 - 128 / 8 - 8) / 16); // twice two pieces of four blocks each; an eighth may be lent
	EXPECT_TRUE(c.current_budget().holds());
	ASSERT_EQ(c.protect(readers.front()->id, protection::reader, {}).pieces, 0);
	EXPECT_EQ(c.protect(readers.back()->id, protection::reader, {0, 1}).pieces, 2); // one left, one may come
}

} // namespace
