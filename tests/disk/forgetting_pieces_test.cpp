// Forgetting and where the bytes come from and go to: add_piece, corrupt peers, leechers, resume data.
#include "forgetting_film.hpp"

#include <algorithm>
#include <optional>

using namespace slipstream;
using namespace slipstream::test;

namespace {

lt::add_torrent_params resume_data_of(film& f)
{
	std::optional<lt::add_torrent_params> got;
	f.torrent.save_resume_data(lt::torrent_handle::save_info_dict);
	f.mine.on_alert = [&](lt::alert const* const a)
		{ if (auto const* r = lt::alert_cast<lt::save_resume_data_alert>(a)) got = r->params; };
	EXPECT_TRUE(f.mine.run_until([&] { return got.has_value(); }));
	f.mine.on_alert = {};
	return std::move(*got);
}

// A session of libtorrent's own that knows nobody but us.
class leecher
{
public:
	explicit leecher(film& f) : m_session(f.mine.plain_settings())
	{
		lt::add_torrent_params p;
		p.ti = std::make_shared<lt::torrent_info>(f.files.torrent_file(), lt::from_span);
		p.save_path = m_folder.path().string();
		p.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
		torrent = m_session.add_torrent(std::move(p));
		torrent.connect_peer({lt::make_address_v4("127.0.0.1"), f.mine.session().listen_port()});
	}
	[[nodiscard]] int told_of() const
	{
		std::vector<lt::peer_info> peers;
		torrent.get_peer_info(peers);
		return peers.empty() ? 0 : peers.front().pieces.count();
	}

	lt::torrent_handle torrent;

private:
	temporary_folder m_folder;
	lt::session m_session;
};

class forgetting_pieces : public ::testing::TestWithParam<torrent_kind> {};

TEST_P(forgetting_pieces, the_last_missing_piece_comes_while_others_go)
{
	// 12 pieces in a memory for 8: often exactly one piece that is wanted is not there.
	film f(GetParam(), 12, 8);
	for (int round = 0; round < 24; ++round)
	{
		int const at = round % 2 == 0 ? 0 : f.count - 2 - round % 3;
		f.read_at(at, at + 2);
		ASSERT_TRUE(f.until([&] { return f.verified(at, at + 2); })) << round << f.dump();
		EXPECT_TRUE(f.right(at) && f.right(at + 1)) << round;
	}
	EXPECT_GT(f.forgotten(), 5);
	ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
	f.nobody_is_blamed();
}

TEST_P(forgetting_pieces, pieces_given_by_add_piece_are_had_and_can_go)
{
	film f(GetParam(), 40, 20);
	f.read_at(0, 4);
	ASSERT_TRUE(f.until([&] { return f.verified(0, 4); })) << f.dump();
	auto const& content = f.files.content(0);
	for (int i = 10; i < 16; ++i)
		f.torrent.add_piece(lt::piece_index_t(i), content.data() + std::size_t(i) * film_piece_bytes, {});
	ASSERT_TRUE(f.until([&] { return f.verified(10, 16); })) << f.dump();
	for (int i = 10; i < 16; ++i) EXPECT_TRUE(f.right(i)) << i;
	for (int at = 4; at + 8 <= f.count; at += 4)
	{
		f.read_at(at, at + 8);
		ASSERT_TRUE(f.until([&] { return f.verified(at, at + 4); })) << at << f.dump();
		EXPECT_TRUE(f.right(at)) << at;
	}
	ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
	EXPECT_LE(f.checked->checks(), 1);
	f.nobody_is_blamed();
}

TEST_P(forgetting_pieces, wrong_bytes_given_by_add_piece_are_asked_for_again)
{
	film f(GetParam(), 40, 20);
	f.be_forgetting();
	int const piece = f.count - 4;
	auto const failed = f.mine.failed;
	std::vector<char> const wrong(film_piece_bytes, 'x');
	f.torrent.add_piece(lt::piece_index_t(piece), wrong, {});
	ASSERT_TRUE(f.until([&] { return f.mine.failed > failed; })) << f.dump();
	f.read_at(piece, piece + 4);
	ASSERT_TRUE(f.until([&] { return f.verified(piece); })) << f.dump();
	EXPECT_TRUE(f.right(piece));
	f.nobody_is_blamed();
}

TEST_P(forgetting_pieces, a_peer_that_comes_late_hears_what_is_here_and_gets_it)
{
	film f(GetParam(), 40, 20);
	f.read_at(0, 8);
	ASSERT_TRUE(f.until([&] { return f.verified(0, 8) && f.agrees(); })) << f.dump();
	leecher late(f);
	ASSERT_TRUE(f.until([&] { return late.told_of() >= 8; })) << late.told_of() << f.dump();
	// libtorrent's own disk hashes what comes: each piece that it has is right.
	ASSERT_TRUE(f.until([&] { return count_pieces(late.torrent) >= 8; })) << count_pieces(late.torrent) << f.dump();
	// And what is gone it hears, too (BEP 54).
	for (int at = 4; at + 8 <= f.count; at += 4)
	{
		f.read_at(at, at + 8);
		ASSERT_TRUE(f.until([&] { return f.verified(at, at + 4); })) << at << f.dump();
	}
	ASSERT_TRUE(f.until([&] { return f.agrees() && late.told_of() == *f.storage().num_verified_pieces(); }))
		<< late.told_of() << f.dump();
	EXPECT_EQ(late.torrent.status().total_failed_bytes, 0);
	f.nobody_is_blamed();
}

TEST_P(forgetting_pieces, resume_data_of_the_middle_claims_nothing_that_memory_does_not_hold_and_wants_what_it_wanted)
{
	film f(GetParam(), 40, 20);
	f.be_forgetting();
	f.read_at(f.count - 10, f.count - 2);
	auto resume = resume_data_of(f);
	EXPECT_GT(resume.have_pieces.count() + int(resume.unfinished_pieces.size()), 0);
	auto const unwanted = [&] { return std::count(resume.piece_priorities.begin(), resume.piece_priorities.end(), lt::dont_download); };
	EXPECT_GT(unwanted(), 0) << "what does not fit is withheld";
	f.mine.disk().put_back_priorities(resume);
	EXPECT_EQ(unwanted(), 0);
	auto const old = f.storage();
	f.mine.session().remove_torrent(f.torrent);
	resume.save_path = "/nonexistent";
	f.torrent = f.mine.session().add_torrent(std::move(resume));
	ASSERT_TRUE(f.until([&] { return !old.alive() && f.storage().alive() && f.agrees(); }));
	f.read_at(20, 28);
	ASSERT_TRUE(f.until([&] { return f.verified(20, 24); })) << f.dump();
	EXPECT_TRUE(f.right(20));
	ASSERT_TRUE(f.until([&] { return f.agrees(); })) << f.dump();
	f.nobody_is_blamed();
}

INSTANTIATE_TEST_SUITE_P(kinds, forgetting_pieces
	, ::testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid), name_of_kind);

} // namespace
