#include "conformance/conformance.hpp"

#include <slipstream/memory_disk.hpp>

#include <libtorrent/mmap_disk_io.hpp>
#include <libtorrent/posix_disk_io.hpp>

#include <algorithm>
#include <stdexcept>

namespace slipstream::test {

std::vector<disk_kind> all_disks()
{
	std::vector<disk_kind> disks{
		{"memory", [] { return memory_disk({.capacity_bytes = std::int64_t{256} << 20
			, .hash_threads = 2}).constructor(); }},
		{"posix", [] { return lt::disk_io_constructor_type(&lt::posix_disk_io_constructor); }},
#if !defined(__SANITIZE_THREAD__)
		// The race detector sees no synchronisation inside the system's libtorrent, and reports its mmap disk's
		// own threads: left out there. Ours has no thread that is not instrumented.
		{"mmap", [] { return lt::disk_io_constructor_type(&lt::mmap_disk_io_constructor); }},
#endif
	};
	return disks;
}

std::vector<deviation> const& known_deviations()
{
	constexpr std::string_view early_fence
		= "lets a fence run before it handed over the completions it waited for: a race of handlers";
	static std::vector<deviation> const rows{
		{"mmap", "handlers.every_handler_is_posted_and_called_once"
			, "a read served from the write queue calls its handler inside async_read"},
		{"posix", "reading.a_buffer_is_as_long_as_the_read"
			, "its buffers say 16 KiB, whatever was asked"},
		{"mmap", "reading.a_buffer_is_as_long_as_the_read"
			, "its buffers say 16 KiB, whatever was asked"},
		{"posix", "reading.a_failed_read_hands_over_no_buffer", "hands over the buffer with the error"},
		{"mmap", "reading.a_failed_read_hands_over_no_buffer", "hands over the buffer with the error"},
		{"posix", "reading.a_hole_between_written_blocks_is_an_error"
			, "holes of a sparse file are zeros"},
		{"mmap", "reading.a_hole_between_written_blocks_is_an_error"
			, "holes of a sparse file are zeros"},
		{"mmap", "writing.the_last_of_several_outstanding_writes_wins"
			, "outstanding writes to one block race each other on its threads"},
		{"mmap", "padding.dirty_padding_is_zeros_before_the_write_completes"
			, "a block in the write queue is read as it was sent"},
		{"mmap", "hashing.a_hash_leaves_out_the_writes_issued_after_it"
			, "hash and write race each other on its threads"},
		{"posix", "hashing.a_missing_piece_has_no_error_when_checking"
			, "the missing file is the error; libtorrent takes it for a piece it has not"},
		{"mmap", "hashing.a_missing_piece_has_no_error_when_checking"
			, "the missing file is the error; libtorrent takes it for a piece it has not"},
		{"posix", "files.cleared_blocks_are_gone", "clearing only waits: the bytes stay in the file"},
		{"mmap", "files.cleared_blocks_are_gone", "clearing only waits: the bytes stay in the file"},
		{"mmap", "files.no_files_are_open", "it has files, and lists them"},
		{"posix", "lifetime.the_owner_is_kept_until_the_removal", "ignores the pointer"},
		{"mmap", "lifetime.a_reused_index_never_meets_work_of_the_old_torrent"
			, "its write queue is keyed by the index: a race for another torrent's bytes"},
		{"mmap", "lifetime.a_buffer_delivered_after_the_removal_is_right"
			, "its write queue is keyed by the index: a race for another torrent's bytes"},
		{"mmap", "in_a_session.ends_with_everything_outstanding"
			, "a race in its end: boost::bad_get in a job that is aborted ends the program now and then"},
		{"posix", "pressure.a_full_queue_says_so_and_tells_the_observer_once", "its queue is never full"},
		{"posix", "pressure.an_observer_of_several_writes_is_told_once", "its queue is never full"},
		{"mmap", "pressure.an_observer_of_several_writes_is_told_once", "told once for every write"},
		{"posix", "pressure.gauges_show_what_is_outstanding", "sets no gauges"},
		{"mmap", "pressure.gauges_show_what_is_outstanding"
			, "keeps no block once it is written to the file"},
		{"posix", "pressure.a_held_buffer_is_a_block_in_use", "sets no gauges"},
		{"mmap", "hashing.a_check_that_is_stopped_is_right_or_aborted", early_fence},
		{"mmap", "files.the_stop_handler_comes_after_every_earlier_operation", early_fence},
		{"mmap", "files.the_clear_handler_comes_after_the_operations_on_the_piece", early_fence},
		{"mmap", "files.fences_come_after_the_operations_before_them", early_fence},
		{"posix", "abort.a_call_after_abort_is_aborted", "its abort does nothing"},
		{"posix", "abort.a_read_after_abort_is_aborted_and_hands_over_no_buffer"
			, "its abort does nothing"},
		{"mmap", "abort.a_read_after_abort_is_aborted_and_hands_over_no_buffer"
			, "the completion of an aborted read throws: it looks for a buffer there never was"},
	};
	return rows;
}

void conformance::TearDown()
{
	disk.destroy();
	auto broken = disk.broken_handler_rules();
	// The first row of the table: any read of that disk may do it.
	if (GetParam().name == "mmap") std::erase(broken, "async_read: handler called inside a call");
	EXPECT_THAT(broken, testing::IsEmpty());
}

std::optional<std::string> deviates(disk_kind const& disk)
{
	auto const* const running = testing::UnitTest::GetInstance()->current_test_info();
	std::string const suite = running->test_suite_name();
	std::string const name = running->name();
	std::string const test = suite.substr(suite.find('/') + 1) + "." + name.substr(0, name.find('/'));
	for (auto const& d : known_deviations())
		if (d.disk == disk.name && d.test == test)
			return std::string(d.disk) + ": " + std::string(d.why);
	return std::nullopt;
}

shape const& shape_named(std::string_view const name)
{
	for (auto const& s : small_shapes()) if (s.name == name) return s;
	throw std::logic_error("no such shape");
}

void expect_all_readable(disk_harness& disk, disk_harness::storage const& s)
{
	std::vector<std::pair<block_range, pending<read_result>>> reads;
	disk.event([&] {
		for (auto const& b : s.content->blocks()) reads.emplace_back(b, disk.read(s, b));
	});
	for (auto const& [b, read] : reads)
	{
		auto const& r = read.wait();
		ASSERT_FALSE(r.error.ec) << r.error.ec.message() << ", piece " << static_cast<int>(b.piece)
			<< " start " << b.start;
		ASSERT_TRUE(r.bytes() == s.content->bytes(b)) << "wrong bytes, piece "
			<< static_cast<int>(b.piece) << " start " << b.start;
	}
	for (auto const piece : s.content->pieces())
		expect_right_hash(disk.hash(s, piece), *s.content, piece);
}

void expect_right_hash(pending<hash_result> const& h, test_torrent const& t
	, lt::piece_index_t const piece)
{
	auto const& r = h.wait();
	EXPECT_FALSE(r.error.ec) << r.error.ec.message();
	EXPECT_EQ(r.piece, piece);
	if (t.has_v1()) { EXPECT_EQ(r.v1, t.v1_hash(piece)) << "piece " << static_cast<int>(piece); }
	if (t.has_v2())
	{
		EXPECT_TRUE(r.v2 == t.v2_hashes(piece)) << "v2, piece " << static_cast<int>(piece);
	}
}

void expect_missing(pending<read_result> const& r)
{
	EXPECT_TRUE(r.wait().error.ec) << "a read of what is not there succeeded";
	EXPECT_FALSE(aborted(r.wait().error));
}

// The table itself: a row for a test that is gone, or for our own disk, is a mistake.
TEST(deviation_table, names_only_tests_that_exist_and_never_the_memory_disk)
{
	auto const& unit = *testing::UnitTest::GetInstance();
	auto const disks = all_disks();
	for (auto const& d : known_deviations())
	{
		EXPECT_NE(d.disk, "memory");
		EXPECT_FALSE(d.why.empty());
		// One that is left out of this build has no tests.
		if (std::none_of(disks.begin(), disks.end(), [&](disk_kind const& k) { return k.name == d.disk; })) continue;
		bool found = false;
		for (int i = 0; i < unit.total_test_suite_count(); ++i)
		{
			auto const& suite = *unit.GetTestSuite(i);
			for (int j = 0; j < suite.total_test_count(); ++j)
				if ("on/" + std::string(d.test) + "/" + std::string(d.disk)
					== std::string(suite.name()) + "." + suite.GetTestInfo(j)->name())
					found = true;
		}
		EXPECT_TRUE(found) << d.disk << " " << d.test;
	}
}

} // namespace slipstream::test
