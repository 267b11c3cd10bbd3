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

demand_limits plenty(int const urgent = 2)
{
	return {.urgent_pieces = urgent, .free_bytes = 1 << 30, .piece_length_bytes = 1};
}

TEST(choosing, goes_from_the_position_on)
{
	std::vector<window> const windows{pieces(3, 7)};
	auto const wanted = demand().choose(windows, plenty(), nothing);
	EXPECT_THAT(numbers(wanted), ElementsAre(3, 4, 5, 6));
	EXPECT_TRUE(wanted[0].urgent);
	EXPECT_TRUE(wanted[1].urgent);
	EXPECT_FALSE(wanted[2].urgent);
}

TEST(choosing, leaves_out_what_is_here)
{
	std::vector<window> const windows{pieces(0, 6)};
	auto const wanted = demand().choose(windows, plenty(1), [](piece const p) { return number(p) % 2 == 0; });
	EXPECT_THAT(numbers(wanted), ElementsAre(1, 3, 5));
	EXPECT_TRUE(wanted[0].urgent);
	EXPECT_FALSE(wanted[1].urgent);
}

TEST(choosing, serves_readers_in_turn_and_each_piece_once)
{
	std::vector<window> const windows{pieces(0, 4), pieces(2, 6)};
	EXPECT_THAT(numbers(demand().choose(windows, plenty(), nothing)), ElementsAre(0, 2, 1, 3, 4, 5));
}

TEST(choosing, admits_what_fits_and_each_readers_own_piece)
{
	std::vector<window> const windows{pieces(0, 5), pieces(10, 15)};
	demand_limits limits{.urgent_pieces = 2, .free_bytes = 35, .piece_length_bytes = 10};
	EXPECT_THAT(numbers(demand().choose(windows, limits, nothing)), ElementsAre(0, 10, 1));
	limits.free_bytes = 0;
	EXPECT_THAT(numbers(demand().choose(windows, limits, nothing)), ElementsAre(0, 10));
}

TEST(choosing, does_not_read_ahead_without_memory)
{
	std::vector<window> const windows{pieces(0, 5)};
	demand_limits const limits{.urgent_pieces = 2, .free_bytes = 9, .piece_length_bytes = 10};
	EXPECT_TRUE(demand().choose(windows, limits, [](piece const p) { return number(p) == 0; }).empty());
}

TEST(choosing, keeps_what_is_on_its_way_and_sets_memory_aside_for_it)
{
	demand told;
	std::vector<window> const before{pieces(0, 4)};
	demand_limits limits{.urgent_pieces = 1, .free_bytes = 40, .piece_length_bytes = 10};
	(void)told.replace(told.choose(before, limits, nothing), true);
	// Half of it has arrived in parts: nothing of it is given up, nothing more fits.
	limits.free_bytes = 20;
	std::vector<window> const after{pieces(0, 8)};
	EXPECT_THAT(numbers(told.choose(after, limits, nothing)), ElementsAre(0, 1, 2, 3));
	limits.free_bytes = 59;
	EXPECT_THAT(numbers(told.choose(after, limits, nothing)), ElementsAre(0, 1, 2, 3, 4));
	// What left the window does not count.
	std::vector<window> const moved{pieces(3, 8)};
	limits.free_bytes = 20;
	EXPECT_THAT(numbers(told.choose(moved, limits, nothing)), ElementsAre(3, 4));
}

TEST(choosing, of_no_reader_is_empty)
{
	EXPECT_TRUE(demand().choose({}, plenty(), nothing).empty());
}

TEST(demand, tells_a_deadline_once)
{
	demand told;
	std::vector<wanted_piece> const wanted{{piece{4}, lt::top_priority, true}};
	EXPECT_EQ(told.replace(wanted, true).deadlines_set.size(), 1u);
	EXPECT_TRUE(told.replace(wanted, true).empty());
	EXPECT_TRUE(told.wants_anything());
}

TEST(demand, sets_no_deadline_when_it_may_not_and_keeps_those_that_are_set)
{
	demand told;
	std::vector<window> const windows{pieces(0, 3)};
	EXPECT_TRUE(told.replace(told.choose(windows, plenty(1), nothing), false).deadlines_set.empty());
	(void)told.replace({}, false);
	EXPECT_EQ(told.replace(told.choose(windows, plenty(1), nothing), true).deadlines_set.size(), 1u);
	auto const later = told.replace(told.choose(windows, plenty(1), nothing), false);
	EXPECT_TRUE(later.empty());
}

TEST(demand, takes_everything_back_when_nobody_reads)
{
	demand told;
	std::vector<window> const windows{pieces(0, 3)};
	(void)told.replace(told.choose(windows, plenty(1), nothing), true);
	auto const changes = told.replace({}, true);
	EXPECT_THAT(changes.deadlines_reset, ElementsAre(piece{0}));
	EXPECT_THAT(changes.priorities, ElementsAre(std::pair(piece{0}, lt::dont_download)
		, std::pair(piece{1}, lt::dont_download), std::pair(piece{2}, lt::dont_download)));
	EXPECT_FALSE(told.wants_anything());
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
		if (up_to(2) == 0) here.insert(up_to(60));
		if (up_to(2) == 0) here.erase(up_to(60));
		demand_limits const limits{.urgent_pieces = 1 + up_to(4), .free_bytes = up_to(40) * 10
			, .piece_length_bytes = 10};
		auto const wanted = told.choose(windows, limits
			, [&](piece const p) { return here.contains(number(p)); });

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
		// What is read ahead is new only as far as it fits beside what is on its way.
		std::int64_t kept = 0;
		std::int64_t added = 0;
		for (wanted_piece const& w : wanted)
		{
			if (picker.priorities.contains(w.piece)) ++kept;
			else if (std::none_of(windows.begin(), windows.end()
				, [&](window const& x) { return x.first == w.piece; })) ++added;
		}
		if (added > 0) { ASSERT_LE((kept + added) * limits.piece_length_bytes, limits.free_bytes); }

		bool const with_deadlines = up_to(1) == 0;
		auto const had_deadline = picker.deadlines;
		picker.apply(told.replace(wanted, with_deadlines));
		std::map<piece, lt::download_priority_t> expected;
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
		auto const wanted = demand().choose(windows, plenty(2), nothing);
		ASSERT_EQ(static_cast<int>(wanted.size()), length);
		for (std::size_t i = 1; i < wanted.size(); ++i)
			ASSERT_GE(level(wanted[i - 1].priority), level(wanted[i].priority));
		ASSERT_GE(level(wanted.back().priority), 1);
	}
}

} // namespace
