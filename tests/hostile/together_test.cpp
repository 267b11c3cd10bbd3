// Everything that the other tests here do one at a time, at once, on a film that does not fit: liars, seeds that repeat
// themselves, send what nobody asked for, or vanish, leechers that ask for what is gone; and among them two honest
// seeds, an honest leecher, and a player.
#include "hostile/forgetful_film.hpp"

using namespace slipstream;
using namespace slipstream::test;

namespace {

constexpr int allowed_connections = 24;

class hostile_swarm : public ::testing::TestWithParam<torrent_kind>
{
protected:
	forgetful_film f{GetParam(), allowed_connections};

	[[nodiscard]] std::vector<int> gone() const
	{
		auto const all = f.in_state(piece_state::absent);
		return {all.begin(), all.end()};
	}
	// A liar from an address of its own; it comes back when it is sent away.
	scripted_peer& meet_liar(std::function<bool(wire::block const&)> corrupt)
	{
		peer_script s;
		s.seeds = true;
		s.corrupt = std::move(corrupt);
		return f.meet(std::move(s));
	}
	// Where no piece has a hash of v1 one may pass twice; then all are counted again by a recheck, and go by rechecks from then on
	// (docs/design.md). libtorrent closes all connections for each, and makes them again.
	[[nodiscard]] static bool is_for_recheck(std::string const& parting)
	{ return GetParam() == torrent_kind::v2 && parting.find("stopping torrent") != parting.npos; }
	[[nodiscard]] int partings_for_rechecks(std::string const& address) const
	{
		return int(std::ranges::count_if(f.mine.parted
			, [&](std::string const& p) { return p.starts_with(address + ":") && is_for_recheck(p); }));
	}
	// Plays it all, while those who ask only for what is gone hear of it, and wrong blocks come of pieces that are far away.
	// Whoever sends these leaves, and all of it has come, before they are wanted: libtorrent may ban an honest peer for
	// sharing a piece with a liar (see seeds_test.cpp).
	void play_among(std::vector<scripted_peer*> const& askers)
	{
		for (int half = 0; half < 2; ++half)
		{
			auto& lies = f.meet({.seeds = true});
			std::vector<int> far;
			for (int i = 8; i < 24; ++i) far.push_back((half == 0 ? f.count / 2 : 0) + i);
			lies.push(far);
			auto const begin = half * f.count / 2;
			for (int at = begin; at < begin + f.count / 2 - f.window; ++at)
			{
				if (at % 4 == 0) for (auto* const p : askers) p->ask_for(gone());
				f.play(at, at + 1);
				if (HasFatalFailure()) return;
			}
			ASSERT_TRUE(f.mine.run_until([&] { return lies.record().wrong_blocks_sent > 20; }));
			lies.leave();
			ASSERT_TRUE(f.mine.run_until([&] { return std::ranges::count(f.mine.connected(f.torrent), lies.address()) == 0; }));
			f.play(begin + f.count / 2 - f.window, begin + f.count / 2);
			if (HasFatalFailure()) return;
			f.all_is_right();
		}
	}
};

TEST_P(hostile_swarm, at_once_does_an_honest_peer_and_a_player_no_harm)
{
	// The liars are known before the honest come (see seeds_test.cpp), and stay at the door.
	auto& lies = meet_liar([](wire::block const&) { return true; });
	auto& mixes = meet_liar([](wire::block const& b) { return (b.piece + b.start / block_size_bytes) % 3 == 0; });
	f.read_at(0);
	for (auto const* const p : {&lies, &mixes})
		ASSERT_TRUE(f.mine.run_until([&] { return std::ranges::count(f.mine.banned, p->address()) > 0; })) << f.dump();

	auto& repeats = f.meet({.seeds = true, .twice = true});
	auto& sends_more = f.meet({.seeds = true, .unasked = 4});
	auto& vanishes = f.meet({.seeds = true, .vanishes_after = 3});
	std::vector<scripted_peer*> const askers{&f.meet({.asks_for = gone()}), &f.meet({.asks_for = gone(), .dont_have = false})
		, &f.meet({.asks_for = gone(), .fast = false})};
	auto& checks = f.meet({.leeches = true});
	f.connect_honest_seeds();
	swarm_session leecher({.address = "127.0.0.4"});
	auto const its = leecher.add(f.files);
	ASSERT_TRUE(leecher.run_until([&] { return its.status().state == lt::torrent_status::downloading; }));
	its.connect_peer(f.mine.endpoint());

	play_among(askers);
	if (HasFatalFailure()) return;
	ASSERT_TRUE(leecher.run_until([&] { return its.status().total_payload_download > 0; }));
	its.connect_peer(f.first.endpoint());
	its.connect_peer(f.second.endpoint());
	play_among(askers);
	if (HasFatalFailure()) return;
	ASSERT_TRUE(leecher.run_until([&] { return its.status().is_seeding; })) << leecher.dump();

	EXPECT_EQ(leecher.failed, 0) << leecher.dump();
	EXPECT_EQ(its.status().total_failed_bytes, 0);
	EXPECT_THAT(leecher.banned, ::testing::IsEmpty());
	EXPECT_GT(checks.record().right_blocks, 0);
	ASSERT_TRUE(f.mine.run_until([&] { return f.honest_seeds() == 2; })) << f.dump();
	for (auto const* const p : {askers[0], askers[1], askers[2], &checks})
	{
		EXPECT_EQ(p->record().wrong_blocks, 0) << p->address();
		EXPECT_LE(p->record().lost, partings_for_rechecks(p->address())) << p->address() << f.dump();
	}
	EXPECT_GT(askers[0]->record().rejects, 200);
	EXPECT_GT(repeats.record().blocks_sent + sends_more.record().blocks_sent, 0);
	EXPECT_GT(vanishes.record().connections, 2);
	for (auto const* const p : {&lies, &mixes}) EXPECT_EQ(p->record().connections, 1) << p->address();
	EXPECT_THAT(f.mine.banned, ::testing::Each(::testing::AnyOf(lies.address(), mixes.address()))) << f.dump();
	// A request that waits for room to lend, and whose piece goes meanwhile, is turned down: libtorrent says so.
	std::erase_if(f.mine.errors, [](std::string const& e) { return e.find("End of file") != e.npos; });
	std::erase_if(f.mine.parted, is_for_recheck);
	f.all_is_well();
}

INSTANTIATE_TEST_SUITE_P(kinds, hostile_swarm
	, ::testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid), name_of_kind);

} // namespace
