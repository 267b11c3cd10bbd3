// What single orders of forgetting share.
#pragma once

#include "disk/asking_again.hpp"
#include "disk/disk_core.hpp"
#include "disk/extension.hpp"
#include "disk/memory_disk_io.hpp"
#include "disk/torrent_storage.hpp"
#include "interleavings/fake_torrent.hpp"
#include "interleavings/manual_hasher.hpp"
#include "support/disk_harness.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace slipstream::test {

// A film of 40 pieces of 4 blocks, in a memory of 64 blocks, and in some tests another; with the real plugin, under libtorrent's
// torrent by hand. Their application wants nothing to begin with.
struct forgetting_by_hand : ::testing::Test
{
	static constexpr int piece_blocks = 4;
	static constexpr int num_pieces = 40;

	handlers calls{[](std::string const& what) { ADD_FAILURE() << what; }};
	lt::io_context ios;
	shared_settings settings{lt::settings_pack{}};
	lt::counters counters;
	std::shared_ptr<disk_core> core = std::make_shared<disk_core>(
		memory_disk_options{.capacity_bytes = memory_disk::min_capacity_bytes, .evict = true, .hold_always = true});
	struct failures final : memory_events
	{
		std::vector<int> pieces;
		void piece_verified(lt::info_hash_t const&, lt::piece_index_t) override {}
		void piece_gone(lt::info_hash_t const&, lt::piece_index_t) override {}
		void piece_failed(lt::info_hash_t const&, lt::piece_index_t const p) override { pieces.push_back(static_cast<int>(p)); }
	};
	std::shared_ptr<failures> events = std::make_shared<failures>();
	std::unique_ptr<memory_disk_io> disk;
	std::shared_ptr<lt::plugin> plugin;
	std::shared_ptr<fake_torrent> film;
	std::shared_ptr<fake_torrent> other;
	int rechecks = 0;
	int num_going = 0; // pieces that began to go, each time

	void begin(wanting const who)
	{
		settings.set_int(lt::settings_pack::connections_limit, 1);
		disk = std::make_unique<memory_disk_io>(ios, settings, counters, core);
		plugin = make_extension(core, events, who);
		film = add(1);
	}
	std::shared_ptr<fake_torrent> add(int const number)
	{
		lt::file_storage files;
		files.set_piece_length(piece_blocks * int(block_bytes));
		files.add_file("film", std::int64_t{num_pieces} * piece_blocks * int(block_bytes));
		files.set_num_pieces(num_pieces);
		lt::sha1_hash name;
		name[0] = name[1] = static_cast<char>(number);
		auto t = std::make_shared<fake_torrent>(files, name, fake_torrent::surroundings{*disk, calls
			, [](std::string const& what) { ADD_FAILURE() << what; }, [this](std::string const&) { ++rechecks; }
			, [this](fake_torrent&, int) { ++num_going; }}, number);
		t->begin(*plugin);
		for (int p = 0; p < num_pieces; ++p) t->set_priority(p, 0);
		t->tick();
		deliver();
		return t;
	}
	void TearDown() override
	{
		film->remove();
		if (other) other->remove();
		disk->abort(true);
		deliver();
		EXPECT_TRUE(film->gone());
		EXPECT_TRUE(!other || other->gone());
		plugin.reset();
		film.reset();
		other.reset();
		deliver();
		disk.reset();
		calls.judge();
		EXPECT_EQ(core->pool.used_blocks(), 0);
	}

	// Everything that is due, with what that makes due.
	void deliver()
	{
		auto& workers = the_workers();
		do
		{
			while (workers.has_queued()) workers.begin();
			while (!workers.running.empty()) workers.finish(0);
			ios.restart();
		}
		while (ios.poll() > 0 || !workers.idle());
	}
	static void want_all(fake_torrent& t)
	{
		for (int p = 0; p < num_pieces; ++p) t.set_priority(p, 4);
	}
	// An application gives the film's first pieces: they are libtorrent's for good, and only a recheck could free them.
	void give_for_good(int const count)
	{
		for (int p = 0; p < count; ++p)
		{
			film->give(p);
			deliver();
			ASSERT_TRUE(film->has_flushed(p));
		}
	}
	std::shared_ptr<fake_peer> peer() { return peer_of(*film); }
	static std::shared_ptr<fake_peer> peer_of(fake_torrent& t)
	{
		auto p = t.connect(1, true);
		t.shake_hands(*p, true);
		t.greet(*p);
		return p;
	}
	// A peer that comes sends all of the film's first piece. All is delivered but the piece's hash.
	void send_first_piece(bool const lies)
	{
		auto const p = peer();
		for (int b = 0; b < piece_blocks; ++b) film->send(*p, 0, b, lies);
		ios.restart();
		ios.poll();
	}
	// The film's first piece is wanted, whole, and wrong, and libtorrent, which found that in a check, lacks it.
	void have_first_piece_found_wrong()
	{
		film->set_priority(0, 7);
		send_first_piece(true);
		film->force_recheck();
		deliver();
		ASSERT_FALSE(film->has_passed(0));
		ASSERT_TRUE(film->lacks(0, 0));
		ASSERT_EQ(pieces().num_blocks(), piece_blocks);
	}
	[[nodiscard]] piece_store& pieces() { return core->find_owned_by(film.get())->pieces(); }
	[[nodiscard]] std::vector<unique_block> take_all_memory()
	{
		std::vector<unique_block> all;
		while (auto b = core->pool.acquire()) all.push_back(std::move(b));
		return all;
	}
	// A second, in which a torrent's peer sends what is wanted until it is told to stop. Answers how many blocks.
	int second_of(fake_torrent& t)
	{
		t.tick();
		deliver();
		if (t.is_checking()) return 0;
		auto const p = t.peers().empty() ? peer_of(t) : t.peers().front();
		int sent = 0;
		for (int piece = 0; piece < num_pieces; ++piece)
			for (int b = 0; b < piece_blocks && !p->stopped; ++b)
			{
				if (t.priority(piece) == 0 || !t.lacks(piece, b)) continue;
				t.send(*p, piece, b, false);
				deliver();
				++sent;
			}
		return sent;
	}
	// Seconds pass for both until nothing is sent any more; false when that does not come.
	bool comes_to_rest()
	{
		for (int second = 0, quiet = 0; second < 60; ++second)
		{
			quiet = second_of(*film) + second_of(*other) > 0 ? 0 : quiet + 1;
			if (quiet == 3) return true;
		}
		return false;
	}
	// As memory_torrent does it.
	int read_from(int const first, int const count)
	{
		std::vector<int> pieces;
		for (int i = 0; i < count; ++i) pieces.push_back(first + i);
		auto const s = core->find_owned_by(film.get());
		auto const given = core->cache.protect(s->cache_id(), cache::protection::reader, std::move(pieces));
		s->protections_changed();
		core->cache.make_room();
		return given.pieces;
	}
};

} // namespace slipstream::test
