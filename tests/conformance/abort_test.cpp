// The end: contract 4, 7, 32.
#include "conformance/conformance.hpp"

namespace slipstream::test {

class abort : public conformance {};
SLIPSTREAM_ON_EVERY_DISK(abort);

namespace {

// Work of every slow kind, outstanding when the disk is told to end.
std::vector<pending<hash_result>> keep_busy(disk_harness& disk, disk_harness::storage const& s)
{
	std::vector<pending<hash_result>> hashes;
	for (auto const& b : s.content->blocks()) disk.read(s, b);
	for (auto const& b : s.content->blocks()) disk.write(s, b);
	for (int i = 0; i < 20; ++i)
		for (auto const p : s.content->pieces())
			hashes.push_back(disk.hash(s, p, i % 2 ? checking : lt::disk_job_flags_t{}));
	disk.release_files(s);
	disk.stop_torrent(s);
	return hashes;
}

void expect_right_or_aborted(std::vector<pending<hash_result>> const& hashes, test_torrent const& t)
{
	for (auto const& h : hashes)
		if (!aborted(h.wait().error)) expect_right_hash(h, t, h.wait().piece);
}

} // namespace

// As a session does it. The fixture checks that each handler was called once.
CONTRACT_TEST_P(abort, delivers_every_outstanding_handler, 32)
{
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	std::vector<pending<hash_result>> hashes;
	disk.event([&] {
		hashes = keep_busy(disk, s);
		disk.abort(false);
	}, submit::no);
	expect_right_or_aborted(hashes, t);
	disk.finish();
}

CONTRACT_TEST_P(abort, with_wait_returns_and_delivers_every_outstanding_handler, 32)
{
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	std::vector<pending<hash_result>> hashes;
	disk.event([&] { hashes = keep_busy(disk, s); });
	disk.abort(true);
	expect_right_or_aborted(hashes, t);
	disk.finish();
}

CONTRACT_TEST_P(abort, twice_is_harmless, 32)
{
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	std::vector<pending<hash_result>> hashes;
	disk.event([&] { hashes = keep_busy(disk, s); });
	disk.abort(false);
	disk.abort(true);
	disk.abort(false);
	expect_right_or_aborted(hashes, t);
}

// Without submit_jobs().
CONTRACT_TEST_P(abort, a_call_after_abort_is_aborted, 4, 32)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	lt::piece_index_t const piece{0};
	pending<write_result> write;
	pending<hash_result> hash;
	pending<hash2_result> hash2;
	pending<move_result> move;
	pending<check_result> check;
	pending<rename_result> rename;
	pending<priority_result> priority;
	pending<delete_result> deletion;
	pending<clear_result> clear;
	pending<done_result> release;
	pending<done_result> stop;
	disk.abort(false);
	disk.event([&] {
		write = disk.write(s, t.blocks(piece).front());
		hash = disk.hash(s, piece);
		hash2 = disk.hash2(s, piece, 0);
		move = disk.move(s, "elsewhere");
		check = disk.check_files(s, nullptr);
		rename = disk.rename(s, lt::file_index_t{0}, "renamed");
		priority = disk.set_priorities(s, {lt::low_priority});
		deletion = disk.delete_files(s, lt::session::delete_files);
		clear = disk.clear_piece(s, piece);
		release = disk.release_files(s);
		stop = disk.stop_torrent(s);
	}, submit::no);
	release.wait();
	stop.wait();
	EXPECT_EQ(clear.wait().piece, piece);
	bool const expected = !deviates();
	EXPECT_EQ(aborted(write.wait().error), expected);
	EXPECT_EQ(aborted(hash.wait().error), expected);
	EXPECT_EQ(hash.wait().piece, piece);
	EXPECT_EQ(aborted(hash2.wait().error), expected);
	EXPECT_EQ(aborted(move.wait().error), expected);
	EXPECT_EQ(aborted(check.wait().error), expected);
	EXPECT_EQ(aborted(rename.wait().error), expected);
	EXPECT_EQ(aborted(priority.wait().error), expected);
	EXPECT_EQ(aborted(deletion.wait().error), expected);
}

CONTRACT_TEST_P(abort, a_read_after_abort_is_aborted_and_hands_over_no_buffer, 4, 15, 32)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	disk.abort(false);
	pending<read_result> read;
	disk.event([&] { read = disk.read(s, t.blocks().front()); }, submit::no);
	EXPECT_TRUE(aborted(read.wait().error));
	EXPECT_FALSE(read.wait().buffer);
}

// An idle disk, and one without torrents.
CONTRACT_TEST_P(abort, of_an_idle_disk_ends, 32)
{
	test_torrent const t(shape_named("v1_one_byte"));
	auto& s = disk.add(t);
	disk.write_all(s);
	disk.remove(s);
	disk.abort(true);
	disk.destroy();
	disk_harness unused(GetParam().make());
	unused.abort(true);
	unused.destroy();
}

// Torrents are removed before and after.
CONTRACT_TEST_P(abort, torrents_may_be_removed_after_it, 7, 32)
{
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto& s = disk.add(t);
	disk.write_all(s);
	auto const held = disk.read(s, t.blocks().front());
	held.wait();
	disk.event([&] { keep_busy(disk, s); });
	disk.abort(false);
	disk.remove(s);
	disk.finish();
	EXPECT_TRUE(held.wait().bytes() == t.bytes(t.blocks().front()));
}

} // namespace slipstream::test
