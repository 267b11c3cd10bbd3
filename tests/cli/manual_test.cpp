// The manual page and the README name the flags that --help does, each command's its own.
#include "cli/arguments.hpp"
#include "cli/help_format.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace slipstream::cli {
namespace {

using names = std::set<std::string>;

std::string help_of(std::vector<std::string> words)
{
	words.emplace_back("--help");
	return std::get<farewell>(parse_arguments(std::move(words), [](std::string const&) { return std::nullopt; })).out;
}

names all(std::string const& text, std::regex const& pattern)
{
	names found;
	for (auto at = std::sregex_iterator(text.begin(), text.end(), pattern); at != std::sregex_iterator(); ++at)
		found.insert((*at)[1]);
	return found;
}

names flags_of(std::string const& command) { return all(help_of({command}), std::regex("\n  (--[a-z-]+)")); }

names commands()
{
	std::string const help = help_of({});
	return all(help.substr(help.find("Commands:")), std::regex("\n  ([a-z]+) "));
}

std::string file(std::string const& path)
{
	std::ifstream in(SLIPSTREAM_SOURCE_DIR + ("/" + path));
	EXPECT_TRUE(in) << path;
	return {std::istreambuf_iterator<char>(in), {}};
}

std::string section(std::string const& text, std::string const& begin, std::string const& end)
{
	std::size_t const at = text.find(begin);
	if (at == std::string::npos) return {};
	return text.substr(at, text.find(end, at + begin.size()) - at);
}

TEST(help, has_five_commands_and_fits_a_terminal)
{
	EXPECT_EQ(commands(), (names{"play", "serve", "info", "check", "demo"}));
	for (std::string const& command : commands())
	{
		std::istringstream lines(help_of({command}));
		for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 110u) << line;
		EXPECT_NE(help_of({command}).find("Usage: slipstream " + command), std::string::npos) << help_of({command});
		EXPECT_GE(flags_of(command).size(), 2u) << command;
	}
	EXPECT_EQ(wrapped("a bb ccc dddd", 4), "a bb\nccc\ndddd");
}

TEST(manual, names_the_flags_of_each_command)
{
	std::string manual = file("docs/slipstream.1");
	manual.erase(std::remove(manual.begin(), manual.end(), '\\'), manual.end());
	for (std::string const& command : commands())
	{
		std::string const part = section(manual, "\n.SS slipstream " + command + " ", "\n.S");
		EXPECT_EQ(all(part, std::regex("\n\\.BI? (--[a-z-]+)")), flags_of(command)) << command;
	}
}

TEST(readme, names_the_flags_of_serve)
{
	std::string const part = section(file("README.md"), "\n## Serve\n", "\n## ");
	EXPECT_EQ(all(part, std::regex("[|,] `(--[a-z-]+)")), flags_of("serve"));
}

TEST(environment_file, names_only_variables_that_there_are)
{
	std::string const help = help_of({"serve"});
	names const known = all(help, std::regex("\\[(SLIPSTREAM_[A-Z_]+)\\]"));
	for (std::string const& name : all(file("packaging/slipstream.env"), std::regex("#(SLIPSTREAM_[A-Z_]+)=")))
		EXPECT_TRUE(known.contains(name)) << name;
}

} // namespace
} // namespace slipstream::cli
