// Leechers of a film that is forgotten: what they are told, what they get when they ask for what is gone, and that every
// byte they get is right.
#include "hostile/forgetful_film.hpp"

using namespace slipstream;
using namespace slipstream::test;

namespace {

std::vector<int> all_pieces()
{
	std::vector<int> all;
	for (int i = 0; i < forgetful_film::count; ++i) all.push_back(i);
	return all;
}

class hostile_leechers : public ::testing::TestWithParam<torrent_kind>
{
protected:
	forgetful_film f{GetParam()};

	// What the peer was told is there is what is there. (What passes or goes in between is on its way.)
	void knows_what_is_there(scripted_peer const& peer)
	{
		EXPECT_TRUE(f.mine.run_until([&] { return peer.record().there == f.all_verified(); }))
			<< peer.address() << " was told of " << ::testing::PrintToString(peer.record().there)
			<< " and not of " << ::testing::PrintToString(f.all_verified()) << f.dump();
	}
	void was_served_right(scripted_peer const& peer)
	{
		auto const r = peer.record();
		EXPECT_EQ(r.wrong_blocks, 0) << peer.address();
		EXPECT_EQ(r.connections, 1) << peer.address() << f.dump();
		EXPECT_EQ(r.lost, 0) << peer.address() << f.dump();
	}
};

TEST_P(hostile_leechers, who_asks_for_what_is_gone_is_rejected_and_kept)
{
	f.connect_honest_seeds();
	f.play(0, 48);
	auto const gone = [&] {
		std::vector<int> pieces;
		for (int const piece : f.in_state(piece_state::absent)) if (piece < 48) pieces.push_back(piece);
		return pieces;
	};
	ASSERT_FALSE(gone().empty());
	std::vector<scripted_peer*> askers;
	for (bool const told : {true, false}) askers.push_back(&f.meet({.asks_for = gone(), .dont_have = told}));
	// Far more often than the 100 failed reads after which libtorrent gives a peer up.
	for (auto* const p : askers)
		ASSERT_TRUE(f.mine.run_until([&] { return p->record().rejects > 500; })) << p->record().rejects << f.dump();
	// And while what they ask for comes and goes.
	for (auto* const p : askers) p->ask_for(all_pieces());
	f.play(48, f.count);
	f.play(0, f.count);
	for (auto* const p : askers)
	{
		was_served_right(*p);
		EXPECT_GT(p->record().right_blocks, 0);
		// Nobody is kept from what is there for having asked for what is not.
		auto const before = p->record().right_blocks;
		auto const there = f.all_verified();
		p->ask_for({there.begin(), there.end()});
		ASSERT_TRUE(f.mine.run_until([&] { return p->record().right_blocks > before + 20; })) << f.dump();
	}
	f.all_is_well();
	f.nobody_is_blamed();
}

TEST_P(hostile_leechers, who_cannot_be_rejected_waits_and_is_kept)
{
	// Without BEP 6 there is no reject: libtorrent is silent, on any disk.
	auto& asks = f.meet({.asks_for = all_pieces(), .fast = false});
	f.connect_honest_seeds();
	f.play(0, f.count);
	ASSERT_TRUE(f.mine.run_until([&] { return asks.record().asked > 100; }));
	EXPECT_EQ(asks.record().rejects, 0);
	was_served_right(asks);
	f.all_is_well();
	f.nobody_is_blamed();
}

TEST_P(hostile_leechers, everybody_who_understands_it_is_told_what_is_gone)
{
	std::vector<scripted_peer*> told{&f.meet({}), &f.meet({.fast = false}), &f.meet({.second_handshake = true}), &f.meet({.leeches = true})};
	auto& deaf = f.meet({.dont_have = false});
	f.connect_honest_seeds();
	f.play(0, f.count);
	for (auto* const p : told)
	{
		knows_what_is_there(*p);
		EXPECT_GT(p->record().told_gone.size(), 20u) << p->address();
		was_served_right(*p);
	}
	EXPECT_THAT(deaf.record().told_gone, ::testing::IsEmpty());
	f.all_is_well();
}

// Between the handshake, after which it hears what is there, and the extension handshake there is time for much to go.
TEST_P(hostile_leechers, who_says_late_that_it_understands_is_told_what_has_gone_by_then)
{
	auto& slow = f.meet({.late_handshake = true});
	f.connect_honest_seeds();
	f.play(0, f.count);
	f.play(0, 8); // went, and is here again
	EXPECT_THAT(slow.record().told_gone, ::testing::IsEmpty());
	slow.shake_hands();
	knows_what_is_there(slow);
	was_served_right(slow);
	f.all_is_well();
}

TEST_P(hostile_leechers, who_comes_late_is_told_what_is_there)
{
	f.connect_honest_seeds();
	f.play(0, 48);
	auto& late = f.meet({});
	auto& slow = f.meet({.fast = false});
	knows_what_is_there(late);
	knows_what_is_there(slow);
	f.play(48, f.count);
	auto& later = f.meet({.leeches = true});
	for (auto const* const p : {&late, &slow, &later})
	{
		knows_what_is_there(*p);
		was_served_right(*p);
	}
	ASSERT_TRUE(f.mine.run_until([&] { return later.record().right_blocks > 20; })) << f.dump();
	was_served_right(later);
	f.all_is_well();
}

// Neither a bitfield nor an extension handshake, and no interest: there is no message of its to answer.
TEST_P(hostile_leechers, who_comes_late_and_says_nothing_is_told_what_is_there_all_the_same)
{
	f.connect_honest_seeds();
	f.play(0, 48);
	auto& silent = f.meet({.fast = false, .late_handshake = true});
	EXPECT_TRUE(f.mine.run_until([&] { return silent.record().there == f.all_verified(); }))
		<< ::testing::PrintToString(silent.record().there) << f.dump();
	was_served_right(silent);
	f.all_is_well();
}

TEST_P(hostile_leechers, an_honest_one_completes_without_a_wrong_byte)
{
	auto& checks = f.meet({.leeches = true});
	swarm_session leecher({.address = "127.0.0.4"});
	auto const its = leecher.add(f.files);
	ASSERT_TRUE(leecher.run_until([&] { return its.status().state == lt::torrent_status::downloading; }));
	its.connect_peer(f.mine.endpoint());
	ASSERT_TRUE(f.mine.run_until([&] { return std::ranges::count(f.mine.connected(f.torrent), "127.0.0.4") > 0; }));
	f.connect_honest_seeds();
	f.play(0, f.count);
	ASSERT_TRUE(leecher.run_until([&] { return its.status().total_payload_download > 0; }));
	// The rest from others, while it goes on here.
	its.connect_peer(f.first.endpoint());
	its.connect_peer(f.second.endpoint());
	f.play(0, f.count);
	ASSERT_TRUE(leecher.run_until([&] { return its.status().is_seeding; })) << leecher.dump();
	EXPECT_EQ(leecher.failed, 0) << leecher.dump();
	EXPECT_EQ(its.status().total_failed_bytes, 0);
	EXPECT_THAT(leecher.banned, ::testing::IsEmpty());
	EXPECT_GT(checks.record().right_blocks, 0);
	was_served_right(checks);
	// A read that waits until what is lent comes home is refused when its piece goes meanwhile; the peer asks somebody else.
	std::erase_if(f.mine.errors, [](std::string const& e) { return e.find("End of file") != e.npos; });
	f.all_is_well();
	f.nobody_is_blamed();
}

INSTANTIATE_TEST_SUITE_P(kinds, hostile_leechers
	, ::testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid), name_of_kind);

} // namespace
