// The seven failures of docs/design.md, one test each. Each test runs its check three times: on the
// toy disk with that fault, where the check must find it; on the toy disk without a fault, to see
// that the check looks at nothing else; and on the memory disk, where the failure must not exist.
#include "failures/draft_disk.hpp"
#include "support/disk_harness.hpp"

#include "block/block_pool.hpp"

#include <slipstream/lease.hpp>
#include <slipstream/memory_disk.hpp>

#include <boost/asio/error.hpp>

#include <gtest/gtest.h>

#include <future>
#include <type_traits>

namespace slipstream::test {

namespace {

using constructor = lt::disk_io_constructor_type;
// Empty: nothing wrong. Otherwise what is.
using check = std::string (*)(constructor const&);

constructor draft(fault const f) { return draft_disk_constructor(std::make_shared<arena>(), f); }
constructor ours()
{ return memory_disk({.capacity_bytes = 8 << 20, .hash_threads = 2}).constructor(); }

void expect_found_only_in(fault const f, check const c, std::string_view const found)
{
	EXPECT_EQ(c(draft(f)), found) << "the check does not see the failure it is for";
	EXPECT_EQ(c(draft(fault::none)), "");
	EXPECT_EQ(c(ours()), "");
}

shape const one_file{"one_file", protocol::v1, 128 << 10, {(256 << 10) + 1000}};
constexpr lt::piece_index_t first_piece{0};

std::string span_escapes(constructor const& make)
{
	test_torrent const t(one_file, 1);
	test_torrent const other(one_file, 2);
	disk_harness disk(make);
	auto& s = disk.add(t);
	disk.write_all(s);
	auto const block = t.blocks().front();
	auto const part = disk.read(s, first_piece, 1000, 5000);
	auto const whole = disk.read(s, block);
	part.wait();
	whole.wait();
	auto const intact = [&] {
		return whole.wait().bytes() == t.bytes(block)
			&& part.wait().bytes() == t.bytes(first_piece, 1000, 5000);
	};
	disk.write(s, first_piece, 0, other.bytes(block)).wait();
	if (!intact()) return "rewriting a block changed a buffer that was lent";
	disk.clear_piece(s, first_piece).wait();
	disk.write_all(disk.add(other, "b"));
	if (!intact()) return "clearing a piece changed a buffer that was lent";
	disk.remove(s);
	disk.write_all(disk.add(other, "c"));
	if (!intact()) return "removing the torrent changed a buffer that was lent";
	return "";
}

std::string buffers_come_home_wrong(constructor const& make)
{
	test_torrent const t(one_file, 1);
	test_torrent const other(one_file, 2);
	disk_harness disk(make);
	auto& s = disk.add(t);
	disk.write_all(s);
	disk.stop_torrent(s).wait();
	auto const before = disk.counter(lt::counters::disk_blocks_in_use);
	for (auto const& b : t.blocks())
	{
		disk.read(s, b).wait().buffer.reset();
		disk.read(s, b.piece, b.start + 100, b.length - 100).wait().buffer.reset();
	}
	disk.settle();
	auto const after = disk.counter(lt::counters::disk_blocks_in_use);
	if (after > before) return "buffers that were given back are still in use";
	if (after < before) return "giving a buffer back freed what was not lent";
	auto& next = disk.add(other, "b");
	disk.write_all(next);
	for (auto const& b : t.blocks())
		if (disk.read(s, b).wait().bytes() != t.bytes(b))
			return "a block that was not lent any more was freed";
	disk.settle();
	disk.remove(s);
	disk.remove(next);
	if (disk.counter(lt::counters::disk_blocks_in_use) != 0) return "lent blocks were never freed";
	return "";
}

std::string pending_work_meets_a_reused_index(constructor const& make)
{
	test_torrent const t(one_file, 1);
	test_torrent const other(one_file, 2);
	auto const blocks = t.blocks(first_piece);
	disk_harness disk(make);
	auto& s = disk.add(t);
	disk.write(s, blocks[0]).wait();
	disk_harness::storage* fresh = nullptr;
	pending<read_result> old_read;
	pending<read_result> early;
	disk.event([&] {
		old_read = disk.read(s, blocks[0]);
		disk.write(s, blocks[1]);
		disk.remove(s);
		fresh = &disk.add(other, "b");
		early = disk.read(*fresh, blocks[0]);
		disk.write(*fresh, blocks[0]);
	});
	if (!old_read.wait().error.ec && old_read.wait().bytes() != t.bytes(blocks[0]))
		return "a read got the bytes of the torrent that took the index";
	if (!early.wait().error.ec) return "a new torrent could read before anything was written to it";
	if (disk.read(*fresh, blocks[0]).wait().bytes() != other.bytes(blocks[0]))
		return "the new torrent's bytes are not its own";
	if (!disk.read(*fresh, blocks[1]).wait().error.ec)
		return "a write of the removed torrent arrived in the one that took its index";
	return "";
}

std::string blocks_move_under_a_reader(constructor const& make)
{
	test_torrent const t(one_file, 1);
	auto const blocks = t.blocks(first_piece);
	disk_harness disk(make);
	auto& s = disk.add(t);
	std::vector<pending<read_result>> held;
	for (auto const& b : blocks)
	{
		disk.write(s, b).wait();
		held.push_back(disk.read(s, b));
		held.back().wait();
	}
	for (std::size_t i = 0; i < held.size(); ++i)
		if (held[i].wait().bytes() != t.bytes(blocks[i])) return "the growing piece left a reader behind";
	return "";
}

std::string the_callers_bytes_are_kept(constructor const& make)
{
	test_torrent const t(one_file, 1);
	auto const block = t.blocks().front();
	// Outlives the disk, so that keeping it shows, and nothing else.
	std::string borrowed = t.bytes(block);
	disk_harness disk(make);
	auto& s = disk.add(t);
	std::promise<void> written;
	disk.call([&](lt::disk_interface& d) {
		d.async_write(s.index, {block.piece, block.start, block.length}, borrowed.data(), nullptr
			, [&](lt::storage_error const&) { written.set_value(); });
	});
	disk.event([] {});
	if (written.get_future().wait_for(deadline) != std::future_status::ready)
		return "the write did not complete";
	std::fill(borrowed.begin(), borrowed.end(), 'x');
	if (disk.read(s, block).wait().bytes() != t.bytes(block))
		return "the caller can still write the block";
	return "";
}

std::string completions_touch_what_they_do_not_own(constructor const& make)
{
	test_torrent const t(one_file, 1);
	test_torrent const other(one_file, 2);
	auto const wrong = [&](pending<hash_result> const& h) {
		auto const& r = h.wait();
		return r.error.ec != boost::asio::error::operation_aborted && r.v1 != t.v1_hash(first_piece);
	};
	disk_harness disk(make);
	auto& s = disk.add(t);
	disk.write_all(s);
	pending<hash_result> hash;
	disk.event([&] {
		hash = disk.hash(s, first_piece);
		for (auto const& b : t.blocks(first_piece)) disk.write(s, b.piece, b.start, other.bytes(b));
	});
	if (wrong(hash)) return "the hash is of blocks that were written later";
	disk.write_all(s);
	disk.event([&] {
		hash = disk.hash(s, first_piece);
		disk.clear_piece(s, first_piece);
		auto& next = disk.add(other, "b");
		for (auto const& b : other.blocks(first_piece)) disk.write(next, b);
	});
	if (wrong(hash)) return "the hash is of memory that was given to another torrent";
	disk.write_all(s);
	disk.event([&] {
		hash = disk.hash(s, first_piece);
		disk.remove(s);
		auto& next = disk.add(other, "c");
		for (auto const& b : other.blocks(first_piece)) disk.write(next, b);
	});
	if (wrong(hash)) return "the hash is of a torrent that was added later";
	return "";
}

// Failure 3 needs a look-up from outside the session: the disk's own, or the draft's.
using look = std::function<std::optional<std::string>()>;

std::string a_pointer_outlives_the_session(constructor const& make
	, std::function<look(disk_harness::storage const&)> const& look_up)
{
	test_torrent const t(one_file, 1);
	test_torrent const other(one_file, 2);
	auto const block = t.blocks().front();
	look old;
	{
		disk_harness session(make);
		auto& s = session.add(t);
		session.write_all(s);
		old = look_up(s);
		if (old() != t.bytes(block)) return "the look-up does not work at all";
	}
	if (old()) return "the look-up answers for a session that ended";
	disk_harness session(make);
	auto& s = session.add(other);
	session.write_all(s);
	if (old()) return "the look-up answers with another session's bytes";
	auto& same = session.add(t, "b");
	session.write_all(same);
	if (old()) return "the look-up answers for a torrent that was added later";
	if (look_up(same)() != t.bytes(block)) return "a new look-up does not find the torrent";
	return "";
}

std::function<look(disk_harness::storage const&)> through_raw_pointer(
	std::shared_ptr<arena> const& memory)
{
	return [memory](disk_harness::storage const& s) -> look {
		return [memory, index = s.index] {
			return read_through_raw_pointer(*memory, index, first_piece, block_bytes);
		};
	};
}

} // namespace

TEST(failures, f1_a_span_into_a_vector_escapes_the_lock)
{
	expect_found_only_in(fault::span_escapes, &span_escapes
		, "rewriting a block changed a buffer that was lent");
}

TEST(failures, f2_free_disk_buffer_does_nothing_or_frees_what_it_never_allocated)
{
	expect_found_only_in(fault::never_frees, &buffers_come_home_wrong, "lent blocks were never freed");
	expect_found_only_in(fault::frees_what_it_never_allocated, &buffers_come_home_wrong
		, "giving a buffer back freed what was not lent");
}

TEST(failures, f3_a_raw_pointer_to_the_disk_outlives_the_session)
{
	auto const broken = std::make_shared<arena>();
	EXPECT_EQ(a_pointer_outlives_the_session(
		draft_disk_constructor(broken, fault::pointer_outlives_session), through_raw_pointer(broken))
		, "the look-up answers for a session that ended");

	memory_disk const memory({.capacity_bytes = 8 << 20, .hash_threads = 1});
	auto const through_handle = [&](disk_harness::storage const& s) -> look {
		auto const handle = memory.torrent(s.content->info()->info_hashes());
		return [handle]() -> std::optional<std::string> {
			std::string bytes(block_bytes, '\0');
			auto const n = handle.read(first_piece, 0, bytes, false);
			if (n) return bytes.substr(0, *n);
			EXPECT_TRUE(n.error().is(errc::no_such_torrent)) << n.error().detail;
			EXPECT_FALSE(handle.alive());
			return std::nullopt;
		};
	};
	EXPECT_EQ(a_pointer_outlives_the_session(memory.constructor(), through_handle), "");
}

TEST(failures, f4_a_storage_index_is_reused_while_operations_are_pending)
{
	expect_found_only_in(fault::index_reused, &pending_work_meets_a_reused_index
		, "a write of the removed torrent arrived in the one that took its index");
}

TEST(failures, f5_a_vector_reallocates_under_a_reader)
{
	expect_found_only_in(fault::reallocates, &blocks_move_under_a_reader
		, "the growing piece left a reader behind");
}

TEST(failures, f6_a_const_cast_hides_who_owns_the_bytes)
{
	expect_found_only_in(fault::keeps_the_callers_bytes, &the_callers_bytes_are_kept
		, "the caller can still write the block");

	// Written through one owner, shared for reading only: the compiler's half of it.
	static_assert(!std::is_copy_constructible_v<unique_block>
		&& !std::is_copy_assignable_v<unique_block>);
	static_assert(std::is_same_v<decltype(std::declval<block_ref>().bytes()), char const*>);
	static_assert(std::is_same_v<lease::view, std::span<char const>>);
}

TEST(failures, f7_a_completion_carries_raw_pointers_to_another_thread)
{
	expect_found_only_in(fault::raw_pointers_to_worker, &completions_touch_what_they_do_not_own
		, "the hash is of blocks that were written later");
}

} // namespace slipstream::test
