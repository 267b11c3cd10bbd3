// A piece that was found right while there was no memory: it is here, whoever waits for it hears, and it can go again.
#include "disk/disk_core.hpp"
#include "disk/torrent_storage.hpp"
#include "faults/allocations.hpp"

#include <libtorrent/io_context.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace slipstream::test {

namespace {

constexpr int piece_blocks = 4;
constexpr int num_pieces = 20;
constexpr lt::piece_index_t piece{7};

struct who_waits final : memory_events
{
	int verified = 0;
	void piece_verified(lt::info_hash_t const&, lt::piece_index_t) override { ++verified; }
	void piece_gone(lt::info_hash_t const&, lt::piece_index_t) override {}
};

// A torrent in a memory of 64 blocks, one piece of which is whole.
struct world
{
	lt::io_context ios;
	std::shared_ptr<disk_core> core = std::make_shared<disk_core>(
		memory_disk_options{.capacity_bytes = memory_disk::min_capacity_bytes, .hash_threads = 1, .evict = true});
	std::shared_ptr<completion_queue> completions = std::make_shared<completion_queue>(ios
		, std::make_shared<std::atomic<std::int64_t>>(0));
	std::shared_ptr<who_waits> waiting = std::make_shared<who_waits>();
	std::shared_ptr<torrent_storage> storage;

	world()
	{
		lt::file_storage files;
		files.set_piece_length(piece_blocks * int(block_bytes));
		files.add_file("film", std::int64_t{num_pieces} * piece_blocks * int(block_bytes));
		files.set_num_pieces(num_pieces);
		storage = std::make_shared<torrent_storage>(core, geometry(files), std::make_shared<int>()
			, lt::info_hash_t(lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa")), completions);
		storage->enter_cache();
		storage->report_to(waiting);
		for (int b = 0; b < piece_blocks; ++b) storage->write(piece, b, core->pool.acquire().freeze());
	}
	~world()
	{
		storage->remove();
		ios.poll();
		completions->close();
	}
	// Memory is full, and the cache names what may go: whether it names something, which is the piece.
	[[nodiscard]] bool may_go()
	{
		std::vector<unique_block> all;
		while (auto b = core->pool.acquire()) all.push_back(std::move(b));
		auto const before = completions->pushed();
		core->cache.make_room();
		return completions->pushed() > before;
	}
};

TEST(a_piece_that_is_verified_without_memory, is_here_and_may_go_a_second_later)
{
	bool some_failed = false;
	for (int nth = 1;; ++nth)
	{
		world w;
		bool threw = false;
		bool failed = false;
		{
			failing_allocation const f(nth);
			try { w.storage->verified(piece); }
			catch (std::bad_alloc const&) { threw = true; }
			failed = f.failed();
		}
		some_failed |= failed;
		EXPECT_FALSE(threw) << "allocation " << nth;
		EXPECT_EQ(w.storage->pieces().state(piece), piece_state::verified) << "allocation " << nth;
		EXPECT_EQ(w.waiting->verified, 1) << "allocation " << nth;
		w.storage->tell_cache_what_it_missed();
		EXPECT_TRUE(w.may_go()) << "allocation " << nth;
		if (!failed) break;
	}
	EXPECT_TRUE(some_failed) << "it asks for memory";
}

} // namespace

} // namespace slipstream::test
