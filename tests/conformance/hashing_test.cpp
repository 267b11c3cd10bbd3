// Hashing: contract 19 to 23.
#include "conformance/conformance.hpp"

#include <algorithm>

namespace slipstream::test {

class hashing : public conformance {};
SLIPSTREAM_ON_EVERY_DISK(hashing);

// V1, v2 and both, against OpenSSL, through expect_all_readable in every shape;
// here each kind alone on one hybrid torrent.
CONTRACT_TEST_P(hashing, a_hybrid_piece_can_be_hashed_as_v1_as_v2_or_as_both, 20)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	for (auto const piece : t.pieces())
	{
		int const blocks = static_cast<int>(t.v2_hashes(piece).size());
		auto const v1 = disk.hash(s, piece, 0, lt::disk_interface::v1_hash);
		auto const v2 = disk.hash(s, piece, blocks, {});
		auto const both = disk.hash(s, piece, blocks, lt::disk_interface::v1_hash);
		EXPECT_EQ(v1.wait().v1, t.v1_hash(piece));
		EXPECT_TRUE(v2.wait().v2 == t.v2_hashes(piece));
		expect_right_hash(both, t, piece);
	}
}

// Padding counts for v1 and not for v2.
CONTRACT_TEST_P(hashing, a_block_before_padding_is_shorter_for_v2, 20)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	bool differs = false;
	for (auto const piece : t.pieces()) if (t.piece_size2(piece) < t.piece_size(piece)) differs = true;
	ASSERT_TRUE(differs);
	auto const& s = disk.add(t);
	disk.write_all(s);
	for (auto const piece : t.pieces()) expect_right_hash(disk.hash(s, piece), t, piece);
}

// A disk may begin the hash of a large piece while it arrives.
CONTRACT_TEST_P(hashing, a_block_written_again_before_its_piece_is_complete_counts_with_its_last_bytes, 18, 23)
{
	test_torrent const t(large_shapes().back());
	auto const& s = disk.add(t);
	for (auto const piece : t.pieces())
	{
		auto blocks = t.blocks(piece);
		std::reverse(blocks.begin(), blocks.begin() + std::ptrdiff_t(blocks.size() / 2));
		std::vector<pending<write_result>> wrong;
		std::vector<pending<write_result>> right;
		auto const again = [&](std::size_t const i) { return i % 7 == 3 && i + 1 < blocks.size(); };
		// The wrong bytes are written when the second ones come: libtorrent's disks do not keep two writes of a block in order.
		disk.event([&] {
			for (std::size_t i = 0; i + 1 < blocks.size(); ++i)
			{
				auto const& b = blocks[i];
				if (again(i)) wrong.push_back(disk.write(s, b.piece, b.start, std::string(std::size_t(b.length), 'w')));
				else right.push_back(disk.write(s, b));
			}
		});
		for (auto const& w : wrong) EXPECT_FALSE(w.wait().error.ec);
		disk.event([&] {
			for (std::size_t i = 0; i < blocks.size(); ++i)
				if (again(i)) right.push_back(disk.write(s, blocks[i]));
			right.push_back(disk.write(s, blocks.back()));
		});
		for (auto const& w : right) EXPECT_FALSE(w.wait().error.ec);
		expect_right_hash(disk.hash(s, piece), t, piece);
	}
}

// The span points into the handler, so the handler must be moved, and filled before
// its call.
CONTRACT_TEST_P(hashing, the_handler_finds_the_hashes_in_its_own_vector, 20)
{
	test_torrent const t(shape_named("v2_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	std::vector<pending<hash_result>> hashes;
	disk.event([&] { for (auto const p : t.pieces()) hashes.push_back(disk.hash(s, p)); });
	for (auto const& h : hashes)
	{
		EXPECT_TRUE(h.wait().same_memory);
		EXPECT_EQ(h.record().copies, 0) << "the handler was copied";
		EXPECT_TRUE(h.wait().v2 == t.v2_hashes(h.wait().piece));
	}
}

// The span is at least as long as needed.
CONTRACT_TEST_P(hashing, a_longer_span_is_filled_as_far_as_the_piece_goes, 20)
{
	test_torrent const t(shape_named("v2_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	for (auto const piece : t.pieces())
	{
		auto right = t.v2_hashes(piece);
		right.resize(right.size() + 3);
		auto const h = disk.hash(s, piece, static_cast<int>(right.size()), {});
		EXPECT_TRUE(h.wait().v2 == right) << static_cast<int>(piece);
	}
}

CONTRACT_TEST_P(hashing, one_block_by_async_hash2, 21)
{
	for (auto const name : {"v2_16k_pieces", "v2_one_byte", "v2_many_files", "hybrid_many_files"})
	{
		SCOPED_TRACE(name);
		test_torrent const t(shape_named(name));
		auto const& s = disk.add(t, name);
		disk.write_all(s);
		for (auto const piece : t.pieces())
		{
			auto const right = t.v2_hashes(piece);
			for (std::size_t i = 0; i < right.size(); ++i)
			{
				auto const h = disk.hash2(s, piece, static_cast<int>(i) * block_bytes);
				EXPECT_FALSE(h.wait().error.ec);
				EXPECT_EQ(h.wait().piece, piece);
				EXPECT_EQ(h.wait().hash, right[i]) << static_cast<int>(piece) << " block " << i;
			}
		}
	}
}

CONTRACT_TEST_P(hashing, a_hash_reflects_the_writes_issued_before_it, 14, 23)
{
	for (auto const name : {"v1_256k_pieces", "hybrid_many_files", "v2_many_files", "v1_4k_pieces"})
	{
		SCOPED_TRACE(name);
		test_torrent const t(shape_named(name));
		auto const& s = disk.add(t, name);
		std::vector<pending<hash_result>> hashes;
		disk.event([&] {
			for (auto const piece : t.pieces())
			{
				for (auto const& b : t.blocks(piece)) disk.write(s, b);
				hashes.push_back(disk.hash(s, piece, lt::disk_interface::flush_piece));
			}
		});
		for (auto const piece : t.pieces())
			expect_right_hash(hashes[static_cast<std::size_t>(static_cast<int>(piece))], t, piece);
	}
}

// Hashed are the blocks as they were when it was asked for.
CONTRACT_TEST_P(hashing, a_hash_leaves_out_the_writes_issued_after_it, 16, 23)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const wrong(shape_named("hybrid_256k_pieces"), 7);
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	lt::piece_index_t const piece{0};
	pending<hash_result> before;
	pending<hash_result> after;
	disk.event([&] {
		before = disk.hash(s, piece);
		for (auto const& b : t.blocks(piece)) disk.write(s, b.piece, b.start, wrong.bytes(b));
		after = disk.hash(s, piece);
	});
	expect_right_hash(before, t, piece);
	expect_right_hash(after, wrong, piece);
}

// A block hashed early and then replaced.
CONTRACT_TEST_P(hashing, a_replaced_block_is_hashed_again, 18, 19)
{
	test_torrent const wrong(shape_named("hybrid_256k_pieces"), 7);
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto const& s = disk.add(t);
	lt::piece_index_t const piece{0};
	disk.write_piece(s, piece);
	expect_right_hash(disk.hash(s, piece), t, piece);
	auto const victim = t.blocks(piece)[3];
	disk.write(s, victim.piece, victim.start, wrong.bytes(victim)).wait();
	auto const bad = disk.hash(s, piece);
	EXPECT_FALSE(bad.wait().error.ec);
	EXPECT_NE(bad.wait().v1, t.v1_hash(piece));
	EXPECT_EQ(bad.wait().v2[3], wrong.v2_hashes(piece)[3]);
	EXPECT_EQ(bad.wait().v2[4], t.v2_hashes(piece)[4]);
	disk.write(s, victim).wait();
	expect_right_hash(disk.hash(s, piece), t, piece);
	expect_right_hash(disk.hash(s, piece), t, piece);
}

// A piece with a block missing must not pass.
CONTRACT_TEST_P(hashing, a_piece_with_a_hole_never_hashes_right, 19, 24)
{
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto const& s = disk.add(t);
	lt::piece_index_t const piece{0};
	auto const blocks = t.blocks(piece);
	for (std::size_t i = 0; i < blocks.size(); ++i) if (i != 5) disk.write(s, blocks[i]).wait();
	auto const h = disk.hash(s, piece, checking);
	EXPECT_FALSE(h.wait().error.ec) << h.wait().error.ec.message();
	EXPECT_NE(h.wait().v1, t.v1_hash(piece));
	EXPECT_NE(h.wait().v2[5], t.v2_hashes(piece)[5]);
	disk.write(s, blocks[5]).wait();
	expect_right_hash(disk.hash(s, piece, checking), t, piece);
}

// A full check hashes what is not there; it comes back as not had, and is no error.
CONTRACT_TEST_P(hashing, a_missing_piece_has_no_error_when_checking, 24)
{
	for (auto const name : {"v1_256k_pieces", "v2_many_files", "hybrid_many_files"})
	{
		SCOPED_TRACE(name);
		test_torrent const t(shape_named(name));
		auto const& s = disk.add(t, name);
		for (auto const piece : t.pieces())
		{
			auto const h = disk.hash(s, piece, checking);
			auto const& r = h.wait();
			EXPECT_EQ(static_cast<bool>(r.error.ec), deviates().has_value()) << r.error.ec.message();
			EXPECT_EQ(r.piece, piece);
			if (t.has_v1()) { EXPECT_NE(r.v1, t.v1_hash(piece)); }
			if (t.has_v2()) { EXPECT_NE(r.v2, t.v2_hashes(piece)); }
		}
	}
}

// A full check, stopped.
CONTRACT_TEST_P(hashing, a_check_that_is_stopped_is_right_or_aborted, 23, 26)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const t(shape_named("v1_16k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	std::vector<pending<hash_result>> hashes;
	pending<done_result> stop;
	disk.event([&] {
		for (int round = 0; round < 50; ++round)
			for (auto const p : t.pieces()) hashes.push_back(disk.hash(s, p, checking));
		stop = disk.stop_torrent(s);
	});
	stop.wait();
	for (auto const& h : hashes)
	{
		ASSERT_TRUE(h.called()) << "stop_torrent's handler came before an earlier operation's";
		EXPECT_LT(h.record().sequence, stop.record().sequence);
		if (!aborted(h.wait().error)) expect_right_hash(h, t, h.wait().piece);
	}
}

// Never an error for a hash that can be had, however many are asked for.
CONTRACT_TEST_P(hashing, many_at_once_are_all_right, 19, 31)
{
	disk.change_setting(lt::settings_pack::hashing_threads, 4);
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	std::vector<pending<hash_result>> hashes;
	disk.event([&] {
		for (int round = 0; round < 100; ++round)
			for (auto const p : t.pieces()) hashes.push_back(disk.hash(s, p));
	});
	for (auto const& h : hashes) expect_right_hash(h, t, h.wait().piece);
}

} // namespace slipstream::test
