// What the server decides without a socket: targets, conditions, media types, plans, JSON. Its first answers are in door_test.cpp.
#include "http/asking.hpp"
#include "http/json.hpp"
#include "http/conditions.hpp"
#include "http/dlna.hpp"
#include "http/media_type.hpp"
#include "http/reply.hpp"
#include "http/route.hpp"
#include "http/stream_plan.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>

namespace slipstream::http {
namespace {

std::string const hash(40, 'a');

TEST(target, of_a_stream_has_hash_and_index_and_any_name)
{
	for (std::string const& target : {"/stream/" + hash + "/7/film.mkv", "/stream/" + hash + "/7/"
		, "/stream/" + hash + "/7", "/stream/" + hash + "/7/a%2Fb%0d%0a.mkv?t=1#x"
		, "http://127.0.0.1:8090/stream/" + hash + "/7/x", "/str%65am/" + hash + "/7/x"})
	{
		route const r = find_route(target);
		EXPECT_EQ(r.what, resource::stream) << target;
		EXPECT_EQ(r.id, hash) << target;
		EXPECT_EQ(r.file_index, 7) << target;
	}
	EXPECT_EQ(find_route("/stream/" + hash + "/7/a/b").what, resource::unknown);
	EXPECT_EQ(find_route("/stream/" + hash).what, resource::unknown);
}

TEST(target, with_an_index_that_is_no_number_names_no_file)
{
	for (char const* const index : {"", "-1", "+1", "x", "1x", "0x1", "99999999999999999999", " 1", "1%00"})
	{
		route const r = find_route("/stream/" + hash + "/" + index + "/n");
		EXPECT_EQ(r.what, resource::stream) << index;
		EXPECT_LT(r.file_index, 0) << index;
	}
	EXPECT_EQ(find_route("/stream/" + hash + "/2147483647/n").file_index, 2147483647);
	EXPECT_LT(find_route("/stream/" + hash + "/2147483648/n").file_index, 0);
}

TEST(target, with_a_bad_escape_or_no_path_is_malformed)
{
	for (char const* const target : {"/%", "/%4", "/%zz", "/stream/%g0/1", "", "x", "*x", "http:/x"})
	{
		route const r = find_route(target);
		EXPECT_EQ(r.what, resource::malformed) << target;
		EXPECT_FALSE(r.reason.empty()) << target;
	}
}

TEST(target, of_the_api_and_of_nothing)
{
	EXPECT_EQ(find_route("/api/v1/torrents").what, resource::torrents);
	EXPECT_EQ(find_route("/api/v1/torrents/").what, resource::torrents);
	EXPECT_EQ(find_route("/api/v1/torrents?x=/").what, resource::torrents);
	EXPECT_EQ(find_route("/api/v1/torrents/ab").what, resource::torrent);
	EXPECT_EQ(find_route("/api/v1/torrents/ab").id, "ab");
	EXPECT_EQ(find_route("/healthz").what, resource::health);
	EXPECT_EQ(find_route("*").what, resource::server);
	EXPECT_EQ(find_route("/").what, resource::page);
	EXPECT_EQ(find_route("http://host").what, resource::page);
	for (char const* const target : {"//", "/page", "/healthz/", "/openapi.yaml/", "/api", "/api/v1", "/api/v2/torrents"
		, "/api/v1/torrents/a/b", "/api/v1/torrents/a/pause/b", "/api/v1/reader", "/../etc/passwd", "/stream"})
		EXPECT_EQ(find_route(target).what, resource::unknown) << target;
}

TEST(percent, encoding_comes_back_and_is_safe_everywhere)
{
	std::mt19937 random(3);
	for (int round = 0; round < 2000; ++round)
	{
		std::string text;
		for (std::size_t i = random() % 40; i > 0; --i) text += static_cast<char>(random() % 256);
		std::string const encoded = percent_encoded(text);
		EXPECT_EQ(percent_decoded(encoded), text);
		EXPECT_EQ(encoded.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~%")
			, std::string::npos);
	}
}

TEST(stream_path, of_any_name_leads_back_to_the_file)
{
	for (std::string const name : {"film.mkv", "a \"b\"\r\nSet-Cookie: x.mkv", "\xc3\xa9t\xc3\xa9/\xff.mp4"
		, "..", ".", "", "?#%2e"})
	{
		route const r = find_route(stream_path(hash, 3, name));
		EXPECT_EQ(r.what, resource::stream) << name;
		EXPECT_EQ(r.id, hash);
		EXPECT_EQ(r.file_index, 3);
	}
	EXPECT_EQ(stream_path("ab", 0, "a b.mkv"), "/stream/ab/0/a%20b.mkv");
	EXPECT_EQ(stream_path("ab", 0, ".."), "/stream/ab/0");
}

TEST(conditions, compare_tags_as_the_rfc_says)
{
	constexpr std::string_view tag = "\"ab-1\"";
	EXPECT_TRUE(matches_any("\"ab-1\"", tag, tag_comparison::strong));
	EXPECT_TRUE(matches_any(" \"x,y\" , \"ab-1\"", tag, tag_comparison::strong));
	EXPECT_TRUE(matches_any("*", tag, tag_comparison::strong));
	EXPECT_TRUE(matches_any("W/\"ab-1\"", tag, tag_comparison::weak));
	EXPECT_FALSE(matches_any("W/\"ab-1\"", tag, tag_comparison::strong));
	EXPECT_FALSE(matches_any("\"ab-10\"", tag, tag_comparison::weak));
	EXPECT_FALSE(matches_any("ab-1", tag, tag_comparison::weak));
	EXPECT_FALSE(matches_any("\"ab-1", tag, tag_comparison::weak));
	EXPECT_FALSE(matches_any("", tag, tag_comparison::weak));
	EXPECT_FALSE(matches_any("*x", tag, tag_comparison::weak));
	EXPECT_TRUE(if_range_holds("\"ab-1\"", tag));
	EXPECT_FALSE(if_range_holds("W/\"ab-1\"", tag));
	EXPECT_FALSE(if_range_holds("\"ab-1\", \"x\"", tag));
	EXPECT_FALSE(if_range_holds("Sun, 06 Nov 1994 08:49:37 GMT", tag));
	EXPECT_FALSE(if_range_holds("", tag));
}

TEST(media_type, goes_by_the_extension_in_either_case)
{
	EXPECT_EQ(media_type("Film.MKV"), "video/x-matroska");
	EXPECT_EQ(media_type("a.b.mp4"), "video/mp4");
	EXPECT_EQ(media_type("x.avi"), "video/x-msvideo");
	EXPECT_EQ(media_type("x.webm"), "video/webm");
	EXPECT_EQ(media_type("x.flac"), "audio/flac");
	EXPECT_EQ(media_type("x.srt"), "application/x-subrip");
	for (char const* const name : {"x.mov", "x.ts", "x.m2ts", "x.mpg", "x.wmv", "x.flv", "x.ogm", "x.f4v", "x.rm", "x.trp"
		, "x.hevc", "x.mxf"})
		EXPECT_TRUE(media_type(name).starts_with("video/") || media_type(name).starts_with("application/")) << name;
	for (char const* const name : {"x.mp3", "x.m4a", "x.aac", "x.ogg", "x.opus", "x.wav", "x.eac3", "x.dsf", "x.tta"})
		EXPECT_TRUE(media_type(name).starts_with("audio/")) << name;
	for (char const* const name : {"x.vtt", "x.ass", "x.sub", "x.idx", "x.smi", "x.jpg", "x.png", "x.txt", "x.nfo", "x.ttml"})
		EXPECT_NE(media_type(name), "application/octet-stream") << name;
	for (char const* const name : {"", "mkv", "x.", "x.html", "x.svg", "x.mkv.part", "x.mkvv"})
		EXPECT_EQ(media_type(name), "application/octet-stream") << name;
}

file_entry film() { return {.index = 1, .path = "d/f.mp4", .name = "f.mp4", .size_bytes = 1000}; }

stream_plan plan(wire::verb const method, std::initializer_list<std::pair<wire::field, char const*>> fields)
{
	return plan_stream(asking(method, fields), "ab", film());
}

TEST(stream_plan, obeys_a_range_only_of_get_and_only_if_range_holds)
{
	using enum wire::field;
	wire::verb const get = wire::verb::get;
	EXPECT_EQ(plan(get, {}).status, wire::status::ok);
	EXPECT_EQ(plan(get, {{range, "bytes=1-2"}}).status, wire::status::partial_content);
	EXPECT_EQ(plan(get, {{range, "bytes=1-2"}}).parts.at(0).bytes, (byte_range{1, 2}));
	EXPECT_EQ(plan(wire::verb::head, {{range, "bytes=1-2"}}).status, wire::status::ok);
	EXPECT_EQ(plan(wire::verb::head, {{range, "bytes=1-2"}}).length_bytes(), 1000);
	EXPECT_EQ(plan(get, {{range, "bytes=1-2"}, {if_range, "\"ab-1\""}}).status
		, wire::status::partial_content);
	EXPECT_EQ(plan(get, {{range, "bytes=1-2"}, {if_range, "\"ab-2\""}}).status, wire::status::ok);
	EXPECT_EQ(plan(get, {{range, "bytes=5000-"}, {if_range, "\"ab-2\""}}).status, wire::status::ok);
	EXPECT_EQ(plan(get, {{range, "bytes=5000-"}}).status, wire::status::range_not_satisfiable);
	EXPECT_EQ(plan(get, {{range, "bytes=1-2"}, {range, "bytes=3-4"}}).status, wire::status::ok);
	// What is streamed has no date: none is ever the same.
	EXPECT_EQ(plan(get, {{range, "bytes=1-2"}, {if_range, "Sun, 06 Nov 1994 08:49:37 GMT"}}).status, wire::status::ok);
}

TEST(stream_plan, of_several_ranges_has_a_header_for_each_part_and_counts_all_of_it)
{
	stream_plan const p = plan(wire::verb::get, {{wire::field::range, "bytes=1-2,-3"}});
	EXPECT_EQ(p.status, wire::status::partial_content);
	ASSERT_EQ(p.parts.size(), 2u);
	EXPECT_EQ(p.parts[0].before, "--part-ab\r\nContent-Type: video/mp4\r\nContent-Range: bytes 1-2/1000\r\n\r\n");
	EXPECT_EQ(p.parts[0].bytes, (byte_range{1, 2}));
	EXPECT_EQ(p.parts[1].before, "\r\n--part-ab\r\nContent-Type: video/mp4\r\nContent-Range: bytes 997-999/1000\r\n\r\n");
	EXPECT_EQ(p.parts[1].bytes, (byte_range{997, 3}));
	EXPECT_EQ(p.closing, "\r\n--part-ab--\r\n");
	EXPECT_EQ(p.length_bytes(), static_cast<std::int64_t>(p.parts[0].before.size() + 2 + p.parts[1].before.size() + 3
		+ p.closing.size()));
	for (auto const& [name, value] : p.headers) EXPECT_NE(name, wire::field::content_range) << value;
}

TEST(stream_plan, of_several_ranges_that_cost_more_than_the_file_is_the_file)
{
	std::string many = "bytes=0-0";
	for (int i = 1; i < 16; ++i) many += ',' + std::to_string(2 * i) + "-" + std::to_string(2 * i);
	stream_plan const p = plan(wire::verb::get, {{wire::field::range, many.c_str()}});
	EXPECT_EQ(p.status, wire::status::ok);
	EXPECT_EQ(p.length_bytes(), 1000);
	EXPECT_EQ(p.parts.size(), 1u);
	EXPECT_EQ(p.parts[0].before + p.closing, "");
	std::size_t types = 0;
	for (auto const& [name, value] : p.headers) types += name == wire::field::content_type;
	EXPECT_EQ(types, 1u);
}

TEST(part_boundary, is_short_enough_for_every_hash)
{
	EXPECT_LE(part_boundary(std::string(64, 'f')).size(), 70u);  // RFC 2046, section 5.1.1
}

std::string dlna(char const* const name, char const* const value, std::string_view const type = "video/mp4")
{
	wire::request_header<> head;
	head.insert(name, value);
	auto const answers = dlna_headers(head, type);
	return answers.empty() ? "" : answers.size() > 1 ? "several" : answers[0].first + ": " + answers[0].second;
}

TEST(dlna, is_answered_when_asked)
{
	EXPECT_TRUE(dlna("getcontentFeatures.dlna.org", "1").starts_with("contentFeatures.dlna.org: DLNA.ORG_OP=01;"));
	EXPECT_EQ(dlna("getcontentFeatures.dlna.org", "0"), "");
	EXPECT_EQ(dlna("transferMode.dlna.org", "Streaming"), "transferMode.dlna.org: Streaming");
	EXPECT_EQ(dlna("TRANSFERMODE.DLNA.ORG", "background"), "transferMode.dlna.org: Background");
	EXPECT_EQ(dlna("transferMode.dlna.org", "Streaming", "image/jpeg"), "transferMode.dlna.org: Interactive");
	EXPECT_EQ(dlna("transferMode.dlna.org", "\r\nX: y"), "transferMode.dlna.org: Streaming");
	EXPECT_TRUE(dlna_headers(wire::request_header<>{}, "video/mp4").empty());
}

TEST(stream_plan, judges_the_conditions_first)
{
	using enum wire::field;
	wire::verb const get = wire::verb::get;
	EXPECT_EQ(plan(get, {{if_none_match, "W/\"ab-1\""}, {range, "bytes=5000-"}}).status
		, wire::status::not_modified);
	EXPECT_EQ(plan(get, {{if_none_match, "\"other\""}}).status, wire::status::ok);
	EXPECT_EQ(plan(get, {{if_match, "\"other\""}, {if_none_match, "*"}}).status
		, wire::status::precondition_failed);
	EXPECT_EQ(plan(get, {{if_match, "\"ab-1\""}}).status, wire::status::ok);
}

TEST(json, survives_names_of_any_bytes)
{
	torrent_summary t;
	t.id = hash;
	t.name = "bad \xff\xfe \"quoted\" \r\n";
	t.phase = torrent_phase::ready;
	t.files = std::vector<file_entry>{{.index = 0, .path = "d\xff/f\xc3.mkv", .name = "f\xc3.mkv", .size_bytes = 5}};
	nlohmann::json const o = nlohmann::json::parse(to_json(t));
	EXPECT_EQ(o["id"], hash);
	EXPECT_EQ(o["phase"], "ready");
	EXPECT_EQ(o["failure"], nullptr);
	EXPECT_EQ(o["files"][0]["stream_url"], "/stream/" + hash + "/0/f%C3.mkv");
	EXPECT_NE(o["name"].get<std::string>().find("\"quoted\""), std::string::npos);
	EXPECT_EQ(nlohmann::json::parse(to_json(std::vector{t, t})).size(), 2u);
	EXPECT_EQ(nlohmann::json::parse(problem(wire::status::not_found, "\xff").body)["status"], 404);
}

} // namespace
} // namespace slipstream::http
