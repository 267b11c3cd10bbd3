#include "store/geometry.hpp"

#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/torrent_info.hpp>

#include <gtest/gtest.h>

#include <iterator>
#include <random>

using namespace slipstream;

namespace {

using piece = lt::piece_index_t;

// As a client has them, from the torrent's own bytes: those of a create_torrent know nothing of v2.
lt::file_storage files_of(std::vector<std::int64_t> const& sizes, int const piece_length, bool const v2)
{
	lt::file_storage fs;
	for (std::size_t i = 0; i < sizes.size(); ++i)
		fs.add_file("t/" + std::to_string(i), sizes[i]);
	lt::create_torrent t(fs, piece_length, v2 ? lt::create_flags_t{} : lt::create_torrent::v1_only);
	for (auto const p : t.files().piece_range()) t.set_hash(p, lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa"));
	for (auto const f : t.files().file_range())
	{
		if (!v2 || t.files().pad_file_at(f) || t.files().file_size(f) == 0) continue;
		for (auto const p : t.files().file_piece_range(f))
			t.set_hash2(f, p, lt::sha256_hash("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	}
	std::vector<char> encoded;
	lt::bencode(std::back_inserter(encoded), t.generate());
	return lt::torrent_info(encoded, lt::from_span).files();
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
	int shorter_in_v2 = 0;
	for (int round = 0; round < 200; ++round)
	{
		std::vector<std::int64_t> sizes;
		auto const n = 1 + random() % 12;
		for (std::size_t i = 0; i < n; ++i) sizes.push_back(random() % 3 == 0 ? random() % 3 : random() % 300'000);
		sizes.push_back(1 + random() % 100'000);
		auto const fs = files_of(sizes, 16 * 1024 << random() % 4, round % 2 == 0);
		geometry const g(fs);
		ASSERT_EQ(fs.v2(), round % 2 == 0);
		ASSERT_EQ(g.num_pieces(), fs.num_pieces());
		for (auto const p : fs.piece_range())
		{
			ASSERT_EQ(g.piece_bytes(p), fs.piece_size(p));
			if (fs.v2())
			{
				ASSERT_EQ(g.piece_bytes2(p), fs.piece_size2(p));
				ASSERT_EQ(g.num_blocks2(p), fs.blocks_in_piece2(p));
				shorter_in_v2 += g.piece_bytes2(p) < g.piece_bytes(p) ? 1 : 0;
			}
			auto const offset = int(random() % unsigned(g.piece_bytes(p)));
			auto const at = std::int64_t{static_cast<int>(p)} * fs.piece_length() + offset;
			ASSERT_EQ(g.file_at(p, offset), fs.file_index_at_offset(at));
		}
	}
	EXPECT_GT(shorter_in_v2, 100);
}

// Byte by byte against the definition. Answers how many blocks are nothing else.
int padding_blocks_of(lt::file_storage const& fs)
{
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
		EXPECT_EQ(g.is_padding(p), all_blocks) << "piece " << p;
		auto const base = std::size_t(static_cast<int>(p)) * std::size_t(fs.piece_length());
		for (int b = 0; b < g.num_blocks(p); ++b)
		{
			std::vector<char> bytes(std::size_t(g.block_length(p, b)), 'x');
			g.clear_padding(p, b * int{block_bytes}, int(bytes.size()), bytes.data());
			std::vector<char> const want(pad.begin() + std::ptrdiff_t(base + std::size_t(b) * block_bytes)
				, pad.begin() + std::ptrdiff_t(base + std::size_t(b) * block_bytes + bytes.size()));
			EXPECT_TRUE(bytes == want) << "piece " << p << " block " << b;
			bool const all = std::count(want.begin(), want.end(), 'x') == 0;
			EXPECT_EQ(g.is_padding(p, b), all) << "piece " << p << " block " << b;
			padding_blocks += all ? 1 : 0;
		}
	}
	return padding_blocks;
}

TEST(geometry, padding_is_what_pad_files_cover)
{
	EXPECT_GT(padding_blocks_of(files_of({70'000, 0, 1, 16'384, 40'000, 5}, 32 * 1024, true)), 0);
}

// A v1 torrent may have them anywhere (BEP 47).
TEST(geometry, what_follows_a_pad_file_in_the_middle_of_a_block_is_not_padding)
{
	lt::file_storage fs;
	fs.set_piece_length(32 * 1024);
	auto const pad = lt::file_storage::flag_pad_file;
	fs.add_file("t/a", 1000);
	fs.add_file("t/.pad/1", 3000, pad);
	fs.add_file("t/b", 20'000);
	fs.add_file("t/.pad/2", 40'000, pad); // up to the middle of the fourth block
	fs.add_file("t/c", 5);
	fs.add_file("t/.pad/3", 7, pad);
	fs.add_file("t/d", 9000);
	fs.set_num_pieces(int((fs.total_size() + fs.piece_length() - 1) / fs.piece_length()));
	EXPECT_EQ(padding_blocks_of(fs), 1);
}

} // namespace
