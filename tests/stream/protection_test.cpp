#include "stream/protection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace {

using namespace slipstream::stream;
using testing::ElementsAre;
using testing::IsEmpty;
using piece = lt::piece_index_t;

window pieces(int const first, int const end) { return {piece{first}, piece{end}}; }
bool everything(piece) { return true; }

std::vector<int> numbers(std::vector<piece> const& list)
{
	std::vector<int> result;
	for (piece const p : list) result.push_back(static_cast<int>(p));
	return result;
}

TEST(dividing, gives_lookbehind_half_of_the_share_at_most_and_readers_the_rest)
{
	auto const d = divide(100, 25, 40, 1);
	EXPECT_EQ(d.lookbehind_bytes, 25);
	EXPECT_EQ(d.read_ahead_bytes, 40);
	EXPECT_EQ(divide(100, 80, 1000, 1).lookbehind_bytes, 50);
	EXPECT_EQ(divide(100, 80, 1000, 1).read_ahead_bytes, 50);
	EXPECT_EQ(divide(100, 20, 1000, 4).read_ahead_bytes, 20);
	EXPECT_EQ(divide(-5, 20, 10, 0).read_ahead_bytes, 0);
}

TEST(dividing, never_gives_more_than_the_share)
{
	std::mt19937_64 random(7);
	auto const up_to = [&](std::int64_t const most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
	for (int i = 0; i < 10000; ++i)
	{
		auto const share = up_to(1 << 30);
		int const readers = static_cast<int>(1 + up_to(20));
		auto const d = divide(share, up_to(1 << 30), up_to(1 << 28), readers);
		ASSERT_GE(d.lookbehind_bytes, 0);
		ASSERT_GE(d.read_ahead_bytes, 0);
		ASSERT_LE(d.lookbehind_bytes + d.read_ahead_bytes * readers, share);
	}
}

TEST(reader_pieces, come_by_distance_from_their_reader_each_once)
{
	std::vector<window> const windows{pieces(0, 4), pieces(2, 6), {}};
	EXPECT_THAT(numbers(reader_pieces(windows)), ElementsAre(0, 2, 1, 3, 4, 5));
	EXPECT_THAT(reader_pieces({}), IsEmpty());
}

TEST(lookbehind, is_the_nearest_pieces_behind_a_reader_that_are_here)
{
	std::vector<window> const windows{pieces(10, 14)};
	EXPECT_THAT(numbers(lookbehind_pieces(windows, 3, everything)), ElementsAre(9, 8, 7));
	EXPECT_THAT(numbers(lookbehind_pieces(windows, 3, [](piece const p) { return static_cast<int>(p) % 2 == 0; }))
		, ElementsAre(8, 6, 4));
	EXPECT_THAT(lookbehind_pieces(windows, 0, everything), IsEmpty());
}

TEST(lookbehind, ends_at_the_start_and_is_empty_without_readers)
{
	std::vector<window> const windows{pieces(2, 6)};
	EXPECT_THAT(numbers(lookbehind_pieces(windows, 10, everything)), ElementsAre(1, 0));
	EXPECT_THAT(lookbehind_pieces({}, 10, everything), IsEmpty());
	std::vector<window> const none{window{}};
	EXPECT_THAT(lookbehind_pieces(none, 10, everything), IsEmpty());
}

TEST(lookbehind, steps_over_a_gap_that_a_seek_forward_left)
{
	std::vector<window> const windows{pieces(20, 24)};
	auto const played = [](piece const p) { return static_cast<int>(p) < 10; };
	EXPECT_THAT(numbers(lookbehind_pieces(windows, 4, played)), ElementsAre(9, 8, 7, 6));
	EXPECT_THAT(lookbehind_pieces(windows, 2, played), IsEmpty()) << "too far behind";
}

TEST(lookbehind, of_two_readers_is_shared_in_turn_and_holds_nothing_that_is_read)
{
	std::vector<window> const windows{pieces(10, 12), pieces(12, 14)};
	EXPECT_THAT(numbers(lookbehind_pieces(windows, 3, everything)), ElementsAre(9, 8, 7));
	std::vector<window> const apart{pieces(10, 12), pieces(20, 22)};
	EXPECT_THAT(numbers(lookbehind_pieces(apart, 4, everything)), ElementsAre(9, 19, 8, 18));
}

} // namespace
