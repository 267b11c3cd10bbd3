// What a program that embeds the disk may ask to be kept, and what it is told.
#include "forgetting_film.hpp"

using namespace slipstream;
using namespace slipstream::test;

namespace {

class protection : public ::testing::Test
{
protected:
	// 40 pieces, in a memory for 20.
	film f{torrent_kind::v1, 40, 20};
	void read_on(int const begin, int const end)
	{
		for (int at = begin; at < end; at += 4)
		{
			f.read_at(at, at + 4);
			ASSERT_TRUE(f.until([&] { return f.verified(at, at + 4); })) << at << f.dump();
		}
	}
};

TEST_F(protection, reserved_pieces_stay_while_others_come_and_go)
{
	auto const reserved = f.storage().set_reserved_pieces({lt::piece_index_t(0), lt::piece_index_t(39)});
	ASSERT_TRUE(reserved.has_value());
	EXPECT_EQ(reserved->pieces, 2);
	EXPECT_EQ(reserved->bytes, 2 * film_piece_bytes);
	ASSERT_TRUE(f.until([&] { return f.verified(0) && f.verified(39); })) << f.dump();
	read_on(4, 36);
	EXPECT_GT(f.forgotten(), 5);
	EXPECT_TRUE(f.verified(0) && f.verified(39)) << f.dump();
	EXPECT_TRUE(f.right(0));
	f.nobody_is_blamed();
}

TEST_F(protection, lookbehind_is_counted_and_ends_when_it_is_cleared)
{
	read_on(0, 8);
	ASSERT_TRUE(f.storage().set_lookbehind_pieces({lt::piece_index_t(7), lt::piece_index_t(6), lt::piece_index_t(39)}).has_value());
	f.read_at(8, 12);
	auto const l = f.storage().lookbehind();
	EXPECT_EQ(l.protected_pieces, 3);
	EXPECT_EQ(l.available_pieces, 2) << "piece 39 never came";
	EXPECT_EQ(l.available_bytes, 2 * film_piece_bytes);
	EXPECT_EQ(l.protected_bytes, 3 * film_piece_bytes - 5000) << "the last piece is shorter";
	EXPECT_EQ(f.mine.disk().stats().lookbehind_available_bytes, 2 * film_piece_bytes);
	EXPECT_TRUE(f.storage().is_lookbehind_available(lt::piece_index_t(7)));
	EXPECT_FALSE(f.storage().is_lookbehind_available(lt::piece_index_t(39)));
	EXPECT_FALSE(f.storage().is_lookbehind_available(lt::piece_index_t(8)));
	read_on(8, 32);
	EXPECT_TRUE(f.verified(6, 8)) << f.dump();
	f.storage().clear_lookbehind();
	EXPECT_EQ(f.storage().lookbehind().protected_pieces, 0);
	EXPECT_FALSE(f.storage().is_lookbehind_available(lt::piece_index_t(7)));
	read_on(8, 40);
	EXPECT_FALSE(f.verified(6) && f.verified(7)) << f.dump();
}

TEST_F(protection, more_than_fits_is_granted_in_part_and_said)
{
	auto const all = f.storage().set_lookbehind_pieces(pieces_of(0, 40));
	ASSERT_TRUE(all.has_value());
	EXPECT_GT(all->pieces, 0);
	EXPECT_LT(all->pieces, 20);
	EXPECT_LE(all->bytes, f.mine.disk().stats().protectable_bytes);
	auto const read = f.storage().set_reader_pieces(pieces_of(20, 24));
	ASSERT_TRUE(read.has_value());
	EXPECT_EQ(read->pieces, 4) << "what is read comes before lookbehind";
	auto const wrong = f.storage().set_reserved_pieces({lt::piece_index_t(40)});
	ASSERT_FALSE(wrong.has_value());
	EXPECT_TRUE(wrong.error().is(errc::no_such_piece)) << wrong.error().detail;
}

TEST_F(protection, what_has_no_room_is_refused_before_it_is_added)
{
	auto const before = f.mine.disk().capacity_bytes();
	auto const refused = f.mine.disk().set_capacity_bytes(memory_disk::min_capacity_bytes - 1);
	ASSERT_FALSE(refused.has_value());
	EXPECT_EQ(f.mine.disk().capacity_bytes(), before);
	auto const room = f.mine.disk().room_for(std::int64_t{1} << 30, 1 << 20);
	ASSERT_FALSE(room.has_value());
	EXPECT_TRUE(room.error().is(errc::no_space));
	EXPECT_NE(room.error().detail.find("needed"), std::string::npos) << room.error().detail;
	EXPECT_TRUE(f.mine.disk().room_for(1 << 20, 1 << 18).has_value());
}

TEST(protection_floor, many_connections_and_long_pieces_raise_the_floor)
{
	// A film of 40 pieces of 128 KiB in 20: scratch 8 + arriving 16 + 4 x 8 blocks = 56 blocks, and an eighth is lent: 64 blocks,
	// the least there is. The same with pieces of 256 KiB: 8 + 16 + 4 x 16 = 88 blocks are seven eighths of 101.
	shared_files const files("film", {{"film", 40 << 18}}, torrent_kind::v1, 1 << 18);
	memory_session mine(memory_disk({.capacity_bytes = 4 << 20, .evict = true}), 8);
	auto const t = mine.add(files);
	ASSERT_TRUE(mine.run_until([&] { return mine.disk().torrent(files.hashes()).alive(); }));
	auto const refused = mine.disk().set_capacity_bytes(100 * block_size_bytes);
	ASSERT_FALSE(refused.has_value());
	EXPECT_TRUE(refused.error().is(errc::bad_argument));
	EXPECT_NE(refused.error().detail.find("open pieces"), std::string::npos) << refused.error().detail;
	EXPECT_EQ(mine.disk().capacity_bytes(), 4 << 20);
	EXPECT_TRUE(mine.disk().set_capacity_bytes(101 * block_size_bytes).has_value());
	EXPECT_EQ(mine.disk().capacity_bytes(), 101 * block_size_bytes);
}

TEST(without_an_extension, a_full_memory_refuses_and_nothing_that_is_here_goes)
{
	shared_files const files("film", {{"film", 40 * film_piece_bytes}}, torrent_kind::v1, film_piece_bytes);
	seeder const seed(files);
	memory_session mine(memory_disk({.capacity_bytes = 20 * film_piece_bytes, .evict = true}), 8, false);
	auto const t = mine.add(files);
	t.connect_peer(seed.endpoint());
	ASSERT_TRUE(mine.run_until([&] { return bool(t.flags() & lt::torrent_flags::upload_mode); }));
	auto const m = mine.disk().stats();
	EXPECT_EQ(m.pieces_evicted, 0);
	EXPECT_GT(m.writes_refused, 0);
	EXPECT_LE(m.peak_bytes, m.capacity_bytes);
	EXPECT_GT(count_pieces(t), 0);
}

} // namespace
