// Who is asked to go when room has to be made, and how much room that is.
#include "cache/cache_fixture.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

using namespace slipstream;
using namespace slipstream::test;

namespace {

using protection = cache::protection;

TEST_F(cache_fixture, nothing_goes_while_everything_fits)
{
	c.change_connections(50);
	auto const t = enter(100);
	EXPECT_FALSE(c.crowded());
	for (int i = 0; i < 25; ++i) ASSERT_TRUE(t->download(i));
	c.make_room();
	EXPECT_TRUE(t->asked.empty());
}

TEST_F(cache_fixture, room_is_made_for_what_may_arrive_before_it_is_needed)
{
	c.change_connections(6); // 12 blocks, and a piece
	auto const t = enter();
	EXPECT_TRUE(c.crowded());
	int i = 0;
	while (!c.is_low()) ASSERT_TRUE(t->download(i++));
	EXPECT_GT(pool.free_blocks(), 0);
	c.make_room();
	ASSERT_FALSE(t->asked.empty());
	EXPECT_EQ(t->asked.front(), 0) << "least recently used";
	auto const asked = t->asked.size();
	c.make_room();
	EXPECT_EQ(t->asked.size(), asked) << "what is leaving counts as room";
	t->give_up();
	EXPECT_FALSE(c.is_low());
}

TEST_F(cache_fixture, what_was_read_goes_after_what_was_not)
{
	c.change_connections(6);
	auto const t = enter();
	for (int i = 0; !c.is_low(); ++i) ASSERT_TRUE(t->download(i));
	c.touched(t->id, 0);
	c.make_room();
	ASSERT_FALSE(t->asked.empty());
	EXPECT_EQ(t->asked.front(), 1);
}

TEST_F(cache_fixture, no_room_is_kept_for_what_a_torrent_that_has_left_was_reading)
{
	c.change_connections(6);
	auto const stays = enter();
	auto const wanted = c.wanted_free_blocks();
	auto const prepared = c.prepared_free_blocks();
	auto const leaves = std::make_shared<fake_evictee>(pool, c);
	leaves->id = c.enter(leaves, 1000, 6);
	ASSERT_GT(c.protect(leaves->id, protection::reader, {0, 1}).pieces, 0);
	EXPECT_GT(c.wanted_free_blocks(), wanted) << "its pieces are larger";
	EXPECT_GT(c.prepared_free_blocks(), prepared + c.wanted_free_blocks() - wanted) << "and are still to come";
	c.leave(leaves->id);
	EXPECT_EQ(c.wanted_free_blocks(), wanted);
	EXPECT_EQ(c.prepared_free_blocks(), prepared);
}

TEST_F(cache_fixture, kept_pieces_are_never_asked_to_go)
{
	c.change_connections(6);
	auto const t = enter();
	EXPECT_EQ(c.protect(t->id, protection::lookbehind, {0, 1, 2}).pieces, 3);
	EXPECT_EQ(c.protect(t->id, protection::reserved, {3}).pieces, 1);
	for (int i = 0; t->download(i); ++i) {}
	c.make_room();
	for (int const p : t->asked) EXPECT_GT(p, 3);
	EXPECT_FALSE(t->asked.empty());
}

TEST_F(cache_fixture, a_piece_that_cannot_go_stays_and_is_named_again)
{
	c.change_connections(6);
	auto const t = enter();
	for (int i = 0; t->download(i); ++i) {}
	auto const here = pieces(0, int(t->pieces.size()));
	t->listens = false;
	while (t->refused.size() <= here.size()) // what was not named yet is named first
	{
		auto const before = t->refused.size();
		c.make_room();
		ASSERT_GT(t->refused.size(), before) << "it is not room that is to come";
	}
	auto const again = t->refused.begin() + std::ssize(here);
	EXPECT_EQ(std::vector<int>(t->refused.begin(), again), here);
	EXPECT_EQ(*again, here.front());
	t->listens = true;
	c.make_room();
	EXPECT_FALSE(t->asked.empty());
}

TEST_F(cache_fixture, what_stays_until_memory_is_low_is_named_again_when_it_is)
{
	c.change_connections(6);
	auto const t = enter();
	for (int i = 0; t->download(i); ++i) {}
	for (int time = 0; time < 8; ++time)
	{
		c.make_room();
		ASSERT_FALSE(t->asked.empty()) << time;
		for (int const p : std::exchange(t->asked, {})) c.stays_until_low(t->id, p);
	}
}

// Else those in a share would go for it, come back, and go again, as long as the reader waits.
TEST_F(cache_fixture, what_goes_when_memory_is_low_is_room_for_what_readers_wait_for_but_not_for_what_may_arrive)
{
	c.change_connections(2); // 4 blocks, and a piece
	auto const unread = enter();
	auto const read = enter();
	auto const download = [&](std::shared_ptr<fake_evictee> const& t, int const first, int const count) {
		for (int i = first; i < first + count; ++i) ASSERT_TRUE(t->download(i));
	};
	ASSERT_EQ(c.protect(read->id, protection::reader, pieces(50, 4)).pieces, 4);
	ASSERT_EQ(c.prepared_free_blocks(), c.wanted_free_blocks() + 16);
	download(read, 0, 10);
	download(unread, 0, 15);
	ASSERT_EQ(pool.free_blocks(), 20);
	c.make_room();
	ASSERT_EQ(read->asked, std::vector<int>{0});
	for (int const p : std::exchange(read->asked, {})) c.stays_until_low(read->id, p);
	c.make_room();
	EXPECT_TRUE(read->asked.empty() && unread->asked.empty()) << "its room is as good as free";

	// What a reader left behind goes all the same.
	ASSERT_EQ(c.protect(read->id, protection::lookbehind, {1}).pieces, 1);
	c.protect(read->id, protection::lookbehind, {});
	c.make_room();
	EXPECT_EQ(read->asked, std::vector<int>{1});
	for (int const p : std::exchange(read->asked, {})) c.stays_until_low(read->id, p);

	// What may arrive is to have blocks that are free. The two stay room for what readers wait for.
	download(read, 10, 4);
	ASSERT_TRUE(c.is_low());
	c.make_room();
	EXPECT_EQ(read->asked, (std::vector<int>{2, 3, 4}));
	read->give_up();

	// They are asked in their turn, and count once.
	for (int p = 5; p < 14; ++p) c.touched(read->id, p);
	for (int p = 0; p < 15; ++p) c.touched(unread->id, p);
	download(read, 14, 3);
	ASSERT_TRUE(c.is_low());
	c.make_room();
	EXPECT_EQ(read->asked, (std::vector<int>{0, 1, 5, 6, 7}));
	EXPECT_TRUE(unread->asked.empty());
}

// They have their room already.
TEST_F(cache_fixture, no_room_is_made_for_blocks_that_are_here_of_what_a_reader_waits_for)
{
	pool.set_capacity(1024);
	c.change_capacity();
	auto const read = enter(10000);
	ASSERT_EQ(c.protect(read->id, protection::reader, pieces(100, 60)).pieces, 60);
	auto const behind = pieces(1000, int((c.protectable_blocks() - 240) / 4));
	ASSERT_EQ(c.protect(read->id, protection::lookbehind, behind).pieces, int(behind.size()));
	for (int const p : behind) ASSERT_TRUE(read->download(p));
	for (int p = 100; p < 150; ++p) ASSERT_TRUE(read->write(p, p < 110 ? 4 : 3)); // some wait for their hash
	for (int p = 150; p < 160; ++p) ASSERT_TRUE(read->download(p)); // the farthest
	ASSERT_FALSE(c.is_low());
	c.make_room();
	EXPECT_TRUE(read->asked.empty());
}

// Whose reader waits, how many blocks of what it waits for are here, what is lent: it is all provided for.
TEST_F(cache_fixture, nobody_goes_while_all_have_what_they_were_granted_and_their_shares)
{
	for (unsigned seed = 0; seed < 500; ++seed)
	{
		std::mt19937 random(seed);
		auto const some = [&](std::int64_t const most) { return most <= 0 ? 0 : int(std::int64_t(random()) % (most + 1)); };
		pool.set_capacity(200 + some(1000));
		c.change_capacity();
		auto const connections = some(60);
		c.change_connections(connections);
		std::vector<std::shared_ptr<fake_evictee>> all;
		for (int i = 0; i < 2 + some(3); ++i) all.push_back(enter(2000));
		for (auto const& t : all)
			for (auto const kind : {protection::reader, protection::reserved, protection::lookbehind})
				static_cast<void>(c.protect(t->id, kind, pieces(100 * (1 + int(kind)), some(2) == 0 ? some(60) : 0)));
		std::vector<unique_block> lent; // of pieces that have gone
		for (auto n = some(c.lendable_blocks()); n > 0; --n) lent.push_back(pool.acquire());
		for (auto const& t : all)
		{
			auto const begin = [&](int const piece, int const one_in) {
				if (some(one_in - 1) == 0) ASSERT_TRUE(t->write(piece, 4 - some(some(4))));
				else ASSERT_TRUE(t->download(piece));
			};
			for (int const piece : c.granted_pieces(t->id, protection::reader)) begin(piece, 1 + some(3));
			for (auto const kind : {protection::reserved, protection::lookbehind})
				for (int const piece : c.granted_pieces(t->id, kind)) begin(piece, 8);
			for (auto n = c.share_blocks(t->id) / 4; n > 0; --n) begin(int(n), 8);
		}
		c.make_room();
		EXPECT_FALSE(c.is_low()) << "seed " << seed;
		for (auto const& t : all)
		{
			EXPECT_TRUE(t->asked.empty()) << "seed " << seed << ", " << t->asked.size() << " asked";
			c.leave(t->id);
		}
		c.change_connections(-connections);
	}
}

TEST_F(cache_fixture, protections_and_the_pool_agree_over_random_operations)
{
	for (unsigned seed = 0; seed < 200; ++seed)
	{
		std::mt19937 random(seed);
		block_pool p(64 + std::int64_t(random() % 128), 8);
		class cache k(p, true);
		k.change_connections(int(random() % 10));
		std::vector<std::shared_ptr<fake_evictee>> torrents;
		for (int step = 0; step < 400; ++step)
		{
			auto const some = [&] { return torrents[random() % torrents.size()]; };
			switch (torrents.empty() ? 0 : random() % 8)
			{
			case 0:
				if (torrents.size() < 4)
				{
					torrents.push_back(std::make_shared<fake_evictee>(p, k));
					torrents.back()->id = k.enter(torrents.back(), std::int64_t(random() % 400), 4);
				}
				break;
			case 1:
				if (random() % 4 == 0) { auto const i = random() % torrents.size(); k.leave(torrents[i]->id); torrents.erase(torrents.begin() + std::ptrdiff_t(i)); }
				break;
			case 2:
			{
				std::vector<int> wish;
				for (auto n = random() % 20; n > 0; --n) wish.push_back(int(random() % 60));
				static_cast<void>(k.protect(some()->id, protection(random() % 3), wish));
				break;
			}
			case 3: some()->give_up(); break;
			case 4: p.set_capacity(64 + std::int64_t(random() % 128)); k.change_capacity(); break;
			default:
			{
				auto const t = some();
				auto const piece = int(random() % 60);
				if (t->pieces.count(piece) == 0) static_cast<void>(t->download(piece));
			}
			}
			k.make_room();
			std::int64_t granted = 0;
			for (auto const& t : torrents)
			{
				for (auto const kind : {protection::reader, protection::reserved, protection::lookbehind})
					granted += k.granted_for(t->id, kind).blocks;
				for (int const piece : t->asked)
					ASSERT_TRUE(t->pieces.count(piece)) << "asked for what is not there; seed " << seed;
				ASSERT_EQ(std::set<int>(t->asked.begin(), t->asked.end()).size(), t->asked.size()) << "asked twice; seed " << seed;
			}
			ASSERT_LE(granted, k.protectable_blocks()) << "seed " << seed << " step " << step;
		}
	}
}

TEST_F(cache_fixture, a_torrent_whose_pieces_are_too_large_is_refused_only_when_it_does_not_fit)
{
	EXPECT_FALSE(c.refusal_of(1000, 4).has_value());
	EXPECT_TRUE(c.refusal_of(1000, 40).has_value());
	EXPECT_FALSE(c.refusal_of(120, 40).has_value());
	auto const t = std::make_shared<fake_evictee>(pool, c);
	EXPECT_TRUE(c.refusal(c.enter(t, 1000, 40)).has_value());
}

TEST_F(cache_fixture, what_a_torrent_had_that_has_left_is_not_taken_for_what_is_begun_of_another)
{
	c.change_connections(1);
	auto const reads = enter();
	auto const left = enter();
	ASSERT_GT(c.protect(reads->id, protection::reader, pieces(0, 10)).pieces, 8);
	for (int p = 0; p < 9; ++p) ASSERT_TRUE(reads->write(p, 4)); // and none was hashed
	for (int p = 0; p < 10; ++p) ASSERT_TRUE(left->download(p));
	auto const before = c.prepared_free_blocks();
	ASSERT_GT(before, c.wanted_free_blocks());
	ASSERT_LT(before, pool.capacity_blocks() / 4);
	c.leave(left->id);
	left->pieces.clear();
	EXPECT_EQ(c.prepared_free_blocks(), before);
}

TEST_F(cache_fixture, room_is_kept_for_the_largest_piece_of_those_that_are_read_or_want_anything)
{
	auto const small = enter();
	auto const large = std::make_shared<fake_evictee>(pool, c);
	large->id = c.enter(large, 1000, 16);
	auto const with_both = c.wanted_free_blocks();
	c.set_wanting(large->id, false);
	auto const with_the_small_one = c.wanted_free_blocks();
	EXPECT_EQ(with_both - with_the_small_one, 16 - 4);
	c.set_wanting(large->id, true);
	EXPECT_EQ(c.wanted_free_blocks(), with_both);
	c.leave(large->id);
	EXPECT_EQ(c.wanted_free_blocks(), with_the_small_one);
}

} // namespace
