#include "stream/demand.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace {

using namespace slipstream::stream;
using testing::ElementsAre;
using piece = lt::piece_index_t;

bool nothing(piece) { return false; }
window pieces(int const first, int const end) { return {piece{first}, piece{end}}; }
int number(piece const p) { return static_cast<int>(p); }
int level(lt::download_priority_t const p) { return static_cast<std::uint8_t>(p); }

std::vector<int> numbers(std::vector<wanted_piece> const& wanted)
{
	std::vector<int> result;
	for (auto const& w : wanted) result.push_back(number(w.piece));
	return result;
}

bool anything(piece) { return true; }

TEST(choosing, goes_from_the_position_on)
{
	std::vector<window> const windows{pieces(3, 7)};
	auto const wanted = demand().choose(windows, 2, nothing, anything);
	EXPECT_THAT(numbers(wanted), ElementsAre(3, 4, 5, 6));
	EXPECT_TRUE(wanted[0].urgent);
	EXPECT_TRUE(wanted[1].urgent);
	EXPECT_FALSE(wanted[2].urgent);
}

TEST(choosing, leaves_out_what_is_here)
{
	std::vector<window> const windows{pieces(0, 6)};
	auto const wanted = demand().choose(windows, 1, [](piece const p) { return number(p) % 2 == 0; }, anything);
	EXPECT_THAT(numbers(wanted), ElementsAre(1, 3, 5));
	EXPECT_TRUE(wanted[0].urgent);
	EXPECT_FALSE(wanted[1].urgent);
}

TEST(choosing, serves_readers_in_turn_and_each_piece_once)
{
	std::vector<window> const windows{pieces(0, 4), pieces(2, 6)};
	EXPECT_THAT(numbers(demand().choose(windows, 2, nothing, anything)), ElementsAre(0, 2, 1, 3, 4, 5));
}

TEST(choosing, admits_what_has_room_and_each_readers_own_piece)
{
	std::vector<window> const windows{pieces(0, 5), pieces(10, 15)};
	EXPECT_THAT(numbers(demand().choose(windows, 2, nothing, [](piece const p) { return number(p) < 2; }))
		, ElementsAre(0, 10, 1));
	EXPECT_THAT(numbers(demand().choose(windows, 2, nothing, nothing)), ElementsAre(0, 10));
}

TEST(choosing, does_not_read_ahead_without_room)
{
	std::vector<window> const windows{pieces(0, 5)};
	EXPECT_TRUE(demand().choose(windows, 2, [](piece const p) { return number(p) == 0; }, nothing).empty());
}

TEST(choosing, of_no_reader_is_empty)
{
	EXPECT_TRUE(demand().choose({}, 2, nothing, anything).empty());
}

TEST(demand, tells_a_deadline_once)
{
	demand told;
	std::vector<wanted_piece> const wanted{{piece{4}, lt::top_priority, true}};
	EXPECT_EQ(told.replace(wanted, true, nothing).deadlines_set.size(), 1u);
	EXPECT_TRUE(told.replace(wanted, true, nothing).empty());
	EXPECT_TRUE(told.wants_anything());
}

TEST(demand, sets_no_deadline_when_it_may_not_and_keeps_those_that_are_set)
{
	demand told;
	std::vector<window> const windows{pieces(0, 3)};
	EXPECT_TRUE(told.replace(told.choose(windows, 1, nothing, anything), false, nothing).deadlines_set.empty());
	(void)told.replace({}, false, nothing);
	EXPECT_EQ(told.replace(told.choose(windows, 1, nothing, anything), true, nothing).deadlines_set.size(), 1u);
	auto const later = told.replace(told.choose(windows, 1, nothing, anything), false, nothing);
	EXPECT_TRUE(later.empty());
}

TEST(demand, takes_everything_back_when_nobody_reads)
{
	demand told;
	std::vector<window> const windows{pieces(0, 3)};
	(void)told.replace(told.choose(windows, 1, nothing, anything), true, nothing);
	auto const changes = told.replace({}, true, nothing);
	EXPECT_THAT(changes.deadlines_reset, ElementsAre(piece{0}));
	EXPECT_THAT(changes.priorities, ElementsAre(std::pair(piece{0}, lt::dont_download)
		, std::pair(piece{1}, lt::dont_download), std::pair(piece{2}, lt::dont_download)));
	EXPECT_FALSE(told.wants_anything());
}

TEST(demand, leaves_alone_what_has_come_until_it_is_gone)
{
	demand told;
	std::vector<window> const windows{pieces(0, 3)};
	(void)told.replace(told.choose(windows, 1, nothing, anything), true, nothing);
	auto const first_came = [](piece const p) { return number(p) == 0; };
	auto const changes = told.replace({}, true, first_came);
	EXPECT_TRUE(changes.deadlines_reset.empty());
	EXPECT_THAT(changes.priorities, ElementsAre(std::pair(piece{1}, lt::dont_download), std::pair(piece{2}, lt::dont_download)));
	EXPECT_FALSE(told.wants_anything());
	// Gone, it is unwanted already; wanted again, libtorrent is told anew.
	told.gone(piece{0});
	EXPECT_TRUE(told.replace({}, true, nothing).empty());
	EXPECT_EQ(told.replace(told.choose(windows, 1, nothing, anything), false, nothing).priorities.size(), 3u);
}

// What libtorrent makes of the changes: a deadline raises to the top priority, taking one away leaves
// the lowest priority but zero.
struct picker_model
{
	std::map<piece, lt::download_priority_t> priorities;
	std::set<piece> deadlines;

	void apply(demand_changes const& c)
	{
		for (piece const p : c.deadlines_reset)
			if (deadlines.erase(p)) priorities[p] = lt::low_priority;
		for (auto const& [p, ms] : c.deadlines_set)
		{
			deadlines.insert(p);
			priorities[p] = lt::top_priority;
		}
		for (auto const& [p, priority] : c.priorities) priorities[p] = priority;
		std::erase_if(priorities, [](auto const& e) { return e.second == lt::dont_download; });
	}
};

TEST(demand, differences_always_add_up_to_what_is_wanted)
{
	std::mt19937 random(11);
	auto const up_to = [&](int const most) { return std::uniform_int_distribution<int>(0, most)(random); };
	demand told;
	picker_model picker;
	std::set<int> here;
	for (int round = 0; round < 3000; ++round)
	{
		std::vector<window> windows;
		for (int readers = up_to(3); readers > 0; --readers)
		{
			int const first = up_to(40);
			windows.push_back(pieces(first, first + up_to(20)));
		}
		if (up_to(2) == 0)
		{
			int const come = up_to(60);
			here.insert(come);
			picker.deadlines.erase(piece{come}); // as libtorrent does when it passed
		}
		if (int const lost = up_to(60); up_to(2) == 0 && here.erase(lost) == 1)
		{
			picker.priorities.erase(piece{lost}); // forgetting makes it unwanted
			told.gone(piece{lost});
		}
		int const urgent = 1 + up_to(4);
		int const room_before = up_to(60);
		auto const have = [&](piece const p) { return here.contains(number(p)); };
		auto const has_room = [&](piece const p) { return number(p) < room_before; };
		auto const wanted = told.choose(windows, urgent, have, has_room);

		std::set<int> seen;
		for (auto const& w : wanted)
		{
			ASSERT_TRUE(seen.insert(number(w.piece)).second) << "a piece twice";
			ASSERT_FALSE(here.contains(number(w.piece)));
			ASSERT_TRUE(std::any_of(windows.begin(), windows.end()
				, [&](window const& x) { return x.contains(w.piece); }));
			ASSERT_GE(level(w.priority), 1);
			if (w.urgent) { ASSERT_EQ(w.priority, lt::top_priority); }
		}
		for (window const& w : windows)
		{
			if (!w.empty() && !here.contains(number(w.first)))
			{
				ASSERT_TRUE(seen.contains(number(w.first))) << "a reader's own piece is not wanted";
			}
		}
		for (wanted_piece const& w : wanted)
		{
			ASSERT_TRUE(has_room(w.piece) || std::any_of(windows.begin(), windows.end()
				, [&](window const& x) { return x.first == w.piece; })) << "read ahead without room";
		}

		bool const with_deadlines = up_to(1) == 0;
		auto const had_deadline = picker.deadlines;
		auto const before = picker.priorities;
		picker.apply(told.replace(wanted, with_deadlines, have));
		std::map<piece, lt::download_priority_t> expected;
		// What came keeps the priority with which it came.
		for (auto const& [p, priority] : before)
			if (have(p)) expected[p] = priority;
		std::set<piece> expected_deadlines;
		for (auto const& w : wanted)
		{
			expected[w.piece] = w.priority;
			if (w.urgent && (with_deadlines || had_deadline.contains(w.piece))) expected_deadlines.insert(w.piece);
		}
		ASSERT_EQ(picker.priorities, expected);
		ASSERT_EQ(picker.deadlines, expected_deadlines);
	}
}

TEST(choosing, priorities_fall_along_one_window)
{
	for (int length = 1; length < 200; ++length)
	{
		std::vector<window> const windows{pieces(0, length)};
		auto const wanted = demand().choose(windows, 2, nothing, anything);
		ASSERT_EQ(static_cast<int>(wanted.size()), length);
		for (std::size_t i = 1; i < wanted.size(); ++i)
			ASSERT_GE(level(wanted[i - 1].priority), level(wanted[i].priority));
		ASSERT_GE(level(wanted.back().priority), 1);
	}
}

// What libtorrent is told is differences: a film played from end to end costs a few words for each piece, however often its
// demand is worked out.
TEST(demand, of_a_film_that_is_played_through_is_told_in_few_words)
{
	constexpr int film = 1000;
	constexpr int ahead = 48;
	demand told;
	std::size_t priorities = 0;
	std::size_t deadlines = 0;
	std::size_t updates = 0;
	std::size_t words = 0; // calls that carry them
	int come = 0;
	auto const have = [&](piece const p) { return number(p) < come; };
	for (int at = 0; at < film; ++at)
	{
		// Pieces come three by three while the reader moves; after each, and when nothing happened, demand is worked out.
		for (int i = 0; i < 4; ++i)
		{
			if (at % 3 == 0 && i < 3) come = std::min(film, std::max(come, at) + 1);
			std::vector<window> const windows{pieces(at, std::min(at + ahead, film))};
			auto const changes = told.replace(told.choose(windows, 3, have, anything), !told.wants_anything(), have);
			++updates;
			priorities += changes.priorities.size();
			deadlines += changes.deadlines_set.size() + changes.deadlines_reset.size();
			if (!changes.empty()) ++words;
		}
	}
	EXPECT_EQ(updates, 4u * film);
	// Six bands, the urgent ones, and nothing.
	EXPECT_LE(priorities, 8u * film);
	EXPECT_LE(deadlines, 2u * film);
	EXPECT_LE(words, updates / 2);
}

} // namespace
