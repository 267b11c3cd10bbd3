// Hostile seeds, while a reader plays a film that does not fit: what is played is right, and who is honest stays.
#include "hostile/forgetful_film.hpp"

using namespace slipstream;
using namespace slipstream::test;

namespace {

peer_script liar(std::function<bool(wire::block const&)> corrupt)
{
	peer_script s;
	s.seeds = true;
	s.corrupt = std::move(corrupt);
	s.returns = false;
	return s;
}

bool everything(wire::block const&) { return true; }
bool every_third(wire::block const& b) { return (b.piece + b.start / block_size_bytes) % 3 == 0; }

class hostile_seeds : public ::testing::TestWithParam<torrent_kind> {};

// The liars come first, and alone: libtorrent bans an honest peer for sharing one piece with a liar when the honest one
// sent 8 to 11 pieces that passed since its trust last ran over (torrent_peer::trust_points has 4 bits), on any disk.
TEST_P(hostile_seeds, liars_are_banned_and_what_they_sent_is_gone)
{
	forgetful_film f(GetParam());
	f.read_at(0);
	for (auto const& lies : {liar(everything), liar(every_third)})
	{
		auto& peer = f.meet(lies);
		ASSERT_TRUE(f.mine.run_until([&] { return peer.record().lost > 0; })) << f.dump();
		EXPECT_GT(peer.record().wrong_blocks_sent, 0);
		EXPECT_THAT(f.mine.banned, ::testing::Contains(peer.address())) << f.dump();
		f.all_is_right();
	}
	// What they left of pieces that are not complete is nobody's any more, and libtorrent has judged those that are. (In this
	// order: nobody is here to complete one.)
	f.read_at(40);
	ASSERT_TRUE(f.mine.run_until([&] { return f.in_state(piece_state::partial).empty() && f.in_state(piece_state::complete).empty(); }))
		<< f.dump();
	auto const failed = f.torrent.status().total_failed_bytes;
	f.connect_honest_seeds();
	f.play(0, f.count);
	f.play(0, 16);
	EXPECT_EQ(f.torrent.status().total_failed_bytes, failed) << f.dump();
	f.all_is_well();
}

TEST_P(hostile_seeds, blocks_that_come_twice_are_taken_once)
{
	forgetful_film f(GetParam());
	auto& repeats = f.meet({.seeds = true, .twice = true});
	auto& as_well = f.meet({.seeds = true, .twice = true, .fast = false});
	f.connect_honest_seeds();
	f.play(0, f.count);
	for (auto const* const p : {&repeats, &as_well})
	{
		EXPECT_GT(p->record().blocks_sent, 0);
		EXPECT_EQ(p->record().lost, 0) << f.dump();
	}
	f.all_is_well();
	f.nobody_is_blamed();
}

// libtorrent takes blocks that it did not ask for, of unwanted pieces too, and gives them to the disk. Of these, nothing is
// kept: they take no room, and nobody honest is blamed for a wrong one.
TEST_P(hostile_seeds, blocks_that_nobody_asked_for_are_no_harm)
{
	forgetful_film f(GetParam());
	auto& pushes = f.meet({.seeds = true, .unasked = 4});
	auto& lies = f.meet({.seeds = true});
	f.connect_honest_seeds();
	f.play(0, 16);
	// Wrong ones of what is in memory, and later of what is forgotten and not wanted again.
	lies.push({0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15});
	for (int at = 16; at < f.count; at += 8)
	{
		auto const lied = lies.record().wrong_blocks_sent;
		f.play(at, at + 8);
		if (HasFatalFailure()) return;
		ASSERT_TRUE(f.mine.run_until([&] { return lies.record().wrong_blocks_sent > lied + 5; }));
		f.all_is_right();
	}
	EXPECT_GT(pushes.record().blocks_sent, 0);
	f.all_is_well();
	f.nobody_is_blamed();
}

TEST_P(hostile_seeds, seeds_that_vanish_in_the_middle_of_a_block_cost_nothing_but_the_block)
{
	forgetful_film f(GetParam());
	for (int const blocks : {1, 3, 10}) f.meet({.seeds = true, .vanishes_after = blocks});
	f.connect_honest_seeds();
	f.play(0, f.count);
	for (auto const& p : f.peers) EXPECT_GT(p.record().connections, 2) << p.address();
	f.all_is_well();
	f.nobody_is_blamed();
}

// Four that send as fast as they can, and a reader that jumps about: much comes that is wanted no more when it comes, and more
// than there is room for, which is refused and asked for again.
TEST_P(hostile_seeds, nothing_is_stuck_when_more_comes_than_there_is_room_for)
{
	forgetful_film f(GetParam());
	f.meet({.seeds = true, .twice = true});
	f.meet({.seeds = true, .twice = true});
	f.connect_honest_seeds();
	for (int jump = 0; jump < 120; ++jump)
	{
		int const at = jump * 7919 % (f.count - f.window);
		if (jump % 8 == 7) f.play(at, at + 1);
		else f.read_at(at);
		if (HasFatalFailure()) return;
		// Something has come before the next.
		auto const written = f.disk.stats().blocks_written;
		ASSERT_TRUE(f.mine.run_until([&] { return f.verified(at) || f.disk.stats().blocks_written > written; })) << jump << f.dump();
	}
	f.play(0, 4);
	f.all_is_well();
	f.nobody_is_blamed();
}

INSTANTIATE_TEST_SUITE_P(kinds, hostile_seeds
	, ::testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid), name_of_kind);

// -- the same on libtorrent's own disk, and on ours when nothing has to go

struct on_disk
{
	std::string name;
	std::int64_t capacity_pieces; // 0: libtorrent's own disk
};

class the_same_liar : public ::testing::TestWithParam<std::tuple<on_disk, torrent_kind>> {};

TEST_P(the_same_liar, is_banned_and_nobody_else)
{
	auto const& [where, kind] = GetParam();
	constexpr int count = 64;
	shared_files const files("film.bin", {{"film.bin", count * film_piece_bytes - 5000}}, kind, film_piece_bytes);
	seeder const first(files, honest_at("127.0.0.2"));
	seeder const second(files, honest_at("127.0.0.3"));
	swarm_options options;
	if (where.capacity_pieces > 0) options.disk = memory_disk({.capacity_bytes = where.capacity_pieces * film_piece_bytes});
	swarm_session session(std::move(options));
	auto const torrent = session.add(files);
	ASSERT_TRUE(session.run_until([&] { return torrent.status().state == lt::torrent_status::downloading; }));
	scripted_peer const lies(files, liar(every_third), "127.0.1.1", session.endpoint());
	ASSERT_TRUE(session.run_until([&] { return lies.record().lost > 0; })) << session.dump();
	torrent.connect_peer(first.endpoint());
	torrent.connect_peer(second.endpoint());
	ASSERT_TRUE(session.run_until([&] { return torrent.status().is_seeding; })) << session.dump();
	EXPECT_THAT(session.banned, ::testing::Each("127.0.1.1")) << session.dump();
	EXPECT_THAT(session.banned, ::testing::Not(::testing::IsEmpty())) << session.dump();
	EXPECT_EQ(lies.record().lost, 1);
}

INSTANTIATE_TEST_SUITE_P(on, the_same_liar, ::testing::Combine(
	::testing::Values(on_disk{"libtorrents_own", 0}, on_disk{"memory", 80})
	, ::testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid))
	, [](auto const& i) { return std::get<0>(i.param).name + "_" + name_of_kind({std::get<1>(i.param), 0}); });

} // namespace
