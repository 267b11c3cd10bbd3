// Single orders of writes that are cancelled, for want of memory or because nobody wants them: what becomes of the piece.
#include "interleavings/forgetting_by_hand.hpp"

namespace slipstream::test {

TEST_F(forgetting_by_hand, nobody_is_blamed_for_a_piece_that_an_application_gave_when_there_was_no_room)
{
	begin(wanting::told);
	auto const p = peer();
	film->set_priority(0, 7);
	film->send(*p, 0, 0, false); // its write is held
	film->send(*p, 0, 1, false); // and this one has the peer's name
	deliver();
	auto all = take_all_memory();
	film->give(0);
	deliver(); // its hash is wrong; fake_torrent says who is blamed
	EXPECT_TRUE(film->lacks(0, 0));
	EXPECT_EQ(film->priority(0), 7);
	all.clear();
}

// Of what an application gives libtorrent hears no cancelling: only a hash that is wrong makes it ask for the piece again.
TEST_F(forgetting_by_hand, what_an_application_gave_when_there_was_no_room_is_asked_for_again_though_peers_were_cancelled_before_it)
{
	begin(wanting::told);
	auto const p = peer();
	film->set_priority(0, 7);
	auto all = take_all_memory();
	film->send(*p, 0, 0, false);
	deliver();
	ASSERT_TRUE(film->lacks(0, 0));
	film->give(0);
	deliver();
	for (int b = 0; b < piece_blocks; ++b) EXPECT_TRUE(film->lacks(0, b)) << b;
	EXPECT_EQ(film->priority(0), 7);
}

TEST_F(forgetting_by_hand, a_block_that_was_cancelled_is_asked_for_again_within_a_second)
{
	begin(wanting::told);
	auto const p = peer();
	for (int const wanted : {5, 6}) film->set_priority(wanted, 7);
	film->tick();
	auto const before = film->looks_at_peers();
	film->send(*p, 30, 0, false); // which nobody wants
	deliver();
	EXPECT_TRUE(film->lacks(30, 0));
	EXPECT_EQ(film->looks_at_peers(), before);
	film->tick();
	EXPECT_EQ(film->looks_at_peers(), before + 1);
	for (int const wanted : {5, 6}) EXPECT_EQ(film->priority(wanted), 7);
	film->tick();
	EXPECT_EQ(film->looks_at_peers(), before + 1) << "once";
}

TEST_F(forgetting_by_hand, what_was_cancelled_is_asked_for_again_though_more_is_cancelled_all_the_time)
{
	begin(wanting::told);
	auto const p = peer();
	for (int const wanted : {5, 6}) film->set_priority(wanted, 7);
	film->tick();
	auto const before = film->looks_at_peers();
	for (int second = 0; second < 4; ++second)
	{
		film->send(*p, 30 + second, 0, false);
		film->tick(); // before libtorrent hears that this one is cancelled
		deliver();
	}
	EXPECT_EQ(film->looks_at_peers(), before + 3);
	film->tick();
	EXPECT_EQ(film->looks_at_peers(), before + 4) << "the last one as well";
	film->tick();
	EXPECT_EQ(film->looks_at_peers(), before + 4);
}

// The head of a window is two pieces: of each a block was cancelled.
TEST_F(forgetting_by_hand, what_was_cancelled_of_pieces_that_are_begun_is_asked_for_again_once)
{
	begin(wanting::told);
	for (int const num : {1, 2})
	{
		SCOPED_TRACE(num);
		int const first = 4 * num;
		auto const p = peer();
		for (int i = 0; i < num; ++i) film->set_priority(first + i, 7);
		film->tick();
		for (int i = 0; i < num; ++i) film->send(*p, first + i, 0, false);
		deliver();
		auto all = take_all_memory();
		for (int i = 0; i < num; ++i) film->send(*p, first + i, 1, false);
		deliver();
		all.clear();
		deliver();
		auto const before = film->looks_at_peers();
		auto const finished = film->times_finished();
		for (int second = 0; second < 3; ++second) film->tick();
		EXPECT_EQ(film->looks_at_peers(), before + 1);
		EXPECT_EQ(film->times_finished(), finished);
		for (int i = 0; i < num; ++i) for (int b = 1; b < piece_blocks; ++b) film->send(*p, first + i, b, false);
		deliver();
	}
}

// As piece_store::states() says of a piece that is all padding: it is whole, and nobody verifies it.
TEST_F(forgetting_by_hand, a_piece_of_padding_does_not_let_a_torrent_finish_while_it_asks_again)
{
	begin(wanting::told);
	auto const p = peer();
	for (int const wanted : {5, 6}) film->set_priority(wanted, 7);
	for (int b = 0; b < piece_blocks; ++b) film->send(*p, 6, b, false);
	deliver();
	ASSERT_TRUE(film->has_passed(6));
	std::vector<piece_state> states(num_pieces, piece_state::absent);
	states[6] = piece_state::complete;
	auto const finished = film->times_finished();
	auto const looks = film->looks_at_peers();
	EXPECT_TRUE(ask_again(film->handle(), states));
	EXPECT_EQ(film->times_finished(), finished);
	EXPECT_EQ(film->looks_at_peers(), looks + 1);
}

TEST_F(forgetting_by_hand, a_torrent_that_wants_one_piece_more_asks_again_without_having_finished)
{
	begin(wanting::told);
	auto const p = peer();
	film->set_priority(5, 7);
	auto const finished = film->times_finished();
	auto const looks = film->looks_at_peers();
	film->send(*p, 30, 0, false);
	deliver();
	film->tick();
	EXPECT_EQ(film->looks_at_peers(), looks + 1);
	EXPECT_EQ(film->times_finished(), finished);
	for (int i = 0; i < num_pieces; ++i) EXPECT_EQ(film->priority(i), i == 5 ? 7 : 0) << i;
}

// libtorrent clears no piece that it finds wrong while it checks, so that it is still here when others are to come in its place.
TEST_F(forgetting_by_hand, a_piece_that_a_recheck_found_wrong_makes_way_where_nothing_else_does)
{
	begin(wanting::told);
	have_first_piece_found_wrong();
	auto const all = take_all_memory();
	send_first_piece(false);
	deliver();
	EXPECT_TRUE(film->has_passed(0));
}

// The same where somebody holds the old blocks, a hash or a peer that reads them.
TEST_F(forgetting_by_hand, a_piece_that_a_recheck_found_wrong_comes_though_somebody_holds_its_blocks)
{
	begin(wanting::told);
	have_first_piece_found_wrong();
	std::vector<block_ref> held;
	for (int b = 0; b < piece_blocks; ++b) held.push_back(pieces().block(lt::piece_index_t(0), b));
	auto all = take_all_memory();
	send_first_piece(false);
	deliver(); // fake_torrent says whether it could come again
	EXPECT_FALSE(film->has_passed(0));
	held.clear();
	all.clear();
	send_first_piece(false);
	deliver();
	EXPECT_TRUE(film->has_passed(0));
}

TEST_F(forgetting_by_hand, a_piece_that_a_recheck_found_wrong_goes_when_nobody_wants_it_any_more)
{
	begin(wanting::told);
	have_first_piece_found_wrong();
	film->tick();
	deliver();
	EXPECT_EQ(pieces().num_blocks(), piece_blocks) << "it is wanted";
	film->set_priority(0, 0);
	film->tick();
	deliver();
	EXPECT_EQ(pieces().num_blocks(), 0);
}

TEST_F(forgetting_by_hand, nobody_is_blamed_for_a_piece_that_was_found_wrong_when_an_application_gives_the_rest_without_room)
{
	begin(wanting::told);
	have_first_piece_found_wrong();
	film->forget_lies(0);
	auto const p = peer();
	for (int b = 0; b < 2; ++b) film->send(*p, 0, b, false);
	deliver();
	auto all = take_all_memory();
	film->give(0);
	deliver();
	all.clear();
	for (int second = 0; second < 3; ++second) second_of(*film);
	EXPECT_TRUE(film->has_passed(0));
}

// Who was given some of it before its hash was known has to hear.
TEST_F(forgetting_by_hand, a_piece_that_a_recheck_found_wrong_has_failed)
{
	begin(wanting::told);
	have_first_piece_found_wrong();
	EXPECT_EQ(events->pieces, std::vector<int>{0});
}

// libtorrent asks for its hash when it has all blocks anew, and not before.
TEST_F(forgetting_by_hand, a_piece_that_a_recheck_found_wrong_goes_also_when_some_of_it_was_written_anew)
{
	begin(wanting::told);
	have_first_piece_found_wrong();
	film->send(*peer(), 0, 0, false);
	deliver();
	film->set_priority(0, 0);
	film->send(*peer(), 0, 1, false); // it was on its way
	for (int second = 0; second < 3; ++second)
	{
		film->tick();
		deliver();
	}
	EXPECT_EQ(pieces().num_blocks(), 0);

	film->set_priority(0, 7);
	for (int second = 0; second < 3; ++second) second_of(*film);
	EXPECT_TRUE(film->has_passed(0)) << "wanted again, it comes";
}

TEST_F(forgetting_by_hand, pieces_that_a_recheck_found_wrong_do_not_keep_memory_from_a_reader)
{
	begin(wanting::told);
	auto const p = peer();
	for (int piece = 0; piece < 10; ++piece) film->set_priority(piece, 7);
	for (int piece = 0; piece < 10; ++piece)
		for (int b = 0; b < piece_blocks; ++b) film->send(*p, piece, b, true);
	ios.restart();
	ios.poll();
	film->force_recheck();
	deliver();
	auto const again = peer();
	for (int piece = 0; piece < 10; ++piece)
	{
		film->send(*again, piece, 0, false);
		deliver();
		film->set_priority(piece, 0);
	}
	ASSERT_EQ(read_from(20, 3), 3);
	for (int piece = 20; piece < 23; ++piece) film->set_priority(piece, 7);
	for (int second = 0; second < 10; ++second) second_of(*film);
	for (int piece = 20; piece < 23; ++piece) EXPECT_TRUE(film->has_passed(piece)) << piece;
}

TEST_F(forgetting_by_hand, a_piece_that_was_found_wrong_and_written_anew_waits_for_its_hash_as_any_other)
{
	begin(wanting::told);
	have_first_piece_found_wrong();
	send_first_piece(false);
	film->set_priority(0, 0);
	film->tick();
	EXPECT_FALSE(core->find_owned_by(film.get())->is_forgetting(lt::piece_index_t(0)));
	deliver();
	EXPECT_TRUE(film->has_passed(0));
}

} // namespace slipstream::test
