// What is particular to the memory disk: one capacity over everything, look-ups, statistics.
#include "conformance/conformance.hpp"

#include <slipstream/memory_disk.hpp>

#include <boost/system/error_code.hpp>

#include <algorithm>
#include <thread>

namespace slipstream::test {

namespace {

constexpr std::int64_t smallest = memory_disk::min_capacity_bytes;
constexpr int smallest_blocks = static_cast<int>(smallest / block_bytes);

shape const two_mib{"two_mib", protocol::v1, 256 << 10, {2 << 20}};

bool no_space(lt::storage_error const& e)
{
	namespace errc = boost::system::errc;
	return e.ec == errc::make_error_condition(errc::no_space_on_device);
}

// Writes blocks until all are written or refused; answers which were taken.
std::vector<block_range> write_what_fits(disk_harness& disk, disk_harness::storage const& s)
{
	std::vector<block_range> taken;
	std::vector<std::pair<block_range, pending<write_result>>> writes;
	disk.event([&] {
		for (auto const& b : s.content->blocks()) writes.emplace_back(b, disk.write(s, b));
	});
	for (auto const& [b, w] : writes)
	{
		auto const& error = w.wait().error;
		if (!error.ec) { taken.push_back(b); continue; }
		EXPECT_TRUE(no_space(error)) << error.ec.message();
		EXPECT_NE(error.operation, lt::operation_t::unknown);
	}
	return taken;
}

void expect_clean(disk_harness& disk)
{
	disk.destroy();
	EXPECT_THAT(disk.broken_handler_rules(), testing::IsEmpty());
}

} // namespace

CONTRACT_TEST(memory, a_write_beyond_the_capacity_has_no_space_and_corrupts_nothing, 19)
{
	memory_disk const memory({.capacity_bytes = smallest, .hash_threads = 1});
	disk_harness disk(memory.constructor());
	test_torrent const t(two_mib);
	auto const& s = disk.add(t);
	auto const taken = write_what_fits(disk, s);
	EXPECT_GT(taken.size(), 0u);
	EXPECT_LE(static_cast<int>(taken.size()), smallest_blocks);
	EXPECT_LT(taken.size(), t.blocks().size());
	EXPECT_LE(memory.stats().used_bytes, smallest);
	EXPECT_LE(memory.stats().peak_bytes, smallest);
	EXPECT_EQ(static_cast<std::size_t>(memory.stats().writes_refused)
		, t.blocks().size() - taken.size());

	for (auto const& b : t.blocks())
	{
		bool const had = std::any_of(taken.begin(), taken.end(), [&](block_range const& k)
			{ return k.piece == b.piece && k.start == b.start; });
		auto const read = disk.read(s, b);
		if (had) { EXPECT_TRUE(read.wait().bytes() == t.bytes(b)); }
		else expect_missing(read);
	}
	expect_right_hash(disk.hash(s, lt::piece_index_t{0}), t, lt::piece_index_t{0});
	expect_clean(disk);
}

// A block that is there already stays when its rewrite has no room.
CONTRACT_TEST(memory, a_refused_rewrite_leaves_a_block_that_is_whole, 19)
{
	memory_disk const memory({.capacity_bytes = smallest, .hash_threads = 1});
	disk_harness disk(memory.constructor());
	test_torrent const t(two_mib, 1);
	test_torrent const other(two_mib, 2);
	auto const& s = disk.add(t);
	auto const taken = write_what_fits(disk, s);
	auto const first = taken.front();
	auto const again = disk.write(s, first.piece, first.start, other.bytes(first));
	bool const refused = static_cast<bool>(again.wait().error.ec);
	if (refused) { EXPECT_TRUE(no_space(again.wait().error)); }
	EXPECT_TRUE(disk.read(s, first).wait().bytes() == (refused ? t : other).bytes(first));
	expect_clean(disk);
}

// An error to a reader costs a peer, or the torrent.
CONTRACT_TEST(memory, a_full_memory_can_be_read_over_block_borders, 15, 19)
{
	memory_disk const memory({.capacity_bytes = smallest, .hash_threads = 1});
	disk_harness disk(memory.constructor());
	test_torrent const t(two_mib);
	auto const& s = disk.add(t);
	write_what_fits(disk, s);
	auto const read = disk.read(s, lt::piece_index_t{0}, 10'000, 16'384);
	EXPECT_FALSE(read.wait().error.ec) << read.wait().error.ec.message();
	EXPECT_TRUE(read.wait().bytes() == t.bytes(lt::piece_index_t{0}, 10'000, 16'384));
	EXPECT_LE(memory.stats().used_bytes, smallest);
	read.wait().buffer.reset();
	expect_clean(disk);
}

CONTRACT_TEST(memory, a_removed_torrent_gives_its_memory_back, 7)
{
	memory_disk const memory({.capacity_bytes = smallest, .hash_threads = 1});
	disk_harness disk(memory.constructor());
	for (std::uint64_t seed = 1; seed < 6; ++seed)
	{
		test_torrent const t(two_mib, seed);
		auto& s = disk.add(t);
		auto const taken = write_what_fits(disk, s);
		EXPECT_GE(static_cast<int>(taken.size()), smallest_blocks - 8) << seed;
		for (auto const& b : taken) EXPECT_TRUE(disk.read(s, b).wait().bytes() == t.bytes(b));
		disk.stop_torrent(s).wait();
		disk.remove(s);
		EXPECT_EQ(memory.stats().used_bytes, 0) << seed;
	}
	expect_clean(disk);
	EXPECT_EQ(memory.stats().torrents, 0);
}

// What a large torrent leaves is dropped by a thread of the memory's, and is the next torrent's at once all the same.
CONTRACT_TEST(memory, a_large_torrent_that_is_removed_makes_room_for_the_next_at_once, 7)
{
	constexpr std::int64_t large = std::int64_t{24} << 20;
	shape const film{"film", protocol::v1, 256 << 10, {large}};
	memory_disk const memory({.capacity_bytes = large + (1 << 20), .hash_threads = 1});
	disk_harness disk(memory.constructor());
	test_torrent const first(film, 1);
	test_torrent const second(film, 2);
	auto* s = &disk.add(first);
	disk.write_all(*s);
	for (auto const& next : {&second, &first, &second})
	{
		disk.remove(*s);
		s = &disk.add(*next);
		EXPECT_EQ(write_what_fits(disk, *s).size(), next->blocks().size());
		EXPECT_LE(memory.stats().peak_bytes, memory.capacity_bytes());
	}
	for (auto const p : second.pieces()) expect_right_hash(disk.hash(*s, p), second, p);
	expect_clean(disk);
}

// Few calls are timed, and stand for all: the copy of a block is seen all the same.
CONTRACT_TEST(memory, libtorrents_timers_go_on, 10)
{
	memory_disk const memory({.capacity_bytes = 4 << 20, .hash_threads = 1});
	disk_harness disk(memory.constructor());
	test_torrent const t(two_mib);
	auto const& s = disk.add(t);
	auto const before = disk.counter(lt::counters::disk_write_time);
	disk.write_all(s);
	disk.settle();
	EXPECT_GT(disk.counter(lt::counters::disk_write_time), before);
	EXPECT_GE(disk.counter(lt::counters::disk_job_time), disk.counter(lt::counters::disk_write_time));
	expect_clean(disk);
}

CONTRACT_TEST(memory, cleared_pieces_and_deleted_files_give_their_memory_back, 27, 28)
{
	memory_disk const memory({.capacity_bytes = smallest, .hash_threads = 1});
	disk_harness disk(memory.constructor());
	test_torrent const t(two_mib);
	auto const& s = disk.add(t);
	disk.write_piece(s, lt::piece_index_t{0});
	disk.write_piece(s, lt::piece_index_t{1});
	disk.settle();
	disk.clear_piece(s, lt::piece_index_t{0}).wait();
	disk.settle();
	EXPECT_EQ(memory.stats().used_bytes, 256 << 10);
	disk.delete_files(s, lt::session::delete_files).wait();
	disk.settle();
	EXPECT_EQ(memory.stats().used_bytes, 0);
	expect_clean(disk);
}

CONTRACT_TEST(memory, several_sessions_share_one_capacity, 10)
{
	memory_disk const memory({.capacity_bytes = smallest, .hash_threads = 1});
	disk_harness first(memory.constructor());
	disk_harness second(memory.constructor());
	test_torrent const a(two_mib, 1);
	test_torrent const b(two_mib, 2);
	auto& on_first = first.add(a);
	auto& on_second = second.add(b);
	auto const taken_first = write_what_fits(first, on_first);
	auto const taken_second = write_what_fits(second, on_second);
	EXPECT_LE(static_cast<int>(taken_first.size() + taken_second.size()), smallest_blocks);
	EXPECT_LE(memory.stats().used_bytes, smallest);
	EXPECT_EQ(memory.stats().torrents, 2);
	for (auto const& k : taken_first)
		EXPECT_TRUE(first.read(on_first, k).wait().bytes() == a.bytes(k));
	for (auto const& k : taken_second)
		EXPECT_TRUE(second.read(on_second, k).wait().bytes() == b.bytes(k));
	// The end of one session makes room in the other.
	expect_clean(first);
	EXPECT_GE(static_cast<int>(write_what_fits(second, on_second).size()), smallest_blocks / 2);
	expect_clean(second);
	EXPECT_EQ(memory.stats().used_bytes, 0);
}

// At the same time, from two network threads.
CONTRACT_TEST(memory, sessions_on_two_threads_do_not_disturb_each_other, 10)
{
	memory_disk const memory({.capacity_bytes = 64 << 20, .hash_threads = 2});
	auto const run = [&](std::uint64_t const seed) {
		disk_harness disk(memory.constructor());
		test_torrent const t(shape_named("hybrid_many_files"), seed);
		for (int i = 0; i < 10; ++i)
		{
			auto& s = disk.add(t);
			disk.write_all(s);
			expect_all_readable(disk, s);
			disk.remove(s);
		}
		expect_clean(disk);
	};
	std::thread other(run, 2);
	run(1);
	other.join();
	EXPECT_EQ(memory.stats().used_bytes, 0);
	EXPECT_EQ(memory.stats().torrents, 0);
}

// Look-ups by any hash of the torrent.
CONTRACT_TEST(memory, a_torrent_is_found_by_each_of_its_hashes, 6)
{
	memory_disk const memory({.capacity_bytes = smallest, .hash_threads = 1});
	disk_harness disk(memory.constructor());
	for (auto const name : {"v1_many_files", "v2_many_files", "hybrid_many_files"})
	{
		SCOPED_TRACE(name);
		test_torrent const t(shape_named(name));
		auto& s = disk.add(t);
		auto const hashes = t.info()->info_hashes();
		EXPECT_TRUE(memory.torrent(hashes.get_best()).alive());
		lt::add_torrent_params resume;
		resume.ti = std::make_shared<lt::torrent_info>(*t.info());
		resume.info_hashes = hashes;
		disk.check_files(s, &resume).wait();
		EXPECT_TRUE(memory.torrent(hashes).alive());
		if (hashes.has_v1())
		{
			EXPECT_TRUE(memory.torrent(hashes.v1).alive());
			EXPECT_TRUE(memory.torrent(lt::info_hash_t(hashes.v1)).alive());
		}
		if (hashes.has_v2())
		{
			EXPECT_TRUE(memory.torrent(lt::sha1_hash(hashes.v2.data())).alive());
			EXPECT_TRUE(memory.torrent(lt::info_hash_t(hashes.v2)).alive());
		}
		EXPECT_EQ(memory.torrent(hashes).num_pieces().value(), t.num_pieces());
		disk.remove(s);
		EXPECT_FALSE(memory.torrent(hashes).alive());
	}
	EXPECT_FALSE(memory.torrent(sha1_of("never added")).alive());
	expect_clean(disk);
}

TEST(memory, a_handle_shows_states_and_lends_bytes)
{
	memory_disk const memory({.capacity_bytes = smallest, .hash_threads = 1});
	disk_harness disk(memory.constructor());
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto& s = disk.add(t);
	auto const handle = memory.torrent(t.info()->info_hashes().get_best());
	lt::piece_index_t const piece{0};
	EXPECT_EQ(handle.state(piece).value(), piece_state::absent);
	EXPECT_TRUE(handle.view(piece, 0, 10, false).error().is(errc::not_in_memory));
	disk.write(s, t.blocks(piece).front()).wait();
	EXPECT_EQ(handle.state(piece).value(), piece_state::partial);
	disk.write_all(s);
	EXPECT_EQ(handle.state(piece).value(), piece_state::complete);
	EXPECT_TRUE(handle.view(piece, 0, 10).error().is(errc::not_verified));
	EXPECT_TRUE(handle.view(lt::piece_index_t{99}, 0, 10, false).error().is(errc::no_such_piece));
	EXPECT_TRUE(handle.state(lt::piece_index_t{-1}).error().is(errc::no_such_piece));
	EXPECT_TRUE(handle.view(piece, -1, 10, false).error().is(errc::out_of_range));
	EXPECT_TRUE(handle.view(piece, 256 << 10, 1, false).error().is(errc::out_of_range));

	auto const lent = handle.view(piece, 10'000, 50'000, false);
	ASSERT_TRUE(lent);
	std::string bytes;
	for (auto const v : lent->views()) bytes.append(v.data(), v.size());
	EXPECT_TRUE(bytes == t.bytes(piece, 10'000, 50'000));
	// A lease is a share of the bytes, not of the torrent or the disk.
	expect_clean(disk);
	bytes.clear();
	for (auto const v : lent->views()) bytes.append(v.data(), v.size());
	EXPECT_TRUE(bytes == t.bytes(piece, 10'000, 50'000));
	EXPECT_TRUE(handle.view(piece, 0, 10, false).error().is(errc::no_such_torrent));
}

// The removal counts, not the end of the work on the blocks.
CONTRACT_TEST(memory, a_handle_and_the_owner_end_with_the_removal_while_hashes_are_outstanding, 6, 7)
{
	memory_disk const memory({.capacity_bytes = 8 << 20, .hash_threads = 1});
	disk_harness disk(memory.constructor());
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto& s = disk.add(t);
	disk.write_all(s);
	auto const handle = memory.torrent(t.info()->info_hashes().get_best());
	std::vector<pending<hash_result>> hashes;
	disk.event([&] {
		for (auto const p : t.pieces()) hashes.push_back(disk.hash(s, p));
		EXPECT_TRUE(handle.alive());
		disk.remove(s);
		EXPECT_FALSE(handle.alive());
		EXPECT_TRUE(s.owner.expired());
		EXPECT_TRUE(handle.num_pieces().error().is(errc::no_such_torrent));
	});
	for (auto const& h : hashes)
		if (!aborted(h.wait().error)) expect_right_hash(h, t, h.wait().piece);
	expect_clean(disk);
	EXPECT_EQ(memory.stats().used_bytes, 0);
}

TEST(memory, statistics_count_the_work)
{
	memory_disk const memory({.capacity_bytes = smallest, .hash_threads = 1});
	EXPECT_EQ(memory.stats().capacity_bytes, smallest);
	EXPECT_EQ(memory.capacity_bytes(), smallest);
	disk_harness disk(memory.constructor());
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto& s = disk.add(t);
	expect_missing(disk.read(s, t.blocks().front()));
	disk.write_all(s);
	for (auto const& b : t.blocks()) disk.read(s, b).wait();
	disk.read(s, lt::piece_index_t{0}, 100, block_bytes).wait();
	for (auto const p : t.pieces()) disk.hash(s, p).wait();
	disk.settle();
	auto const stats = memory.stats();
	auto const blocks = static_cast<std::int64_t>(t.blocks().size());
	EXPECT_EQ(stats.torrents, 1);
	EXPECT_EQ(stats.used_bytes, blocks * block_bytes);
	EXPECT_GE(stats.peak_bytes, stats.used_bytes);
	EXPECT_EQ(stats.blocks_written, blocks);
	EXPECT_EQ(stats.blocks_read, blocks + 1);
	EXPECT_EQ(stats.reads_missed, 1);
	EXPECT_EQ(stats.reads_copied, 1);
	EXPECT_EQ(stats.pieces_hashed, t.num_pieces());
	EXPECT_EQ(stats.writes_refused, 0);
	expect_clean(disk);
	EXPECT_EQ(memory.stats().hash_jobs, 0);
}

TEST(memory, options_out_of_range_throw_and_say_the_range)
{
	EXPECT_THROW(memory_disk({.capacity_bytes = smallest - 1}), std::invalid_argument);
	EXPECT_THROW(memory_disk({.capacity_bytes = -1}), std::invalid_argument);
	EXPECT_THROW(memory_disk({.capacity_bytes = smallest, .hash_threads = -1}), std::invalid_argument);
	EXPECT_THROW(memory_disk({.capacity_bytes = smallest, .hash_threads = 65}), std::invalid_argument);
	EXPECT_NO_THROW(memory_disk({.capacity_bytes = smallest + 1, .hash_threads = 64}));
	EXPECT_EQ(memory_disk({.capacity_bytes = smallest + 1}).capacity_bytes(), smallest);
}

} // namespace slipstream::test
