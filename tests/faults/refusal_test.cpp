// What the system, and those around the disk, may refuse to do: map memory, run the io_context, come back.
#include "faults/allocations.hpp"
#include "support/stepped_disk.hpp"

#include <slipstream/memory_disk.hpp>

#include <libtorrent/disk_observer.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace slipstream::test {

namespace {

constexpr int num_blocks = 600; // more than two regions of the pool
constexpr lt::piece_index_t piece{0};

struct one_torrent
{
	one_torrent()
	{
		files.set_piece_length(num_blocks * block_bytes);
		files.add_file("film", std::int64_t(num_blocks) * block_bytes);
		files.set_num_pieces(1);
		holder = stepped.add(files, lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa"));
	}

	lt::error_code write(int const block, std::shared_ptr<lt::disk_observer> observer = nullptr)
	{
		std::vector<char> const bytes(block_bytes, static_cast<char>('a' + block % 26));
		lt::error_code ec;
		stepped.disk().async_write(holder, {piece, block * block_bytes, block_bytes}, bytes.data(), std::move(observer)
			, stepped.counted([&](lt::storage_error const& e) { ec = e.ec; }), {});
		stepped.deliver();
		return ec;
	}
	bool has(int const block)
	{
		bool right = false;
		stepped.disk().async_read(holder, {piece, block * block_bytes, block_bytes}
			, stepped.counted([&](lt::disk_buffer_holder b, lt::storage_error const& e) {
				right = !e.ec && b && b.data()[block_bytes - 1] == static_cast<char>('a' + block % 26);
			}), {});
		stepped.deliver();
		return right;
	}

	memory_disk memory{{.capacity_bytes = 16 << 20, .hash_threads = 1}};
	stepped_disk stepped{memory.constructor()};
	lt::file_storage files;
	lt::storage_holder holder;
};

// Other threads may have blocks in their hands for a moment.
bool comes_home(memory_disk const& memory)
{
	auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
	while (memory.stats().used_bytes > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
	return memory.stats().used_bytes == 0;
}

} // namespace

TEST(a_system_that_maps_no_memory, fails_writes_and_loses_nothing)
{
	one_torrent t;
	int written = 0;
	{
		refused_mappings const refused;
		EXPECT_EQ(t.write(0), boost::system::errc::no_space_on_device);
		EXPECT_GT(refused.refusals(), 0);
	}
	for (; written < 100; ++written) EXPECT_FALSE(t.write(written));
	int refused_writes = 0;
	{
		// What is mapped already serves on.
		refused_mappings const refused;
		for (int b = written; b < num_blocks; ++b)
		{
			if (t.write(b)) ++refused_writes;
			else ++written;
		}
		for (int b = 0; b < written; ++b) ASSERT_TRUE(t.has(b)) << b;
	}
	EXPECT_EQ(written, 255); // a region
	EXPECT_EQ(refused_writes, num_blocks - 255);
	for (; written < num_blocks; ++written) EXPECT_FALSE(t.write(written));
	for (int b = 0; b < num_blocks; ++b) ASSERT_TRUE(t.has(b)) << b;
}

// Memory is given back with madvise, and huge pages are asked for: hints.
TEST(a_system_that_takes_no_advice, changes_nothing)
{
	one_torrent t;
	for (int b = 0; b < 300; ++b) EXPECT_FALSE(t.write(b));
	{
		refused_mappings const refused;
		EXPECT_TRUE(t.memory.set_capacity_bytes(8 << 20)); // trims
		EXPECT_GT(refused.refusals(), 0);
	}
	for (int b = 0; b < 300; ++b) ASSERT_TRUE(t.has(b)) << b;
	t.holder.reset();
	EXPECT_TRUE(comes_home(t.memory));
}

// What it leaves is handed to another thread, which takes memory; without it the caller drops it.
TEST(a_large_torrent_that_is_removed, needs_no_memory_and_is_gone)
{
	for (auto const where : {failing_allocation::where::this_thread, failing_allocation::where::other_threads})
	{
		memory_disk memory({.capacity_bytes = 32 << 20, .hash_threads = 1});
		stepped_disk stepped(memory.constructor());
		lt::file_storage files;
		files.set_piece_length(256 << 10);
		files.add_file("film", 24 << 20);
		files.set_num_pieces(96);
		auto holder = stepped.add(files, lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa"));
		std::vector<char> const bytes(block_bytes, 'x');
		for (int p = 0; p < 96; ++p)
			for (int b = 0; b < 16; ++b)
				stepped.disk().async_write(holder, {lt::piece_index_t(p), b * block_bytes, block_bytes}, bytes.data(), nullptr
					, stepped.counted([](lt::storage_error const& e) { EXPECT_FALSE(e.ec); }), {});
		stepped.deliver();
		bool const here = where == failing_allocation::where::this_thread;
		failing_allocation const f(1, where);
		holder.reset();
		if (here)
		{
			EXPECT_EQ(memory.stats().used_bytes, 0);
		}
		EXPECT_TRUE(comes_home(memory));
		EXPECT_EQ(f.failed(), here);
	}
}

TEST(an_io_context_that_is_stopped_early, leaves_no_block_and_no_handler_behind)
{
	memory_disk memory({.capacity_bytes = 16 << 20, .hash_threads = 2});
	auto const alive = std::make_shared<int>();
	{
		stepped_disk stepped(memory.constructor());
		lt::file_storage files;
		files.set_piece_length(2 * block_bytes);
		files.add_file("film", 20 * block_bytes);
		files.set_num_pieces(10);
		auto holder = stepped.add(files, lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa"));
		std::vector<char> const bytes(block_bytes, 'x');
		for (int p = 0; p < 10; ++p)
		{
			lt::piece_index_t const at(p);
			for (int b = 0; b < 2; ++b)
				stepped.disk().async_write(holder, {at, b * block_bytes, block_bytes}, bytes.data(), nullptr
					, [alive](lt::storage_error const&) {}, {});
			stepped.disk().async_read(holder, {at, 5, block_bytes}, [alive](lt::disk_buffer_holder, lt::storage_error const&) {}, {});
			stepped.disk().async_hash(holder, at, {}, lt::disk_interface::v1_hash
				, [alive](lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&) {});
			stepped.disk().async_clear_piece(holder, at, [alive](lt::piece_index_t) {});
		}
		stepped.disk().async_stop_torrent(holder, [alive] {});
		holder.reset();
		stepped.end_without_delivery();
	}
	EXPECT_EQ(alive.use_count(), 1) << "a handler was kept";
	EXPECT_EQ(memory.stats().used_bytes, 0);
	EXPECT_EQ(memory.stats().torrents, 0);
	EXPECT_EQ(memory.stats().hash_jobs, 0);
}

// It is told to stop and hears when to go on, and does nothing with either: others do not wait for it.
TEST(a_disk_observer_that_never_comes_back, keeps_nobody_waiting)
{
	struct observer final : lt::disk_observer
	{
		int told = 0;
		void on_disk() override { ++told; }
	};
	one_torrent t;
	auto const silent = std::make_shared<observer>();
	auto const other = std::make_shared<observer>();
	auto gone = std::make_shared<observer>();
	std::vector<char> const bytes(block_bytes, 'x');
	bool over = false;
	for (int b = 0; b < 200; ++b) // more than max_queued_disk_bytes
		over |= t.stepped.disk().async_write(t.holder, {piece, b * block_bytes, block_bytes}, bytes.data()
			, b % 3 == 0 ? silent : b % 3 == 1 ? other : gone, t.stepped.counted([](lt::storage_error const&) {}), {});
	EXPECT_TRUE(over);
	gone.reset();
	t.stepped.deliver();
	EXPECT_EQ(silent->told, 1);
	EXPECT_EQ(other->told, 1);
	EXPECT_FALSE(t.write(300, other));
	EXPECT_EQ(t.stepped.delivered(), t.stepped.calls());
}

} // namespace slipstream::test
