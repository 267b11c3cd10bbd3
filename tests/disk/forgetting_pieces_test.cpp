// Forgetting and where the bytes come from and go to: add_piece, corrupt peers, leechers, resume data.
#include "forgetting_film.hpp"

#include <algorithm>

using namespace slipstream;
using namespace slipstream::test;

namespace {

class forgetting_pieces : public ::testing::TestWithParam<torrent_kind> {};

TEST_P(forgetting_pieces, the_last_missing_piece_comes_while_others_go)
{
	// 12 pieces in a memory for 8: often exactly one piece that is wanted is not there.
	film f(GetParam(), 12, 8);
	for (int round = 0; round < 24; ++round)
	{
		int const at = round % 2 == 0 ? 0 : f.count - 2 - round % 3;
		f.read_at(at, at + 2);
		ASSERT_TRUE(f.until([&] { return f.verified(at, at + 2); })) << round << f.dump();
		EXPECT_TRUE(f.right(at) && f.right(at + 1)) << round;
	}
	EXPECT_GT(f.forgotten(), 5);
	ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
	f.nobody_is_blamed();
}

TEST_P(forgetting_pieces, pieces_given_by_add_piece_are_had_and_can_go)
{
	film f(GetParam(), 40, 20);
	f.read_at(0, 4);
	ASSERT_TRUE(f.until([&] { return f.verified(0, 4); })) << f.dump();
	auto const& content = f.files.content(0);
	for (int i = 10; i < 16; ++i)
		f.torrent.add_piece(lt::piece_index_t(i), content.data() + std::size_t(i) * film_piece_bytes, {});
	ASSERT_TRUE(f.until([&] { return f.verified(10, 16); })) << f.dump();
	for (int i = 10; i < 16; ++i) EXPECT_TRUE(f.right(i)) << i;
	for (int at = 4; at + 8 <= f.count; at += 4)
	{
		f.read_at(at, at + 8);
		ASSERT_TRUE(f.until([&] { return f.verified(at, at + 4); })) << at << f.dump();
		EXPECT_TRUE(f.right(at)) << at;
	}
	ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
	EXPECT_LE(f.checked->checks(), 1);
	f.nobody_is_blamed();
}

TEST_P(forgetting_pieces, wrong_bytes_given_by_add_piece_are_asked_for_again)
{
	film f(GetParam(), 40, 20);
	f.be_forgetting();
	int const piece = f.count - 4;
	auto const failed = f.mine.failed;
	std::vector<char> const wrong(film_piece_bytes, 'x');
	f.torrent.add_piece(lt::piece_index_t(piece), wrong, {});
	ASSERT_TRUE(f.until([&] { return f.mine.failed > failed; })) << f.dump();
	f.read_at(piece, piece + 4);
	ASSERT_TRUE(f.until([&] { return f.verified(piece); })) << f.dump();
	EXPECT_TRUE(f.right(piece));
	f.nobody_is_blamed();
}

INSTANTIATE_TEST_SUITE_P(kinds, forgetting_pieces
	, ::testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid), name_of_kind);

} // namespace
