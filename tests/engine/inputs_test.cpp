// What can be given to an engine, and what it says to what it cannot use.
#include "engine/engine_fixture.hpp"

#include "engine/info_hash_text.hpp"
#include "engine/session_settings.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace slipstream::test {
namespace {

constexpr int piece = 64 << 10;

class inputs : public testing::Test
{
protected:
	std::string write(std::string const& name, std::string_view const bytes)
	{
		auto const path = folder.path() / name;
		std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
		return path.string();
	}
	// The error, whose detail must name what was wrong.
	static void expect_refused(engine& e, std::string const& uri, errc const code, std::string const& says)
	{
		auto const id = e.add(uri);
		ASSERT_FALSE(id) << uri.substr(0, 200);
		EXPECT_EQ(id.error().code, code) << id.error().detail;
		EXPECT_THAT(id.error().detail, testing::HasSubstr(says));
		EXPECT_TRUE(e.torrents().empty());
	}

	temporary_folder const folder;
};

TEST_F(inputs, what_is_no_torrent_file_is_refused_with_the_reason)
{
	engine e(local_engine({}));
	expect_refused(e, (folder.path() / "absent.torrent").string(), errc::bad_torrent, "does not exist");
	expect_refused(e, folder.path().string(), errc::bad_torrent, "is a directory");
	expect_refused(e, write("empty.torrent", ""), errc::bad_torrent, "is empty");
	expect_refused(e, write("noise.torrent", std::string(5000, '\x17')), errc::bad_torrent, "noise.torrent");
	expect_refused(e, write("dict.torrent", "d4:spam4:eggse"), errc::bad_torrent, "dict.torrent");
	expect_refused(e, "/dev/null", errc::bad_torrent, "not a regular file");
	expect_refused(e, "", errc::bad_torrent, "empty path");
	expect_refused(e, std::string(5000, 'x'), errc::bad_torrent, "cannot be read");
	expect_refused(e, write("deep.torrent", std::string(200'000, 'l')), errc::bad_torrent, "deep.torrent");
}

TEST_F(inputs, a_torrent_file_cut_anywhere_is_refused)
{
	shared_files const files("film", {{"film.mkv", 300'000}}, torrent_kind::hybrid, piece);
	engine e(local_engine({}));
	auto const& whole = files.torrent_file();
	for (std::size_t length = 1; length < whole.size(); length += 7)
	{
		auto const id = e.add_torrent_file(std::span(whole).first(length));
		ASSERT_FALSE(id) << length;
		EXPECT_TRUE(id.error().is(errc::bad_torrent));
	}
	EXPECT_TRUE(e.torrents().empty());
}

TEST_F(inputs, a_huge_torrent_file_is_refused_unread)
{
	auto const path = folder.path() / "huge.torrent";
	std::ofstream(path).put('d');
	std::filesystem::resize_file(path, std::uintmax_t{1} << 40);
	engine e(local_engine({}));
	expect_refused(e, path.string(), errc::too_large, "huge.torrent");
	std::vector<char> const bytes(engine::max_torrent_bytes + 1, 'd');
	EXPECT_TRUE(e.add_torrent_file(bytes).error().is(errc::too_large));
	EXPECT_TRUE(e.add_torrent_file({}).error().is(errc::bad_torrent));
}

TEST_F(inputs, a_torrent_of_nothing_is_refused)
{
	engine e(local_engine({}));
	expect_refused(e, write("zero.torrent", "d4:infod6:lengthi0e4:name1:a12:piece lengthi16384e6:pieces0:ee")
		, errc::bad_torrent, "zero.torrent");
}

TEST_F(inputs, what_is_no_magnet_link_is_refused)
{
	engine e(local_engine({}));
	expect_refused(e, "magnet:", errc::bad_magnet, "magnet");
	expect_refused(e, "magnet:?dn=name", errc::bad_magnet, "magnet");
	expect_refused(e, "magnet:?xt=urn:btih:0123", errc::bad_magnet, "magnet");
	expect_refused(e, "magnet:?xt=urn:btih:" + std::string(40, 'x'), errc::bad_magnet, "magnet");
	expect_refused(e, "magnet:?xt=urn:btih:" + std::string(100'000, 'a'), errc::bad_magnet, "magnet");
}

TEST_F(inputs, the_scheme_of_a_magnet_link_is_read_in_any_case)
{
	engine e(local_engine({}));
	auto const id = e.add("MAGNET:?xt=urn:btih:0123456789ABCDEF0123456789abcdef01234567&so=0");
	ASSERT_TRUE(id) << id.error().detail;
	EXPECT_EQ(*id, "0123456789abcdef0123456789abcdef01234567");
	EXPECT_EQ(e.find(*id)->phase, torrent_phase::metadata);
}

TEST_F(inputs, a_torrent_that_is_there_is_a_duplicate_however_it_comes)
{
	shared_files const files("film", {{"film.mkv", 300'000}}, torrent_kind::hybrid, piece);
	engine e(local_engine({}));
	auto const id = e.add(files.write_torrent_file().string());
	ASSERT_TRUE(id);
	std::ostringstream v2;
	v2 << files.hashes().v2;
	for (std::string const& again : {files.write_torrent_file().string(), files.magnet()
		, "magnet:?xt=urn:btmh:1220" + v2.str()})
	{
		auto const refused = e.add(again);
		ASSERT_FALSE(refused);
		EXPECT_TRUE(refused.error().is(errc::duplicate)) << refused.error().detail;
		EXPECT_EQ(refused.error().detail, *id);
	}
	EXPECT_EQ(e.torrents().size(), 1u);
}

TEST_F(inputs, a_file_that_is_not_in_the_torrent_cannot_be_opened)
{
	shared_files const files("film", {{"film.mkv", 300'000}}, torrent_kind::v1, piece);
	engine e(local_engine({}));
	auto const id = add_ready(e, files);
	for (int const index : {-1, 1, 1 << 30})
	{
		auto const r = e.open(id, index);
		ASSERT_FALSE(r);
		EXPECT_TRUE(r.error().is(errc::no_such_file));
	}
}

TEST(options, out_of_range_are_named)
{
	auto const refuses = [](auto change) {
		auto options = local_engine({});
		change(options);
		EXPECT_THROW(engine{options}, std::invalid_argument);
	};
	refuses([](engine_options& o) { o.peer_listen = {}; });
	for (char const* const bad : {"", "localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536"
		, "127.0.0.1:-1", "::1:80", "[127.0.0.1]:80", "127.0.0.1:80x", ":80", "[::1:80", "1.2.3.4:80,5.6.7.8:90"})
	{
		SCOPED_TRACE(bad);
		refuses([&](engine_options& o) { o.peer_listen = {bad}; });
	}
	refuses([](engine_options& o) { o.metadata_timeout = std::chrono::milliseconds(0); });
	refuses([](engine_options& o) { o.read_timeout = std::chrono::milliseconds(-1); });
	refuses([](engine_options& o) { o.read_ahead = extent::bytes(-1); });
	refuses([](engine_options& o) { o.memory.capacity_bytes = 1; });
	refuses([](engine_options& o) { o.connect = {{boost::asio::ip::address_v4::loopback(), 0}}; });
}

TEST(options, a_port_in_use_is_an_error_that_names_it)
{
	engine const first(local_engine({}));
	auto const port = std::to_string(first.peer_endpoints().at(0).port());
	auto options = local_engine({});
	options.peer_listen = {"127.0.0.1:" + port};
	try
	{
		engine const second(options);
		FAIL() << "listens on a port in use";
	}
	catch (std::runtime_error const& e) { EXPECT_THAT(e.what(), testing::HasSubstr("127.0.0.1:" + port)); }
}

TEST(options, listen_addresses_become_libtorrents_list)
{
	EXPECT_EQ(listen_interfaces({"0.0.0.0:6881", "[::]:0", "[fe80::1]:7"}), "0.0.0.0:6881,[::]:0,[fe80::1]:7");
}

TEST(options, offline_means_no_discovery)
{
	using pack = lt::settings_pack;
	auto const p = session_settings(local_engine({}));
	for (int const setting : {pack::enable_dht, pack::enable_lsd, pack::enable_upnp, pack::enable_natpmp})
		EXPECT_FALSE(p.get_bool(setting));
	EXPECT_THAT(p.get_str(pack::user_agent), testing::StartsWith("Slipstream/"));
	engine_options online;
	EXPECT_TRUE(session_settings(online).get_bool(pack::enable_dht));
}

} // namespace
} // namespace slipstream::test
