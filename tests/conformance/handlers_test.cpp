// Threads and handlers: contract 1 to 5, 9.
#include "conformance/conformance.hpp"

#include <functional>
#include <vector>

namespace slipstream::test {

class handlers : public conformance {};
SLIPSTREAM_ON_EVERY_DISK(handlers);

namespace {

// One call of every kind, in an order that keeps the data until the end.
std::vector<std::function<bool()>> start_one_of_each(disk_harness& disk
	, disk_harness::storage const& s)
{
	std::vector<std::function<bool()>> called;
	auto const note = [&](auto const& p) { called.push_back([p] { return p.called(); }); };
	lt::piece_index_t const piece{0};
	note(disk.check_files(s, nullptr));
	note(disk.hash(s, piece));
	if (s.content->has_v2()) note(disk.hash2(s, piece, 0));
	note(disk.move(s, "elsewhere"));
	note(disk.rename(s, lt::file_index_t{0}, "renamed"));
	note(disk.set_priorities(s, {lt::low_priority}));
	note(disk.release_files(s));
	note(disk.clear_piece(s, piece));
	note(disk.stop_torrent(s));
	note(disk.delete_files(s, lt::session::delete_files));
	return called;
}

} // namespace

CONTRACT_TEST_P(handlers, every_handler_is_posted_and_called_once, 2)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	block_range const first = t.blocks().front();
	pending<write_result> write;
	pending<read_result> read;
	int called_in_the_event = 0;
	std::vector<std::function<bool()>> called;
	disk.event([&] {
		write = disk.write(s, first);
		read = disk.read(s, first);
		called = start_one_of_each(disk, s);
		for (auto const& c : called) if (c()) ++called_in_the_event;
		if (write.called()) ++called_in_the_event;
	});
	read.wait();
	EXPECT_EQ(called_in_the_event, 0);
	// Each handler's number of calls, thread and end are checked after the test.
	if (deviates()) { EXPECT_TRUE(read.record().inside_a_call); }
	else { EXPECT_FALSE(read.record().inside_a_call); }
}

// The same for reads that fail.
CONTRACT_TEST_P(handlers, the_handler_of_a_failed_read_is_posted, 2)
{
	test_torrent const t(shape_named("v1_16k_pieces"));
	auto const& s = disk.add(t);
	auto const read = disk.read(s, t.blocks().front());
	expect_missing(read);
	EXPECT_FALSE(read.record().inside_a_call);
}

CONTRACT_TEST_P(handlers, run_on_the_network_thread, 1, 2)
{
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	auto const hash = disk.hash(s, lt::piece_index_t{0});
	auto const read = disk.read(s, t.blocks().back());
	hash.wait();
	read.wait();
	EXPECT_FALSE(hash.record().off_network_thread);
	EXPECT_FALSE(read.record().off_network_thread);
}

CONTRACT_TEST_P(handlers, may_be_empty_for_release_files_and_stop_torrent, 3)
{
	test_torrent const t(shape_named("v1_16k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	disk.call([&](lt::disk_interface& d) {
		d.async_release_files(s.index);
		d.async_stop_torrent(s.index);
		d.async_release_files(s.index, nullptr);
		d.async_stop_torrent(s.index, nullptr);
	});
	// Something behind them, to see that they were done and nothing fell over.
	disk.stop_torrent(s).wait();
	expect_all_readable(disk, s);
}

// Work of several events, submitted once.
CONTRACT_TEST_P(handlers, one_submit_serves_a_batch, 4)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	std::vector<pending<write_result>> writes;
	disk.event([&] {
		for (auto const& b : t.blocks()) writes.push_back(disk.write(s, b));
	}, submit::no);
	disk.event([] {}, submit::yes);
	for (auto const& w : writes) EXPECT_FALSE(w.wait().error.ec);
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(handlers, submit_without_work_is_harmless, 4)
{
	for (int i = 0; i < 10; ++i) disk.event([] {});
	test_torrent const t(shape_named("v1_one_byte"));
	auto const& s = disk.add(t);
	disk.event([] {});
	disk.write_all(s);
	expect_all_readable(disk, s);
}

// A handler holds peers; keeping it keeps them.
CONTRACT_TEST_P(handlers, are_destroyed_once_they_were_called, 5)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	auto const write = disk.write(s, t.blocks().front());
	auto const read = disk.read(s, t.blocks().front());
	auto const hash = disk.hash(s, lt::piece_index_t{0});
	auto const stop = disk.stop_torrent(s);
	write.record().wait_until_destroyed();
	read.record().wait_until_destroyed();
	hash.record().wait_until_destroyed();
	stop.record().wait_until_destroyed();
	EXPECT_EQ(hash.record().times_called(), 1);
}

// A magnet link whose metadata never came.
CONTRACT_TEST_P(handlers, a_disk_that_never_had_a_torrent_ends, 9)
{
	disk.finish();
	EXPECT_THAT(disk.broken_handler_rules(), testing::IsEmpty());
}

CONTRACT_TEST_P(handlers, a_torrent_that_was_never_used_can_be_removed, 9)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto& s = disk.add(t);
	disk.remove(s);
	auto const& again = disk.add(t);
	disk.write_all(again);
	expect_all_readable(disk, again);
}

} // namespace slipstream::test
