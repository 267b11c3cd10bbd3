#include "store/piece_store.hpp"

#include <libtorrent/create_torrent.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

using namespace slipstream;

namespace {

using piece = lt::piece_index_t;

geometry shape_of(std::vector<std::int64_t> const& sizes, int const piece_length, bool const pads = false)
{
	lt::file_storage fs;
	for (std::size_t i = 0; i < sizes.size(); ++i) fs.add_file("t/" + std::to_string(i), sizes[i]);
	return geometry(lt::create_torrent(fs, piece_length, pads ? lt::create_flags_t{} : lt::create_torrent::v1_only).files());
}

block_ref block_of(block_pool& pool, char const c)
{
	auto b = pool.acquire();
	std::memset(b.bytes(), c, block_bytes);
	return std::move(b).freeze();
}

TEST(piece_store, a_piece_goes_from_absent_to_partial_to_complete_to_verified_and_back)
{
	block_pool pool(64, 1);
	piece_store s(shape_of({96 * 1024}, 32 * 1024));
	EXPECT_EQ(s.state(piece(1)), piece_state::absent);
	EXPECT_FALSE(s.mark_verified(piece(1)));
	EXPECT_FALSE(s.put(piece(1), 0, block_of(pool, 'a')));
	EXPECT_EQ(s.state(piece(1)), piece_state::partial);
	EXPECT_FALSE(s.mark_verified(piece(1)));
	EXPECT_FALSE(s.put(piece(1), 1, block_of(pool, 'b')));
	EXPECT_EQ(s.state(piece(1)), piece_state::complete);
	EXPECT_TRUE(s.mark_verified(piece(1)));
	EXPECT_EQ(s.state(piece(1)), piece_state::verified);
	EXPECT_EQ(s.num_blocks(), 2);
	EXPECT_EQ(s.drop(piece(1)), piece_state::verified);
	EXPECT_EQ(s.state(piece(1)), piece_state::absent);
	EXPECT_EQ(pool.used_blocks(), 0);
	EXPECT_EQ(s.num_blocks(), 0);
	EXPECT_EQ(s.drop(piece(1)), piece_state::absent);
}

TEST(piece_store, other_bytes_in_a_verified_piece_are_not_verified)
{
	block_pool pool(64, 1);
	piece_store s(shape_of({32 * 1024}, 16 * 1024));
	static_cast<void>(s.put(piece(0), 0, block_of(pool, 'a')));
	ASSERT_TRUE(s.mark_verified(piece(0)));
	EXPECT_TRUE(s.put(piece(0), 0, block_of(pool, 'x')));
	EXPECT_EQ(s.state(piece(0)), piece_state::complete);
}

TEST(piece_store, a_block_is_dropped_alone_only_from_a_piece_that_is_not_verified)
{
	block_pool pool(64, 1);
	piece_store s(shape_of({32 * 1024}, 32 * 1024));
	EXPECT_FALSE(s.drop_unverified(piece(0), 0));
	static_cast<void>(s.put(piece(0), 0, block_of(pool, 'a')));
	static_cast<void>(s.put(piece(0), 1, block_of(pool, 'b')));
	EXPECT_TRUE(s.drop_unverified(piece(0), 0));
	EXPECT_FALSE(s.drop_unverified(piece(0), 0));
	EXPECT_EQ(s.state(piece(0)), piece_state::partial);
	EXPECT_EQ(s.num_blocks(), 1);
	EXPECT_EQ(pool.used_blocks(), 1);
	static_cast<void>(s.put(piece(0), 0, block_of(pool, 'c')));
	EXPECT_EQ(s.state(piece(0)), piece_state::complete);
	ASSERT_TRUE(s.mark_verified(piece(0)));
	EXPECT_FALSE(s.drop_unverified(piece(0), 0));
	EXPECT_EQ(s.num_blocks(), 2);
}

TEST(piece_store, a_piece_that_lost_its_last_block_is_absent)
{
	block_pool pool(64, 1);
	piece_store s(shape_of({32 * 1024}, 32 * 1024));
	static_cast<void>(s.put(piece(0), 1, block_of(pool, 'a')));
	EXPECT_TRUE(s.drop_unverified(piece(0), 1));
	EXPECT_EQ(s.state(piece(0)), piece_state::absent);
	EXPECT_TRUE(s.empty());
	EXPECT_EQ(s.num_blocks(), 0);
}

TEST(piece_store, what_was_hashed_is_what_is_verified_though_a_block_was_written_again_meanwhile)
{
	block_pool pool(64, 1);
	piece_store s(shape_of({32 * 1024}, 32 * 1024));
	static_cast<void>(s.put(piece(0), 0, block_of(pool, 'a')));
	static_cast<void>(s.put(piece(0), 1, block_of(pool, 'b')));
	piece_state state{};
	auto hashed = s.blocks(piece(0), 0, 2, state);
	EXPECT_EQ(state, piece_state::complete);
	static_cast<void>(s.put(piece(0), 1, block_of(pool, 'x')));
	ASSERT_TRUE(s.mark_verified(piece(0), std::move(hashed)));
	EXPECT_EQ(s.block(piece(0), 1).bytes()[0], 'b');
	EXPECT_EQ(pool.used_blocks(), 2);
}

TEST(piece_store, a_piece_of_which_a_block_was_missing_when_it_was_hashed_is_not_verified)
{
	block_pool pool(64, 1);
	piece_store s(shape_of({32 * 1024}, 32 * 1024));
	static_cast<void>(s.put(piece(0), 0, block_of(pool, 'a')));
	piece_state state{};
	auto hashed = s.blocks(piece(0), 0, 2, state);
	EXPECT_EQ(state, piece_state::partial);
	ASSERT_FALSE(s.mark_verified(piece(0), hashed));
	EXPECT_EQ(s.state(piece(0)), piece_state::partial);
	static_cast<void>(s.put(piece(0), 1, block_of(pool, 'b')));
	ASSERT_FALSE(s.mark_verified(piece(0), std::move(hashed)));
	EXPECT_EQ(s.state(piece(0)), piece_state::complete);
	EXPECT_EQ(s.block(piece(0), 1).bytes()[0], 'b');
	EXPECT_EQ(s.num_blocks(), 2);
}

TEST(piece_store, the_holder_of_an_old_block_keeps_its_bytes)
{
	block_pool pool(64, 1);
	piece_store s(shape_of({32 * 1024}, 32 * 1024));
	static_cast<void>(s.put(piece(0), 0, block_of(pool, 'a')));
	auto const old = s.block(piece(0), 0);
	static_cast<void>(s.put(piece(0), 0, block_of(pool, 'b')));
	EXPECT_EQ(old.bytes()[100], 'a');
	EXPECT_EQ(s.block(piece(0), 0).bytes()[100], 'b');
	static_cast<void>(s.take_all());
	EXPECT_EQ(old.bytes()[block_bytes - 1], 'a');
}

TEST(piece_store, a_piece_that_was_dropped_while_it_was_hashed_is_whole_again_with_what_was_hashed)
{
	constexpr int n = 40;
	block_pool pool(64, 1);
	piece_store s(shape_of({n * int{block_bytes}}, n * int{block_bytes}));
	for (int b = 0; b < n; ++b) static_cast<void>(s.put(piece(0), b, block_of(pool, char('a' + b))));
	piece_state state{};
	auto hashed = s.blocks(piece(0), 0, n, state);
	s.drop(piece(0));
	static_cast<void>(s.put(piece(0), 20, block_of(pool, 'x')));
	EXPECT_EQ(s.num_blocks(), 1);
	EXPECT_EQ(s.state(piece(0)), piece_state::partial);
	ASSERT_TRUE(s.mark_verified(piece(0), std::move(hashed)));
	EXPECT_EQ(s.num_blocks(), n);
	for (int b = 0; b < n; ++b) EXPECT_EQ(s.block(piece(0), b).bytes()[3], char('a' + b));
	EXPECT_EQ(pool.used_blocks(), n);
	s.drop(piece(0));
	EXPECT_EQ(pool.used_blocks(), 0);
}

TEST(piece_store, many_blocks_that_are_taken_out_are_dropped_bit_by_bit)
{
	constexpr int num_pieces = 5;
	constexpr int piece_blocks = 256;
	block_pool pool(1500, 1);
	piece_store s(shape_of({std::int64_t{num_pieces} * piece_blocks * std::int64_t{block_bytes}}, piece_blocks * int{block_bytes}));
	for (int p = 0; p < num_pieces; ++p)
		for (int b = 0; b < piece_blocks; ++b)
			if (p != 1 || b % 2 == 0) static_cast<void>(s.put(piece(p), b, block_of(pool, 'a')));
	ASSERT_TRUE(s.mark_verified(piece(2)));
	auto const kept = s.block(piece(3), 5);
	std::int64_t left = s.num_blocks();
	EXPECT_EQ(left, num_pieces * piece_blocks - piece_blocks / 2);
	auto const dead = s.take_all();
	ASSERT_TRUE(dead);
	EXPECT_TRUE(s.empty());
	EXPECT_EQ(s.num_blocks(), 0);
	EXPECT_EQ(s.num_verified(), 0);
	EXPECT_EQ(s.state(piece(2)), piece_state::absent);
	EXPECT_EQ(pool.used_blocks(), left) << "nothing was dropped yet";
	while (auto const n = dead->drop_some())
	{
		EXPECT_LE(n, 64);
		left -= n;
	}
	EXPECT_EQ(left, 0);
	EXPECT_EQ(pool.used_blocks(), 1) << "the one that somebody holds";
	EXPECT_EQ(kept.bytes()[0], 'a');
}

TEST(piece_store, few_blocks_that_are_taken_out_are_dropped_at_once)
{
	block_pool pool(64, 1);
	piece_store s(shape_of({96 * 1024}, 32 * 1024));
	for (int p = 0; p < 3; ++p) static_cast<void>(s.put(piece(p), 0, block_of(pool, 'a')));
	EXPECT_FALSE(s.take_all());
	EXPECT_TRUE(s.empty());
	EXPECT_EQ(pool.used_blocks(), 0);
}

TEST(piece_store, blocks_of_padding_need_not_be_written)
{
	block_pool pool(64, 1);
	// A hybrid torrent: behind the first file's 20,000 bytes all is padding up to the next piece.
	piece_store s(shape_of({20'000, 1000}, 64 * 1024, true));
	static_cast<void>(s.put(piece(0), 0, block_of(pool, 'a')));
	EXPECT_EQ(s.state(piece(0)), piece_state::partial);
	static_cast<void>(s.put(piece(0), 1, block_of(pool, 'b')));
	EXPECT_EQ(s.state(piece(0)), piece_state::complete);
	EXPECT_TRUE(s.mark_verified(piece(0)));
}

TEST(piece_store, agrees_with_a_simple_model_over_random_operations)
{
	block_pool pool(4000, 1);
	// Pieces of 2 blocks, and of 32, which are dropped more rarely, so that some are whole now and then.
	for (unsigned seed = 0; seed < 50; ++seed)
	{
		bool const small = seed % 2 == 0;
		auto const shape = small ? shape_of({300'000, 5, 0, 70'000}, 32 * 1024, true) : shape_of({700'000, 5}, 512 * 1024, true);
		std::mt19937 random(seed);
		piece_store s(shape);
		std::map<std::pair<int, int>, char> model;
		std::map<int, bool> verified;
		for (int step = 0; step < 2000; ++step)
		{
			auto const p = int(random() % unsigned(shape.num_pieces()));
			auto const b = int(random() % unsigned(shape.num_blocks(piece(p))));
			auto const complete = [&] {
				for (int i = 0; i < shape.num_blocks(piece(p)); ++i)
					if (!model.count({p, i}) && !shape.is_padding(piece(p), i)) return false;
				return true;
			};
			auto const erase = [&] { std::erase_if(model, [&](auto const& e) { return e.first.first == p; }); };
			switch (random() % 16)
			{
			case 0: if (!small && random() % 20 != 0) break; static_cast<void>(s.drop(piece(p))); erase(); verified[p] = false; break;
			case 1: if (random() % 20 == 0) { static_cast<void>(s.take_all()); model.clear(); verified.clear(); } break;
			case 2: case 3: ASSERT_EQ(s.mark_verified(piece(p)), complete()); verified[p] = complete(); break;
			default:
			{
				auto const c = char(random());
				ASSERT_EQ(s.put(piece(p), b, block_of(pool, c)), verified[p]) << "seed " << seed;
				model[{p, b}] = c;
				verified[p] = false;
			}
			}
			auto const got = s.block(piece(p), b);
			auto const want = model.find({p, b});
			ASSERT_EQ(bool(got), want != model.end()) << "seed " << seed << " step " << step;
			if (got) { ASSERT_EQ(got.bytes()[7], want->second) << "seed " << seed << " step " << step; }
			ASSERT_EQ(s.num_blocks(), std::int64_t(model.size())) << "seed " << seed << " step " << step;
			ASSERT_EQ(pool.used_blocks(), s.num_blocks());
			ASSERT_EQ(s.num_verified(), std::count_if(verified.begin(), verified.end(), [](auto const& v) { return v.second; }))
				<< "seed " << seed << " step " << step;
			bool const any = std::any_of(model.begin(), model.end(), [&](auto const& e) { return e.first.first == p; });
			auto const state = s.state(piece(p));
			if (verified[p]) ASSERT_EQ(state, piece_state::verified);
			else if (complete()) ASSERT_EQ(state, piece_state::complete);
			else ASSERT_EQ(state, any ? piece_state::partial : state);
		}
	}
	EXPECT_EQ(pool.used_blocks(), 0);
}

} // namespace
