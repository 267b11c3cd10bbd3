// What torrents that nobody reads come to, each of which may have an equal share.
#include "cache/cache_fixture.hpp"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

using namespace slipstream;
using namespace slipstream::test;

namespace {

using protection = cache::protection;

TEST_F(cache_fixture, torrents_that_nobody_reads_share_what_is_left_and_one_too_many_gets_nothing)
{
	std::vector<std::shared_ptr<fake_evictee>> all;
	for (int i = 0; i < 3; ++i) all.push_back(enter(100));
	auto const share = c.share_blocks(all[0]->id);
	EXPECT_GT(share, 0);
	EXPECT_EQ(c.share_blocks(all[1]->id), share);
	while (c.share_blocks(all.back()->id) > 0)
	{
		ASSERT_LT(all.size(), 100u);
		all.push_back(enter(100));
	}
	auto const shares_together = [&] {
		std::int64_t sum = 0;
		for (auto const& t : all) sum += c.share_blocks(t->id);
		return sum;
	};
	auto const before = shares_together();
	EXPECT_GT(before, 0);
	EXPECT_LE(before, pool.capacity_blocks() - pool.reserved_blocks());
	// What is read takes its part from the shares first.
	ASSERT_GT(c.protect(all[1]->id, protection::reader, {0, 1, 2}).pieces, 0);
	EXPECT_EQ(c.share_blocks(all[1]->id), 0);
	EXPECT_LE(shares_together() + c.granted_blocks(protection::reader), before);
	EXPECT_EQ(c.share_blocks(12345), 0);
}

// Torrents that want their shares and get a piece a second.
struct sharing_fixture : cache_fixture
{
	int downloads = 0;

	[[nodiscard]] int share(std::shared_ptr<fake_evictee> const& t) { return static_cast<int>(c.share_blocks(t->id) / 4); }
	void fill(std::shared_ptr<fake_evictee> const& t)
	{
		while (int(t->pieces.size()) < share(t)) ASSERT_TRUE(t->download(int(t->pieces.size())));
	}
	void read_by_peers(std::shared_ptr<fake_evictee> const& t)
	{
		for (auto const& [piece, blocks] : t->pieces) c.touched(t->id, piece);
	}
	// What is asked to go does; but with `until_low` only while memory is low.
	void live_a_second(std::shared_ptr<fake_evictee> const& t, bool const until_low = false)
	{
		for (int p = 0, wants = share(t) - int(t->pieces.size()); p < 100 && wants > 0; ++p)
		{
			if (t->pieces.count(p) != 0) continue;
			if (t->download(p)) ++downloads;
			break;
		}
		c.make_room();
		if (until_low && !c.is_low()) for (int const p : std::exchange(t->asked, {})) c.stays_until_low(t->id, p);
		t->give_up();
	}
};

TEST_F(sharing_fixture, a_torrent_comes_to_its_share_though_peers_read_what_another_has_beyond_its_own)
{
	for (bool const until_low : {false, true})
	{
		c.change_connections(1);
		auto const popular = enter();
		fill(popular);
		auto const other = enter();
		downloads = 0;
		for (int second = 0; second < 60; ++second)
		{
			live_a_second(other);
			live_a_second(popular, until_low);
			read_by_peers(popular);
		}
		EXPECT_EQ(downloads, share(other)) << "each piece once";
		EXPECT_EQ(int(other->pieces.size()), share(other));
		for (auto const& t : {popular, other}) c.leave(t->id);
		c.change_connections(-1);
	}
}

TEST_F(sharing_fixture, a_torrent_comes_to_its_share_though_peers_read_what_another_keeps_beside_what_its_reader_wants)
{
	c.change_connections(1);
	auto const popular = enter();
	fill(popular);
	ASSERT_EQ(c.protect(popular->id, protection::reader, {50, 51}).pieces, 2);
	for (int const p : {50, 51}) { live_a_second(popular); ASSERT_TRUE(popular->download(p)); }
	auto const other = enter();
	for (int second = 0; second < 60; ++second)
	{
		live_a_second(other);
		popular->give_up();
		read_by_peers(popular);
	}
	EXPECT_EQ(downloads, share(other));
	EXPECT_EQ(int(other->pieces.size()), share(other));
	for (int const p : {50, 51}) EXPECT_EQ(popular->pieces.count(p), 1u) << p;
}

TEST_F(sharing_fixture, in_a_share_what_was_read_goes_after_what_was_not)
{
	auto const t = enter();
	fill(t);
	c.touched(t->id, 0);
	std::vector<unique_block> others;
	while (!c.is_low()) others.push_back(pool.acquire());
	c.make_room();
	ASSERT_FALSE(t->asked.empty());
	EXPECT_EQ(t->asked.front(), 1);
}

// What is beyond a share and newer than what is in another's goes after that. Once: what is downloaded again is newer.
TEST_F(sharing_fixture, shares_that_become_smaller_cost_no_more_than_a_share)
{
	pool.set_capacity(512);
	c.change_capacity();
	c.change_connections(1);
	std::vector<std::shared_ptr<fake_evictee>> all{enter(), enter()};
	for (auto const& t : all) fill(t);
	std::vector<unique_block> lent;
	for (int i = 0; i < 64; ++i) lent.push_back(pool.acquire());
	for (int i = 0; i < 3; ++i) all.push_back(enter());
	auto const seconds = [&](int const count) {
		for (int second = 0; second < count; ++second)
		{
			for (auto const& t : all) live_a_second(t);
			for (auto const& t : all) read_by_peers(t);
		}
	};
	seconds(300);
	for (auto const& t : all) EXPECT_GE(int(t->pieces.size()), share(t));
	EXPECT_LE(downloads, 4 * share(all.front())) << "those of the three that came, and one more";
	downloads = 0;
	seconds(20);
	EXPECT_EQ(downloads, 0);
}

} // namespace
