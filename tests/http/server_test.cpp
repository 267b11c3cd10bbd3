// The server over real sockets: what clients ask, well and badly, and what they get.
#include "http/fixture.hpp"

#include "http/connection.hpp"

#include <nlohmann/json.hpp>

namespace slipstream::test {
namespace {

using server_serves = serving;
using server_refuses = serving;
using server_api = serving;

TEST_F(server_serves, a_whole_file)
{
	answer const a = ask("GET", path);
	EXPECT_EQ(a.status, 200u);
	EXPECT_TRUE(a.complete);
	EXPECT_TRUE(a.body == film);
	EXPECT_EQ(a.field("Content-Length"), "3000000");
	EXPECT_EQ(a.field("Content-Type"), "video/mp4");
	EXPECT_EQ(a.field("Accept-Ranges"), "bytes");
	EXPECT_EQ(a.field("ETag"), "\"" + id + "-0\"");
	EXPECT_EQ(a.field("Access-Control-Allow-Origin"), "*");
	EXPECT_NE(a.field("Access-Control-Expose-Headers").find("Content-Range"), std::string::npos);
	EXPECT_EQ(a.field("Content-Range"), "");
	EXPECT_FALSE(a.field("Date").empty());
	EXPECT_TRUE(a.keep_alive);
	EXPECT_LE(m_script.largest_lease(), http::connection::max_lease_bytes);
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(server_serves, ranges)
{
	struct { char const* asked; std::size_t first; std::size_t length; } const cases[]{
		{"bytes=0-1", 0, 2}, {"bytes=0-", 0, 3'000'000}, {"bytes=-5", 2'999'995, 5}
		, {"bytes=2999999-", 2'999'999, 1}, {"bytes=16383-16384", 16383, 2}
		, {"bytes=100000-1100000", 100'000, 1'000'001}, {"bytes=2999990-99999999", 2'999'990, 10}};
	client c(where());
	for (auto const& [asked, first, length] : cases)
	{
		answer const a = c.ask("GET", path, std::string("Range: ") + asked + "\r\n");
		EXPECT_EQ(a.status, 206u) << asked;
		EXPECT_TRUE(a.body == film.substr(first, length)) << asked;
		EXPECT_EQ(a.field("Content-Range"), "bytes " + std::to_string(first) + '-'
			+ std::to_string(first + length - 1) + "/3000000");
		EXPECT_EQ(a.field("Content-Length"), std::to_string(length));
	}
}

TEST_F(server_serves, a_416_with_the_size_for_what_is_behind_the_end)
{
	answer const a = ask("GET", path, "Range: bytes=3000000-\r\n");
	EXPECT_EQ(a.status, 416u);
	EXPECT_EQ(a.field("Content-Range"), "bytes */3000000");
	EXPECT_EQ(a.field("Accept-Ranges"), "bytes");
	EXPECT_EQ(a.field("Content-Type"), "application/problem+json");
	EXPECT_EQ(m_script.readers_opened(), 0);
}

TEST_F(server_serves, the_whole_file_for_a_range_it_does_not_understand)
{
	for (char const* const fields : {"Range: items=0-1\r\n", "Range: bytes=2-1\r\n"
		, "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n"})
	{
		answer const a = ask("GET", path, fields);
		EXPECT_EQ(a.status, 200u) << fields;
		EXPECT_TRUE(a.body == film) << fields;
	}
	EXPECT_EQ(ask("GET", path, "Range: bytes=0-1\r\nIf-Range: \"" + id + "-0\"\r\n").status, 206u);
}

TEST_F(server_serves, head_without_opening_a_reader)
{
	client c(where());
	answer const a = c.ask("HEAD", path);
	EXPECT_EQ(a.status, 200u);
	EXPECT_EQ(a.field("Content-Length"), "3000000");
	EXPECT_EQ(a.field("Content-Type"), "video/mp4");
	EXPECT_EQ(a.field("Accept-Ranges"), "bytes");
	// No body came: the next answer on the connection is one.
	EXPECT_EQ(c.ask("GET", "/healthz").body, "ok\n");
	EXPECT_EQ(m_script.readers_opened(), 0);
}

TEST_F(server_serves, an_empty_file_and_one_with_a_strange_name)
{
	answer const empty = ask("GET", "/stream/" + id + "/1/empty.srt");
	EXPECT_EQ(empty.status, 200u);
	EXPECT_EQ(empty.field("Content-Length"), "0");
	EXPECT_EQ(ask("GET", "/stream/" + id + "/1", "Range: bytes=0-\r\n").status, 416u);
	EXPECT_EQ(m_script.readers_opened(), 0);
	for (char const* const end : {"/2", "/2/", "/2/anything%20else", "/2/strange%20%22name%22.mkv?t=1"})
	{
		answer const a = ask("GET", "/stream/" + id + end);
		EXPECT_EQ(a.body, film.substr(0, 100)) << end;
		EXPECT_EQ(a.field("Content-Type"), "video/x-matroska") << end;
	}
}

TEST_F(server_serves, not_modified_to_one_who_has_it)
{
	client c(where());
	answer const a = c.ask("GET", path, "If-None-Match: \"" + id + "-0\"\r\n");
	EXPECT_EQ(a.status, 304u);
	EXPECT_EQ(a.body, "");
	EXPECT_EQ(c.ask("GET", path, "If-Match: \"no\"\r\n").status, 412u);
	EXPECT_EQ(c.ask("GET", "/healthz").status, 200u);
}

TEST_F(server_serves, many_requests_on_one_connection_also_sent_ahead)
{
	client c(where());
	for (int i = 0; i < 20; ++i) EXPECT_EQ(c.ask("GET", "/healthz").status, 200u);
	std::string const get = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nRange: bytes=";
	std::string ahead;
	for (int i = 0; i < 20; ++i)
		ahead += get + std::to_string(i * 1000) + '-' + std::to_string(i * 1000 + 99'999) + "\r\n\r\n";
	ASSERT_TRUE(c.send(ahead));
	for (std::size_t i = 0; i < 20; ++i)
	{
		answer const a = c.receive();
		EXPECT_EQ(a.status, 206u);
		EXPECT_TRUE(a.body == film.substr(i * 1000, 100'000)) << i;
	}
}

TEST_F(server_serves, and_closes_when_the_client_wants_that)
{
	client c(where());
	answer const a = c.ask("GET", path, "Connection: close\r\nRange: bytes=0-9\r\n");
	EXPECT_EQ(a.body, film.substr(0, 10));
	EXPECT_FALSE(a.keep_alive);
	EXPECT_TRUE(c.is_closed_by_server());
	client old(where());
	ASSERT_TRUE(old.send("GET /healthz HTTP/1.0\r\n\r\n"));
	EXPECT_EQ(old.receive().status, 200u);
	EXPECT_TRUE(old.is_closed_by_server());
}

TEST_F(server_serves, options_with_what_browsers_want_to_know)
{
	answer const a = ask("OPTIONS", path, "Origin: http://page\r\nAccess-Control-Request-Method: GET\r\n");
	EXPECT_EQ(a.status, 204u);
	EXPECT_EQ(a.field("Allow"), "GET, HEAD, OPTIONS");
	EXPECT_EQ(a.field("Access-Control-Allow-Origin"), "*");
	EXPECT_NE(a.field("Access-Control-Allow-Headers").find("Range"), std::string::npos);
	EXPECT_EQ(ask("OPTIONS", "*").status, 204u);
	EXPECT_EQ(ask("OPTIONS", "/api/v1/torrents").field("Access-Control-Allow-Origin"), "");
}

TEST_F(server_serves, a_torrent_once_its_metadata_came)
{
	m_script.add_waiting("magnet");
	client c(where());
	ASSERT_TRUE(c.send("GET /stream/magnet/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	ASSERT_TRUE(m_script.wait_for_ready_waits(1));
	m_script.become_ready("magnet", {{"x.mkv", "hello"}});
	answer const a = c.receive();
	EXPECT_EQ(a.status, 200u);
	EXPECT_EQ(a.body, "hello");
}

TEST_F(server_serves, bytes_as_they_arrive)
{
	m_script.add("slow", {{"x.mkv", film}}, 0);
	client c(where());
	ASSERT_TRUE(c.send("GET /stream/slow/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
	for (std::size_t here = 300'000; here <= film.size(); here += 300'000) m_script.arrive("slow", here);
	answer const a = c.receive();
	EXPECT_EQ(a.status, 200u);
	EXPECT_TRUE(a.body == film);
}

TEST_F(server_serves, several_addresses_of_both_families)
{
	http::server_options o = options();
	o.listen.emplace_back(boost::asio::ip::make_address("127.0.0.1"), 0);
	o.listen.emplace_back(boost::asio::ip::make_address("::1"), 0);
	serve(std::move(o));
	ASSERT_EQ(m_server->endpoints().size(), 3u);
	for (auto const& e : m_server->endpoints())
	{
		EXPECT_NE(e.port(), 0);
		EXPECT_EQ(test::ask(e, "GET", "/healthz").status, 200u);
	}
}

TEST_F(server_serves, several_ranges_as_parts_of_one_answer)
{
	client c(where());
	answer const a = c.ask("GET", path, "Range: bytes=1000000-1399999, 0-0, 2999998-\r\n");
	EXPECT_EQ(a.status, 206u);
	EXPECT_TRUE(a.complete);
	EXPECT_EQ(a.field("Content-Range"), "");
	std::string const boundary = "part-" + id;
	EXPECT_EQ(a.field("Content-Type"), "multipart/byteranges; boundary=" + boundary);
	std::string const start = "--" + boundary + "\r\nContent-Type: video/mp4\r\nContent-Range: bytes ";
	EXPECT_TRUE(a.body == start + "1000000-1399999/3000000\r\n\r\n" + film.substr(1'000'000, 400'000)
		+ "\r\n" + start + "0-0/3000000\r\n\r\n" + film.substr(0, 1)
		+ "\r\n" + start + "2999998-2999999/3000000\r\n\r\n" + film.substr(2'999'998)
		+ "\r\n--" + boundary + "--\r\n");
	// One reader for all of them, and the connection goes on.
	EXPECT_EQ(m_script.readers_opened(), 1);
	EXPECT_EQ(c.ask("GET", path, "Range: bytes=3-4,5-6,99999999-\r\n").field("Content-Range"), "bytes 3-6/3000000");
	EXPECT_EQ(c.ask("GET", path, "Range: bytes=3000000-,-0\r\n").status, 416u);
	answer const whole = c.ask("GET", path, "Range: bytes=0-1,3-4\r\nIf-Range: \"other\"\r\n");
	EXPECT_EQ(whole.status, 200u);
	EXPECT_TRUE(whole.body == film);
}

TEST_F(server_serves, what_renderers_of_dlna_ask_for)
{
	answer const a = ask("HEAD", path, "getcontentFeatures.dlna.org: 1\r\ntransferMode.dlna.org: Streaming\r\n");
	EXPECT_TRUE(a.field("contentFeatures.dlna.org").starts_with("DLNA.ORG_OP=01;")) << a.field("contentFeatures.dlna.org");
	EXPECT_EQ(a.field("transferMode.dlna.org"), "Streaming");
	EXPECT_EQ(ask("HEAD", path).field("contentFeatures.dlna.org"), "");
}

TEST_F(server_serves, accept_ranges_on_every_answer)
{
	for (char const* const target : {"/healthz", "/nothing", "/api/v1/torrents", "/%zz"})
		EXPECT_EQ(ask("GET", target).field("Accept-Ranges"), "none") << target;
	for (char const* const end : {"/0/film.mp4", "/9", "/1"})
		EXPECT_EQ(ask("GET", "/stream/" + id + end).field("Accept-Ranges"), "bytes") << end;
}

TEST_F(server_serves, no_more_connections_than_allowed_until_one_closes)
{
	http::server_options o = options();
	o.max_connections = 1;
	serve(std::move(o));
	client first(where());
	EXPECT_EQ(first.ask("GET", "/healthz").status, 200u);
	for (int i = 0; i < 100; ++i)
	{
		client second(where());
		second.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
		answer const a = second.receive();
		EXPECT_EQ(a.status, 503u);
		EXPECT_EQ(a.field("Retry-After"), "5");
		EXPECT_TRUE(second.is_closed_by_server());
	}
	EXPECT_EQ(first.ask("GET", "/healthz").status, 200u);
	first.close();
	// The server hears of the end in its own time.
	for (unsigned status = 503; status != 200;)
	{
		client third(where());
		third.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
		status = third.receive().status;
		ASSERT_TRUE(status == 200 || status == 503) << status;
	}
}

TEST_F(server_serves, nobody_on_a_port_in_use)
{
	http::server_options o = options();
	o.listen = {where()};
	try
	{
		http::server const second(m_engine, std::move(o));
		FAIL() << "listened twice";
	}
	catch (std::runtime_error const& e)
	{
		EXPECT_NE(std::string(e.what()).find(std::to_string(where().port())), std::string::npos) << e.what();
	}
}

void expect_problem(answer const& a, unsigned const status)
{
	EXPECT_EQ(a.status, status);
	EXPECT_EQ(a.field("Content-Type"), "application/problem+json");
	nlohmann::json const o = nlohmann::json::parse(a.body, nullptr, false);
	ASSERT_TRUE(o.is_object()) << a.body;
	EXPECT_EQ(o["status"], status);
	EXPECT_FALSE(o["title"].get<std::string>().empty());
	EXPECT_FALSE(o["detail"].get<std::string>().empty());
}

TEST_F(server_refuses, what_is_not_there)
{
	for (char const* const target : {"/nothing", "/stream/unknown/0/x", "/api/v1/torrents/unknown"})
		expect_problem(ask("GET", target), 404);
	for (char const* const index : {"3", "-1", "x", "99999999999"})
		expect_problem(ask("GET", "/stream/" + id + '/' + index + "/x"), 404);
	expect_problem(ask("GET", "/stream/%zz/0"), 400);
	expect_problem(ask("DELETE", "/api/v1/torrents/unknown"), 404);
}

TEST_F(server_refuses, wrong_methods)
{
	answer const a = ask("POST", path, "", "x");
	expect_problem(a, 405);
	EXPECT_EQ(a.field("Allow"), "GET, HEAD, OPTIONS");
	EXPECT_EQ(a.field("Accept-Ranges"), "bytes");
	expect_problem(ask("BREW", "/healthz"), 501);
}

TEST_F(server_refuses, reads_that_fail_before_the_first_byte_with_their_status)
{
	struct { errc failure; unsigned status; } const cases[]{{errc::read_timeout, 504}, {errc::no_space, 507}
		, {errc::no_such_torrent, 404}, {errc::torrent_failed, 502}, {errc::cancelled, 503}};
	for (auto const& [failure, status] : cases)
	{
		m_script.add("stuck", {{"x.mkv", film}}, 0);
		client c(where());
		ASSERT_TRUE(c.send("GET /stream/stuck/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
		ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
		m_script.fail_reads("stuck", failure, "what the reader says of it");
		answer const a = c.receive();
		expect_problem(a, status);
		EXPECT_NE(a.body.find("what the reader says of it"), std::string::npos) << a.body;
		EXPECT_EQ(c.ask("GET", "/healthz").status, 200u);
		EXPECT_TRUE(m_script.wait_for_readers(0));
		EXPECT_TRUE(m_engine.remove("stuck").has_value());
	}
}

TEST_F(server_refuses, metadata_that_does_not_come)
{
	m_script.add_waiting("magnet");
	client c(where());
	ASSERT_TRUE(c.send("HEAD /stream/magnet/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	ASSERT_TRUE(m_script.wait_for_ready_waits(1));
	m_script.fail_metadata("magnet", errc::metadata_timeout);
	EXPECT_EQ(c.receive(true).status, 504u);
}

TEST_F(server_refuses, to_say_all_came_when_a_read_fails_in_the_middle)
{
	m_script.add("half", {{"x.mkv", film}}, 100'000);
	client c(where());
	ASSERT_TRUE(c.send("GET /stream/half/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
	EXPECT_TRUE(m_engine.remove("half").has_value());
	answer const a = c.receive();
	EXPECT_EQ(a.status, 200u);
	EXPECT_FALSE(a.complete);
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(server_refuses, garbage_and_goes_on)
{
	for (std::string const& bytes : {std::string("\x16\x03\x01\x02\x00\x01", 6) + std::string(300, '\xff')
		, std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"), std::string("\0\0\0\0\r\n\r\n", 8)
		, std::string("GET / HTTP/1.1\r\nHost t\r\n\r\n"), std::string("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n")})
	{
		client c(where());
		ASSERT_TRUE(c.send(bytes));
		answer const a = c.receive();
		EXPECT_TRUE(a.status == 400 || a.status == 505) << a.status << ' ' << bytes;
		EXPECT_TRUE(c.is_closed_by_server());
	}
	expect_problem(ask("GET", "/healthz", "Host: second\r\n"), 400);
	EXPECT_EQ(ask("GET", "/healthz").status, 200u);
}

TEST_F(server_refuses, a_header_that_is_too_large)
{
	client c(where());
	c.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
	expect_problem(c.receive(), 431);
	EXPECT_TRUE(c.is_closed_by_server());
	EXPECT_EQ(ask("GET", "/healthz", "X: " + std::string(15'000, 'x') + "\r\n").status, 200u);
}

TEST_F(server_refuses, a_body_that_is_too_large_without_reading_it)
{
	client c(where());
	ASSERT_TRUE(c.send("POST /api/v1/torrents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"));
	expect_problem(c.receive(), 413);
	EXPECT_TRUE(c.is_closed_by_server());
	expect_problem(ask("POST", "/api/v1/torrents", "", std::string(engine::max_torrent_bytes + 1, 'd')), 413);
	// Chunked, the length is not said beforehand.
	client chunked(where());
	ASSERT_TRUE(chunked.send("POST /api/v1/torrents HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"));
	std::string const chunk = "100000\r\n" + std::string(1 << 20, 'd') + "\r\n";
	for (int i = 0; i < 40; ++i)
	{
		if (!chunked.send(chunk)) break;
	}
	EXPECT_EQ(chunked.receive().status, 413u);
}

TEST_F(server_refuses, a_body_where_none_belongs)
{
	client c(where());
	expect_problem(c.ask("GET", path, "", "hello"), 400);
	EXPECT_TRUE(c.is_closed_by_server());
}

TEST_F(server_refuses, to_wait_for_ever_for_a_request)
{
	http::server_options o = options();
	o.idle_timeout = std::chrono::milliseconds(50);
	serve(std::move(o));
	client silent(where());
	EXPECT_TRUE(silent.is_closed_by_server());
	client slow(where());
	slow.send("GET /healthz HT");
	EXPECT_TRUE(slow.is_closed_by_server());
}

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
