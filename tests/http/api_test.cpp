// The JSON API beyond adding and removing: details, pausing, readers, memory, settings, events; and its description.
#include "http/fixture.hpp"
#include "http/openapi.hpp"
#include "http/route.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <list>
#include <map>
#include <set>
#include <sstream>

namespace slipstream::test {
namespace {

using nlohmann::json;
using api = serving;

// The methods of each path in the description, which is indented as it is.
std::map<std::string, std::set<std::string>> described()
{
	std::map<std::string, std::set<std::string>> paths;
	std::istringstream lines{std::string(http::openapi_text())};
	std::string path;
	bool inside = false;
	for (std::string line; std::getline(lines, line);)
	{
		if (!line.empty() && line[0] != ' ') inside = line == "paths:";
		if (!inside) continue;
		if (line.starts_with("  /")) path = line.substr(2, line.find(':') - 2);
		else if (line.starts_with("    ") && line[4] != ' ')
		{
			std::string method = line.substr(4, line.find(':') - 4);
			std::transform(method.begin(), method.end(), method.begin(), [](char const c) { return static_cast<char>(std::toupper(c)); });
			if (method != "PARAMETERS") paths[path].insert(method);
		}
	}
	return paths;
}

TEST(openapi, describes_every_route_with_every_method_and_nothing_else)
{
	std::map<std::string, std::set<std::string>> served;
	for (http::known_route const& known : http::known_routes())
	{
		std::istringstream methods{std::string(known.methods)};
		for (std::string method; std::getline(methods >> std::ws, method, ',');) served[std::string(known.pattern)].insert(method);
	}
	EXPECT_EQ(described(), served);
}

TEST_F(api, serves_a_page_in_which_nothing_of_others_runs)
{
	answer const page = ask("GET", "/");
	EXPECT_EQ(page.status, 200u);
	EXPECT_EQ(page.field("Content-Type"), "text/html; charset=utf-8");
	std::string const policy(page.field("Content-Security-Policy"));
	EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self';")) << policy;
	EXPECT_EQ(policy.find("unsafe"), std::string::npos);
	EXPECT_EQ(page.body.find("<script>"), std::string::npos) << "the policy would not run it";
	for (auto const& [file, kind] : {std::pair{"page.js", "text/javascript; charset=utf-8"}, {"page.css", "text/css; charset=utf-8"}})
	{
		EXPECT_NE(page.body.find('"' + std::string(file) + '"'), std::string::npos);
		answer const part = ask("GET", std::string("/") + file);
		EXPECT_EQ(part.status, 200u);
		EXPECT_EQ(part.field("Content-Type"), kind);
		EXPECT_GT(part.body.size(), 1000u);
	}
}

TEST_F(api, serves_its_description)
{
	answer const a = ask("GET", "/openapi.yaml");
	EXPECT_EQ(a.status, 200u);
	EXPECT_EQ(a.field("Content-Type"), "application/yaml");
	EXPECT_TRUE(a.body == http::openapi_text());
	EXPECT_TRUE(a.body.starts_with("openapi: 3.1.0\n"));
}

TEST_F(api, tells_details_of_a_torrent)
{
	json const d = json::parse(ask("GET", "/api/v1/torrents/" + id).body);
	EXPECT_EQ(d["piece_runs"], json::parse(R"([{"first": 0, "count": 3, "state": "verified"}
		, {"first": 3, "count": 1, "state": "absent"}])"));
	EXPECT_EQ(d["peer_list"][0]["address"], "[::1]:5");
	EXPECT_EQ(d["peer_list"][0]["progress"], 0.5);
	EXPECT_EQ(d["reader_list"], json::array());
	EXPECT_EQ(d["files"].size(), 3u);
}

TEST_F(api, pauses_and_resumes)
{
	std::string const torrent = "/api/v1/torrents/" + id;
	EXPECT_EQ(json::parse(ask("POST", torrent + "/pause").body)["paused"], true);
	EXPECT_EQ(json::parse(ask("GET", torrent).body)["paused"], true);
	EXPECT_EQ(json::parse(ask("POST", torrent + "/resume").body)["paused"], false);
	EXPECT_EQ(ask("POST", "/api/v1/torrents/unknown/pause").status, 404u);
	EXPECT_EQ(ask("GET", torrent + "/pause").status, 405u);
	EXPECT_EQ(ask("POST", torrent + "/pause", "", "x").status, 400u);
	EXPECT_EQ(ask("POST", torrent + "/pause", "", std::string(100'000, 'x')).status, 413u);
	EXPECT_EQ(ask("POST", torrent + "/pause", "Origin: http://evil\r\n").status, 403u);
}

TEST_F(api, lists_readers_with_their_windows)
{
	EXPECT_EQ(ask("GET", "/api/v1/readers").body, "[]\n");
	m_script.add("stuck", {{"x.mkv", film}}, 0);
	client c(where());
	ASSERT_TRUE(c.send("GET /stream/stuck/0 HTTP/1.1\r\nHost: localhost\r\nRange: bytes=5-\r\n\r\n"));
	ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
	EXPECT_EQ(json::parse(ask("GET", "/api/v1/readers").body), json::parse(R"([{"torrent_id": "stuck", "file_index": 0
		, "position_bytes": 5, "size_bytes": 3000000, "window": {"first_piece": 1, "end_piece": 2}, "lookbehind_bytes": 3, "consumed_bytes_s": null, "waiting": true, "idle": false}])"));
}

TEST_F(api, changes_the_capacity_while_it_runs)
{
	EXPECT_EQ(json::parse(ask("GET", "/api/v1/settings").body)["capacity_bytes"], 256 << 20);
	answer const set = ask("PATCH", "/api/v1/settings", "Content-Type: application/json\r\n", R"({"capacity_bytes": 33554432})");
	EXPECT_EQ(set.status, 200u) << set.body;
	EXPECT_EQ(json::parse(set.body)["capacity_bytes"], 32 << 20);
	EXPECT_EQ(m_engine.memory().capacity_bytes(), 32 << 20);
	EXPECT_EQ(json::parse(ask("GET", "/api/v1/memory").body)["capacity_bytes"], 32 << 20);
	for (char const* const wrong : {"", "x", "[]", "5", R"({"capacity_bytes": "1"})", R"({"capacity_bytes": 1.5})"
		, R"({"capacity_bytes": -1})", R"({"capacity_bytes": 0})", R"({"capacity_bytes": null})", R"({"capacity": 33554432})"
		, R"({"capacity_bytes": 18446744073709551615})", R"({"capacity_bytes": 9223372036854775807})"
		, R"({"capacity_bytes": 1e300})", R"({"capacity_bytes": 67108864, "x": 1})", R"({"x": {}, "capacity_bytes": 67108864})"})
		EXPECT_EQ(ask("PATCH", "/api/v1/settings", "", wrong).status, 400u) << wrong;
	EXPECT_EQ(m_engine.memory().capacity_bytes(), 32 << 20);
	EXPECT_EQ(ask("PATCH", "/api/v1/settings", "Origin: http://evil\r\n", "{}").status, 403u);
	EXPECT_EQ(ask("PATCH", "/api/v1/settings", "", "{}").status, 200u);
}

TEST_F(api, changes_the_windows_while_it_runs)
{
	json const before = json::parse(ask("GET", "/api/v1/settings").body);
	EXPECT_EQ(before["lookbehind"], "25%");
	EXPECT_EQ(before["read_ahead"], "auto");
	answer const set = ask("PATCH", "/api/v1/settings", "", R"({"lookbehind": "30s", "read_ahead": "64MiB", "capacity_bytes": 67108864})");
	EXPECT_EQ(set.status, 200u) << set.body;
	EXPECT_EQ(m_engine.windows(), (window_extents{extent::bytes(64 << 20), extent::time(std::chrono::seconds(30))}));
	EXPECT_EQ(json::parse(set.body), json::parse(R"({"capacity_bytes": 67108864, "min_capacity_bytes": 1048576
		, "lookbehind": "30s", "read_ahead": "64MiB"})"));
	for (char const* const wrong : {R"({"lookbehind": 25})", R"({"lookbehind": "101%"})", R"({"lookbehind": null})"
		, R"({"read_ahead": "soon"})", R"({"read_ahead": "1MiB", "x": 1})", R"({"read_ahead": "1MiB", "capacity_bytes": 1})"
		, R"({"read_ahead": ["1MiB"]})", R"({"lookbehind": ""})"})
		EXPECT_EQ(ask("PATCH", "/api/v1/settings", "", wrong).status, 400u) << wrong;
	EXPECT_EQ(json::parse(ask("GET", "/api/v1/settings").body), json::parse(set.body));
	EXPECT_EQ(ask("PATCH", "/api/v1/settings", "", R"({"lookbehind": "12.5%"})").status, 200u);
	EXPECT_EQ(m_engine.windows(), (window_extents{extent::bytes(64 << 20), extent::share(125'000)}));
}

TEST_F(api, tells_whether_a_torrent_is_used_and_when_it_goes)
{
	json const t = json::parse(ask("GET", "/api/v1/torrents/" + id).body);
	EXPECT_EQ(t["use"], "added");
	EXPECT_EQ(t["drops_at"], nullptr);
	m_script.set_use(id, torrent_use::idle, std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000)));
	json const later = json::parse(ask("GET", "/api/v1/torrents/" + id).body);
	EXPECT_EQ(later["use"], "idle");
	EXPECT_EQ(later["drops_at"], "2023-11-14T22:13:20Z");
}

// The lines of one event.
std::string event(client& c)
{
	std::string text;
	while (!text.ends_with("\n\n"))
	{
		std::string const byte = c.receive_bytes(1);
		if (byte.empty()) return text + "(end)";
		text += byte;
	}
	return text;
}

json data_of(std::string const& text) { return json::parse(text.substr(text.find("data: ") + 6)); }

TEST_F(api, sends_events_when_something_changes)
{
	http::server_options o = options();
	o.event_interval = std::chrono::milliseconds(20);
	serve(std::move(o));
	client c(where());
	ASSERT_TRUE(c.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	std::string head;
	while (!head.ends_with("\r\n\r\n")) head += c.receive_bytes(1);
	EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
	EXPECT_NE(head.find("text/event-stream"), std::string::npos);
	std::string const first = event(c);
	EXPECT_TRUE(first.starts_with("event: torrents\ndata: [{")) << first;
	EXPECT_EQ(data_of(first)[0]["id"], id);
	EXPECT_FALSE(data_of(first)[0].contains("files"));
	EXPECT_EQ(event(c), "event: readers\ndata: []\n\n");
	EXPECT_TRUE(event(c).starts_with("event: memory\ndata: {"));
	// Nothing comes while nothing changes: the next is what does.
	ASSERT_TRUE(m_engine.pause(id));
	std::string const news = event(c);
	EXPECT_TRUE(news.starts_with("event: torrents\n")) << news;
	EXPECT_EQ(data_of(news)[0]["paused"], true);
	m_server->stop();
	EXPECT_EQ(event(c), "(end)");
}

TEST_F(api, sends_events_to_so_many_and_no_more)
{
	std::list<client> listeners;
	for (int i = 0; i < 16; ++i)
	{
		listeners.emplace_back(where());
		ASSERT_TRUE(listeners.back().send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"));
		ASSERT_FALSE(listeners.back().receive_bytes(1).empty());
	}
	answer const refused = ask("GET", "/api/v1/events");
	EXPECT_EQ(refused.status, 503u);
	EXPECT_EQ(refused.field("Content-Type"), "application/problem+json");
	// One that leaves gives its place to the next, in the server's own time.
	listeners.pop_front();
	for (bool in = false; !in;)
	{
		client next(where());
		ASSERT_TRUE(next.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"));
		in = next.receive_bytes(12) == "HTTP/1.1 200";
	}
}

} // namespace
} // namespace slipstream::test
