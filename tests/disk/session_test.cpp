// The memory disk in real libtorrent sessions, as a program that embeds it would use it.
#include <slipstream/memory_disk.hpp>

#include "support/swarm.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_info.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string_view>

using namespace slipstream;
using namespace slipstream::test;

namespace {

constexpr int piece_length = 64 * 1024;

std::unique_ptr<lt::session> session_on(memory_disk const& disk, bool const with_extension = true)
{
	using sp = lt::settings_pack;
	sp s;
	for (int const off : {sp::enable_dht, sp::enable_lsd, sp::enable_upnp, sp::enable_natpmp
		, sp::close_redundant_connections})
		s.set_bool(off, false);
	s.set_str(sp::listen_interfaces, "127.0.0.1:0");
	s.set_int(sp::alert_mask, int(lt::alert_category::error | lt::alert_category::status));
	lt::session_params params(std::move(s));
	params.disk_io_constructor = disk.constructor();
	auto session = std::make_unique<lt::session>(std::move(params));
	if (with_extension) session->add_extension(disk.extension());
	return session;
}

lt::torrent_handle add(lt::session& session, shared_files const& files, seeder const& from)
{
	lt::add_torrent_params p;
	p.ti = std::make_shared<lt::torrent_info>(files.torrent_file(), lt::from_span);
	p.save_path = "/nonexistent";
	p.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
	auto torrent = session.add_torrent(std::move(p));
	torrent.connect_peer(from.endpoint());
	return torrent;
}

// Reacts to alerts until `done`; false after a minute.
bool run_until(lt::session& session, std::function<bool()> const& done)
{
	auto const end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
	while (!done())
	{
		if (std::chrono::steady_clock::now() > end) return false;
		session.wait_for_alert(std::chrono::milliseconds(20));
		std::vector<lt::alert*> alerts;
		session.pop_alerts(&alerts);
	}
	return true;
}

struct memory_in_a_session : ::testing::TestWithParam<torrent_kind>
{
	shared_files files{"film.bin", {{"film.bin", 20 * piece_length - 777}}, GetParam(), piece_length};
	seeder seed{files};
	memory_disk disk{memory_disk_options{.capacity_bytes = 16 << 20}};

	void expect_all_right(memory_torrent const& t)
	{
		for (int i = 0; i < 20; ++i)
		{
			std::vector<char> bytes(piece_length);
			auto const n = t.read(lt::piece_index_t(i), 0, bytes);
			ASSERT_TRUE(n.has_value()) << i << ": " << n.error().detail;
			auto const want = std::string_view(files.content(0)).substr(std::size_t(i) * piece_length, *n);
			ASSERT_EQ(std::string_view(bytes.data(), want.size()), want) << i;
		}
	}
};

TEST_P(memory_in_a_session, a_torrent_downloads_into_memory_and_is_found_by_each_of_its_hashes)
{
	auto const session = session_on(disk);
	auto const torrent = add(*session, files, seed);
	ASSERT_TRUE(run_until(*session, [&] { return torrent.status().is_seeding; }));
	auto const found = disk.torrent(files.hashes());
	EXPECT_EQ(*found.num_pieces(), 20);
	EXPECT_EQ(*found.num_verified_pieces(), 20);
	expect_all_right(found);
	auto const hashes = files.hashes();
	if (hashes.has_v1()) expect_all_right(disk.torrent(hashes.v1));
	if (hashes.has_v2()) expect_all_right(disk.torrent(lt::sha1_hash(hashes.v2.data())));
	if (hashes.has_v1()) expect_all_right(disk.torrent(lt::info_hash_t(hashes.v1)));
	if (hashes.has_v2()) expect_all_right(disk.torrent(lt::info_hash_t(hashes.v2)));
	EXPECT_EQ(found.info_hashes(), hashes);
}

TEST_P(memory_in_a_session, a_handle_outlives_its_torrent_and_its_session_and_says_so)
{
	auto session = session_on(disk);
	auto const torrent = add(*session, files, seed);
	ASSERT_TRUE(run_until(*session, [&] { return torrent.status().is_seeding; }));
	auto const found = disk.torrent(files.hashes());
	auto const lent = found.view(lt::piece_index_t(3), 100, 1000);
	ASSERT_TRUE(lent.has_value());
	session.reset();
	EXPECT_FALSE(found.alive());
	EXPECT_EQ(found.read(lt::piece_index_t(0), 0, {}).error().code, make_error_code(errc::no_such_torrent));
	EXPECT_TRUE(found.state(lt::piece_index_t(0)).error().is(errc::no_such_torrent));
	EXPECT_FALSE(disk.torrent(files.hashes()).alive());
	EXPECT_EQ(disk.stats().torrents, 0);
	// The lease alone keeps its block, and its bytes.
	EXPECT_EQ(disk.stats().used_bytes, block_size_bytes);
	EXPECT_EQ(std::string_view(lent->views()[0].data(), 1000)
		, std::string_view(files.content(0)).substr(3 * piece_length + 100, 1000));
}

TEST_P(memory_in_a_session, without_the_extension_pieces_are_complete_and_never_verified)
{
	auto const session = session_on(disk, false);
	auto const torrent = add(*session, files, seed);
	ASSERT_TRUE(run_until(*session, [&] { return torrent.status().is_seeding; }));
	auto const found = disk.torrent(files.hashes());
	EXPECT_EQ(*found.state(lt::piece_index_t(5)), piece_state::complete);
	EXPECT_TRUE(found.has_piece(lt::piece_index_t(5)));
	EXPECT_TRUE(found.view(lt::piece_index_t(5), 0, 1).error().is(errc::not_verified));
	EXPECT_TRUE(found.view(lt::piece_index_t(5), 0, 1, false).has_value());
}

TEST_P(memory_in_a_session, a_recheck_finds_exactly_what_is_in_memory)
{
	auto const session = session_on(disk);
	auto const torrent = add(*session, files, seed);
	ASSERT_TRUE(run_until(*session, [&] { return torrent.status().is_seeding; }));
	torrent.force_recheck();
	ASSERT_TRUE(run_until(*session, [&] {
		auto const state = torrent.status().state;
		return state == lt::torrent_status::checking_files || state == lt::torrent_status::checking_resume_data
			|| torrent.status().is_seeding;
	}));
	ASSERT_TRUE(run_until(*session, [&] { return torrent.status().is_seeding; }));
	EXPECT_EQ(*disk.torrent(files.hashes()).num_verified_pieces(), 20);
	EXPECT_EQ(torrent.status().total_failed_bytes, 0);
}

TEST_P(memory_in_a_session, two_sessions_share_the_capacity_and_what_one_leaves_the_other_keeps)
{
	auto one = session_on(disk);
	auto const other = session_on(disk);
	auto const in_one = add(*one, files, seed);
	auto const in_other = add(*other, files, seed);
	ASSERT_TRUE(run_until(*one, [&] { return in_one.status().is_seeding; }));
	ASSERT_TRUE(run_until(*other, [&] { return in_other.status().is_seeding; }));
	EXPECT_EQ(disk.stats().torrents, 2);
	one.reset();
	EXPECT_EQ(disk.stats().torrents, 1);
	expect_all_right(disk.torrent(files.hashes()));
}

INSTANTIATE_TEST_SUITE_P(of, memory_in_a_session
	, ::testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid)
	, [](auto const& kind) { return kind.param == torrent_kind::v1 ? "v1" : kind.param == torrent_kind::v2 ? "v2" : "hybrid"; });

} // namespace
