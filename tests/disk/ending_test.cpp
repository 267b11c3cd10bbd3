// A disk that ends out of order: its io_context was stopped early, and handlers still hold what they hold.
#include <slipstream/memory_disk.hpp>

#include <libtorrent/disk_interface.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/performance_counters.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/storage_defs.hpp>

#include <gtest/gtest.h>

using namespace slipstream;

namespace {

// What libtorrent's torrent is to a disk: the owner of its own storage_holder.
struct torrent { lt::storage_holder storage; };

struct session
{
	memory_disk memory{memory_disk_options{.capacity_bytes = 4 << 20}};
	lt::io_context ioc;
	lt::settings_pack settings = lt::default_settings();
	lt::counters counters;
	std::unique_ptr<lt::disk_interface> disk = memory.constructor()(ioc, settings, counters);
	lt::file_storage files;
	lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities;
	lt::peer_request const block{lt::piece_index_t(0), 0, block_size_bytes};
	std::vector<char> const bytes = std::vector<char>(block_size_bytes, 'x');

	session()
	{
		files.set_piece_length(block_size_bytes);
		files.add_file("a", block_size_bytes);
		files.set_num_pieces(1);
	}
	std::shared_ptr<torrent> add()
	{
		auto t = std::make_shared<torrent>();
		t->storage = disk->new_torrent({files, nullptr, "/nowhere", lt::storage_mode_sparse, priorities
			, lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa")}, t);
		return t;
	}
};

TEST(a_disk_whose_io_context_never_ran, may_die_with_a_fence_behind_a_hash_that_holds_its_torrent)
{
	session s;
	auto t = s.add();
	s.disk->async_write(t->storage, s.block, s.bytes.data(), nullptr, [t](lt::storage_error const&) {}, {});
	s.disk->async_hash(t->storage, lt::piece_index_t(0), {}, lt::disk_interface::v1_hash
		, [t](lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&) {});
	s.disk->async_stop_torrent(t->storage, [t] {});
	std::weak_ptr<torrent> const gone = t;
	t.reset();
	s.disk.reset();
	EXPECT_TRUE(gone.expired());
	EXPECT_EQ(s.memory.stats().used_bytes, 0);
	EXPECT_EQ(s.memory.stats().torrents, 0);
}

TEST(a_disk_whose_io_context_never_ran, may_die_with_reads_whose_buffers_were_not_delivered)
{
	session s;
	auto t = s.add();
	s.disk->async_write(t->storage, s.block, s.bytes.data(), nullptr, [](lt::storage_error const&) {}, {});
	for (int i = 0; i < 10; ++i)
		s.disk->async_read(t->storage, s.block, [t](lt::disk_buffer_holder, lt::storage_error const&) {}, {});
	t.reset();
	s.disk.reset();
	EXPECT_EQ(s.memory.stats().used_bytes, 0);
}

TEST(a_handler_that_throws, does_not_keep_others_from_theirs_nor_a_stop_from_completing)
{
	session s;
	auto const t = s.add();
	int called = 0;
	bool stopped = false;
	s.disk->async_write(t->storage, s.block, s.bytes.data(), nullptr
		, [](lt::storage_error const&) { throw std::runtime_error("a handler's own"); }, {});
	s.disk->async_hash(t->storage, lt::piece_index_t(0), {}, lt::disk_interface::v1_hash
		, [](lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&)
		{ throw std::runtime_error("another's"); });
	s.disk->async_read(t->storage, s.block, [&](lt::disk_buffer_holder, lt::storage_error const&) { ++called; }, {});
	s.disk->async_stop_torrent(t->storage, [&] { stopped = true; });
	int thrown = 0;
	for (;;)
	{
		try { s.ioc.run(); break; }
		catch (std::runtime_error const&) { ++thrown; }
	}
	EXPECT_EQ(thrown, 2);
	EXPECT_EQ(called, 1);
	EXPECT_TRUE(stopped);
	t->storage.reset();
}

} // namespace
