// The state folder: whole files or none, nothing lost, one user at a time.
#include "cli/state_dir.hpp"

#include "cli/film.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace slipstream::cli {
namespace {

namespace fs = std::filesystem;

std::string const one(40, '1');
std::string const two(64, '2');

std::span<char const> bytes_of(std::string_view const text) { return {text.data(), text.size()}; }
std::string text_of(std::vector<char> const& bytes) { return {bytes.begin(), bytes.end()}; }

void write(fs::path const& path, std::string const& text)
{
	std::ofstream(path, std::ios::binary) << text;
}

std::string read(fs::path const& path)
{
	std::ifstream in(path, std::ios::binary);
	return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> names_in(fs::path const& folder)
{
	std::set<std::string> names;
	for (auto const& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
	return names;
}

struct state_folder : testing::Test
{
	temporary_folder home;
	fs::path const path = home.path() / "a" / "state";
	fs::path const torrents = path / "torrents";
};

TEST_F(state_folder, gives_back_what_it_was_given)
{
	{
		state_dir dir(path.string());
		EXPECT_TRUE(dir.load().torrents.empty());
		ASSERT_TRUE(dir.save(two, bytes_of("second")));
		ASSERT_TRUE(dir.save(one, bytes_of("old")));
		ASSERT_TRUE(dir.save(one, bytes_of("first")));
		ASSERT_TRUE(dir.save_session(bytes_of("nodes")));
	}
	state_dir dir(path.string());
	auto const found = dir.load();
	ASSERT_EQ(found.torrents.size(), 2u);
	EXPECT_EQ(found.torrents[0].id, one);
	EXPECT_EQ(text_of(found.torrents[0].bytes), "first");
	EXPECT_EQ(text_of(found.torrents[1].bytes), "second");
	EXPECT_EQ(text_of(found.session), "nodes");
	EXPECT_TRUE(found.complaints.empty());
	ASSERT_TRUE(dir.forget(one));
	ASSERT_TRUE(dir.forget(one));
	EXPECT_EQ(names_in(torrents).size(), 1u);
	EXPECT_EQ(names_in(torrents).count(two + ".resume"), 1u);
}

TEST_F(state_folder, is_its_owners_alone)
{
	state_dir dir(path.string());
	ASSERT_TRUE(dir.save(one, bytes_of("x")));
	std::vector<fs::path> made{path};
	made.push_back(torrents);
	made.push_back(torrents / (one + ".resume"));
	made.push_back(path / "lock");
	for (fs::path const& p : made)
		EXPECT_EQ(fs::status(p).permissions() & (fs::perms::group_all | fs::perms::others_all), fs::perms::none) << p;
}

TEST_F(state_folder, has_one_user_at_a_time)
{
	{
		state_dir const dir(path.string());
		try
		{
			state_dir const another(path.string());
			FAIL();
		}
		catch (std::runtime_error const& e) { EXPECT_NE(std::string(e.what()).find("in use"), std::string::npos) << e.what(); }
	}
	state_dir const after(path.string());
}

TEST_F(state_folder, that_cannot_be_made_says_why)
{
	write(home.path() / "file", "");
	for (char const* const below : {"file", "file/below"})
	{
		try
		{
			state_dir const dir((home.path() / below).string());
			FAIL() << below;
		}
		catch (std::runtime_error const& e) { EXPECT_NE(std::string(e.what()).find("file"), std::string::npos) << e.what(); }
	}
}

TEST_F(state_folder, keeps_what_was_there_when_writing_fails)
{
	state_dir dir(path.string());
	ASSERT_TRUE(dir.save(one, bytes_of("whole")));
	// Where the unfinished file should be is something that cannot be written.
	fs::create_directory(torrents / (one + ".resume.tmp"));
	auto const done = dir.save(one, bytes_of("new"));
	ASSERT_FALSE(done);
	EXPECT_NE(done.error().detail.find(one), std::string::npos);
	EXPECT_EQ(read(torrents / (one + ".resume")), "whole");
}

TEST_F(state_folder, clears_away_what_was_never_finished)
{
	{ state_dir const dir(path.string()); }
	write(torrents / (one + ".resume.tmp"), "torn");
	state_dir dir(path.string());
	EXPECT_TRUE(dir.load().torrents.empty());
	EXPECT_TRUE(names_in(torrents).empty());
}

TEST_F(state_folder, passes_over_what_is_not_its_own_and_leaves_it)
{
	{ state_dir const dir(path.string()); }
	write(torrents / "notes.txt", "mine");
	write(torrents / "short.resume", "mine");
	std::string not_hex = one;
	not_hex.front() = 'Z';
	write(torrents / (not_hex + ".resume"), "mine");
	fs::create_directory(torrents / (one + ".resume"));
	ASSERT_EQ(mkfifo((torrents / (two + ".resume")).c_str(), 0600), 0);
	state_dir dir(path.string());
	auto const found = dir.load();
	EXPECT_TRUE(found.torrents.empty());
	EXPECT_EQ(found.complaints.size(), 5u);
	EXPECT_EQ(names_in(torrents).size(), 5u);
	EXPECT_EQ(read(torrents / "notes.txt"), "mine");
}

TEST_F(state_folder, never_writes_over_what_was_set_aside)
{
	state_dir dir(path.string());
	for (char const* const torn : {"first", "second"})
	{
		ASSERT_TRUE(dir.save(one, bytes_of(torn)));
		ASSERT_TRUE(dir.set_aside(one));
	}
	EXPECT_EQ(read(torrents / (one + ".resume.unreadable")), "first");
	EXPECT_EQ(read(torrents / (one + ".resume.unreadable.2")), "second");
	EXPECT_TRUE(dir.load().torrents.empty());
	EXPECT_TRUE(dir.load().complaints.empty());
}

} // namespace
} // namespace slipstream::cli
