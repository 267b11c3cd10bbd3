// The server on a real engine and a real swarm: libtorrent seeds, the memory disk keeps, HTTP delivers.
#include "hostile/scripted_peer.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "support/swarm.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace slipstream::test {
namespace {

using namespace std::chrono_literals;

class streaming : public testing::TestWithParam<torrent_kind>
{
protected:
	static engine_options engine_settings()
	{
		engine_options o;
		o.memory.capacity_bytes = 32 << 20;
		o.peer_listen = {"127.0.0.1:0"};
		o.offline = true;
		return o;
	}
	static http::server_options server_settings()
	{
		http::server_options o;
		o.listen = {{boost::asio::ip::make_address("127.0.0.1"), 0}};
		return o;
	}
	// Of the first torrent's file of that name; indices count pad files, and libtorrent sorts.
	static std::string stream_url(answer const& list, std::string const& name)
	{
		auto const torrents = nlohmann::json::parse(list.body);
		for (auto const& file : torrents.at(0).at("files"))
		{
			if (file["name"] == name) return file["stream_url"];
		}
		throw std::runtime_error(name + " is not in " + list.body);
	}
	// Asks until the first bytes of the torrent are in memory, for at most 20 s.
	static bool comes_unverified(engine const& e, std::string const& id, int const bytes, std::function<void()> const& ask_for_it)
	{
		auto const deadline = std::chrono::steady_clock::now() + 20s;
		while (std::chrono::steady_clock::now() < deadline)
		{
			ask_for_it();
			auto const torrent = e.find(id);
			if (!torrent) return false;
			auto const here = e.memory().torrent(torrent->hashes).view(lt::piece_index_t(0), 0, bytes, false);
			if (here && here->size_bytes() == std::size_t(bytes)) return true;
		}
		return false;
	}
	// True once no reader is open; asked again and again, as HTTP's clients would, for at most 20 s.
	static bool readers_end(engine const& e, std::string const& id)
	{
		auto const deadline = std::chrono::steady_clock::now() + 20s;
		while (std::chrono::steady_clock::now() < deadline)
		{
			auto const found = e.find(id);
			if (found && found->readers == 0) return true;
			std::this_thread::yield();
		}
		return false;
	}

	shared_files m_files{"film", {{"a film \"1\".mkv", 3'000'017}, {"sub.srt", 1234}, {"empty.txt", 0}}
		, GetParam(), 64 << 10};
};

TEST_P(streaming, from_a_swarm_is_right_whole_and_in_parts)
{
	seeder const seed(m_files);
	engine_options o = engine_settings();
	o.connect = {seed.endpoint()};
	engine e(std::move(o));
	http::server server(e, server_settings());
	auto const where = server.endpoints().front();

	std::string const torrent(m_files.torrent_file().begin(), m_files.torrent_file().end());
	answer const added = ask(where, "POST", "/api/v1/torrents", "Content-Type: application/x-bittorrent\r\n"
		, torrent);
	ASSERT_EQ(added.status, 201u) << added.body;
	EXPECT_EQ(ask(where, "POST", "/api/v1/torrents", "", torrent).status, 200u);
	answer const list = ask(where, "GET", "/api/v1/torrents");
	std::string const film = stream_url(list, "a film \"1\".mkv");

	client c(where);
	answer const tail = c.ask("GET", film, "Range: bytes=-1000\r\n");
	EXPECT_EQ(tail.status, 206u);
	EXPECT_TRUE(tail.body == m_files.content(0).substr(3'000'017 - 1000));
	answer const middle = c.ask("GET", film, "Range: bytes=1000000-1999999\r\n");
	EXPECT_TRUE(middle.body == m_files.content(0).substr(1'000'000, 1'000'000));
	answer const whole = c.ask("GET", film);
	EXPECT_EQ(whole.status, 200u);
	EXPECT_EQ(whole.field("Content-Length"), "3000017");
	EXPECT_TRUE(whole.body == m_files.content(0));
	EXPECT_TRUE(c.ask("GET", stream_url(list, "sub.srt")).body == m_files.content(1));
	EXPECT_EQ(c.ask("GET", stream_url(list, "empty.txt")).field("Content-Length"), "0");
	// What fills gaps between files (BEP 47) is not for players.
	auto const torrents = nlohmann::json::parse(list.body);
	for (auto const& file : torrents.at(0).at("files"))
	{
		std::string const path = "/stream/" + film.substr(8, film.find('/', 8) - 8) + '/'
			+ std::to_string(file["index"].get<int>());
		EXPECT_EQ(c.ask("HEAD", path).status, file["pad"].get<bool>() ? 404u : 200u) << path;
		EXPECT_EQ(file.contains("stream_url"), !file["pad"].get<bool>());
	}
	EXPECT_EQ(c.ask("HEAD", film).field("Content-Length"), "3000017");
	EXPECT_EQ(c.ask("GET", film, "Range: bytes=3000017-\r\n").status, 416u);

	auto const id = nlohmann::json::parse(added.body)["id"].get<std::string>();
	EXPECT_TRUE(readers_end(e, id));
	EXPECT_EQ(c.ask("DELETE", "/api/v1/torrents/" + id).status, 204u);
	EXPECT_EQ(c.ask("GET", film).status, 404u);
}

TEST_P(streaming, of_a_magnet_link_waits_for_its_metadata)
{
	seeder const seed(m_files);
	engine_options o = engine_settings();
	o.connect = {seed.endpoint()};
	engine e(std::move(o));
	http::server server(e, server_settings());
	auto const where = server.endpoints().front();
	answer const added = ask(where, "POST", "/api/v1/torrents", "Content-Type: application/json\r\n"
		, nlohmann::json{{"uri", m_files.magnet()}}.dump());
	ASSERT_EQ(added.status, 201u) << added.body;
	auto const id = nlohmann::json::parse(added.body)["id"].get<std::string>();
	answer const film = ask(where, "GET", "/stream/" + id + "/0/film.mkv");
	EXPECT_EQ(film.status, 200u) << film.body.substr(0, 200);
	EXPECT_TRUE(film.body == m_files.content(0));
}

TEST_P(streaming, without_a_seed_says_what_is_missing)
{
	engine_options o = engine_settings();
	o.metadata_timeout = 200ms;
	o.read_timeout = 200ms;
	engine e(std::move(o));
	http::server server(e, server_settings());
	auto const where = server.endpoints().front();
	expected<std::string> const id = e.add(m_files.magnet());
	ASSERT_TRUE(id.has_value());
	answer const no_metadata = ask(where, "GET", "/stream/" + *id + "/0");
	EXPECT_EQ(no_metadata.status, 504u) << no_metadata.body;
	EXPECT_NE(no_metadata.body.find("metadata"), std::string::npos) << no_metadata.body;
	ASSERT_TRUE(e.remove(*id).has_value());
	ASSERT_TRUE(e.add_torrent_file(m_files.torrent_file()).has_value());
	answer const no_bytes = ask(where, "GET", "/stream/" + *id + "/0");
	EXPECT_EQ(no_bytes.status, 504u) << no_bytes.body;
}

TEST_P(streaming, before_a_piece_is_verified_only_when_the_engine_is_told_to)
{
	peer_script stingy;
	stingy.seeds = true;
	stingy.withholds = [](wire::block const& b) { return b.start == 3 * block_size_bytes; };
	std::string const range = "Range: bytes=0-" + std::to_string(3 * block_size_bytes - 1) + "\r\n";
	for (bool const early : {true, false})
	{
		engine_options o = engine_settings();
		o.early = early;
		o.read_timeout = early ? 60s : 500ms;
		engine e(std::move(o));
		auto settings = server_settings();
		settings.early = early;
		http::server server(e, settings);
		auto const where = server.endpoints().front();
		expected<std::string> const id = e.add_torrent_file(m_files.torrent_file());
		ASSERT_TRUE(id.has_value());
		scripted_peer const peer(m_files, stingy, "127.0.0.2", e.peer_endpoints().front());
		// Or it may be that nothing has come.
		auto const once = [&] { EXPECT_EQ(ask(where, "GET", "/stream/" + *id + "/0", range).status, 504u); };
		if (!early) { ASSERT_TRUE(comes_unverified(e, *id, 3 * block_size_bytes, once)); }
		answer const got = ask(where, "GET", "/stream/" + *id + "/0", range);
		std::string const metrics = ask(where, "GET", "/metrics").body;
		EXPECT_EQ(got.status, early ? 206u : 504u);
		EXPECT_EQ(got.body == m_files.content(0).substr(0, 3 * block_size_bytes), early);
		EXPECT_EQ(got.field("Cache-Control"), early ? "no-store" : "");
		EXPECT_NE(metrics.find("\nslipstream_early_bytes_total " + std::to_string(early ? 3 * block_size_bytes : 0) + '\n')
			, std::string::npos) << metrics;
	}
}

TEST_P(streaming, ends_when_the_client_goes_or_the_torrent_or_the_server)
{
	engine e(engine_settings());
	http::server server(e, server_settings());
	auto const where = server.endpoints().front();
	expected<std::string> const id = e.add_torrent_file(m_files.torrent_file());
	ASSERT_TRUE(id.has_value());
	std::string const ask_film = "GET /stream/" + *id + "/0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	auto const reader_begins = [&] {
		auto const deadline = std::chrono::steady_clock::now() + 20s;
		while (e.find(*id)->readers == 0 && std::chrono::steady_clock::now() < deadline)
			std::this_thread::yield();
		return e.find(*id)->readers == 1;
	};

	client goes(where);
	ASSERT_TRUE(goes.send(ask_film));
	ASSERT_TRUE(reader_begins());
	goes.close();
	EXPECT_TRUE(readers_end(e, *id));

	client loses(where);
	ASSERT_TRUE(loses.send(ask_film));
	ASSERT_TRUE(reader_begins());
	ASSERT_TRUE(e.remove(*id).has_value());
	EXPECT_EQ(loses.receive().status, 404u);

	ASSERT_TRUE(e.add_torrent_file(m_files.torrent_file()).has_value());
	client stays(where);
	ASSERT_TRUE(stays.send(ask_film));
	ASSERT_TRUE(reader_begins());
	server.stop();
	EXPECT_TRUE(stays.is_closed_by_server());
	EXPECT_TRUE(readers_end(e, *id));
}

std::string name_of(testing::TestParamInfo<torrent_kind> const& info)
{
	switch (info.param)
	{
		case torrent_kind::v1: return "v1";
		case torrent_kind::v2: return "v2";
		case torrent_kind::hybrid: break;
	}
	return "hybrid";
}

INSTANTIATE_TEST_SUITE_P(real, streaming
	, testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid), name_of);

} // namespace
} // namespace slipstream::test
