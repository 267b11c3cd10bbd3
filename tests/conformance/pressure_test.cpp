// Back-pressure, counters and settings: contract 13, 30, 31.
#include "conformance/conformance.hpp"

namespace slipstream::test {

class pressure : public conformance {};
SLIPSTREAM_ON_EVERY_DISK(pressure);

CONTRACT_TEST_P(pressure, a_full_queue_says_so_and_tells_the_observer_once, 13)
{
	disk.change_setting(lt::settings_pack::max_queued_disk_bytes, 4 * block_bytes);
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	std::vector<std::pair<std::shared_ptr<watermark_observer>, pending<write_result>>> peers;
	disk.event([&] {
		for (auto const& b : t.blocks())
		{
			auto const observer = disk.make_observer();
			peers.emplace_back(observer, disk.write(s, b.piece, b.start, t.bytes(b), observer));
		}
	});
	int told_to_wait = 0;
	for (auto const& [observer, write] : peers)
	{
		EXPECT_FALSE(write.wait().error.ec);
		if (!write.wait().over_watermark) continue;
		++told_to_wait;
		observer->wait_until_told();
	}
	if (deviates()) EXPECT_EQ(told_to_wait, 0);
	else EXPECT_GT(told_to_wait, 0);
	disk.stop_torrent(s).wait();
	disk.settle();
	for (auto const& [observer, write] : peers)
	{
		EXPECT_EQ(observer->times_told(), write.wait().over_watermark ? 1 : 0);
		EXPECT_TRUE(observer->told_properly()) << "told inside a call, or off the network thread";
	}
	expect_all_readable(disk, s);
}

// One peer, many blocks on their way.
CONTRACT_TEST_P(pressure, an_observer_of_several_writes_is_told_once, 13)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	disk.change_setting(lt::settings_pack::max_queued_disk_bytes, 2 * block_bytes);
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	auto const observer = disk.make_observer();
	std::vector<pending<write_result>> writes;
	disk.event([&] {
		for (auto const& b : t.blocks())
			writes.push_back(disk.write(s, b.piece, b.start, t.bytes(b), observer));
	});
	observer->wait_until_told();
	for (auto const& w : writes) w.wait();
	disk.stop_torrent(s).wait();
	disk.settle();
	EXPECT_EQ(observer->times_told(), 1);
	EXPECT_TRUE(observer->told_properly());
}

// The peer was disconnected meanwhile.
CONTRACT_TEST_P(pressure, an_observer_that_is_gone_is_forgotten, 13)
{
	disk.change_setting(lt::settings_pack::max_queued_disk_bytes, 2 * block_bytes);
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	std::vector<pending<write_result>> writes;
	std::weak_ptr<watermark_observer> gone;
	disk.event([&] {
		auto observer = disk.make_observer();
		gone = observer;
		for (auto const& b : t.blocks())
			writes.push_back(disk.write(s, b.piece, b.start, t.bytes(b), observer));
		observer.reset();
		EXPECT_TRUE(gone.expired()) << "the disk keeps the peer alive";
	});
	for (auto const& w : writes) EXPECT_FALSE(w.wait().error.ec);
	expect_all_readable(disk, s);
}

// Told, or gone with the disk; the end does not wait for it.
CONTRACT_TEST_P(pressure, a_full_queue_does_not_keep_the_disk_from_ending, 13, 32)
{
	disk.change_setting(lt::settings_pack::max_queued_disk_bytes, block_bytes);
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	auto const observer = disk.make_observer();
	disk.event([&] {
		for (auto const& b : t.blocks()) disk.write(s, b.piece, b.start, t.bytes(b), observer);
	});
	disk.destroy();
	EXPECT_TRUE(observer->told_properly());
}

// A raised limit ends the pressure.
CONTRACT_TEST_P(pressure, below_the_limit_nobody_waits, 13)
{
	disk.change_setting(lt::settings_pack::max_queued_disk_bytes, 64 * 1024 * 1024);
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	std::vector<pending<write_result>> writes;
	disk.event([&] {
		for (auto const& b : t.blocks())
			writes.push_back(disk.write(s, b.piece, b.start, t.bytes(b), disk.make_observer()));
	});
	for (auto const& w : writes) EXPECT_FALSE(w.wait().over_watermark);
}

CONTRACT_TEST_P(pressure, counters_of_blocks_grow_with_the_work, 30)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	auto const written = disk.counter(lt::counters::num_blocks_written);
	auto const read = disk.counter(lt::counters::num_blocks_read);
	auto const hash_time = disk.counter(lt::counters::disk_hash_time);
	disk.write_all(s);
	auto const blocks = static_cast<std::int64_t>(t.blocks().size());
	EXPECT_EQ(disk.counter(lt::counters::num_blocks_written) - written, blocks);
	for (auto const& b : t.blocks()) disk.read(s, b).wait();
	EXPECT_EQ(disk.counter(lt::counters::num_blocks_read) - read, blocks);
	// 25 MiB and more take microseconds on any machine.
	for (int i = 0; i < 100; ++i) disk.hash(s, lt::piece_index_t{0}).wait();
	EXPECT_GT(disk.counter(lt::counters::disk_hash_time), hash_time);
}

CONTRACT_TEST_P(pressure, gauges_show_what_is_outstanding, 30)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto& s = disk.add(t);
	std::vector<pending<write_result>> writes;
	disk.event([&] {
		for (auto const& b : t.blocks()) writes.push_back(disk.write(s, b));
		EXPECT_GE(disk.counter(lt::counters::queued_disk_jobs), 1);
	});
	for (auto const& w : writes) w.wait();
	disk.stop_torrent(s).wait();
	disk.settle();
	auto const blocks = static_cast<std::int64_t>(writes.size());
	EXPECT_EQ(disk.counter(lt::counters::queued_disk_jobs), 0);
	EXPECT_EQ(disk.counter(lt::counters::disk_blocks_in_use), blocks);
	// Gauges are set, not added to.
	EXPECT_EQ(disk.counter(lt::counters::disk_blocks_in_use), blocks);
	disk.remove(s);
	EXPECT_EQ(disk.counter(lt::counters::disk_blocks_in_use), 0);
}

// Libtorrent counts these itself, up at the call and down in the handler.
CONTRACT_TEST_P(pressure, the_gauge_of_queued_bytes_is_left_to_libtorrent, 30)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	disk.event([&] {
		for (auto const& b : t.blocks()) disk.write(s, b);
		EXPECT_EQ(disk.counter(lt::counters::queued_write_bytes), 0);
	});
	EXPECT_EQ(disk.counter(lt::counters::queued_write_bytes), 0);
}

// Also when its torrent is gone.
CONTRACT_TEST_P(pressure, a_held_buffer_is_a_block_in_use, 7, 30)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const t(shape_named("v1_16k_pieces"));
	auto& s = disk.add(t);
	disk.write_all(s);
	auto const read = disk.read(s, t.blocks().front());
	auto const straddling = disk.read(s, t.blocks().back());
	read.wait();
	straddling.wait();
	disk.stop_torrent(s).wait();
	disk.remove(s);
	EXPECT_EQ(disk.counter(lt::counters::disk_blocks_in_use), 2);
	read.wait().buffer.reset();
	EXPECT_EQ(disk.counter(lt::counters::disk_blocks_in_use), 1);
	straddling.wait().buffer.reset();
	EXPECT_EQ(disk.counter(lt::counters::disk_blocks_in_use), 0);
}

CONTRACT_TEST_P(pressure, settings_may_change_at_any_time, 31)
{
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto const& s = disk.add(t);
	int threads = 1;
	for (int const queued : {block_bytes, 1, 8 << 20, 0})
	{
		std::vector<pending<hash_result>> hashes;
		disk.event([&] {
			for (auto const& b : t.blocks()) disk.write(s, b);
			for (auto const p : t.pieces()) hashes.push_back(disk.hash(s, p));
			disk.change_setting(lt::settings_pack::max_queued_disk_bytes, queued);
			disk.change_setting(lt::settings_pack::hashing_threads, threads);
			disk.change_setting(lt::settings_pack::aio_threads, threads);
		});
		threads = threads % 3 + 1;
		for (auto const& h : hashes) expect_right_hash(h, t, h.wait().piece);
	}
	expect_all_readable(disk, s);
}

} // namespace slipstream::test
