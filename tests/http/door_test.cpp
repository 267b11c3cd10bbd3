// What the server decides at its door: whom it lets in, and what it answers without the engine.
#include "http/door.hpp"
#include "http/asking.hpp"
#include "http/credentials.hpp"
#include "http/route.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace slipstream::http {
namespace {

server_options known_as_h()
{
	server_options o;
	o.host_names = {"H", "a"};
	return o;
}

unsigned first_status(wire::request_header<> const& head, char const* const target
	, std::vector<std::string> const& users = {})
{
	std::optional<reply> const r = answer_at_the_door(head, find_route(target), known_as_h(), credentials(users));
	return r ? static_cast<unsigned>(r->status) : 0;
}

TEST(door, keeps_out_what_needs_no_engine)
{
	using enum wire::field;
	auto const get = asking(wire::verb::get, {{host, "h"}});
	EXPECT_EQ(first_status(get, "/nothing"), 404u);
	EXPECT_EQ(first_status(get, "/%zz"), 400u);
	EXPECT_EQ(first_status(get, "/healthz"), 200u);
	EXPECT_EQ(first_status(get, "/api/v1/torrents"), 0u);
	EXPECT_EQ(first_status(asking(wire::verb::get, {}), "/healthz"), 400u);
	EXPECT_EQ(first_status(asking(wire::verb::get, {{host, "a"}, {host, "b"}}), "/healthz"), 400u);
	EXPECT_EQ(first_status(asking(wire::verb::put, {{host, "h"}}), "/api/v1/torrents"), 405u);
	EXPECT_EQ(first_status(asking(wire::verb::delete_, {{host, "h"}}), "/api/v1/torrents"), 405u);
	EXPECT_EQ(first_status(asking(wire::verb::options, {{host, "h"}}), "/stream/a/1/n"), 204u);
	auto strange = get;
	strange.method_string("BREW");
	EXPECT_EQ(first_status(strange, "/healthz"), 501u);
}

TEST(door, is_closed_to_requests_for_somebody_else)
{
	using enum wire::field;
	for (char const* const ours : {"127.0.0.1", "127.0.0.1:8090", "10.1.2.3:80", "[::1]:8090", "[fe80::1]", "localhost"
		, "LOCALHOST:1", "localhost.", "a.localhost:5", "h", "H:8090", "h.", "127.0.0.1:"})
		EXPECT_EQ(first_status(asking(wire::verb::get, {{host, ours}}), "/healthz"), 200u) << ours;
	for (char const* const theirs : {"evil.com", "evil.com:8090", "127.0.0.1.evil.com", "localhost.evil.com", "xh", "hx"
		, "2130706433", "0x7f.1", "127.1", "evillocalhost"})
		EXPECT_EQ(first_status(asking(wire::verb::get, {{host, theirs}}), "/healthz"), 421u) << theirs;
	for (char const* const wrong : {"", " ", "a b", "user@127.0.0.1", "127.0.0.1/x", "[::1", "::1", "[::1]x", "h:x", "h:999999"
		, "h:80:80", "[fe80::1%eth0]", "\"h\"", "h\r", "[127.0.0.1]"})
		EXPECT_EQ(first_status(asking(wire::verb::get, {{host, wrong}}), "/healthz"), 400u) << wrong;
	// An absolute target says it instead.
	auto absolute = asking(wire::verb::get, {{host, "127.0.0.1"}});
	absolute.target("http://evil.com/healthz");
	EXPECT_EQ(first_status(absolute, "/healthz"), 421u);
	absolute.target("http://localhost:8090/healthz");
	absolute.set(host, "evil.com");
	EXPECT_EQ(first_status(absolute, "/healthz"), 200u);
	// HTTP/1.0 need not say.
	auto old = asking(wire::verb::get, {});
	old.version(10);
	EXPECT_EQ(first_status(old, "/healthz"), 200u);
}

TEST(credentials, are_taken_from_a_basic_header_and_from_nothing_else)
{
	EXPECT_EQ(basic_credentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "Aladdin:open sesame");  // RFC 7617, section 2
	EXPECT_EQ(basic_credentials("bASIC  dGVzdDoxMjPCow=="), "test:123\xc2\xa3");             // and 2.1
	EXPECT_EQ(basic_credentials("Basic YTo="), "a:");
	EXPECT_EQ(basic_credentials("Basic OmI="), ":b");
	EXPECT_EQ(basic_credentials("Basic YTpi"), "a:b");
	for (std::string const& wrong : {std::string(), std::string("Basic"), std::string("Basic "), std::string("Basic YTp")
		, std::string("Basic YT=i"), std::string("Basic Y==="), std::string("Basic ===="), std::string("Basic YWI=")
		, std::string("Basic YTpi\n"), std::string("Bearer YTpi"), std::string("YTpi"), std::string("Basic YT-i")
		, "Basic " + std::string(2000, 'A'), std::string("Basic \0\0\0\0", 10)})
		EXPECT_FALSE(basic_credentials(wrong).has_value()) << wrong;
}

TEST(credentials, admit_who_is_known_exactly)
{
	credentials const c({"a:b", "user:pass:word"});
	EXPECT_TRUE(c.admits("Basic YTpi"));
	EXPECT_TRUE(c.admits("Basic dXNlcjpwYXNzOndvcmQ="));
	EXPECT_FALSE(c.admits("Basic YTo="));
	EXPECT_FALSE(c.admits("Basic YTpiYg=="));
	EXPECT_FALSE(c.admits("Basic QTpi"));
	EXPECT_FALSE(c.admits(""));
	EXPECT_TRUE(credentials({}).admits(""));
	EXPECT_FALSE(credentials({}).needed());
	for (char const* const wrong : {"", "a", ":", "a:", ":b", "a:b\n"}) EXPECT_FALSE(is_credentials(wrong)) << wrong;
	EXPECT_THROW(credentials({"nobody"}), std::invalid_argument);
}

TEST(door, asks_everybody_who_they_are_but_watchdogs_and_preflights)
{
	using enum wire::field;
	std::vector<std::string> const users{"a:b"};
	auto const nobody = asking(wire::verb::get, {{host, "h"}});
	auto const known = asking(wire::verb::get, {{host, "h"}, {authorization, "Basic YTpi"}});
	for (char const* const target : {"/api/v1/torrents", "/stream/a/1", "/metrics", "/playlist.m3u", "/nothing", "/%zz"})
	{
		EXPECT_EQ(first_status(nobody, target, users), 401u) << target;
		EXPECT_NE(first_status(known, target, users), 401u) << target;
		EXPECT_EQ(first_status(asking(wire::verb::get, {{host, "h"}, {authorization, "Basic YTpj"}}), target, users), 401u);
		EXPECT_EQ(first_status(asking(wire::verb::get, {{host, "h"}, {authorization, "Basic YTpi"}
			, {authorization, "Basic YTpj"}}), target, users), 401u);
	}
	EXPECT_EQ(first_status(nobody, "/healthz", users), 200u);
	EXPECT_EQ(first_status(asking(wire::verb::options, {{host, "h"}}), "/stream/a/1", users), 204u);
	auto const refusal = answer_at_the_door(nobody, find_route("/metrics"), known_as_h(), credentials(users));
	ASSERT_EQ(refusal->headers.size(), 1u);
	EXPECT_EQ(refusal->headers[0].first, www_authenticate);
	EXPECT_TRUE(refusal->headers[0].second.starts_with("Basic realm="));
}

TEST(door, lets_pages_of_other_sites_ask_for_streams_only)
{
	auto const from = [](char const* const site, char const* const mode, char const* const target) {
		auto head = asking(wire::verb::get, {{wire::field::host, "h"}});
		head.set("Sec-Fetch-Site", site);
		head.set("Sec-Fetch-Mode", mode);
		return first_status(head, target);
	};
	for (char const* const target : {"/api/v1/events", "/playlist.m3u", "/metrics", "/api/v1/torrents"})
	{
		EXPECT_EQ(from("cross-site", "no-cors", target), 403u) << target;
		EXPECT_EQ(from("same-site", "cors", target), 403u) << target;
		EXPECT_EQ(from("same-origin", "cors", target), 0u) << target;
		EXPECT_EQ(from("none", "navigate", target), 0u) << target;
		EXPECT_EQ(from("cross-site", "navigate", target), 0u) << target;
	}
	EXPECT_EQ(from("cross-site", "no-cors", "/stream/a/1"), 0u);
}

TEST(door, lets_no_page_of_another_origin_change_anything)
{
	using enum wire::field;
	char const* const list = "/api/v1/torrents";
	EXPECT_EQ(first_status(asking(wire::verb::post, {{host, "h:1"}, {origin, "http://evil"}}), list), 403u);
	EXPECT_EQ(first_status(asking(wire::verb::post, {{host, "h:1"}, {origin, "null"}}), list), 403u);
	EXPECT_EQ(first_status(asking(wire::verb::post, {{host, "LocalHost:1"}, {origin, "http://localhost:1"}}), list), 0u);
	EXPECT_EQ(first_status(asking(wire::verb::post, {{host, "127.0.0.1:1"}, {origin, "http://127.0.0.1:1"}}), list), 0u);
	EXPECT_EQ(first_status(asking(wire::verb::post, {{host, "[::1]:1"}, {origin, "http://[::1]:1"}}), list), 0u);
	// A name that was made to lead here.
	EXPECT_EQ(first_status(asking(wire::verb::post, {{host, "evil.com:1"}, {origin, "http://evil.com:1"}}), list), 421u);
	EXPECT_EQ(first_status(asking(wire::verb::post, {{host, "h:1"}}), list), 0u);
	EXPECT_EQ(first_status(asking(wire::verb::delete_, {{host, "h"}, {origin, "http://evil"}})
		, "/api/v1/torrents/x"), 403u);
	EXPECT_EQ(first_status(asking(wire::verb::get, {{host, "h"}, {origin, "http://evil"}})
		, "/stream/a/1"), 0u);
}

} // namespace
} // namespace slipstream::http
