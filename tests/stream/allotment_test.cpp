#include "stream/allotment.hpp"
#include "stream/consumption.hpp"
#include "stream/window.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace {

using namespace slipstream::stream;
using slipstream::extent;
using namespace std::chrono_literals;

constexpr std::int64_t mib = 1 << 20;

std::int64_t total(std::vector<portion> const& all)
{
	return std::accumulate(all.begin(), all.end(), std::int64_t{0}, [](std::int64_t const sum, portion const& p) { return sum + p.total_bytes(); });
}

appetite reading(std::int64_t const lookbehind, std::int64_t const read_ahead, std::int64_t const probed = 0)
{ return {.head_bytes = 2, .lookbehind_bytes = lookbehind, .read_ahead_bytes = read_ahead, .probed_bytes = probed}; }

appetite idle(appetite a)
{
	a.idle = true;
	return a;
}

TEST(allotment, gives_one_reader_all_it_wants_where_that_fits)
{
	std::vector const one{reading(20, 30, 10)};
	EXPECT_EQ(allot(62, one)[0], (portion{2, 20, 30, 10}));
	EXPECT_EQ(allot(1000, one)[0], (portion{2, 20, 30, 10}));
	EXPECT_TRUE(allot(1000, {}).empty());
}

TEST(allotment, bounds_what_is_behind_and_what_was_probed_where_not_all_fits)
{
	std::vector const greedy{reading(1000, 1000, 1000)};
	EXPECT_EQ(allot(82, greedy)[0], (portion{2, 40, 30, 10}));
	// What read-ahead does not want, lookbehind may have.
	std::vector const looks_back{reading(1000, 10)};
	EXPECT_EQ(allot(82, looks_back)[0], (portion{2, 70, 10, 0}));
	std::vector const far_ahead{reading(0, 1000, 5)};
	EXPECT_EQ(allot(82, far_ahead)[0], (portion{2, 0, 75, 5}));
}

TEST(allotment, divides_equally_and_passes_on_what_is_not_wanted)
{
	std::vector const three{reading(0, 10), reading(50, 50), reading(50, 50)};
	auto const p = allot(76, three);
	EXPECT_EQ(p[0].total_bytes(), 12);
	EXPECT_EQ(p[1].total_bytes(), 32);
	EXPECT_EQ(p[2].total_bytes(), 32);
}

TEST(allotment, lets_an_idle_reader_keep_what_nobody_needs_and_its_head_always)
{
	std::vector readers{reading(25, 25), idle(reading(25, 25))};
	EXPECT_EQ(allot(104, readers)[1].total_bytes(), 52);
	EXPECT_EQ(allot(64, readers)[0].total_bytes(), 52);
	EXPECT_EQ(allot(64, readers)[1].total_bytes(), 12);
	EXPECT_EQ(allot(10, readers)[0].total_bytes(), 8);
	EXPECT_EQ(allot(10, readers)[1].total_bytes(), 2);
	readers[1].idle = false;
	EXPECT_EQ(allot(64, readers)[1].total_bytes(), 32);
}

TEST(allotment, of_less_than_the_heads_serves_those_that_come_first)
{
	std::vector const many(5, reading(10, 10));
	auto const p = allot(5, many);
	EXPECT_EQ(p[0].total_bytes(), 2);
	EXPECT_EQ(p[1].total_bytes(), 2);
	EXPECT_EQ(p[2].total_bytes(), 1);
	EXPECT_EQ(p[3].total_bytes(), 0);
	EXPECT_EQ(total(allot(-7, many)), 0);
}

// For any readers: never more than there is, never more than wanted, nothing left while somebody wants, and nobody
// starves: an active reader has its equal part of what the heads leave, or all it wants.
TEST(allotment, starves_nobody_and_wastes_nothing)
{
	std::mt19937_64 random(7);
	auto const up_to = [&](std::int64_t const most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
	for (int round = 0; round < 20'000; ++round)
	{
		std::vector<appetite> readers;
		std::int64_t heads = 0;
		std::int64_t active = 0;
		for (auto n = up_to(8); n >= 0; --n)
		{
			readers.push_back({up_to(10), up_to(round % 3 == 0 ? 0 : 100), up_to(100), up_to(20), up_to(2) == 0});
			heads += readers.back().head_bytes;
			active += readers.back().idle ? 0 : 1;
		}
		auto const there = up_to(600);
		auto const p = allot(there, readers);
		ASSERT_EQ(p.size(), readers.size());
		ASSERT_LE(total(p), there);
		bool active_want_more = false;
		bool somebody_wants_more = false;
		for (std::size_t i = 0; i < p.size(); ++i)
		{
			appetite const& a = readers[i];
			ASSERT_GE(std::min({p[i].head_bytes, p[i].lookbehind_bytes, p[i].read_ahead_bytes, p[i].probed_bytes}), 0);
			ASSERT_LE(p[i].head_bytes, a.head_bytes);
			ASSERT_LE(p[i].lookbehind_bytes, a.lookbehind_bytes);
			ASSERT_LE(p[i].read_ahead_bytes, a.read_ahead_bytes);
			ASSERT_LE(p[i].probed_bytes, a.probed_bytes);
			auto const wants = a.head_bytes + a.lookbehind_bytes + a.read_ahead_bytes + a.probed_bytes;
			bool const more = p[i].total_bytes() < wants;
			somebody_wants_more |= more;
			active_want_more |= more && !a.idle;
			if (heads > there) continue;
			ASSERT_EQ(p[i].head_bytes, a.head_bytes);
			if (!a.idle && more)
			{
				ASSERT_GE(p[i].total_bytes() - a.head_bytes, (there - heads) / active);
			}
		}
		if (somebody_wants_more) { ASSERT_EQ(total(p), there); }
		for (std::size_t i = 0; i < p.size() && active_want_more; ++i)
			if (readers[i].idle) { ASSERT_EQ(p[i].total_bytes(), p[i].head_bytes) << "idle, while an active reader wants more"; }
	}
}

TEST(allotment, of_an_idle_reader_costs_the_others_its_head_at_most)
{
	std::mt19937_64 random(8);
	auto const up_to = [&](std::int64_t const most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
	for (int round = 0; round < 5000; ++round)
	{
		std::vector<appetite> readers;
		for (auto n = up_to(4); n >= 0; --n) readers.push_back({up_to(10), up_to(100), up_to(100), up_to(20), false});
		auto const there = 60 + up_to(400);
		auto const alone = allot(there, readers);
		readers.push_back({10, 100, 100, 20, true});
		auto const with = allot(there, readers);
		for (std::size_t i = 0; i < alone.size(); ++i)
			ASSERT_GE(with[i].total_bytes(), alone[i].total_bytes() - 10);
	}
}

TEST(dividing, is_max_min_fair)
{
	std::mt19937_64 random(9);
	auto const up_to = [&](std::int64_t const most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
	for (int round = 0; round < 20'000; ++round)
	{
		std::vector<std::int64_t> wants;
		for (auto n = up_to(7); n > 0; --n) wants.push_back(up_to(50));
		auto const there = up_to(300);
		auto const parts = divide_fairly(there, wants);
		auto const given = std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
		ASSERT_EQ(given, std::min(there, std::accumulate(wants.begin(), wants.end(), std::int64_t{0})));
		for (std::size_t i = 0; i < wants.size(); ++i)
		{
			ASSERT_LE(parts[i], wants[i]);
			if (parts[i] == wants[i]) continue;
			for (auto const other : parts) ASSERT_LE(other, parts[i] + 1) << "another has more";
		}
	}
}

TEST(an_extent_in_bytes, is_a_share_of_the_capacity_that_readers_divide)
{
	EXPECT_EQ(lookbehind_bytes(extent::share(250'000), {256 * mib, 1, {}}), 64 * mib);
	EXPECT_EQ(lookbehind_bytes(extent::share(250'000), {256 * mib, 4, {}}), 16 * mib);
	EXPECT_EQ(lookbehind_bytes({}, {256 * mib, 2, {}}), 32 * mib);
	EXPECT_EQ(read_ahead_bytes(extent::share(500'000), {256 * mib, 2, {}}), 64 * mib);
	EXPECT_EQ(lookbehind_bytes(extent::share(1'000'000), {std::int64_t{1} << 50, 0, {}}), std::int64_t{1} << 50);
}

TEST(an_extent_in_bytes, is_a_number_of_bytes_for_each_reader_but_never_more_than_there_are)
{
	EXPECT_EQ(lookbehind_bytes(extent::bytes(5), {100, 3, {}}), 5);
	EXPECT_EQ(read_ahead_bytes(extent::bytes(500), {100, 3, {}}), 100);
}

TEST(an_extent_in_bytes, is_what_the_reader_takes_in_that_time_once_that_is_known)
{
	EXPECT_EQ(lookbehind_bytes(extent::time(30s), {256 * mib, 1, 1'000'000}), 30'000'000);
	EXPECT_EQ(read_ahead_bytes(extent::time(1500ms), {256 * mib, 1, 1001}), 1501);
	EXPECT_EQ(lookbehind_bytes(extent::time(30s), {256 * mib, 1, {}}), 64 * mib);
	EXPECT_EQ(lookbehind_bytes(extent::time(30s), {256 * mib, 1, 8'500'000}), 255'000'000);
	EXPECT_EQ(read_ahead_bytes(extent::time(30s), {256 * mib, 1, {}}), 64 * mib);
	EXPECT_EQ(lookbehind_bytes(extent::time(24h), {256 * mib, 1, std::int64_t{1} << 40}), 256 * mib);
	EXPECT_EQ(lookbehind_bytes(extent::time(0s), {256 * mib, 1, 1000}), 0);
	EXPECT_EQ(lookbehind_bytes(extent::time(30s), {256 * mib, 1, 0}), 0);
}

TEST(automatic_read_ahead, is_ten_seconds_between_an_eighth_and_a_quarter_of_the_capacity)
{
	EXPECT_EQ(read_ahead_bytes({}, {1024 * mib, 1, 20'000'000}), 200'000'000);
	EXPECT_EQ(read_ahead_bytes({}, {256 * mib, 1, 4'000'000}), 40'000'000);
	EXPECT_EQ(read_ahead_bytes({}, {256 * mib, 1, 1'000'000}), 32 * mib);
	EXPECT_EQ(read_ahead_bytes({}, {64 * mib, 1, 10'000'000}), 16 * mib);
	EXPECT_EQ(read_ahead_bytes({}, {64 * mib, 2, 10'000'000}), 16 * mib);
	EXPECT_EQ(read_ahead_bytes({}, {64 * mib, 9, 10'000'000}), 16 * mib);
}

TEST(automatic_read_ahead, of_who_takes_little_is_an_eighth_of_the_capacity_within_bounds)
{
	EXPECT_EQ(read_ahead_bytes({}, {256 * mib, 1, 1}), 32 * mib);
	EXPECT_EQ(read_ahead_bytes({}, {1 * mib, 1, 1}), 1 * mib);
	EXPECT_EQ(read_ahead_bytes({}, {8192 * mib, 1, 1}), 64 * mib);
	EXPECT_EQ(read_ahead_bytes({}, {mib / 2, 1, 1}), mib / 2);
}

TEST(automatic_read_ahead, is_a_quarter_of_the_capacity_as_long_as_the_pace_is_unknown)
{
	EXPECT_EQ(read_ahead_bytes({}, {1024 * mib, 1, {}}), 64 * mib);
	EXPECT_EQ(read_ahead_bytes({}, {256 * mib, 1, {}}), 64 * mib);
	EXPECT_EQ(read_ahead_bytes({}, {64 * mib, 1, {}}), 16 * mib);
	EXPECT_EQ(read_ahead_bytes({}, {64 * mib, 3, {}}), 16 * mib);
	EXPECT_EQ(read_ahead_bytes({}, {2 * mib, 2, {}}), 1 * mib);
}

// For any capacity, readers and pace: ten seconds where a quarter of the capacity allows them, and never more than
// that or the least; a faster reader has no less, and that others read changes nothing.
TEST(automatic_read_ahead, is_within_its_bounds_and_grows_with_the_pace_alone)
{
	std::mt19937_64 random(10);
	auto const up_to = [&](std::int64_t const most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
	auto const any = [&] { return up_to(std::int64_t{1} << up_to(50)); };
	for (int round = 0; round < 50'000; ++round)
	{
		circumstances c{mib + any(), static_cast<int>(up_to(20)), any()};
		auto const got = read_ahead_bytes({}, c);
		auto const least = read_ahead_bytes({}, {c.capacity_bytes, 1, 0});
		auto const most = c.capacity_bytes / 4;
		auto const ten_seconds = static_cast<std::int64_t>(std::min<__int128>(most, static_cast<__int128>(10) * *c.consumed_bytes_s));
		ASSERT_EQ(got, std::max(least, ten_seconds)) << c.capacity_bytes << ' ' << c.readers << ' ' << *c.consumed_bytes_s;
		ASSERT_LE(got, c.capacity_bytes);
		auto faster = c;
		*faster.consumed_bytes_s += any();
		ASSERT_GE(read_ahead_bytes({}, faster), got);
		auto shared = c;
		++shared.readers;
		ASSERT_EQ(read_ahead_bytes({}, shared), got);
		auto unknown = c;
		unknown.consumed_bytes_s.reset();
		ASSERT_EQ(read_ahead_bytes({}, unknown), std::max(least, std::min(64 * mib, most)));
	}
}

struct watching
{
	consumption seen;
	consumption::clock::time_point now{};

	void play(std::chrono::milliseconds const time, std::int64_t const bytes_s, std::chrono::milliseconds const step = 100ms)
	{
		for (auto t = 0ms; t < time; t += step)
		{
			now += step;
			seen.took(now, bytes_s * step.count() / 1000);
		}
	}
};

TEST(consumption, is_unknown_until_a_few_seconds_were_seen)
{
	watching w;
	EXPECT_FALSE(w.seen.bytes_s());
	w.play(4s, 1'000'000);
	EXPECT_FALSE(w.seen.bytes_s());
	w.play(2s, 1'000'000);
	EXPECT_EQ(*w.seen.bytes_s(), 1'000'000);
}

TEST(consumption, is_what_another_reader_took_until_it_is_seen)
{
	watching w;
	w.seen.suppose(500);
	EXPECT_EQ(*w.seen.bytes_s(), 500);
	w.play(10s, 1000);
	EXPECT_EQ(*w.seen.bytes_s(), 1000);
}

TEST(consumption, of_bursts_is_their_mean)
{
	watching w;
	w.play(300s, 3'000'000, 8s);
	EXPECT_NEAR(static_cast<double>(*w.seen.bytes_s()), 3e6, 3e4);
}

TEST(consumption, follows_a_change_within_two_minutes)
{
	watching w;
	w.play(600s, 1'000'000);
	w.play(120s, 4'000'000);
	EXPECT_NEAR(static_cast<double>(*w.seen.bytes_s()), 4e6, 1e5);
}

TEST(consumption, is_hardly_less_after_a_long_pause)
{
	watching w;
	w.play(300s, 1'000'000);
	w.now += 1h;
	w.play(1s, 1'000'000);
	EXPECT_GT(*w.seen.bytes_s(), 600'000);
	w.play(120s, 1'000'000);
	EXPECT_NEAR(static_cast<double>(*w.seen.bytes_s()), 1e6, 2e4);
}

TEST(consumption, survives_a_clock_that_stands)
{
	consumption c;
	for (int i = 0; i < 10; ++i) c.took({}, 1000);
	EXPECT_FALSE(c.bytes_s());
}

// docs/design.md, "Windows": as a reader's part shrinks, what was probed goes down to its eighth before lookbehind is touched,
// and that to its half before read-ahead is.
TEST(allotment, cuts_what_was_probed_then_lookbehind_then_read_ahead)
{
	std::mt19937_64 random(11);
	auto const up_to = [&](std::int64_t const most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
	int cut[3] = {};
	for (int round = 0; round < 500; ++round)
	{
		appetite const a{.head_bytes = 0, .lookbehind_bytes = up_to(200), .read_ahead_bytes = up_to(200), .probed_bytes = up_to(100)};
		auto const all = a.lookbehind_bytes + a.read_ahead_bytes + a.probed_bytes;
		for (auto part = all; part >= 0; --part)
		{
			auto const p = allot(part, std::vector{a})[0];
			ASSERT_EQ(p.total_bytes(), part) << "nothing is left over while something is wanted";
			if (p.probed_bytes < a.probed_bytes) ++cut[0];
			if (p.lookbehind_bytes < a.lookbehind_bytes)
			{
				++cut[1];
				ASSERT_LE(p.probed_bytes, part / 8) << part << " of " << all;
			}
			if (p.read_ahead_bytes < a.read_ahead_bytes)
			{
				++cut[2];
				ASSERT_LE(p.probed_bytes, part / 8) << part << " of " << all;
				ASSERT_LE(p.lookbehind_bytes, part / 2) << part << " of " << all;
			}
		}
	}
	for (int const times : cut) EXPECT_GT(times, 1000);
}

} // namespace
