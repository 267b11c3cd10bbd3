// Reading: contract 14 to 17, 19, 22.
#include "conformance/conformance.hpp"

#include <algorithm>

namespace slipstream::test {

class reading : public conformance {};
SLIPSTREAM_ON_EVERY_DISK(reading);
class padding : public conformance {};
SLIPSTREAM_ON_EVERY_DISK(padding);

CONTRACT_TEST_P(reading, every_shape_comes_back_as_it_was_written, 11, 15, 20)
{
	int folder = 0;
	for (auto const& shape : small_shapes())
	{
		SCOPED_TRACE(shape.name);
		test_torrent const t(shape);
		auto& s = disk.add(t, std::to_string(folder++));
		disk.write_all(s);
		expect_all_readable(disk, s);
		disk.remove(s);
	}
}

CONTRACT_TEST_P(reading, pieces_of_16_mib_come_back_as_they_were_written, 11, 15, 20)
{
	int folder = 0;
	for (auto const& shape : large_shapes())
	{
		SCOPED_TRACE(shape.name);
		test_torrent const t(shape);
		auto& s = disk.add(t, std::to_string(folder++));
		disk.write_all(s);
		expect_all_readable(disk, s);
		disk.remove(s);
	}
}

// Any start, any length up to a block, over the border of two blocks.
CONTRACT_TEST_P(reading, any_start_and_length_inside_the_piece, 15)
{
	for (auto const name : {"v1_256k_pieces", "hybrid_many_files", "v1_many_files", "v1_4k_pieces"})
	{
		SCOPED_TRACE(name);
		test_torrent const t(shape_named(name));
		auto const& s = disk.add(t, name);
		disk.write_all(s);
		struct request { lt::piece_index_t piece; int start; int length; pending<read_result> read; };
		std::vector<request> requests;
		disk.event([&] {
			for (auto const piece : t.pieces())
			{
				int const size = t.piece_size(piece);
				for (int const start : {0, 1, 4095, 8192, 16383, 16384, 16385, 20'000, 32'760, size - 1})
					for (int const length : {1, 2, 100, 8192, 16383, 16384})
					{
						if (start >= size) continue;
						int const fits = std::min(length, size - start);
						requests.push_back({piece, start, fits, disk.read(s, piece, start, fits)});
					}
			}
		});
		for (auto const& q : requests)
		{
			auto const& r = q.read.wait();
			ASSERT_FALSE(r.error.ec) << r.error.ec.message();
			ASSERT_TRUE(r.bytes() == t.bytes(q.piece, q.start, q.length))
				<< static_cast<int>(q.piece) << ": " << q.start << "+" << q.length;
		}
	}
}

CONTRACT_TEST_P(reading, a_buffer_is_as_long_as_the_read, 15)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	for (auto const& [start, length] : {std::pair{0, 1}, {16'380, 10}, {5, 16'000}, {0, 16'384}})
	{
		auto const read = disk.read(s, lt::piece_index_t{0}, start, length);
		auto const& r = read.wait();
		ASSERT_TRUE(r.buffer);
		EXPECT_EQ(r.buffer.size(), deviates() ? block_bytes : length);
	}
}

// Before the writes completed.
CONTRACT_TEST_P(reading, a_read_sees_the_writes_issued_before_it, 14)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	lt::piece_index_t const piece{0};
	auto const blocks = t.blocks(piece);
	std::vector<pending<read_result>> whole;
	std::vector<pending<read_result>> straddling;
	disk.event([&] {
		for (auto const& b : blocks)
		{
			disk.write(s, b);
			whole.push_back(disk.read(s, b));
			if (b.start > 0) straddling.push_back(disk.read(s, piece, b.start - 1000, 2000));
		}
	});
	for (std::size_t i = 0; i < blocks.size(); ++i)
		EXPECT_TRUE(whole[i].wait().bytes() == t.bytes(blocks[i])) << i;
	for (std::size_t i = 0; i < straddling.size(); ++i)
	{
		int const start = blocks[i + 1].start - 1000;
		EXPECT_TRUE(straddling[i].wait().bytes() == t.bytes(piece, start, 2000)) << i;
	}
}

CONTRACT_TEST_P(reading, a_block_never_written_is_an_error, 15, 19)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto const& s = disk.add(t);
	for (auto const& b : t.blocks())
	{
		auto const read = disk.read(s, b);
		expect_missing(read);
		EXPECT_NE(read.wait().error.operation, lt::operation_t::unknown);
	}
	auto const straddling = disk.read(s, lt::piece_index_t{0}, 16'000, 1000);
	expect_missing(straddling);
}

CONTRACT_TEST_P(reading, a_failed_read_hands_over_no_buffer, 15)
{
	test_torrent const t(shape_named("v1_16k_pieces"));
	auto const& s = disk.add(t);
	auto const read = disk.read(s, t.blocks().front());
	expect_missing(read);
	EXPECT_EQ(static_cast<bool>(read.wait().buffer), deviates().has_value());
}

// What an application is told: not only that it failed.
CONTRACT_TEST_P(reading, a_failed_read_says_which_operation_and_which_file, 19)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	auto const read = disk.read(s, t.blocks().front());
	auto const& error = read.wait().error;
	ASSERT_TRUE(error.ec);
	EXPECT_NE(error.operation, lt::operation_t::unknown);
	EXPECT_EQ(error.file(), t.files().file_index_at_offset(0));
}

// Never zeros in place of what is not there.
CONTRACT_TEST_P(reading, a_hole_between_written_blocks_is_an_error, 15, 19)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	auto const blocks = t.blocks(lt::piece_index_t{0});
	disk.write(s, blocks[1]).wait();
	disk.write(s, blocks[3]).wait();
	auto const whole = disk.read(s, blocks[2]);
	auto const into_the_hole = disk.read(s, lt::piece_index_t{0}, blocks[2].start - 10, 20);
	auto const out_of_the_hole = disk.read(s, lt::piece_index_t{0}, blocks[3].start - 10, 20);
	if (deviates())
	{
		EXPECT_FALSE(whole.wait().error.ec);
		EXPECT_TRUE(whole.wait().bytes() == std::string(block_bytes, '\0'));
		return;
	}
	expect_missing(whole);
	expect_missing(into_the_hole);
	expect_missing(out_of_the_hole);
	EXPECT_TRUE(disk.read(s, blocks[1]).wait().bytes() == t.bytes(blocks[1]));
	EXPECT_TRUE(disk.read(s, blocks[3]).wait().bytes() == t.bytes(blocks[3]));
}

// Hints change nothing that can be seen.
CONTRACT_TEST_P(reading, hints_do_not_change_the_bytes, 17)
{
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	auto const block = t.blocks().front();
	using d = lt::disk_interface;
	for (auto const flags : {d::force_copy, d::volatile_read, d::sequential_access
		, d::force_copy | d::volatile_read | d::sequential_access})
	{
		auto const read = disk.read(s, block.piece, block.start, block.length, flags);
		EXPECT_TRUE(read.wait().bytes() == t.bytes(block));
		expect_right_hash(disk.hash(s, block.piece, flags & ~d::force_copy), t, block.piece);
	}
	expect_right_hash(disk.hash(s, block.piece, d::flush_piece), t, block.piece);
}

CONTRACT_TEST_P(reading, a_buffer_keeps_its_bytes_when_its_block_is_written_again, 16, 18)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	test_torrent const other(shape_named("v1_256k_pieces"), 2);
	auto const& s = disk.add(t);
	disk.write_all(s);
	auto const block = t.blocks().front();
	auto const before = disk.read(s, block);
	auto const part = disk.read(s, block.piece, 16'000, 1000);
	before.wait();
	part.wait();
	for (auto const& b : other.blocks()) disk.write(s, b.piece, b.start, other.bytes(b)).wait();
	auto const after = disk.read(s, block);
	EXPECT_TRUE(after.wait().bytes() == other.bytes(block));
	EXPECT_TRUE(before.wait().bytes() == t.bytes(block));
	EXPECT_TRUE(part.wait().bytes() == t.bytes(block.piece, 16'000, 1000));
}

CONTRACT_TEST_P(reading, a_buffer_keeps_its_bytes_when_its_piece_is_cleared_or_deleted, 16, 28)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	test_torrent const other(shape_named("v1_256k_pieces"), 2);
	auto const& s = disk.add(t);
	disk.write_all(s);
	auto const block = t.blocks().front();
	auto const held = disk.read(s, block);
	held.wait();
	disk.clear_piece(s, block.piece).wait();
	disk.delete_files(s, lt::session::delete_files).wait();
	// What is written next may take the memory that was given up.
	auto const& next = disk.add(other, "b");
	disk.write_all(next);
	EXPECT_TRUE(held.wait().bytes() == t.bytes(block));
}

CONTRACT_TEST_P(padding, reads_as_zeros_whatever_the_writer_sent, 22)
{
	for (auto const name : {"v1_padded", "hybrid_many_files", "hybrid_padded_end", "v2_many_files"})
	{
		SCOPED_TRACE(name);
		test_torrent const t(shape_named(name));
		ASSERT_FALSE(t.padding_blocks().empty());
		auto const& s = disk.add(t, name);
		for (auto const& b : t.blocks())
			disk.write(s, b.piece, b.start, t.with_dirty_padding(b)).wait();
		expect_all_readable(disk, s);
	}
}

// Blocks that are padding alone are there without ever being written.
CONTRACT_TEST_P(padding, blocks_of_padding_alone_are_never_written_and_read_as_zeros, 22)
{
	for (auto const name : {"v1_padded", "hybrid_many_files", "hybrid_padded_end"})
	{
		SCOPED_TRACE(name);
		test_torrent const t(shape_named(name));
		auto const& s = disk.add(t, name);
		disk.write_all(s);
		for (auto const& b : t.padding_blocks())
		{
			auto const read = disk.read(s, b);
			EXPECT_FALSE(read.wait().error.ec) << read.wait().error.ec.message();
			EXPECT_TRUE(read.wait().bytes() == std::string(static_cast<std::size_t>(b.length), '\0'));
			if (b.start == 0) continue;
			auto const straddling = disk.read(s, b.piece, b.start - 50, 100);
			EXPECT_TRUE(straddling.wait().bytes() == t.bytes(b.piece, b.start - 50, 100));
		}
	}
}

// A careless writer may send blocks that are padding alone, too.
CONTRACT_TEST_P(padding, a_write_to_padding_alone_succeeds_and_changes_nothing, 22)
{
	test_torrent const t(shape_named("v1_padded"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	for (auto const& b : t.padding_blocks())
		EXPECT_FALSE(disk.write(s, b.piece, b.start, t.with_dirty_padding(b)).wait().error.ec);
	expect_all_readable(disk, s);
	for (auto const& b : t.padding_blocks())
		EXPECT_TRUE(disk.read(s, b).wait().bytes() == t.bytes(b));
}

CONTRACT_TEST_P(padding, dirty_padding_is_zeros_before_the_write_completes, 14, 22)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	std::vector<pending<read_result>> reads;
	std::vector<pending<hash_result>> hashes;
	disk.event([&] {
		for (auto const& b : t.blocks())
		{
			disk.write(s, b.piece, b.start, t.with_dirty_padding(b));
			reads.push_back(disk.read(s, b));
		}
		for (auto const p : t.pieces()) hashes.push_back(disk.hash(s, p));
	});
	auto const blocks = t.blocks();
	for (std::size_t i = 0; i < blocks.size(); ++i)
		EXPECT_TRUE(reads[i].wait().bytes() == t.bytes(blocks[i])) << i;
	for (auto const p : t.pieces())
		expect_right_hash(hashes[static_cast<std::size_t>(static_cast<int>(p))], t, p);
}

} // namespace slipstream::test
