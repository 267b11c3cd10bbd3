// What `check` reads: URLs, Content-Range, multipart/byteranges.
#include "cli/http_client.hpp"
#include "cli/range_checks.hpp"

#include <gtest/gtest.h>

#include <string>

namespace slipstream::cli {
namespace {

TEST(a_url, is_taken_apart)
{
	auto const u = parse_url("https://anna:a%3Ab@[::1]:8443/stream/x?y=1#z");
	ASSERT_TRUE(u);
	EXPECT_TRUE(u->tls);
	EXPECT_EQ(u->host, "::1");
	EXPECT_EQ(u->port, "8443");
	EXPECT_EQ(u->authority, "[::1]:8443");
	EXPECT_EQ(u->target, "/stream/x?y=1");
	EXPECT_EQ(u->credentials, "anna:a:b");
	EXPECT_EQ(parse_url("http://Example.org")->target, "/");
	EXPECT_EQ(parse_url("http://Example.org")->port, "80");
	EXPECT_EQ(parse_url("https://example.org?q")->port, "443");
	EXPECT_EQ(parse_url("https://example.org?q")->target, "/?q");
}

TEST(a_url, that_is_none_is_refused_with_an_example)
{
	for (char const* const wrong : {"", "film.mkv", "ftp://h/", "http://", "http:///x", "http://h:x/", "http://a b/", "http://h/\r\n"
		, "http://user@h/", "http://%zz:a@h/", "http://h:99999999/"})
	{
		auto const u = parse_url(wrong);
		ASSERT_FALSE(u) << wrong;
		EXPECT_NE(u.error().detail.find("http://127.0.0.1:8090/stream/"), std::string::npos);
	}
}

TEST(content_range_value, is_read_or_refused)
{
	EXPECT_EQ(parse_content_range("bytes 0-9/10"), (content_range{0, 9, 10}));
	for (char const* const wrong : {"", "bytes", "bytes */10", "bytes 0-10/10", "bytes 5-4/10", "bytes 0-9/*", "bytes=0-9/10"
		, "bytes 0-9/10x", "bytes -1-9/10", "bytes 0-99999999999999999999/99999999999999999999", "items 0-9/10"})
		EXPECT_FALSE(parse_content_range(wrong)) << wrong;
}

std::string const two_parts = "preamble\r\n--b\r\nContent-Type: a/b\r\ncontent-range: bytes 0-3/100\r\n\r\n--b\r\r\n"
	"--b\r\nContent-Range: bytes 98-99/100\r\n\r\nxy\r\n--b--\r\nepilogue";

TEST(byteranges, are_read_by_their_lengths)
{
	// The first part's bytes are "--b\r": a boundary inside of bytes is none.
	for (char const* const type : {"multipart/byteranges; boundary=b", "multipart/byteranges; boundary=\"b\"; x=y"})
	{
		auto const parts = parse_byteranges(type, two_parts);
		ASSERT_TRUE(parts) << type;
		ASSERT_EQ(parts->size(), 2u);
		EXPECT_EQ((*parts)[0].bytes, "--b\r");
		EXPECT_EQ((*parts)[1].range, (content_range{98, 99, 100}));
		EXPECT_EQ((*parts)[1].bytes, "xy");
	}
}

TEST(byteranges, that_are_malformed_are_refused)
{
	EXPECT_FALSE(parse_byteranges("multipart/byteranges", two_parts));
	EXPECT_FALSE(parse_byteranges("multipart/mixed; boundary=b", two_parts));
	EXPECT_FALSE(parse_byteranges("multipart/byteranges; boundary=c", two_parts));
	// Cut anywhere before its end, it is not whole.
	std::size_t const end = two_parts.find("--b--") + 5;
	for (std::size_t length = 0; length < end; ++length)
		EXPECT_FALSE(parse_byteranges("multipart/byteranges; boundary=b", two_parts.substr(0, length))) << length;
}

} // namespace
} // namespace slipstream::cli
