// Forgetting where it is hard: pieces that libtorrent has for good, and what happens in the middle of it.
#include "forgetting_film.hpp"

#include <libtorrent/session.hpp>

using namespace slipstream;
using namespace slipstream::test;

namespace {

class forgetting_edges : public ::testing::TestWithParam<torrent_kind> {};

// -- pieces that libtorrent has for good

TEST_P(forgetting_edges, a_seeding_torrent_shrinks_with_its_memory_and_gets_again_what_is_wanted_again)
{
	film f(GetParam(), 32, 48);
	ASSERT_TRUE(f.until([&] { return f.torrent.status().state == lt::torrent_status::seeding; }));
	ASSERT_TRUE(f.until([&] { return f.verified(0, f.count); }));
	f.read_at(0, 4);
	auto const smaller = 16 * film_piece_bytes;
	ASSERT_TRUE(f.mine.disk().set_capacity_bytes(smaller).has_value());
	ASSERT_TRUE(f.until([&] { return f.mine.disk().stats().used_bytes <= smaller && f.agrees(); })) << f.dump();
	EXPECT_TRUE(f.verified(0, 2)) << "what is being read stays";
	EXPECT_EQ(f.checked->checks(), 1);

	for (int at = 0; at + 4 <= f.count; at += 4)
	{
		f.read_at(at, at + 4);
		ASSERT_TRUE(f.until([&] { return f.verified(at, at + 4); })) << at << f.dump();
		for (int i = at; i < at + 4; ++i) EXPECT_TRUE(f.right(i)) << i;
	}
	ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
	EXPECT_LE(f.checked->checks(), 2) << f.dump();
	f.nobody_is_blamed();
}

TEST_P(forgetting_edges, pieces_that_came_before_the_memory_was_crowded_go_too)
{
	film f(GetParam(), 32, 48);
	for (int i = 16; i < f.count; ++i) f.torrent.piece_priority(lt::piece_index_t(i), lt::dont_download);
	ASSERT_TRUE(f.until([&] { return f.verified(0, 16); })) << f.dump();
	f.read_at(8, 12);
	auto const smaller = 16 * film_piece_bytes;
	ASSERT_TRUE(f.mine.disk().set_capacity_bytes(smaller).has_value());
	std::vector<std::pair<lt::piece_index_t, lt::download_priority_t>> wanted;
	for (auto const p : pieces_of(0, f.count)) wanted.emplace_back(p, lt::default_priority);
	f.torrent.prioritize_pieces(wanted);
	for (int at = 8; at + 4 <= f.count; at += 4)
	{
		f.read_at(at, at + 4);
		ASSERT_TRUE(f.until([&] { return f.verified(at, at + 4); })) << at << f.dump();
	}
	ASSERT_TRUE(f.until([&] { return f.mine.disk().stats().used_bytes <= smaller && f.agrees(); })) << f.dump();
	EXPECT_LE(f.checked->checks(), 2) << f.dump();
	f.nobody_is_blamed();
}

TEST_P(forgetting_edges, a_long_way_after_a_recheck_needs_no_other_for_each_piece)
{
	film f(GetParam(), 48, 64);
	ASSERT_TRUE(f.until([&] { return f.torrent.status().state == lt::torrent_status::seeding; }));
	f.read_at(0, 6);
	ASSERT_TRUE(f.mine.disk().set_capacity_bytes(20 * film_piece_bytes).has_value());
	ASSERT_TRUE(f.until([&] { return f.checked->checks() > 0 && f.agrees(); })) << f.dump();
	for (int at = 0; at + 6 <= f.count; ++at)
	{
		f.read_at(at, at + 6);
		static_cast<void>(f.storage().set_lookbehind_pieces(pieces_of(std::max(0, at - 3), at)));
		ASSERT_TRUE(f.until([&] { return f.verified(at, at + 2); })) << at << f.dump();
	}
	ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
	// A slow machine may need one more now and then; without forget_another() it is one for nearly each of the 48 pieces.
	EXPECT_LE(f.checked->checks(), 6) << f.dump();
	f.nobody_is_blamed();
}

// -- in the middle of it

TEST_P(forgetting_edges, a_pause_in_the_middle_ends_and_the_film_goes_on)
{
	film f(GetParam(), 40, 20);
	for (auto const how : {lt::pause_flags_t{}, lt::torrent_handle::graceful_pause})
	{
		f.be_forgetting();
		f.read_at(f.count - 10, f.count - 2); // much has to go at once
		f.torrent.pause(how);
		ASSERT_TRUE(f.until([&] { return bool(f.torrent.status().flags & lt::torrent_flags::paused); })) << f.dump();
		ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
		f.torrent.resume();
		f.connect();
		ASSERT_TRUE(f.until([&] { return f.verified(f.count - 10, f.count - 6); })) << f.dump();
		f.read_at(0, 8);
		ASSERT_TRUE(f.until([&] { return f.verified(0, 4); })) << f.dump();
		EXPECT_TRUE(f.right(0));
	}
	ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
	f.nobody_is_blamed();
	f.mine.session().remove_torrent(f.torrent);
	ASSERT_TRUE(f.mine.run_until([&] { return f.mine.disk().stats().used_bytes == 0; }));
	EXPECT_EQ(f.mine.disk().stats().torrents, 0);
}

TEST_P(forgetting_edges, a_torrent_removed_in_the_middle_leaves_nothing_and_can_be_added_at_once)
{
	film f(GetParam(), 40, 20);
	for (auto const how : {lt::remove_flags_t{}, lt::session_handle::delete_files})
	{
		f.be_forgetting();
		f.read_at(f.count - 10, f.count - 2);
		auto const old = f.storage();
		f.mine.session().remove_torrent(f.torrent, how);
		f.add();
		ASSERT_TRUE(f.until([&] { return !old.alive(); }));
		f.read_at(20, 28);
		ASSERT_TRUE(f.until([&] { return f.verified(20, 24); })) << f.dump();
		EXPECT_TRUE(f.right(20));
		ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
		f.nobody_is_blamed();
	}
	f.mine.session().remove_torrent(f.torrent);
	ASSERT_TRUE(f.mine.run_until([&] { return f.mine.disk().stats().used_bytes == 0; }));
	EXPECT_EQ(f.mine.disk().stats().torrents, 0);
}

TEST_P(forgetting_edges, a_recheck_in_the_middle_finds_what_is_in_memory)
{
	film f(GetParam(), 40, 20);
	for (int round = 0; round < 4; ++round)
	{
		f.be_forgetting();
		// libtorrent ignores it in the middle of another.
		ASSERT_TRUE(f.until([&] { return !f.checking(); })) << f.dump();
		auto const before = f.checked->checks();
		f.read_at(f.count - 10, f.count - 2);
		f.torrent.force_recheck();
		ASSERT_TRUE(f.until([&] { return f.checked->checks() > before && f.agrees(); })) << f.dump();
		f.connect();
		ASSERT_TRUE(f.until([&] { return f.verified(f.count - 10, f.count - 6); })) << round << f.dump();
		EXPECT_TRUE(f.right(f.count - 10));
	}
	ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
	f.nobody_is_blamed();
}

INSTANTIATE_TEST_SUITE_P(kinds, forgetting_edges
	, ::testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid), name_of_kind);

} // namespace
