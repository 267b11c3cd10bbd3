// The server over real sockets: what clients ask, and what they get. What it refuses is in refusals_test.cpp.
#include "http/fixture.hpp"

#include "http/connection.hpp"

namespace slipstream::test {
namespace {

using server_serves = serving;

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

} // namespace
} // namespace slipstream::test
