// Hashes of blocks (BEP 52) that come from peers, late or unasked. libtorrent
// 2.0.8 counts a piece whose write is held as passed once more with each of them, and with a v1 hash beside it takes the
// torrent for inconsistent. A player must not notice.
#include "hostile/forgetful_film.hpp"

using namespace slipstream;
using namespace slipstream::test;

namespace {

class hostile_hashes : public ::testing::TestWithParam<torrent_kind>
{
protected:
	forgetful_film f{GetParam()};

	// A seed that sends no block, and to which libtorrent turns for hashes.
	scripted_peer& meet_one_that_knows_hashes()
	{
		return f.meet({.seeds = true, .chokes = true});
	}
	// Piece 0 comes from a liar, who is banned for it.
	void be_lied_to(std::function<bool(wire::block const&)> corrupt)
	{
		f.read_at(0);
		peer_script s;
		s.seeds = true;
		s.returns = false;
		s.corrupt = std::move(corrupt);
		auto& lies = f.meet(std::move(s));
		ASSERT_TRUE(f.mine.run_until([&] { return lies.record().lost > 0; })) << f.dump();
	}
	// Returns when libtorrent has read all that the peer sent so far.
	void are_read_of(scripted_peer& peer)
	{
		m_interest = !m_interest;
		peer.tell_interest(m_interest);
		EXPECT_TRUE(f.mine.run_until([&] {
			std::vector<lt::peer_info> all;
			f.torrent.get_peer_info(all);
			return std::ranges::any_of(all, [&](lt::peer_info const& p) {
				return p.ip.address().to_string() == peer.address() && bool(p.flags & lt::peer_info::remote_interested) == m_interest;
			});
		})) << f.dump();
	}
	// libtorrent said in between that the torrent was inconsistent, and went on.
	void is_not_stopped()
	{
		auto const s = f.torrent.status();
		EXPECT_FALSE(s.errc) << s.errc.message();
		EXPECT_FALSE(s.flags & lt::torrent_flags::paused);
		std::erase_if(f.mine.errors, [](std::string const& e) { return GetParam() == torrent_kind::hybrid && e.find("v1 and v2 hashes") != e.npos; });
	}

private:
	bool m_interest = false; // of the peer that knows hashes
};

// A liar's pieces are why libtorrent asks, and the answers come when the pieces have come again, from others.
TEST_P(hostile_hashes, that_come_late_keep_nothing_from_coming)
{
	be_lied_to([](wire::block const&) { return true; });
	auto& knows = meet_one_that_knows_hashes();
	// With a v1 hash beside them libtorrent asks nobody.
	auto const asked = [&] { return GetParam() != torrent_kind::v2 || !knows.record().hashes_asked.empty(); };
	ASSERT_TRUE(f.mine.run_until(asked)) << f.dump();
	f.connect_honest_seeds();
	for (auto const& lie : f.mine.blame->blamed())
	{
		auto const piece = std::stoi(lie);
		f.read_at(piece);
		ASSERT_TRUE(f.mine.run_until([&] { return f.verified(piece); })) << f.dump();
		knows.send_hashes(piece);
	}
	f.play(0, f.count);
	f.play(0, f.count);
	is_not_stopped();
	f.all_is_well();
}

// A peer that sends them for all that is here, again and again.
TEST_P(hostile_hashes, that_nobody_asked_for_keep_nothing_from_coming)
{
	auto& knows = meet_one_that_knows_hashes();
	f.connect_honest_seeds();
	for (int at = 0; at < f.count; ++at)
	{
		f.play(at, at + 1);
		if (HasFatalFailure()) return;
		knows.send_hashes(at);
	}
	f.play(0, f.count);
	f.all_is_right();
	is_not_stopped();
	EXPECT_THAT(f.mine.banned, ::testing::IsEmpty());
	EXPECT_THAT(f.mine.errors, ::testing::IsEmpty());
	EXPECT_LE(f.disk.stats().peak_bytes, f.disk.stats().capacity_bytes);
}

// Hashes of a piece that is not here, twice: the first time they are new to libtorrent. They are read before the piece may come: of
// one that is here and held they make a piece pass once more, which ends in a recheck.
TEST_P(hostile_hashes, of_what_is_not_here_keep_nothing_from_coming)
{
	auto& knows = meet_one_that_knows_hashes();
	f.connect_honest_seeds();
	for (int const piece : {40, 41, 42, 40, 41, 42}) knows.send_hashes(piece);
	are_read_of(knows);
	f.play(0, 60);
	for (int const piece : {0, 1, 2}) EXPECT_FALSE(f.verified(piece)) << piece;
	for (int const piece : {0, 1, 2, 0, 1, 2}) knows.send_hashes(piece);
	are_read_of(knows);
	f.play(0, f.count);
	is_not_stopped();
	f.all_is_well();
}

INSTANTIATE_TEST_SUITE_P(kinds, hostile_hashes
	, ::testing::Values(torrent_kind::v2, torrent_kind::hybrid), name_of_kind);

// libtorrent has no piece layers (BEP 52) of a magnet link's torrent, asks for them, and goes on asking when it has them. Each
// answer is a peer's hashes of all there is. (Of one that is v2 alone pieces go by rechecks: see forgetting.hpp.)
class magnet : public ::testing::TestWithParam<torrent_kind> {};

TEST_P(magnet, is_played_through_a_memory_that_is_too_small)
{
	forgetful_film f(GetParam(), 12, true);
	// It asks again after three seconds: the film should not be over by then.
	for (auto const* const seed : {&f.first, &f.second}) seed->torrent().set_upload_limit(800'000);
	for (int round = 0; round < 2 && !HasFatalFailure(); ++round) f.play(0, f.count);
	f.all_is_right();
	auto const s = f.torrent.status();
	EXPECT_FALSE(s.errc) << s.errc.message();
	EXPECT_FALSE(s.flags & lt::torrent_flags::paused);
	EXPECT_THAT(f.mine.banned, ::testing::IsEmpty());
	EXPECT_EQ(s.total_failed_bytes, 0);
	EXPECT_LE(f.disk.stats().peak_bytes, f.disk.stats().capacity_bytes);
	EXPECT_GT(f.disk.stats().pieces_forgotten, 10);
}

INSTANTIATE_TEST_SUITE_P(kinds, magnet
	, ::testing::Values(torrent_kind::v2, torrent_kind::hybrid), name_of_kind);

} // namespace
