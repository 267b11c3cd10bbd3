// The JSON API of torrents: listing, adding and removing them.
#include "http/fixture.hpp"

#include <nlohmann/json.hpp>

namespace slipstream::test {
namespace {

using server_api = serving;

TEST_F(server_api, lists_torrents_with_stream_urls)
{
	answer const a = ask("GET", "/api/v1/torrents");
	EXPECT_EQ(a.status, 200u);
	EXPECT_EQ(a.field("Content-Type"), "application/json");
	nlohmann::json const list = nlohmann::json::parse(a.body);
	ASSERT_EQ(list.size(), 1u);
	EXPECT_EQ(list[0]["id"], id);
	EXPECT_EQ(list[0]["files"][0]["size_bytes"], 3'000'000);
	EXPECT_EQ(list[0]["files"][0]["stream_url"], path);
	std::string const strange = list[0]["files"][2]["stream_url"];
	EXPECT_EQ(ask("GET", strange).body, film.substr(0, 100));
	nlohmann::json const one = nlohmann::json::parse(ask("GET", "/api/v1/torrents/" + id).body);
	for (auto const& [name, value] : list[0].items()) EXPECT_EQ(one[name], value) << name;
	EXPECT_EQ(ask("HEAD", "/api/v1/torrents").field("Content-Length"), std::to_string(a.body.size()));
}

TEST_F(server_api, adds_magnets_and_answers_a_second_time_with_the_same)
{
	char const* const json = "Content-Type: application/json; charset=utf-8\r\n";
	answer const a = ask("POST", "/api/v1/torrents", json, R"({"uri": "MAGNET:new"})");
	EXPECT_EQ(a.status, 201u);
	EXPECT_EQ(a.field("Location"), "/api/v1/torrents/new");
	EXPECT_EQ(nlohmann::json::parse(a.body)["phase"], "metadata");
	EXPECT_EQ(m_script.added(), std::vector<std::string>{"MAGNET:new"});
	answer const again = ask("POST", "/api/v1/torrents", json, R"({"uri": "magnet:new"})");
	EXPECT_EQ(again.status, 200u);
	EXPECT_EQ(nlohmann::json::parse(again.body), nlohmann::json::parse(a.body));
	EXPECT_EQ(ask("DELETE", "/api/v1/torrents/new").status, 204u);
	expect_problem(ask("GET", "/api/v1/torrents/new"), 404);
}

TEST_F(server_api, takes_no_paths_of_files)
{
	for (char const* const body : {R"({"uri": "/etc/passwd"})", R"({"uri": "file:///etc/passwd"})"
		, R"({"uri": ""})", R"({"uri": " magnet:x"})", R"({"uri": "magnet"})", R"({"uri": 5})", R"(["magnet:x"])"
		, "{", "nonsense", R"({"url": "magnet:x"})", "{\"uri\": \"\xff\"}", R"({"uri": "magnet:bad"})"})
	{
		answer const a = ask("POST", "/api/v1/torrents", "Content-Type: application/json\r\n", body);
		expect_problem(a, 400);
	}
	EXPECT_EQ(m_script.added(), std::vector<std::string>{"magnet:bad"});
	std::string const deep = std::string(50'000, '[');
	expect_problem(ask("POST", "/api/v1/torrents", "Content-Type: application/json\r\n", deep), 400);
	expect_problem(ask("POST", "/api/v1/torrents", "Content-Type: application/json\r\n"
		, std::string(70'000, ' ')), 413);
}

TEST_F(server_api, adds_the_bytes_of_a_torrent_file)
{
	answer const a = ask("POST", "/api/v1/torrents", "Content-Type: application/x-bittorrent\r\n", "d2e");
	EXPECT_EQ(a.status, 201u);
	EXPECT_EQ(a.field("Location"), "/api/v1/torrents/file3");
	expect_problem(ask("POST", "/api/v1/torrents", "", "not one"), 400);
	expect_problem(ask("POST", "/api/v1/torrents"), 400);
	// curl asks before it sends a large body.
	client c(where());
	ASSERT_TRUE(c.send("POST /api/v1/torrents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
		"Expect: 100-continue\r\n\r\n"));
	std::string const go_on = "HTTP/1.1 100 Continue\r\n\r\n";
	EXPECT_EQ(c.receive_bytes(go_on.size()), go_on);
	ASSERT_TRUE(c.send("d234e"));
	EXPECT_EQ(c.receive().status, 201u);
}

TEST_F(server_api, is_not_for_pages_of_other_origins)
{
	expect_problem(ask("POST", "/api/v1/torrents", "Origin: http://evil\r\n", "d2e"), 403);
	expect_problem(ask("DELETE", "/api/v1/torrents/" + id, "Origin: http://evil\r\n"), 403);
	EXPECT_TRUE(m_engine.find(id).has_value());
}

} // namespace
} // namespace slipstream::test
