#include "stream/life.hpp"
#include "stream/probes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace {

using namespace slipstream::stream;
using slipstream::torrent_use;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using piece = lt::piece_index_t;
using namespace std::chrono_literals;

constexpr std::int64_t mib = 1 << 20;
bool everything(piece) { return true; }

std::vector<int> numbers(std::vector<piece> const& list)
{
	std::vector<int> result;
	for (piece const p : list) result.push_back(static_cast<int>(p));
	return result;
}

// 100 pieces, and the file begins in the third.
constexpr file_geometry film{.offset_bytes = 2 * mib + 5, .size_bytes = 100 * mib, .piece_length_bytes = mib};

TEST(probes, of_a_file_are_its_last_and_first_piece_to_begin_with)
{
	EXPECT_THAT(numbers(probes().pieces(film, 10, everything)), ElementsAre(102, 2));
	EXPECT_THAT(numbers(probes().pieces(film, 1, everything)), ElementsAre(102));
	EXPECT_THAT(numbers(probes().pieces(film, 10, [](piece const p) { return p == piece{2}; })), ElementsAre(2));
	EXPECT_THAT(probes().pieces(film, 0, everything), IsEmpty());
	EXPECT_THAT(probes().pieces({.size_bytes = 0, .piece_length_bytes = 5}, 10, everything), IsEmpty());
}

TEST(probes, are_the_short_runs_that_players_left)
{
	probes p;
	p.left(film, 97 * mib, 99 * mib);
	EXPECT_THAT(numbers(p.pieces(film, 10, everything)), ElementsAre(102, 2, 99, 100, 101));
	EXPECT_THAT(numbers(p.pieces(film, 3, everything)), ElementsAre(102, 2, 99));
	p.left(film, 50 * mib, 50 * mib);
	p.left(film, 20 * mib, 60 * mib);
	EXPECT_THAT(numbers(p.pieces(film, 10, everything)), ElementsAre(102, 2, 99, 100, 101)) << "nothing, and watching";
}

TEST(probes, join_when_they_touch_up_to_the_length_of_a_run)
{
	probes p;
	p.left(film, 80 * mib, 81 * mib);
	p.left(film, 82 * mib, 83 * mib);
	p.left(film, 81 * mib, 82 * mib);
	EXPECT_THAT(numbers(p.pieces(film, 10, everything)), ElementsAre(102, 2, 82, 83, 84, 85));
	// A film that is watched by bits is not one index: what is beyond a run's length stands behind an index near the end.
	p.left(film, 97 * mib, 98 * mib);
	for (int i = 0; i < 60; ++i) p.left(film, i * mib, (i + 1) * mib);
	EXPECT_LE(p.pieces(film, 1000, everything).size(), 2u + 16 * 17);
	EXPECT_THAT(numbers(p.pieces(film, 2 + 16 + 2, everything)), Contains(99));
}

TEST(probes, that_are_too_many_keep_those_near_the_ends)
{
	probes p;
	p.left(film, 99 * mib, 100 * mib);
	p.left(film, 1 * mib, 2 * mib);
	for (int i = 0; i < 40; ++i) p.left(film, (20 + i) * mib + 10, (20 + i) * mib + 20);
	auto const kept = numbers(p.pieces(film, 1000, everything));
	EXPECT_THAT(std::vector<int>(kept.begin(), kept.begin() + 5), ElementsAre(102, 2, 101, 3, 4));
	EXPECT_LE(kept.size(), 2u + 2 * probes::max_ranges);
}

TEST(probes, are_bounded_each_once_and_in_the_file_whatever_is_read)
{
	std::mt19937_64 random(7);
	auto const up_to = [&](std::int64_t const most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
	for (int round = 0; round < 300; ++round)
	{
		file_geometry const file{.offset_bytes = up_to(50 * mib), .size_bytes = 1 + up_to(80 * mib)
			, .piece_length_bytes = static_cast<int>(1 + up_to(4 * mib))};
		probes p;
		for (int i = 0; i < 60; ++i)
		{
			auto const first = up_to(file.size_bytes);
			p.left(file, first, first + up_to(std::min(file.size_bytes - first, 20 * mib)));
		}
		int const most = static_cast<int>(up_to(40));
		auto const kept = numbers(p.pieces(file, most, [](piece const at) { return static_cast<int>(at) % 3 != 0; }));
		ASSERT_LE(static_cast<int>(kept.size()), most);
		ASSERT_EQ(std::set<int>(kept.begin(), kept.end()).size(), kept.size());
		for (int const at : kept)
		{
			ASSERT_NE(at % 3, 0);
			ASSERT_GE(at, static_cast<int>(locate(file, 0).piece));
			ASSERT_LE(at, static_cast<int>(locate(file, file.size_bytes - 1).piece));
		}
	}
}

TEST(a_life, is_added_used_idle_and_used_again)
{
	life::clock::time_point const start{};
	life l(start);
	EXPECT_EQ(l.use(), torrent_use::added);
	EXPECT_EQ(*l.unused_for(10s), start + 10s);
	EXPECT_FALSE(l.users(start + 1s, 0));
	EXPECT_TRUE(l.users(start + 2s, 1));
	EXPECT_EQ(l.use(), torrent_use::used);
	EXPECT_FALSE(l.unused_for(10s));
	EXPECT_FALSE(l.users(start + 3s, 2));
	EXPECT_FALSE(l.users(start + 4s, 1));
	EXPECT_TRUE(l.users(start + 5s, 0));
	EXPECT_EQ(l.use(), torrent_use::idle);
	EXPECT_EQ(*l.unused_for(10s), start + 15s);
	EXPECT_FALSE(l.users(start + 6s, 0));
	EXPECT_EQ(*l.unused_for(10s), start + 15s) << "looking again does not make it younger";
	l.touch(start + 6s);
	EXPECT_EQ(*l.unused_for(10s), start + 16s);
	EXPECT_EQ(l.use(), torrent_use::idle);
	EXPECT_TRUE(l.users(start + 7s, 1));
	EXPECT_TRUE(l.users(start + 8s, 0));
	EXPECT_EQ(*l.unused_for(10s), start + 18s);
}

} // namespace
