// The life of storages and of the buffers they lent: contract 1, 6 to 10.
#include "conformance/conformance.hpp"

#include <thread>

namespace slipstream::test {

class lifetime : public conformance {};
SLIPSTREAM_ON_EVERY_DISK(lifetime);

// The references in storage_params are the harness's temporaries, gone when new_torrent
// returned.
CONTRACT_TEST_P(lifetime, nothing_in_storage_params_is_needed_after_the_call, 6)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	disk.check_files(s, nullptr).wait();
	disk.write_all(s);
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(lifetime, the_owner_is_kept_until_the_removal, 6)
{
	test_torrent const t(shape_named("v1_16k_pieces"));
	auto& s = disk.add(t);
	disk.write_all(s);
	disk.event([&] {
		bool const held_by_disk = s.owner.use_count() > 1;
		EXPECT_EQ(held_by_disk, !deviates());
	});
}

// An intended cycle, so the disk must be the one to break it.
CONTRACT_TEST_P(lifetime, the_owner_is_let_go_by_the_removal, 6)
{
	test_torrent const t(shape_named("v1_16k_pieces"));
	auto& s = disk.add(t);
	disk.write_all(s);
	disk.stop_torrent(s).wait();
	disk.settle();
	disk.remove(s);
	EXPECT_TRUE(s.owner.expired());
}

CONTRACT_TEST_P(lifetime, the_owner_is_let_go_after_a_removal_with_work_outstanding, 6, 7)
{
	test_torrent const t(shape_named("v1_16k_pieces"));
	auto& s = disk.add(t);
	disk.write_all(s);
	disk.event([&] {
		for (auto const p : t.pieces()) disk.hash(s, p);
		disk.remove(s);
	});
	disk.finish();
	EXPECT_TRUE(s.owner.expired());
}

CONTRACT_TEST_P(lifetime, a_removal_with_operations_outstanding_delivers_every_handler, 7)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto& s = disk.add(t);
	disk.write_all(s);
	std::vector<pending<read_result>> reads;
	std::vector<pending<write_result>> writes;
	std::vector<pending<hash_result>> hashes;
	pending<hash2_result> hash2;
	pending<done_result> release;
	pending<clear_result> clear;
	auto const blocks = t.blocks();
	disk.event([&] {
		for (auto const& b : blocks)
		{
			reads.push_back(disk.read(s, b));
			writes.push_back(disk.write(s, b));
		}
		for (auto const p : t.pieces()) hashes.push_back(disk.hash(s, p));
		hash2 = disk.hash2(s, lt::piece_index_t{0}, 0);
		release = disk.release_files(s);
		clear = disk.clear_piece(s, lt::piece_index_t{0});
		disk.remove(s);
	});
	for (std::size_t i = 0; i < blocks.size(); ++i)
	{
		auto const& r = reads[i].wait();
		if (!r.error.ec) { EXPECT_TRUE(r.bytes() == t.bytes(blocks[i])) << i; }
		writes[i].wait();
	}
	for (auto const& h : hashes) if (!h.wait().error.ec) expect_right_hash(h, t, h.wait().piece);
	hash2.wait();
	release.wait();
	clear.wait();
}

// The send queue of a peer is the last to let go.
CONTRACT_TEST_P(lifetime, buffers_outlive_the_removal_and_abort, 7)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	test_torrent const other(shape_named("v1_256k_pieces"), 2);
	auto& s = disk.add(t);
	disk.write_all(s);
	std::vector<std::pair<block_range, pending<read_result>>> held;
	disk.event([&] {
		for (auto const& b : t.blocks()) held.emplace_back(b, disk.read(s, b));
	});
	auto const straddling = disk.read(s, lt::piece_index_t{0}, 16'000, 1000);
	straddling.wait();
	for (auto const& h : held) h.second.wait();
	disk.remove(s);
	auto const& next = disk.add(other, "b");
	disk.write_all(next);
	for (auto const& [b, read] : held) EXPECT_TRUE(read.wait().bytes() == t.bytes(b)) << b.start;
	disk.finish();
	for (auto const& [b, read] : held) EXPECT_TRUE(read.wait().bytes() == t.bytes(b)) << b.start;
	EXPECT_TRUE(straddling.wait().bytes() == t.bytes(lt::piece_index_t{0}, 16'000, 1000));
}

// A read that is still under way when its torrent goes.
CONTRACT_TEST_P(lifetime, a_buffer_delivered_after_the_removal_is_right, 7)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const t(shape_named("v1_256k_pieces"));
	test_torrent const other(shape_named("v1_256k_pieces"), 2);
	auto& s = disk.add(t);
	disk.write_all(s);
	pending<read_result> read;
	auto const block = t.blocks().front();
	disk.event([&] {
		read = disk.read(s, block);
		disk.remove(s);
	});
	auto const& next = disk.add(other, "b");
	disk.write_all(next);
	auto const& r = read.wait();
	if (!r.error.ec) { EXPECT_TRUE(r.bytes() == t.bytes(block)); }
}

CONTRACT_TEST_P(lifetime, a_reused_index_never_meets_work_of_the_old_torrent, 8)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const old_content(shape_named("v1_256k_pieces"), 1);
	test_torrent const new_content(shape_named("v1_256k_pieces"), 2);
	auto const blocks = old_content.blocks();
	lt::piece_index_t const piece{0};
	for (int round = 0; round < 20; ++round)
	{
		auto& old_torrent = disk.add(old_content, "old" + std::to_string(round));
		disk.write_piece(old_torrent, piece);
		disk_harness::storage* fresh = nullptr;
		std::vector<pending<read_result>> old_reads;
		std::vector<pending<read_result>> too_early;
		pending<hash_result> old_hash;
		pending<clear_result> old_clear;
		disk.event([&] {
			for (auto const& b : blocks) disk.write(old_torrent, b);
			old_hash = disk.hash(old_torrent, piece);
			for (auto const& b : blocks) old_reads.push_back(disk.read(old_torrent, b));
			old_clear = disk.clear_piece(old_torrent, piece);
			disk.remove(old_torrent);
			fresh = &disk.add(new_content, "new" + std::to_string(round));
			for (auto const& b : blocks) too_early.push_back(disk.read(*fresh, b));
			for (auto const& b : blocks) disk.write(*fresh, b);
		});
		old_clear.wait();
		for (auto const& r : too_early) expect_missing(r);
		for (std::size_t i = 0; i < blocks.size(); ++i)
			if (!old_reads[i].wait().error.ec)
			{ EXPECT_TRUE(old_reads[i].wait().bytes() == old_content.bytes(blocks[i])); }
		if (!old_hash.wait().error.ec) { EXPECT_EQ(old_hash.wait().v1, old_content.v1_hash(piece)); }
		expect_all_readable(disk, *fresh);
		disk.remove(*fresh);
	}
}

CONTRACT_TEST_P(lifetime, many_torrents_come_and_go, 8)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	for (int i = 0; i < 50; ++i)
	{
		auto& a = disk.add(t, "a" + std::to_string(i));
		auto& b = disk.add(t, "b" + std::to_string(i));
		disk.write_piece(a, lt::piece_index_t{0});
		disk.remove(a);
		disk.write_piece(b, lt::piece_index_t{0});
		expect_right_hash(disk.hash(b, lt::piece_index_t{0}), t, lt::piece_index_t{0});
		disk.remove(b);
	}
}

// Whoever held a buffer may give it back, on any thread, while the disk works.
CONTRACT_TEST_P(lifetime, buffers_may_be_given_back_on_any_thread, 1)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	auto const blocks = t.blocks();
	std::vector<std::vector<pending<read_result>>> held(4);
	disk.event([&] {
		for (auto& share : held)
			for (auto const& b : blocks) share.push_back(disk.read(s, b));
	});
	for (auto const& share : held) for (auto const& r : share) r.wait();
	std::vector<std::thread> threads;
	for (auto& share : held)
		threads.emplace_back([&share] { for (auto const& r : share) r.wait().buffer.reset(); });
	disk.write_all(s);
	for (auto& th : threads) th.join();
	expect_all_readable(disk, s);
}

// Each session has a disk object of its own.
CONTRACT_TEST_P(lifetime, disks_of_several_sessions_live_side_by_side, 10)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	{
		disk_harness second(GetParam().make());
		auto const& other = second.add(t);
		disk.write_all(s);
		second.write_all(other);
		expect_all_readable(second, other);
		second.destroy();
		EXPECT_EQ(GetParam().name == "mmap" ? std::size_t{0} : second.broken_handler_rules().size(), 0u);
	}
	expect_all_readable(disk, s);
}

// Destroyed after abort, when the io_context ran dry, with torrents never removed one
// by one.
CONTRACT_TEST_P(lifetime, a_disk_ends_with_torrents_full_of_data, 10)
{
	test_torrent const t(shape_named("v1_many_files"));
	disk.write_all(disk.add(t, "a"));
	disk.write_all(disk.add(t, "b"));
	disk.destroy();
	EXPECT_THAT(disk.broken_handler_rules(), testing::IsEmpty());
}

} // namespace slipstream::test
