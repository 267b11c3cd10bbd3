// Playlists: which files, in which order, with what beside them.
#include "http/playlist.hpp"

#include "http/fixture.hpp"

#include <algorithm>
#include <random>

namespace slipstream::http {
namespace {

std::vector<file_entry> files(std::initializer_list<char const*> const paths)
{
	std::vector<file_entry> all;
	for (std::string const path : paths)
	{
		all.push_back({.index = static_cast<int>(all.size()), .path = path, .name = path.substr(path.rfind('/') + 1)
			, .size_bytes = 1});
	}
	return all;
}

// "film <sub <sub, film"
std::string text(std::vector<file_entry> const& all)
{
	std::string out;
	for (playlist_item const& item : playlist_items(all))
	{
		out += (out.empty() ? "" : ", ") + item.file->name;
		for (file_entry const* const side : item.sides) out += " <" + side->name;
	}
	return out;
}

// A stranger's torrent may have as many files as 32 MiB of metadata can name, and the server has one thread.
TEST(playlist, of_a_hundred_thousand_files_is_made_without_comparing_each_with_all)
{
	for (auto const& [film, side] : {std::pair{"f%.mkv", "f%.en.srt"}, {"%/film.mkv", "%/film.srt"}, {"film.%.mkv", "a%.sub"}, {"f%.mkv", "f%.mka"}})
	{
		std::vector<file_entry> all;
		for (int i = 0; i < 100'000; ++i)
		{
			std::string path = i % 2 == 0 ? film : side;
			path.replace(path.find('%'), 1, std::to_string(i / 2));
			all.push_back({.index = i, .path = path, .name = path.substr(path.rfind('/') + 1), .size_bytes = 1});
		}
		auto const items = playlist_items(all);
		EXPECT_EQ(items.size(), 50'000u) << film;
		for (playlist_item const& item : items) ASSERT_LE(item.sides.size(), 64u);
	}
}

TEST(playlist, gives_a_sound_to_the_first_film_it_is_called_after_and_texts_to_all)
{
	EXPECT_EQ(text(files({"ab.mkv", "ab.cd.mkv", "ab.cd.mka", "ab.x.mka", "ab.cd.en.srt"}))
		, "ab.cd.mkv <ab.cd.en.srt <ab.cd.mka, ab.mkv <ab.cd.en.srt <ab.x.mka");
}

TEST(natural_order, counts_numbers_and_ignores_case)
{
	std::vector<std::string> sorted{"a", "A1", "a02", "a2b", "a10", "B", "b/z", "b1", "S01E2", "s01E10", "S2E1", "\xc3\xa9"};
	for (std::size_t i = 0; i + 1 < sorted.size(); ++i)
		EXPECT_TRUE(natural_less(sorted[i], sorted[i + 1])) << sorted[i] << ' ' << sorted[i + 1];
	EXPECT_TRUE(natural_less("9", "99999999999999999999999999"));
	EXPECT_FALSE(natural_less("99999999999999999999999999", "9"));
	// Folders stay together.
	EXPECT_TRUE(natural_less("s1/10.mkv", "s1 extra/2.mkv"));
}

TEST(natural_order, is_a_strict_weak_order)
{
	std::mt19937 random(5);
	std::string const alphabet = "aAbB0019/ .";
	std::vector<std::string> texts;
	for (int i = 0; i < 120; ++i)
	{
		std::string t;
		for (std::size_t n = random() % 6; n > 0; --n) t += alphabet[random() % alphabet.size()];
		texts.push_back(std::move(t));
	}
	for (auto const& a : texts)
	{
		EXPECT_FALSE(natural_less(a, a));
		for (auto const& b : texts)
		{
			if (a != b)
			{
				EXPECT_NE(natural_less(a, b), natural_less(b, a)) << a << '|' << b;
			}
			for (auto const& c : texts)
			{
				if (natural_less(a, b) && natural_less(b, c))
				{
					ASSERT_TRUE(natural_less(a, c)) << a << '|' << b << '|' << c;
				}
			}
		}
	}
}

TEST(playlist, has_what_plays_in_natural_order)
{
	EXPECT_EQ(text(files({"t/Episode 10.mkv", "t/Episode 2.MKV", "t/info.nfo", "t/cover.jpg", "t/list.m3u", "t/x.html"}))
		, "Episode 2.MKV, Episode 10.mkv");
	EXPECT_EQ(text(files({"a/02 b.mp3", "a/01 a.flac"})), "01 a.flac, 02 b.mp3");
	EXPECT_EQ(text(files({"readme.txt"})), "");
	auto padded = files({"a.mkv", "b.mkv"});
	padded[0].pad = true;
	EXPECT_EQ(text(padded), "b.mkv");
}

TEST(playlist, gives_a_film_what_is_called_after_it)
{
	EXPECT_EQ(text(files({"s/E1.mkv", "s/E10.mkv", "s/E1.en.srt", "s/e1.srt", "s/E10.srt", "s/other.srt"}))
		, "E1.mkv <E1.en.srt <e1.srt, E10.mkv <E10.srt");
	EXPECT_EQ(text(files({"s/E1.mkv", "s/E2.mkv", "s/Subs/E1/2_English.srt", "s/Subs/E2/3_German.srt"}))
		, "E1.mkv <2_English.srt, E2.mkv <3_German.srt");
	EXPECT_EQ(text(files({"f/Film.mkv", "f/Subs/English.srt", "f/Sound/Film.commentary.mka", "f/song.mp3"}))
		, "Film.mkv <English.srt <Film.commentary.mka, song.mp3");
	// A pair cannot be found over HTTP; a single one can be read.
	EXPECT_EQ(text(files({"f/Film.mkv", "f/Film.idx", "f/Film.sub"})), "Film.mkv");
	EXPECT_EQ(text(files({"f/Film.mkv", "f/Film.sub"})), "Film.mkv <Film.sub");
}

TEST(playlist, is_text_that_names_cannot_break)
{
	torrent_summary t;
	t.id = "ab";
	t.files = files({"d/a \"x\"\r\n#EXTVLCOPT:evil.mkv", "d/s#1.srt", "d/s2.srt"});
	EXPECT_EQ(playlist_text(std::vector{t}, "http://h:1"), "#EXTM3U\n"
		"#EXTINF:-1,a \"x\"  #EXTVLCOPT:evil.mkv\n"
		"#EXTVLCOPT:input-slave=http://h:1/stream/ab/1/s%231.srt#http://h:1/stream/ab/2/s2.srt\n"
		"http://h:1/stream/ab/0/a%20%22x%22%0D%0A%23EXTVLCOPT%3Aevil.mkv\n");
	EXPECT_EQ(playlist_text({}, "http://h:1"), "#EXTM3U\n");
}

} // namespace
} // namespace slipstream::http

namespace slipstream::test {
namespace {

using server_playlist = serving;

TEST_F(server_playlist, of_a_torrent_has_urls_that_work)
{
	answer const a = ask("GET", "/playlist/" + id + ".m3u");
	EXPECT_EQ(a.status, 200u);
	EXPECT_EQ(a.field("Content-Type"), "audio/x-mpegurl");
	EXPECT_TRUE(a.body.starts_with("#EXTM3U\n#EXTINF:-1,film.mp4\nhttp://127.0.0.1" + path + '\n')) << a.body;
	EXPECT_TRUE(a.body.ends_with("/2/strange%20%22name%22.mkv\n")) << a.body;
	client c(where());
	// The host is the one that the client used.
	ASSERT_TRUE(c.send("GET /playlist/" + id + ".m3u HTTP/1.1\r\nHost: LocalHost:81\r\n\r\n"));
	EXPECT_NE(c.receive().body.find("http://LocalHost:81/stream/"), std::string::npos);
	client old(where());
	ASSERT_TRUE(old.send("GET /playlist.m3u HTTP/1.0\r\n\r\n"));
	EXPECT_NE(old.receive().body.find("\nhttp://127.0.0.1:" + std::to_string(where().port()) + path), std::string::npos);
	EXPECT_EQ(ask("HEAD", "/playlist/" + id + ".m3u").field("Content-Length"), std::to_string(a.body.size()));
}

TEST_F(server_playlist, of_everything_leaves_out_what_is_not_known_yet)
{
	m_script.add("other", {{"song.mp3", "x"}});
	m_script.add_waiting("magnet");
	answer const a = ask("GET", "/playlist.m3u");
	EXPECT_NE(a.body.find(path), std::string::npos);
	EXPECT_NE(a.body.find("http://127.0.0.1/stream/other/0/song.mp3\n"), std::string::npos);
	EXPECT_EQ(a.body.find("magnet"), std::string::npos);
}

TEST_F(server_playlist, waits_for_the_metadata_and_says_when_there_is_none)
{
	m_script.add_waiting("magnet");
	client c(where());
	ASSERT_TRUE(c.send("GET /playlist/magnet.m3u HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	ASSERT_TRUE(m_script.wait_for_ready_waits(1));
	m_script.become_ready("magnet", {{"x.mkv", "hello"}});
	EXPECT_NE(c.receive().body.find("/stream/magnet/0/x.mkv"), std::string::npos);
	for (char const* const target : {"/playlist/unknown.m3u", "/playlist/.m3u", "/playlist/x", "/playlist/", "/playlist"
		, "/playlist.m3u/", "/playlist/a/b.m3u"})
		EXPECT_EQ(ask("GET", target).status, 404u) << target;
	EXPECT_EQ(ask("POST", "/playlist.m3u").status, 405u);
}

TEST_F(server_playlist, is_for_nobody_who_came_by_another_name)
{
	client c(where());
	ASSERT_TRUE(c.send("GET /playlist.m3u HTTP/1.1\r\nHost: evil.com\r\n\r\n"));
	answer const a = c.receive();
	EXPECT_EQ(a.status, 421u);
	EXPECT_NE(a.body.find("--host-name evil.com"), std::string::npos) << a.body;
}

} // namespace
} // namespace slipstream::test
