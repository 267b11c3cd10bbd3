// Forgetting at the limits: a memory that is full of what cannot go, pieces of one block, torrents with pieces of
// different length, what was refused and fits later.
#include "forgetting_film.hpp"

#include <memory>
#include <optional>

using namespace slipstream;
using namespace slipstream::test;

namespace {

seeder_options slow()
{
	seeder_options o;
	o.close_redundant_connections = false;
	o.upload_limit_bytes_s = 64 * 1024;
	return o;
}

lt::torrent_handle add_ready(memory_session& mine, shared_files const& files)
{
	auto t = mine.add(files);
	EXPECT_TRUE(mine.run_until([&] { return t.status().state >= lt::torrent_status::downloading; }));
	return t;
}

bool is_verified(memory_torrent const& m, int const piece)
{
	auto const s = m.state(lt::piece_index_t(piece));
	return s && *s == piece_state::verified;
}

TEST(forgetting_limits, a_piece_given_while_memory_is_full_costs_an_honest_peer_nothing)
{
	constexpr int length = film_piece_bytes;
	shared_files const files("film", {{"film", 60 * length}}, torrent_kind::v1, length);
	seeder const seed(files, slow());
	memory_session mine(memory_disk({.capacity_bytes = 24 * length, .evict = true, .hold_always = true}), 4);
	auto const t = add_ready(mine, files);
	auto const memory = mine.disk().torrent(files.hashes());
	auto const piece_of = [&](int const i) { return files.content(0).data() + std::size_t(i) * length; };
	for (int i = 10; i < 22; ++i) t.add_piece(lt::piece_index_t(i), piece_of(i), {});
	ASSERT_TRUE(mine.run_until([&] { return is_verified(memory, 21); }));
	std::vector<lease> pins; // so that they cannot go
	for (int i = 10; i < 22; ++i) pins.push_back(*memory.view(lt::piece_index_t(i), 0, length));
	ASSERT_TRUE(memory.set_reader_pieces({lt::piece_index_t(0)}).has_value());
	t.connect_peer(seed.endpoint());
	auto const blocks = [&] {
		int n = 0;
		char c = 0;
		for (int b = 0; b < 8; ++b)
			n += memory.read(lt::piece_index_t(0), b * block_size_bytes, std::span(&c, 1), false).has_value();
		return n;
	};
	// The peer brings a part of piece 0, the application gives all of it, and there is no room for the rest.
	for (int round = 0; round < 4; ++round)
	{
		auto const failed = mine.failed;
		ASSERT_TRUE(mine.run_until([&] { return blocks() >= 2; })) << round;
		ASSERT_TRUE(mine.disk().set_capacity_bytes(10 * length).has_value());
		t.add_piece(lt::piece_index_t(0), piece_of(0), {});
		static_cast<void>(t.status({})); // the piece has been given by now
		ASSERT_TRUE(mine.disk().set_capacity_bytes(24 * length).has_value());
		ASSERT_TRUE(mine.run_until([&] { return mine.failed > failed || is_verified(memory, 0); })) << round;
		if (is_verified(memory, 0)) break;
	}
	EXPECT_EQ(t.status().total_failed_bytes, 0);
	EXPECT_EQ(mine.bans, 0);
	ASSERT_TRUE(mine.run_until([&] { return is_verified(memory, 0); }));
}

TEST(forgetting_limits, read_ahead_of_a_seeding_torrent_goes_with_one_recheck)
{
	film f(torrent_kind::v1, 24, 48);
	ASSERT_TRUE(f.until([&] { return f.torrent.status().state == lt::torrent_status::seeding && f.verified(0, f.count); }));
	f.read_at(0, 24);
	auto const smaller = 12 * film_piece_bytes;
	ASSERT_TRUE(f.mine.disk().set_capacity_bytes(smaller).has_value());
	ASSERT_TRUE(f.until([&] { return f.mine.disk().stats().used_bytes <= smaller && f.agrees(); })) << f.dump();
	EXPECT_LE(f.checked->checks(), 4) << "one recheck does for many pieces";
	EXPECT_TRUE(f.verified(0, 2)) << f.dump();
	f.read_at(12, 16);
	ASSERT_TRUE(f.until([&] { return f.verified(12, 16); })) << f.dump();
	f.nobody_is_blamed();
}

TEST(forgetting_limits, a_last_piece_of_one_block_comes_again_and_again)
{
	constexpr int length = film_piece_bytes;
	shared_files const files("film", {{"film", 40 * length + 5000}}, torrent_kind::v1, length);
	seeder_options patient;
	patient.close_redundant_connections = false;
	seeder const seed(files, patient);
	memory_session mine(memory_disk({.capacity_bytes = 16 * length, .evict = true}), 8);
	auto const t = add_ready(mine, files);
	t.connect_peer(seed.endpoint());
	auto const memory = mine.disk().torrent(files.hashes());
	for (int round = 0; round < 3; ++round)
		for (int at = 0; at <= 38; at += 2)
		{
			ASSERT_TRUE(memory.set_reader_pieces(pieces_of(at, std::min(at + 4, 41))).has_value());
			ASSERT_TRUE(mine.run_until([&] { return is_verified(memory, at) && is_verified(memory, at + 1)
				&& (at < 38 || is_verified(memory, 40)); })) << round << " " << at;
		}
	EXPECT_GT(mine.disk().stats().pieces_forgotten, 60);
	EXPECT_EQ(t.status().total_failed_bytes, 0);
}

TEST(forgetting_limits, a_torrent_with_long_pieces_that_is_idle_does_not_take_from_one_that_is_read)
{
	shared_files const small("small", {{"small", 8 << 20}}, torrent_kind::v1, 64 << 10);
	shared_files const large("large", {{"large", 8 << 20}}, torrent_kind::v1, 1 << 20, 2);
	seeder_options patient;
	patient.close_redundant_connections = false;
	seeder const seed(small, patient);
	memory_session mine(memory_disk({.capacity_bytes = 4 << 20, .evict = true}), 4);
	std::vector<lt::download_priority_t> const nothing(8, lt::dont_download);
	auto const idle = mine.add(large, nothing);
	auto const t = add_ready(mine, small);
	auto const memory = mine.disk().torrent(small.hashes());
	t.connect_peer(seed.endpoint());
	auto const asked = pieces_of(0, 60);
	// The other one's idleness is noticed with its plugin's next look, and then more is granted.
	auto const granted = [&] { return memory.set_reader_pieces(asked)->pieces; };
	ASSERT_TRUE(mine.run_until([&] { return granted() > 20; }));
	ASSERT_TRUE(mine.run_until([&] {
		int const n = granted();
		for (int i = 0; i < n; ++i) if (!is_verified(memory, i)) return false;
		return true;
	})) << granted();
	auto const evicted = mine.disk().stats().pieces_evicted;
	EXPECT_FALSE(mine.disk().stats().used_bytes > mine.disk().capacity_bytes());
	EXPECT_LE(evicted, 64) << "what was granted went, and came again";
}

TEST(forgetting_limits, a_torrent_that_was_refused_is_taken_in_when_the_capacity_has_grown)
{
	shared_files const files("film", {{"film", 24 << 20}}, torrent_kind::v1, 1 << 20);
	seeder const seed(files);
	memory_session mine(memory_disk({.capacity_bytes = 2 << 20, .evict = true}), 4);
	auto const t = mine.add(files);
	ASSERT_TRUE(mine.run_until([&] { return bool(t.status().errc); }));
	ASSERT_TRUE(mine.disk().set_capacity_bytes(16 << 20).has_value());
	t.clear_error();
	t.force_recheck();
	ASSERT_TRUE(mine.run_until([&] { return t.status().state >= lt::torrent_status::downloading && !t.status().errc; }));
	t.resume();
	auto const memory = mine.disk().torrent(files.hashes());
	t.connect_peer(seed.endpoint());
	for (int at = 0; at < 24; at += 2)
	{
		ASSERT_TRUE(memory.set_reader_pieces(pieces_of(at, at + 2)).has_value()) << at;
		ASSERT_TRUE(mine.run_until([&] { return is_verified(memory, at) && is_verified(memory, at + 1); })) << at;
	}
	EXPECT_LE(mine.disk().stats().peak_bytes, mine.disk().capacity_bytes());
}

} // namespace
