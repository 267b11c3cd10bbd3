#include "store/geometry.hpp"

#include <libtorrent/create_torrent.hpp>
#include <libtorrent/torrent_info.hpp>

#include <gtest/gtest.h>

#include <random>

using namespace slipstream;

namespace {

using piece = lt::piece_index_t;

lt::file_storage files_of(std::vector<std::int64_t> const& sizes, int const piece_length, bool const v2)
{
	lt::file_storage fs;
	for (std::size_t i = 0; i < sizes.size(); ++i)
		fs.add_file("t/" + std::to_string(i), sizes[i]);
	lt::create_torrent t(fs, piece_length, v2 ? lt::create_flags_t{} : lt::create_torrent::v1_only);
	return t.files();
}

TEST(geometry, the_last_piece_and_block_are_as_short_as_what_is_left)
{
	geometry const g(files_of({100 * 1024 + 5}, 32 * 1024, false));
	EXPECT_EQ(g.num_pieces(), 4);
	EXPECT_EQ(g.piece_bytes(piece(0)), 32 * 1024);
	EXPECT_EQ(g.piece_bytes(piece(3)), 4 * 1024 + 5);
	EXPECT_EQ(g.num_blocks(piece(0)), 2);
	EXPECT_EQ(g.num_blocks(piece(3)), 1);
	EXPECT_EQ(g.block_length(piece(3), 0), 4 * 1024 + 5);
	EXPECT_FALSE(g.has(piece(4)));
	EXPECT_FALSE(g.has(piece(-1)));
}

TEST(geometry, agrees_with_libtorrent_on_every_piece_of_random_torrents)
{
	std::mt19937 random(7);
	for (int round = 0; round < 200; ++round)
	{
		std::vector<std::int64_t> sizes;
		auto const n = 1 + random() % 12;
		for (std::size_t i = 0; i < n; ++i) sizes.push_back(random() % 3 == 0 ? random() % 3 : random() % 300'000);
		sizes.push_back(1 + random() % 100'000);
		auto const fs = files_of(sizes, 16 * 1024 << random() % 4, round % 2 == 0);
		geometry const g(fs);
		ASSERT_EQ(g.num_pieces(), fs.num_pieces());
		for (auto const p : fs.piece_range())
		{
			ASSERT_EQ(g.piece_bytes(p), fs.piece_size(p));
			if (fs.v2())
			{
				ASSERT_EQ(g.piece_bytes2(p), fs.piece_size2(p));
				ASSERT_EQ(g.num_blocks2(p), fs.blocks_in_piece2(p));
			}
			auto const offset = int(random() % unsigned(g.piece_bytes(p)));
			auto const at = std::int64_t{static_cast<int>(p)} * fs.piece_length() + offset;
			ASSERT_EQ(g.file_at(p, offset), fs.file_index_at_offset(at));
		}
	}
}

// Byte by byte against the definition.
TEST(geometry, padding_is_what_pad_files_cover)
{
	auto const fs = files_of({70'000, 0, 1, 16'384, 40'000, 5}, 32 * 1024, true);
	std::vector<char> pad(static_cast<std::size_t>(fs.total_size()), 'x');
	for (auto const i : fs.file_range())
		if (fs.pad_file_at(i))
			std::fill_n(pad.begin() + std::ptrdiff_t(fs.file_offset(i)), fs.file_size(i), '\0');
	geometry const g(fs);
	int padding_blocks = 0;
	for (auto const p : fs.piece_range())
	{
		bool all_blocks = true;
		for (int b = 0; b < g.num_blocks(p); ++b) all_blocks = all_blocks && g.is_padding(p, b);
		ASSERT_EQ(g.is_padding(p), all_blocks) << "piece " << p;
		auto const base = std::size_t(static_cast<int>(p)) * std::size_t(fs.piece_length());
		for (int b = 0; b < g.num_blocks(p); ++b)
		{
			std::vector<char> bytes(std::size_t(g.block_length(p, b)), 'x');
			g.clear_padding(p, b * int{block_bytes}, int(bytes.size()), bytes.data());
			std::vector<char> const want(pad.begin() + std::ptrdiff_t(base + std::size_t(b) * block_bytes)
				, pad.begin() + std::ptrdiff_t(base + std::size_t(b) * block_bytes + bytes.size()));
			ASSERT_EQ(bytes, want) << "piece " << p << " block " << b;
			bool const all = std::count(want.begin(), want.end(), 'x') == 0;
			ASSERT_EQ(g.is_padding(p, b), all) << "piece " << p << " block " << b;
			padding_blocks += all ? 1 : 0;
		}
	}
	EXPECT_GT(padding_blocks, 0);
}

} // namespace
