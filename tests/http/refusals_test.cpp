// The server over real sockets: what it refuses, and how it says so.
#include "http/fixture.hpp"

namespace slipstream::test {
namespace {

using server_refuses = serving;

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

// Somebody else's server in between may take it for one.
TEST_F(server_refuses, to_take_a_body_that_it_did_not_read_for_the_next_request)
{
	std::string const hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
	for (auto const& [target, status] : {std::pair("/nothing", 404u), {"/healthz", 405u}, {"/api/v1/torrents?", 403u}})
	{
		client c(where());
		expect_problem(c.ask("POST", target, "Origin: http://evil.example\r\n", hidden), status);
		EXPECT_EQ(c.receive().ec, http::wire::error::end_of_stream) << target;
	}
}

TEST_F(server_refuses, more_uploads_than_it_may_have_until_one_ends)
{
	http::server_options o = options();
	o.max_uploads = 1;
	serve(std::move(o));
	std::string const head = "POST /api/v1/torrents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n";
	std::string const go_on = "HTTP/1.1 100 Continue\r\n\r\n";
	client first(where());
	ASSERT_TRUE(first.send(head + "Expect: 100-continue\r\n\r\n"));
	ASSERT_EQ(first.receive_bytes(go_on.size()), go_on);  // it is counted
	client second(where());
	std::string const hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
	expect_problem(second.ask("POST", "/api/v1/torrents", "", hidden), 503);
	EXPECT_EQ(second.receive().ec, http::wire::error::end_of_stream) << "its body is no request";
	ASSERT_TRUE(first.send("hello"));
	expect_problem(first.receive(), 400);
	expect_problem(ask("POST", "/api/v1/torrents", "", "hello"), 400);
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

} // namespace
} // namespace slipstream::test
