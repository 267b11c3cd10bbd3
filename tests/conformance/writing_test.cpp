// Writing: contract 11, 12, 18, 19.
#include "conformance/conformance.hpp"

#include <algorithm>

namespace slipstream::test {

class writing : public conformance {};
SLIPSTREAM_ON_EVERY_DISK(writing);

// The harness overwrites and frees the buffer as soon as the call returned.
CONTRACT_TEST_P(writing, the_buffer_is_lent_for_the_call_alone, 11)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto const& s = disk.add(t);
	std::vector<pending<read_result>> reads;
	disk.event([&] {
		for (auto const& b : t.blocks())
		{
			disk.write(s, b);
			reads.push_back(disk.read(s, b));
		}
	});
	for (std::size_t i = 0; i < reads.size(); ++i)
		EXPECT_TRUE(reads[i].wait().bytes() == t.bytes(t.blocks()[i])) << i;
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(writing, blocks_may_come_in_any_order, 11)
{
	for (auto const name : {"v1_256k_pieces", "hybrid_many_files"})
	{
		test_torrent const t(shape_named(name));
		auto const& s = disk.add(t, name);
		auto blocks = t.blocks();
		std::reverse(blocks.begin(), blocks.end());
		std::rotate(blocks.begin(), blocks.begin() + static_cast<std::ptrdiff_t>(blocks.size() / 3)
			, blocks.end());
		std::vector<pending<write_result>> writes;
		disk.event([&] { for (auto const& b : blocks) writes.push_back(disk.write(s, b)); });
		for (auto const& w : writes) EXPECT_FALSE(w.wait().error.ec);
		expect_all_readable(disk, s);
	}
}

// Blocks that no peer sent have no observer.
CONTRACT_TEST_P(writing, an_observer_is_not_needed, 12)
{
	disk.change_setting(lt::settings_pack::max_queued_disk_bytes, block_bytes);
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	expect_all_readable(disk, s);
}

// The same block from two peers in end-game.
CONTRACT_TEST_P(writing, the_same_block_twice_is_no_error, 18)
{
	test_torrent const t(shape_named("v2_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	disk.write_all(s);
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(writing, the_last_write_wins, 18)
{
	test_torrent const wrong(shape_named("hybrid_many_files"), 7);
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	for (auto const& b : t.blocks()) disk.write(s, b.piece, b.start, wrong.bytes(b)).wait();
	auto const before = disk.hash(s, lt::piece_index_t{0});
	EXPECT_NE(before.wait().v1, t.v1_hash(lt::piece_index_t{0}));
	EXPECT_EQ(before.wait().v1, wrong.v1_hash(lt::piece_index_t{0}));
	disk.write_all(s);
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(writing, the_last_of_several_outstanding_writes_wins, 14, 18)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const wrong(shape_named("v1_256k_pieces"), 7);
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	std::vector<pending<read_result>> first;
	std::vector<pending<read_result>> second;
	disk.event([&] {
		for (auto const& b : t.blocks())
		{
			disk.write(s, b.piece, b.start, wrong.bytes(b));
			first.push_back(disk.read(s, b));
			disk.write(s, b);
			second.push_back(disk.read(s, b));
		}
	});
	auto const blocks = t.blocks();
	for (std::size_t i = 0; i < blocks.size(); ++i)
	{
		EXPECT_TRUE(first[i].wait().bytes() == wrong.bytes(blocks[i])) << i;
		EXPECT_TRUE(second[i].wait().bytes() == t.bytes(blocks[i])) << i;
	}
	expect_all_readable(disk, s);
}

// Two torrents of one shape, block by block in turns.
CONTRACT_TEST_P(writing, torrents_do_not_mix, 8, 11)
{
	test_torrent const a(shape_named("hybrid_many_files"), 1);
	test_torrent const b(shape_named("hybrid_many_files"), 2);
	auto const& on_a = disk.add(a, "a");
	auto const& on_b = disk.add(b, "b");
	disk.event([&] {
		for (auto const& block : a.blocks())
		{
			disk.write(on_a, block);
			disk.write(on_b, block);
		}
	});
	expect_all_readable(disk, on_a);
	expect_all_readable(disk, on_b);
}

// A block of a short last piece, and of a piece shorter than a block.
CONTRACT_TEST_P(writing, a_block_may_be_shorter_than_16_kib, 11)
{
	for (auto const name : {"v1_16k_pieces", "v1_4k_pieces", "v1_one_byte", "hybrid_256k_pieces"})
	{
		SCOPED_TRACE(name);
		test_torrent const t(shape_named(name));
		auto const& s = disk.add(t, name);
		auto const last = t.blocks().back();
		ASSERT_LT(last.length, block_bytes);
		EXPECT_FALSE(disk.write(s, last).wait().error.ec);
		EXPECT_TRUE(disk.read(s, last).wait().bytes() == t.bytes(last));
	}
}

} // namespace slipstream::test
