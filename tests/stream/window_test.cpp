#include "stream/window.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace {

using namespace slipstream::stream;
using piece = lt::piece_index_t;

TEST(window, holds_the_piece_of_the_position_and_the_next_one)
{
	file_geometry const file{.offset_bytes = 0, .size_bytes = 1000, .piece_length_bytes = 100};
	EXPECT_EQ(window_at(file, 0, 0), (window{piece{0}, piece{2}}));
	EXPECT_EQ(window_at(file, 99, 1), (window{piece{0}, piece{2}}));
	EXPECT_EQ(window_at(file, 100, 1), (window{piece{1}, piece{3}}));
}

TEST(window, reaches_as_far_as_the_read_ahead)
{
	file_geometry const file{.offset_bytes = 0, .size_bytes = 1000, .piece_length_bytes = 100};
	EXPECT_EQ(window_at(file, 0, 300), (window{piece{0}, piece{3}}));
	EXPECT_EQ(window_at(file, 1, 300), (window{piece{0}, piece{4}}));
}

TEST(window, ends_with_the_file)
{
	file_geometry const file{.offset_bytes = 250, .size_bytes = 300, .piece_length_bytes = 100};
	EXPECT_EQ(window_at(file, 0, 1 << 30), (window{piece{2}, piece{6}}));
	EXPECT_EQ(window_at(file, 299, 1 << 30), (window{piece{5}, piece{6}}));
	EXPECT_TRUE(window_at(file, 300, 100).empty());
	EXPECT_TRUE(window_at(file, 301, 100).empty());
}

TEST(window, is_empty_for_an_empty_file)
{
	file_geometry const file{.offset_bytes = 250, .size_bytes = 0, .piece_length_bytes = 100};
	EXPECT_TRUE(window_at(file, 0, 100).empty());
}

TEST(window, survives_the_largest_numbers)
{
	std::int64_t const most = std::numeric_limits<std::int64_t>::max();
	file_geometry const file{.offset_bytes = 1, .size_bytes = std::int64_t{1} << 44
		, .piece_length_bytes = 1 << 24};
	EXPECT_EQ(window_at(file, 5, most).end, (piece{(1 << 20) + 1}));
}

TEST(window, locates_a_byte_in_its_piece)
{
	file_geometry const file{.offset_bytes = 250, .size_bytes = 300, .piece_length_bytes = 100};
	place const first = locate(file, 0);
	EXPECT_EQ(first.piece, piece{2});
	EXPECT_EQ(first.offset_bytes, 50);
	EXPECT_EQ(first.left_bytes, 50);
	place const last = locate(file, 299);
	EXPECT_EQ(last.piece, piece{5});
	EXPECT_EQ(last.offset_bytes, 49);
	EXPECT_EQ(last.left_bytes, 1);
}

// Every window agrees with asking for each byte of it, one by one.
TEST(window, agrees_with_counting_byte_by_byte)
{
	std::mt19937 random(7);
	auto const up_to = [&](int const most) { return std::uniform_int_distribution<int>(0, most)(random); };
	for (int round = 0; round < 3000; ++round)
	{
		file_geometry const file{.offset_bytes = up_to(300), .size_bytes = 1 + up_to(400)
			, .piece_length_bytes = 1 + up_to(60)};
		std::int64_t const position = up_to(static_cast<int>(file.size_bytes) - 1);
		std::int64_t const ahead = up_to(500);
		window const w = window_at(file, position, ahead);
		ASSERT_EQ(w.first, locate(file, position).piece);
		piece last = w.first;
		for (std::int64_t b = position; b < std::min(file.size_bytes, position + ahead); ++b)
		{
			place const at = locate(file, b);
			ASSERT_TRUE(w.contains(at.piece));
			ASSERT_EQ(std::int64_t{static_cast<int>(at.piece)} * file.piece_length_bytes + at.offset_bytes
				, file.offset_bytes + b);
			last = at.piece;
		}
		piece const file_last = locate(file, file.size_bytes - 1).piece;
		int const next = std::min(static_cast<int>(w.first) + 1, static_cast<int>(file_last));
		ASSERT_EQ(static_cast<int>(w.end) - 1, std::max(static_cast<int>(last), next));
	}
}

} // namespace
