// Single orders of forgetting, each for a rule whose breach a long run of them does not notice: what is lost comes a second
// later, or costs only peers.
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

namespace {

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
		plugin = make_extension(core, std::shared_ptr<memory_events>(), who);
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
	std::shared_ptr<fake_peer> peer() { return peer_of(*film); }
	static std::shared_ptr<fake_peer> peer_of(fake_torrent& t)
	{
		auto p = t.connect(1, true);
		t.shake_hands(*p, true);
		t.greet(*p);
		return p;
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

TEST_F(forgetting_by_hand, a_piece_half_here_that_is_wanted_again_while_it_goes_stays_wanted)
{
	begin(wanting::told);
	auto const p = peer();
	film->set_priority(0, 7);
	for (int b = 0; b < 2; ++b) film->send(*p, 0, b, false);
	deliver();
	film->set_priority(0, 0);
	film->tick(); // it begins to go
	ASSERT_FALSE(film->lacks(0, 0));
	film->set_priority(0, 7);
	deliver();
	EXPECT_TRUE(film->lacks(0, 0)) << "it has gone";
	EXPECT_EQ(film->priority(0), 7);
}

TEST_F(forgetting_by_hand, nobody_is_blamed_for_a_piece_that_an_application_gave_when_there_was_no_room)
{
	begin(wanting::told);
	auto const p = peer();
	film->set_priority(0, 7);
	film->send(*p, 0, 0, false); // its write is held
	film->send(*p, 0, 1, false); // and this one has the peer's name
	deliver();
	std::vector<unique_block> all;
	while (auto b = core->pool.acquire()) all.push_back(std::move(b));
	film->give(0);
	deliver(); // its hash is wrong; fake_torrent says who is blamed
	EXPECT_TRUE(film->lacks(0, 0));
	EXPECT_EQ(film->priority(0), 7);
	all.clear();
}

// Of what an application gives libtorrent hears no cancelling: only a hash that is wrong makes it ask for the piece again.
TEST_F(forgetting_by_hand, what_an_application_gave_when_there_was_no_room_is_asked_for_again_though_peers_were_cancelled_before_it)
{
	begin(wanting::told);
	auto const p = peer();
	film->set_priority(0, 7);
	std::vector<unique_block> all;
	while (auto b = core->pool.acquire()) all.push_back(std::move(b));
	film->send(*p, 0, 0, false);
	deliver();
	ASSERT_TRUE(film->lacks(0, 0));
	film->give(0);
	deliver();
	for (int b = 0; b < piece_blocks; ++b) EXPECT_TRUE(film->lacks(0, b)) << b;
	EXPECT_EQ(film->priority(0), 7);
}

TEST_F(forgetting_by_hand, how_much_an_application_wants_what_is_withheld_is_what_it_said_last)
{
	begin(wanting::limited);
	for (int p = 0; p < num_pieces; ++p) film->set_priority(p, 4);
	film->tick();
	ASSERT_EQ(film->priority(39), 0);
	film->set_priority(39, 6);
	film->tick();
	EXPECT_EQ(film->priority(39), 0) << "there is no room";
	ASSERT_EQ(read_from(39, 1), 1);
	deliver();
	EXPECT_EQ(film->priority(39), 6);
}

TEST_F(forgetting_by_hand, each_change_of_protections_is_looked_at_without_waiting_for_a_second)
{
	begin(wanting::limited);
	for (int p = 0; p < num_pieces; ++p) film->set_priority(p, 4);
	for (int const first : {0, 10, 20})
	{
		ASSERT_EQ(read_from(first, 3), 3);
		deliver();
		for (int p = 0; p < num_pieces; ++p) EXPECT_EQ(film->priority(p), p >= first && p < first + 3 ? 4 : 0) << p;
	}
}

TEST_F(forgetting_by_hand, a_block_that_was_cancelled_is_asked_for_again_within_a_second)
{
	begin(wanting::told);
	auto const p = peer();
	for (int const wanted : {5, 6}) film->set_priority(wanted, 7);
	film->tick();
	auto const before = film->looks_at_peers();
	film->send(*p, 30, 0, false); // which nobody wants
	deliver();
	EXPECT_TRUE(film->lacks(30, 0));
	EXPECT_EQ(film->looks_at_peers(), before);
	film->tick();
	EXPECT_EQ(film->looks_at_peers(), before + 1);
	for (int const wanted : {5, 6}) EXPECT_EQ(film->priority(wanted), 7);
	film->tick();
	EXPECT_EQ(film->looks_at_peers(), before + 1) << "once";
}

TEST_F(forgetting_by_hand, what_was_cancelled_is_asked_for_again_though_more_is_cancelled_all_the_time)
{
	begin(wanting::told);
	auto const p = peer();
	for (int const wanted : {5, 6}) film->set_priority(wanted, 7);
	film->tick();
	auto const before = film->looks_at_peers();
	for (int second = 0; second < 4; ++second)
	{
		film->send(*p, 30 + second, 0, false);
		film->tick(); // before libtorrent hears that this one is cancelled
		deliver();
	}
	EXPECT_EQ(film->looks_at_peers(), before + 3);
	film->tick();
	EXPECT_EQ(film->looks_at_peers(), before + 4) << "the last one as well";
	film->tick();
	EXPECT_EQ(film->looks_at_peers(), before + 4);
}

// The head of a window is two pieces: of each a block was cancelled.
TEST_F(forgetting_by_hand, what_was_cancelled_of_pieces_that_are_begun_is_asked_for_again_once)
{
	for (int const num : {1, 2})
	{
		SCOPED_TRACE(num);
		if (num == 1) begin(wanting::told);
		auto const p = peer();
		for (int i = 0; i < num; ++i) film->set_priority(4 * num + i, 7);
		film->tick();
		for (int i = 0; i < num; ++i) film->send(*p, 4 * num + i, 0, false);
		deliver();
		std::vector<unique_block> all;
		while (auto b = core->pool.acquire()) all.push_back(std::move(b));
		for (int i = 0; i < num; ++i) film->send(*p, 4 * num + i, 1, false);
		deliver();
		all.clear();
		deliver();
		auto const before = film->looks_at_peers();
		auto const finished = film->times_finished();
		for (int second = 0; second < 3; ++second) film->tick();
		EXPECT_EQ(film->looks_at_peers(), before + 1);
		EXPECT_EQ(film->times_finished(), finished);
		for (int i = 0; i < num; ++i) for (int b = 1; b < piece_blocks; ++b) film->send(*p, 4 * num + i, b, false);
		deliver();
	}
}

TEST_F(forgetting_by_hand, a_torrent_that_wants_one_piece_more_asks_again_without_having_finished)
{
	begin(wanting::told);
	auto const p = peer();
	film->set_priority(5, 7);
	auto const finished = film->times_finished();
	auto const looks = film->looks_at_peers();
	film->send(*p, 30, 0, false);
	deliver();
	film->tick();
	EXPECT_EQ(film->looks_at_peers(), looks + 1);
	EXPECT_EQ(film->times_finished(), finished);
	for (int i = 0; i < num_pieces; ++i) EXPECT_EQ(film->priority(i), i == 5 ? 7 : 0) << i;
}

TEST_F(forgetting_by_hand, a_piece_that_passes_twice_is_counted_again_by_one_recheck_and_none_is_held_after_it)
{
	begin(wanting::told);
	for (int const piece : {0, 1}) film->set_priority(piece, 7);
	auto const send = [&](int const piece) {
		auto const p = peer();
		for (int b = 0; b < piece_blocks; ++b) film->send(*p, piece, b, false);
		deliver();
		ASSERT_TRUE(film->has_passed(piece));
	};
	send(0);
	ASSERT_FALSE(film->has_flushed(0)) << "one of its writes is held";
	// As libtorrent does when a peer's hashes of it are right.
	for (int time = 0; time < 2; ++time) film->part().on_piece_pass(lt::piece_index_t(0));
	EXPECT_EQ(rechecks, 0) << "libtorrent is in the middle of counting";
	deliver();
	EXPECT_EQ(rechecks, 1);
	EXPECT_TRUE(film->has_flushed(0));
	send(1);
	EXPECT_TRUE(film->has_flushed(1));
	film->tick();
	deliver();
	EXPECT_EQ(rechecks, 1);
}

TEST_F(forgetting_by_hand, room_that_is_only_being_prepared_is_not_worth_a_recheck)
{
	begin(wanting::told);
	// An application gives them: they are libtorrent's for good, and only a recheck could free them.
	for (int p = 0; p < 11; ++p)
	{
		film->give(p);
		deliver();
		ASSERT_TRUE(film->has_flushed(p));
	}
	ASSERT_EQ(read_from(20, 5), 5); // still to come
	ASSERT_FALSE(core->cache.is_low());
	ASSERT_LT(core->pool.headroom_blocks(), core->cache.prepared_free_blocks());
	deliver();
	film->tick();
	deliver();
	EXPECT_EQ(rechecks, 0);
	for (int p = 0; p < 11; ++p) EXPECT_TRUE(film->has_flushed(p)) << p;
}

// libtorrent clears no piece that it finds wrong while it checks, so that it is still here when others are to come in its place.
TEST_F(forgetting_by_hand, a_piece_that_a_recheck_found_wrong_makes_way_where_nothing_else_does)
{
	begin(wanting::told);
	film->set_priority(0, 7);
	auto const p = peer();
	for (int b = 0; b < piece_blocks; ++b) film->send(*p, 0, b, true);
	ios.restart();
	ios.poll(); // all but its hash
	film->force_recheck();
	deliver();
	ASSERT_FALSE(film->has_passed(0));
	ASSERT_TRUE(film->lacks(0, 0));
	std::vector<unique_block> all;
	while (auto b = core->pool.acquire()) all.push_back(std::move(b));
	ASSERT_EQ(core->find_owned_by(film.get())->pieces().num_blocks(), piece_blocks);
	auto const again = peer();
	for (int b = 0; b < piece_blocks; ++b) film->send(*again, 0, b, false);
	deliver();
	EXPECT_TRUE(film->has_passed(0));
}

// The same where somebody holds the old blocks, a hash or a peer that reads them.
TEST_F(forgetting_by_hand, a_piece_that_a_recheck_found_wrong_is_not_hashed_in_the_place_of_what_was_cancelled)
{
	begin(wanting::told);
	film->set_priority(0, 7);
	auto const send = [&](bool const lies) {
		auto const p = peer();
		for (int b = 0; b < piece_blocks; ++b) film->send(*p, 0, b, lies);
	};
	send(true);
	ios.restart();
	ios.poll();
	film->force_recheck();
	deliver();
	ASSERT_TRUE(film->lacks(0, 0));
	auto& pieces = core->find_owned_by(film.get())->pieces();
	std::vector<block_ref> held;
	for (int b = 0; b < piece_blocks; ++b) held.push_back(pieces.block(lt::piece_index_t(0), b));
	std::vector<unique_block> all;
	while (auto b = core->pool.acquire()) all.push_back(std::move(b));
	send(false);
	deliver(); // fake_torrent says whether it could come again
	EXPECT_FALSE(film->has_passed(0));
	held.clear();
	all.clear();
	send(false);
	deliver();
	EXPECT_TRUE(film->has_passed(0));
}

// Its reader may wait for ever: the pieces are not wanted, or no peer has them.
TEST_F(forgetting_by_hand, nobody_goes_for_what_a_reader_waits_for_in_the_place_of_what_a_recheck_frees)
{
	begin(wanting::limited);
	for (int p = 0; p < 8; ++p)
	{
		film->give(p);
		deliver();
		ASSERT_TRUE(film->has_flushed(p));
	}
	other = add(2);
	ASSERT_EQ(read_from(20, 3), 3); // which the application does not want
	for (int p = 0; p < num_pieces; ++p) other->set_priority(p, 4);
	auto const passed = [&] {
		int n = 0;
		for (int p = 0; p < num_pieces; ++p) n += other->has_passed(p) ? 1 : 0;
		return n;
	};
	EXPECT_TRUE(comes_to_rest());
	EXPECT_EQ(num_going, 0);
	EXPECT_EQ(rechecks, 0);
	auto const share = passed();
	EXPECT_EQ(share, core->cache.share_blocks(core->find_owned_by(other.get())->cache_id()) / piece_blocks);
	ASSERT_FALSE(core->cache.is_low());
	ASSERT_LT(core->pool.headroom_blocks(), core->cache.prepared_free_blocks());

	// Then they are wanted, and come, in the room of what goes by the recheck.
	for (int p = 20; p < 23; ++p) film->set_priority(p, 7);
	EXPECT_TRUE(comes_to_rest());
	for (int p = 20; p < 23; ++p) EXPECT_TRUE(film->has_passed(p)) << p;
	EXPECT_EQ(rechecks, 1);
	EXPECT_EQ(passed(), share);
	EXPECT_GE(core->pool.headroom_blocks(), core->cache.prepared_free_blocks());
}

// Peers read all of the film each second; what it has is libtorrent's for good, so that it goes by a recheck and not at once.
TEST_F(forgetting_by_hand, a_torrent_comes_to_its_share_though_peers_read_what_another_has_beyond_its_own)
{
	begin(wanting::limited);
	ASSERT_TRUE(core->set_capacity(2 << 20));
	for (int p = 0; p < 20; ++p)
	{
		film->give(p);
		deliver();
		ASSERT_TRUE(film->has_flushed(p));
	}
	other = add(2);
	for (int p = 0; p < num_pieces; ++p) other->set_priority(p, 4);
	auto const lacks_one = [&](int const piece) {
		for (int b = 0; b < piece_blocks; ++b)
			if (other->lacks(piece, b)) return b;
		return -1;
	};
	int sent = 0;
	for (int second = 0; second < 300; ++second)
	{
		for (auto const& t : {film, other}) t->tick();
		deliver();
		for (int p = 0; p < 20; ++p) core->find_owned_by(film.get())->touched(lt::piece_index_t(p));
		auto const p = other->peers().empty() ? peer_of(*other) : other->peers().front();
		for (int piece = 0; piece < num_pieces && !p->stopped; ++piece)
		{
			if (other->priority(piece) == 0 || lacks_one(piece) < 0) continue;
			other->send(*p, piece, lacks_one(piece), false); // one block a second
			deliver();
			++sent;
			break;
		}
	}
	auto const share = core->cache.share_blocks(core->find_owned_by(other.get())->cache_id());
	EXPECT_EQ(sent, share / piece_blocks * piece_blocks) << "each block once";
	EXPECT_EQ(core->find_owned_by(other.get())->pieces().num_blocks(), sent);
}

} // namespace

} // namespace slipstream::test
