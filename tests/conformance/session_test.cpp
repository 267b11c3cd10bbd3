// Lines of the contract that only a session shows: each disk in a real one, with a peer.
#include "conformance/conformance.hpp"
#include "support/swarm.hpp"

#include <libtorrent/alert_types.hpp>
#include <libtorrent/magnet_uri.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_info.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace slipstream::test {

class in_a_session : public testing::TestWithParam<disk_kind>
{
protected:
	in_a_session()
	{
		using sp = lt::settings_pack;
		sp s;
		for (int const off : {sp::enable_dht, sp::enable_lsd, sp::enable_upnp, sp::enable_natpmp
			, sp::enable_outgoing_utp, sp::enable_incoming_utp})
			s.set_bool(off, false);
		s.set_str(sp::listen_interfaces, "127.0.0.1:0");
		s.set_int(sp::alert_mask, int(lt::alert_category::error | lt::alert_category::status | lt::alert_category::storage
			| lt::alert_category::piece_progress));
		lt::session_params params(std::move(s));
		params.disk_io_constructor = GetParam().make();
		session = std::make_unique<lt::session>(std::move(params));
	}

	lt::torrent_handle add(lt::add_torrent_params p)
	{
		p.save_path = folder.path().string();
		p.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
		return session->add_torrent(std::move(p));
	}
	lt::torrent_handle add()
	{
		lt::add_torrent_params p;
		p.ti = std::make_shared<lt::torrent_info>(files.torrent_file(), lt::from_span);
		return add(std::move(p));
	}

	// Pops alerts until one of them is what is waited for.
	template <typename Alert>
	bool comes(std::function<bool(Alert const&)> const& right = [](Alert const&) { return true; })
	{
		auto const end = std::chrono::steady_clock::now() + deadline;
		while (std::chrono::steady_clock::now() < end)
		{
			session->wait_for_alert(std::chrono::milliseconds(100));
			std::vector<lt::alert*> alerts;
			session->pop_alerts(&alerts);
			bool found = false;
			for (auto* const a : alerts)
				if (auto const* const wanted = lt::alert_cast<Alert>(a)) found |= right(*wanted);
			if (found) return true;
		}
		return false;
	}

	shared_files files{"film", {{"film", 10 * 32 * 1024 - 77}}, torrent_kind::hybrid, 32 * 1024};
	temporary_folder folder;
	std::unique_ptr<lt::session> session;
};
SLIPSTREAM_ON_EVERY_DISK(in_a_session);

CONTRACT_TEST_P(in_a_session, a_torrent_finishes_when_every_wanted_piece_has_passed, 33)
{
	seeder seed(files);
	auto torrent = add();
	torrent.piece_priority(lt::piece_index_t(7), lt::dont_download);
	torrent.connect_peer(seed.endpoint());
	ASSERT_TRUE(comes<lt::torrent_finished_alert>());
	auto const status = torrent.status(lt::torrent_handle::query_pieces);
	EXPECT_TRUE(status.is_finished);
	EXPECT_FALSE(status.is_seeding);
	EXPECT_EQ(status.pieces.count(), 9);
	EXPECT_FALSE(status.pieces[lt::piece_index_t(7)]);
	EXPECT_EQ(status.total_failed_bytes, 0);
}

// Pieces that an application gives: their hashes are looked at like any other's.
CONTRACT_TEST_P(in_a_session, a_piece_that_was_given_passes_when_it_is_right_and_not_when_it_is_not, 12, 33)
{
	auto const torrent = add();
	ASSERT_TRUE(comes<lt::torrent_checked_alert>()); // until then libtorrent takes no piece
	auto const right = files.content(0).substr(0, 32 * 1024);
	auto const wrong = std::string(right.size(), 'x');
	torrent.add_piece(lt::piece_index_t(1), wrong.data(), {});
	ASSERT_TRUE(comes<lt::hash_failed_alert>());
	torrent.add_piece(lt::piece_index_t(0), right.data(), {});
	ASSERT_TRUE(comes<lt::piece_finished_alert>());
	auto const pieces = torrent.status(lt::torrent_handle::query_pieces).pieces;
	EXPECT_TRUE(pieces[lt::piece_index_t(0)]);
	EXPECT_FALSE(pieces[lt::piece_index_t(1)]);
}

CONTRACT_TEST_P(in_a_session, a_magnet_link_is_removed_before_its_metadata_came, 9)
{
	auto const torrent = add(lt::parse_magnet_uri(files.magnet()));
	session->remove_torrent(torrent, lt::session::delete_files);
	EXPECT_TRUE(comes<lt::torrent_removed_alert>());
	session.reset();
}

CONTRACT_TEST_P(in_a_session, ends_with_everything_outstanding, 5, 7, 32)
{
	if (auto const why = deviates(GetParam())) GTEST_SKIP() << *why;
	seeder seed(files);
	auto const torrent = add();
	torrent.connect_peer(seed.endpoint());
	ASSERT_TRUE(comes<lt::piece_finished_alert>());
	torrent.force_recheck();
	torrent.read_piece(lt::piece_index_t(0));
	session.reset(); // returns when peers and the disk are gone
}

} // namespace slipstream::test
