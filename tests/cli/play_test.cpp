// What `play` and `info` decide and say, without an engine.
#include "cli/choose_file.hpp"
#include "cli/info.hpp"
#include "cli/output.hpp"
#include "cli/player.hpp"
#include "cli/progress.hpp"
#include "cli/watching.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace slipstream::cli {
namespace {

using strings = std::vector<std::string>;

file_entry file(int const index, std::string const& path, std::int64_t const size, bool const pad = false)
{
	return {index, path, path.substr(path.rfind('/') + 1), size, pad};
}

std::vector<file_entry> const season{file(0, "S/Extras/one.mkv", 900), file(1, "S/pad", 50, true), file(2, "S/One.mkv", 500)
	, file(3, "S/Two.mkv", 700), file(4, "S/big.txt", 5000), file(5, "S/song.flac", 6000)};

int chosen(std::string_view const wanted, std::vector<file_entry> const& files = season)
{
	auto const f = choose_file(files, wanted);
	return f ? f->index : -1;
}

std::string refusal(std::string_view const wanted, std::vector<file_entry> const& files = season)
{
	auto const f = choose_file(files, wanted);
	return f ? "" : f.error().detail;
}

TEST(choosing_a_file, takes_the_largest_film_or_else_sound)
{
	EXPECT_EQ(chosen(""), 0);
	EXPECT_EQ(chosen("", {file(0, "a.mp3", 1), file(1, "b.mp3", 2), file(2, "c.txt", 3)}), 1);
	EXPECT_NE(refusal("", {file(0, "c.txt", 3)}).find("--file"), std::string::npos);
	EXPECT_NE(refusal("", {}), "");
}

TEST(choosing_a_file, takes_a_number_a_path_a_name_or_a_part)
{
	EXPECT_EQ(chosen("3"), 3);
	EXPECT_EQ(chosen("S/big.txt"), 4);
	EXPECT_EQ(chosen("one.mkv"), 0);
	EXPECT_EQ(chosen("One.mkv"), 2);
	EXPECT_EQ(chosen("TWO"), 3);
	EXPECT_EQ(chosen("xtra"), 0);
}

TEST(choosing_a_file, says_what_there_is_when_it_cannot)
{
	EXPECT_NE(refusal("6").find("0 to 5"), std::string::npos);
	EXPECT_NE(refusal("1").find("no file 1"), std::string::npos) << "padding";
	EXPECT_NE(refusal("99999999999").find("no file"), std::string::npos);
	EXPECT_NE(refusal("mkv").find("0 and 2 and others"), std::string::npos) << refusal("mkv");
	EXPECT_EQ(refusal("\x1b[2J").find('\x1b'), std::string::npos);
}

TEST(printable_text, has_no_control_characters_and_is_utf8)
{
	EXPECT_EQ(printable("Amélie 電影.mkv"), "Amélie 電影.mkv");
	EXPECT_EQ(printable("a\x1b[31m\n\t\x7f" "b"), "a?[31m???b");
	EXPECT_EQ(printable("\xc2\x9b" "31m"), "?31m");        // CSI of C1
	EXPECT_EQ(printable("\xff\xc0\x80\xed\xa0\x80"), "??????");
	EXPECT_EQ(printable("\xf0\x9f\x8e\xac"), "\xf0\x9f\x8e\xac");
	EXPECT_EQ(printable("\xe2\x82"), "??");
	EXPECT_EQ(printable("gpj\u202e.exe"), "gpj?.exe");
	EXPECT_EQ(first_columns("Amélie", 3), "Amé");
	EXPECT_EQ(first_columns("ab", 80), "ab");
}

TEST(what_is_buffered, is_what_is_verified_around_the_position)
{
	// Pieces of 100: [0, 2) verified, [2] partial, [3, 6) verified, [6] complete.
	std::vector<piece_run> const pieces{{0, 2, piece_state::verified}, {2, 1, piece_state::partial}
		, {3, 3, piece_state::verified}, {6, 1, piece_state::complete}};
	auto const at = [&](std::int64_t const position, std::int64_t const offset = 0, std::int64_t const size = 700) {
		buffered const b = buffered_around(pieces, 100, offset, size, position);
		return std::pair(b.behind_bytes, b.ahead_bytes);
	};
	EXPECT_EQ(at(0), std::pair(0L, 200L));
	EXPECT_EQ(at(150), std::pair(150L, 50L));
	EXPECT_EQ(at(250), std::pair(0L, 0L));
	EXPECT_EQ(at(200), std::pair(200L, 0L));  // all behind, nothing to come
	EXPECT_EQ(at(300), std::pair(0L, 300L));
	EXPECT_EQ(at(650), std::pair(0L, 0L));
	// A file from 350 to 450 is as far as it matters.
	EXPECT_EQ(at(50, 350, 100), std::pair(50L, 50L));
	EXPECT_EQ(offset_of(season, 2), 950);
}

TEST(pace, is_known_after_three_seconds_and_forgets_after_ten)
{
	using std::chrono::seconds;
	pace c;
	pace::time_point const start{};
	EXPECT_FALSE(c.bytes_per_s());
	c.observe(start, 5000, 0);  // wherever it began
	c.observe(start + seconds(2), 7000, 9999);
	EXPECT_FALSE(c.bytes_per_s());
	c.observe(start + seconds(4), 9000, 9999);
	ASSERT_TRUE(c.bytes_per_s());
	EXPECT_DOUBLE_EQ(*c.bytes_per_s(), 1000);
	// Seeks, there and back, are not consumption.
	c.observe(start + seconds(5), 900'000, 9999);
	c.observe(start + seconds(6), 10, 9999);
	c.observe(start + seconds(8), 4010, 9999);
	EXPECT_DOUBLE_EQ(*c.bytes_per_s(), 1000);
	c.observe(start + seconds(30), 4010, 9999);
	c.observe(start + seconds(41), 4010, 9999);
	EXPECT_FALSE(c.bytes_per_s()) << "a paused player consumes nothing";
}

TEST(the_playing_reader, is_the_nearest_of_its_file)
{
	auto const at = [](int const index, std::int64_t const position) {
		reader_entry r;
		r.file_index = index;
		r.position_bytes = position;
		return r;
	};
	std::vector<reader_entry> const readers{at(1, 500), at(0, 9000), at(0, 520)};
	EXPECT_EQ(nearest_reader(readers, 0, 500)->position_bytes, 520);
	EXPECT_EQ(nearest_reader(readers, 0, 8000)->position_bytes, 9000);
	EXPECT_FALSE(nearest_reader(readers, 2, 0));
}

TEST(the_line, has_seconds_only_where_they_are_known)
{
	torrent_summary t;
	t.peers = 1;
	t.download_rate_bytes_s = 2048;
	memory_stats m;
	m.used_bytes = 1 << 20;
	m.capacity_bytes = 4 << 20;
	EXPECT_EQ(status_text(t, {1024, 10 << 20}, {}, m)
		, "1 peer  2.0 KiB/s  ahead 10.0 MiB  behind 1.0 KiB  memory 1.0 MiB of 4.0 MiB");
	EXPECT_EQ(status_text(t, {1024, 2048}, 1024.0, m)
		, "1 peer  2.0 KiB/s  ahead 2 s (2.0 KiB)  behind 1 s (1.0 KiB)  memory 1.0 MiB of 4.0 MiB");
}

TEST(a_player, is_given_what_it_understands)
{
	strings const subs{"http://h/s"}, sounds{"http://h/a"};
	EXPECT_EQ(player_command_line({"/usr/bin/mpv", "--fs"}, "http://h/f", subs, sounds)
		, (strings{"/usr/bin/mpv", "--fs", "--quiet", "--sub-file=http://h/s", "--audio-file=http://h/a", "http://h/f"}));
	EXPECT_EQ(player_command_line({"vlc"}, "http://h/f", subs, sounds)
		, (strings{"vlc", "--quiet", "--play-and-exit", "http://h/f", ":input-slave=http://h/s#http://h/a"}));
	EXPECT_EQ(player_command_line({"other"}, "http://h/f", subs, sounds), (strings{"other", "http://h/f"}));
	EXPECT_EQ(*player_words("sh -c 'a b'"), (strings{"sh", "-c", "a b"}));
	EXPECT_FALSE(player_words("  "));
	EXPECT_FALSE(player_words("/tmp"));
}

// An eventfd for the standard output: neither a pipe nor a terminal, it does not block, and takes nothing beyond its largest
// number.
TEST(output, that_takes_nothing_for_now_is_waited_for_without_trying_again_and_again)
{
	std::uint64_t const full = ~std::uint64_t{0} - 1;
	int const strange = eventfd(0, EFD_NONBLOCK);
	ASSERT_EQ(write(strange, &full, sizeof(full)), ssize_t{sizeof(full)});
	boost::asio::io_context io(1);
	std::fflush(stdout);
	int const stdout_before = dup(STDOUT_FILENO);
	dup2(strange, STDOUT_FILENO);
	auto to = output::open(io, "-");
	dup2(stdout_before, STDOUT_FILENO);
	close(stdout_before);
	ASSERT_TRUE(to);

	std::uint64_t const one = 1;
	std::optional<boost::system::error_code> written;
	boost::asio::co_spawn(io, to->write({reinterpret_cast<char const*>(&one), sizeof(one)})
		, [&](std::exception_ptr, boost::system::error_code const ec) { written = ec; });
	io.poll();  // returns, which it would not while somebody tries on
	EXPECT_FALSE(written);
	std::uint64_t taken = 0;
	ASSERT_EQ(read(strange, &taken, sizeof(taken)), ssize_t{sizeof(taken)});
	io.restart();
	io.run();
	ASSERT_TRUE(written);
	EXPECT_FALSE(*written) << written->message();
	ASSERT_EQ(read(strange, &taken, sizeof(taken)), ssize_t{sizeof(taken)});
	EXPECT_EQ(taken, one);
	close(strange);
}

TEST(information, is_printed_without_what_a_terminal_would_obey)
{
	torrent_info_text t;
	t.torrent.name = "a\x1b]0;b\x07";
	t.torrent.files = {file(0, "x\ny.mkv", 10), file(1, ".pad/5", 5, true)};
	t.trackers = {"http://t\r\n/"};
	std::string const text = text_of(t);
	EXPECT_EQ(text.find_first_of("\x1b\x07\r"), std::string::npos) << text;
	EXPECT_NE(text.find("x?y.mkv"), std::string::npos) << text;
	EXPECT_EQ(text.find(".pad"), std::string::npos) << text;
	EXPECT_NE(json_of(t).find("\"playable\": true"), std::string::npos);
	t.torrent.files = {file(0, "\xff.mkv", 10)};
	EXPECT_NE(json_of(t).find("\xef\xbf\xbd.mkv"), std::string::npos);
}

} // namespace
} // namespace slipstream::cli
