// Single orders of forgetting, each for a rule whose breach a long run of them does not notice: what is lost comes a second
// later, or costs only peers.
#include "interleavings/forgetting_by_hand.hpp"

namespace slipstream::test {

TEST_F(forgetting_by_hand, a_piece_half_here_that_is_wanted_again_while_it_goes_stays_wanted)
{
	begin(wanting::told);
	auto const p = peer();
	film->set_priority(0, 7);
	for (int b = 0; b < 2; ++b) film->send(*p, 0, b, false);
	deliver();
	film->set_priority(0, 0);
	film->tick(); // it begins to go
	ASSERT_FALSE(film->lacks(0, 0));
	film->set_priority(0, 7);
	deliver();
	EXPECT_TRUE(film->lacks(0, 0)) << "it has gone";
	EXPECT_EQ(film->priority(0), 7);
}

TEST_F(forgetting_by_hand, how_much_an_application_wants_what_is_withheld_is_what_it_said_last)
{
	begin(wanting::limited);
	want_all(*film);
	film->tick();
	ASSERT_EQ(film->priority(39), 0);
	film->set_priority(39, 6);
	film->tick();
	EXPECT_EQ(film->priority(39), 0) << "there is no room";
	ASSERT_EQ(read_from(39, 1), 1);
	deliver();
	EXPECT_EQ(film->priority(39), 6);
}

TEST_F(forgetting_by_hand, each_change_of_protections_is_looked_at_without_waiting_for_a_second)
{
	begin(wanting::limited);
	want_all(*film);
	for (int const first : {0, 10, 20})
	{
		ASSERT_EQ(read_from(first, 3), 3);
		deliver();
		for (int p = 0; p < num_pieces; ++p) EXPECT_EQ(film->priority(p), p >= first && p < first + 3 ? 4 : 0) << p;
	}
}

TEST_F(forgetting_by_hand, a_piece_that_passes_twice_is_counted_again_by_one_recheck_and_none_is_held_after_it)
{
	begin(wanting::told);
	for (int const piece : {0, 1}) film->set_priority(piece, 7);
	auto const send = [&](int const piece) {
		auto const p = peer();
		for (int b = 0; b < piece_blocks; ++b) film->send(*p, piece, b, false);
		deliver();
		ASSERT_TRUE(film->has_passed(piece));
	};
	send(0);
	ASSERT_FALSE(film->has_flushed(0)) << "one of its writes is held";
	// As libtorrent does when a peer's hashes of it are right.
	for (int time = 0; time < 2; ++time) film->part().on_piece_pass(lt::piece_index_t(0));
	EXPECT_EQ(rechecks, 0) << "libtorrent is in the middle of counting";
	deliver();
	EXPECT_EQ(rechecks, 1);
	EXPECT_TRUE(film->has_flushed(0));
	send(1);
	EXPECT_TRUE(film->has_flushed(1));
	film->tick();
	deliver();
	EXPECT_EQ(rechecks, 1);
}

TEST_F(forgetting_by_hand, room_that_is_only_being_prepared_is_not_worth_a_recheck)
{
	begin(wanting::told);
	ASSERT_NO_FATAL_FAILURE(give_for_good(11));
	ASSERT_EQ(read_from(20, 5), 5); // still to come
	ASSERT_FALSE(core->cache.is_low());
	ASSERT_LT(core->pool.headroom_blocks(), core->cache.prepared_free_blocks());
	deliver();
	film->tick();
	deliver();
	EXPECT_EQ(rechecks, 0);
	for (int p = 0; p < 11; ++p) EXPECT_TRUE(film->has_flushed(p)) << p;
}

// Its reader may wait for ever: the pieces are not wanted, or no peer has them.
TEST_F(forgetting_by_hand, nobody_goes_for_what_a_reader_waits_for_in_the_place_of_what_a_recheck_frees)
{
	begin(wanting::limited);
	ASSERT_NO_FATAL_FAILURE(give_for_good(8));
	other = add(2);
	ASSERT_EQ(read_from(20, 3), 3); // which the application does not want
	want_all(*other);
	auto const passed = [&] {
		int n = 0;
		for (int p = 0; p < num_pieces; ++p) n += other->has_passed(p) ? 1 : 0;
		return n;
	};
	EXPECT_TRUE(comes_to_rest());
	EXPECT_EQ(num_going, 0);
	EXPECT_EQ(rechecks, 0);
	auto const share = passed();
	EXPECT_EQ(share, core->cache.share_blocks(core->find_owned_by(other.get())->cache_id()) / piece_blocks);
	ASSERT_FALSE(core->cache.is_low());
	ASSERT_LT(core->pool.headroom_blocks(), core->cache.prepared_free_blocks());

	// Then they are wanted, and come, in the room of what goes by the recheck.
	for (int p = 20; p < 23; ++p) film->set_priority(p, 7);
	EXPECT_TRUE(comes_to_rest());
	for (int p = 20; p < 23; ++p) EXPECT_TRUE(film->has_passed(p)) << p;
	EXPECT_EQ(rechecks, 1);
	EXPECT_EQ(passed(), share);
	EXPECT_GE(core->pool.headroom_blocks(), core->cache.prepared_free_blocks());
}

// Peers read all of the film each second; what it has is libtorrent's for good, so that it goes by a recheck and not at once.
TEST_F(forgetting_by_hand, a_torrent_comes_to_its_share_though_peers_read_what_another_has_beyond_its_own)
{
	begin(wanting::limited);
	ASSERT_TRUE(core->set_capacity(2 << 20));
	ASSERT_NO_FATAL_FAILURE(give_for_good(20));
	other = add(2);
	want_all(*other);
	auto const lacks_one = [&](int const piece) {
		for (int b = 0; b < piece_blocks; ++b)
			if (other->lacks(piece, b)) return b;
		return -1;
	};
	int sent = 0;
	for (int second = 0; second < 300; ++second)
	{
		for (auto const& t : {film, other}) t->tick();
		deliver();
		for (int p = 0; p < 20; ++p) core->find_owned_by(film.get())->touched(lt::piece_index_t(p));
		auto const p = other->peers().empty() ? peer_of(*other) : other->peers().front();
		for (int piece = 0; piece < num_pieces && !p->stopped; ++piece)
		{
			if (other->priority(piece) == 0 || lacks_one(piece) < 0) continue;
			other->send(*p, piece, lacks_one(piece), false); // one block a second
			deliver();
			++sent;
			break;
		}
	}
	auto const share = core->cache.share_blocks(core->find_owned_by(other.get())->cache_id());
	EXPECT_EQ(sent, share / piece_blocks * piece_blocks) << "each block once";
	EXPECT_EQ(core->find_owned_by(other.get())->pieces().num_blocks(), sent);
}

} // namespace slipstream::test
