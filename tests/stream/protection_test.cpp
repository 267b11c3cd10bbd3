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

// As many pieces for each window.
std::vector<piece> behind(std::vector<window> const& windows, int const max_pieces, std::function<bool(piece)> const& have)
{
	return lookbehind_pieces(windows, std::vector<int>(windows.size(), max_pieces), have);
}

std::vector<int> numbers(std::vector<piece> const& list)
{
	std::vector<int> result;
	for (piece const p : list) result.push_back(static_cast<int>(p));
	return result;
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
	EXPECT_THAT(numbers(behind(windows, 3, everything)), ElementsAre(9, 8, 7));
	EXPECT_THAT(numbers(behind(windows, 3, [](piece const p) { return static_cast<int>(p) % 2 == 0; }))
		, ElementsAre(8, 6, 4));
	EXPECT_THAT(behind(windows, 0, everything), IsEmpty());
}

TEST(lookbehind, ends_at_the_start_and_is_empty_without_readers)
{
	std::vector<window> const windows{pieces(2, 6)};
	EXPECT_THAT(numbers(behind(windows, 10, everything)), ElementsAre(1, 0));
	EXPECT_THAT(behind({}, 10, everything), IsEmpty());
	std::vector<window> const none{window{}};
	EXPECT_THAT(behind(none, 10, everything), IsEmpty());
}

TEST(lookbehind, steps_over_a_gap_that_a_seek_forward_left)
{
	std::vector<window> const windows{pieces(20, 24)};
	auto const played = [](piece const p) { return static_cast<int>(p) < 10; };
	EXPECT_THAT(numbers(behind(windows, 4, played)), ElementsAre(9, 8, 7, 6));
	EXPECT_THAT(behind(windows, 2, played), IsEmpty()) << "too far behind";
}

TEST(lookbehind, of_two_readers_is_shared_in_turn_and_holds_nothing_that_is_read)
{
	std::vector<window> const windows{pieces(10, 12), pieces(12, 14)};
	EXPECT_THAT(numbers(behind(windows, 3, everything)), ElementsAre(9, 8, 7));
	std::vector<window> const apart{pieces(10, 12), pieces(20, 22)};
	EXPECT_THAT(numbers(behind(apart, 4, everything)), ElementsAre(9, 19, 8, 18, 7, 17, 6, 16));
}

TEST(lookbehind, of_each_reader_is_as_long_as_its_own)
{
	std::vector<window> const windows{pieces(10, 12), pieces(20, 22), pieces(30, 32)};
	EXPECT_THAT(numbers(lookbehind_pieces(windows, std::vector{1, 3, 0}, everything)), ElementsAre(9, 19, 18, 17));
}

TEST(lookbehind, is_never_longer_than_the_readers_together_may_have)
{
	std::mt19937 random(5);
	auto const up_to = [&](int const most) { return std::uniform_int_distribution<int>(0, most)(random); };
	for (int round = 0; round < 2000; ++round)
	{
		std::vector<window> windows;
		std::vector<int> most;
		int sum = 0;
		for (int n = up_to(4); n >= 0; --n)
		{
			int const first = up_to(60);
			windows.push_back(pieces(first, first + up_to(8)));
			most.push_back(up_to(12));
			sum += most.back();
		}
		std::set<int> here;
		for (int i = up_to(70); i > 0; --i) here.insert(up_to(70));
		auto const kept = numbers(lookbehind_pieces(windows, most, [&](piece const p) { return here.contains(static_cast<int>(p)); }));
		ASSERT_LE(static_cast<int>(kept.size()), sum);
		ASSERT_EQ(std::set<int>(kept.begin(), kept.end()).size(), kept.size()) << "a piece twice";
		for (int const p : kept)
		{
			ASSERT_TRUE(here.contains(p));
			ASSERT_TRUE(std::none_of(windows.begin(), windows.end(), [&](window const& w) { return w.contains(piece{p}); }));
			ASSERT_TRUE(std::any_of(windows.begin(), windows.end(), [&](window const& w) { return piece{p} < w.first; }));
		}
	}
}

} // namespace
