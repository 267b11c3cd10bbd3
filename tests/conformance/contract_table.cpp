// docs/conformance.md: which line of the contract is asked of which disk, by which tests, and who deviates. Made from what the
// tests say of themselves, so that neither a line without a test nor a stale document goes unseen.
//
// To write it anew: SLIPSTREAM_WRITE_TABLE=docs/conformance.md build/conformance_test --gtest_filter=contract_table.*
#include "conformance/conformance.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace slipstream::test {

std::vector<contract_test>& contract_tests()
{
	static std::vector<contract_test> tests;
	return tests;
}

namespace {

constexpr std::string_view disks[] = {"memory", "posix", "mmap"};

// What each line is about, in the order of the document; index 0 is line 1.
constexpr std::string_view subjects[] = {
	"calls on the network thread, buffers given back on any", "handlers once, posted, on the network thread"
	, "handlers that are empty", "`submit_jobs`", "handlers are let go", "`new_torrent`, its owner and its names"
	, "removal with operations outstanding", "an index used again", "torrents without a storage"
	, "the end of a disk, several disks", "writes: borrowed bytes, whole blocks", "observers of peers"
	, "back-pressure", "reads and hashes see earlier writes", "reads of any start and length", "buffers never change"
	, "flags are hints", "a block written again", "errors", "`async_hash`", "`async_hash2`", "padding"
	, "a hash of this moment, checks that stop", "`async_check_files`", "`async_release_files`"
	, "`async_stop_torrent`", "`async_delete_files`", "`async_clear_piece`", "moving, renaming, priorities"
	, "counters and status", "settings that change", "`abort`", "passed, finished, flushed"};

std::vector<contract_test> sorted_tests()
{
	auto tests = contract_tests();
	std::sort(tests.begin(), tests.end(), [](auto const& a, auto const& b) { return a.test < b.test; });
	return tests;
}

std::string without_suite(std::string_view const test)
{ return std::string(test.substr(test.find('.') + 1)); }

// What a disk does with a line: how many tests it passes as they stand, and which it does not, and why.
std::string outcome(std::string_view const disk, int const line)
{
	int passes = 0;
	std::string deviations;
	for (auto const& t : sorted_tests())
	{
		if (std::find(t.lines.begin(), t.lines.end(), line) == t.lines.end()) continue;
		if (t.memory_alone && disk != "memory") continue;
		auto const& known = known_deviations();
		auto const d = std::find_if(known.begin(), known.end()
			, [&](deviation const& k) { return k.disk == disk && k.test == t.test; });
		if (d == known.end()) ++passes;
		else deviations += "; **deviates** in `" + without_suite(t.test) + "`: " + std::string(d->why);
	}
	return std::to_string(passes) + (passes == 1 ? " passes" : " pass") + deviations;
}

std::string table()
{
	std::ostringstream out;
	out << "# Conformance\n\n"
		"Every line of [libtorrent-contract.md](libtorrent-contract.md), asked of Slipstream's memory disk and of libtorrent's own two\n"
		"(`tests/conformance`). A number is of tests; where a disk is known to deviate the cell says how, and the test holds it to\n"
		"that or skips. The memory disk deviates nowhere. A test (`contract_table`) keeps this page, which it also writes, from going stale.\n\n"
		"| line | about | memory | posix | mmap |\n|--:|---|---|---|---|\n";
	for (int line = 1; line <= int(std::size(subjects)); ++line)
	{
		out << "| " << line << " | " << subjects[line - 1];
		for (auto const disk : disks) out << " | " << outcome(disk, line);
		out << " |\n";
	}
	out << "\n## The tests of each line\n\n";
	std::map<int, std::string> names;
	for (auto const& t : sorted_tests())
		for (int const line : t.lines)
			names[line] += (names[line].empty() ? "" : ", ") + ("`" + std::string(t.test) + "`") + (t.memory_alone ? " (memory)" : "");
	for (auto const& [line, tests] : names) out << line << ". " << tests << "\n";
	return out.str();
}

std::string text_of(std::string const& path)
{
	std::ifstream in(path, std::ios::binary);
	return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

TEST(contract_table, has_a_test_for_every_line_and_no_line_beyond_the_contract)
{
	std::map<int, int> tests;
	for (auto const& t : contract_tests())
		for (int const line : t.lines) ++tests[line];
	auto const contract = text_of(SLIPSTREAM_DOCS "/libtorrent-contract.md");
	ASSERT_FALSE(contract.empty());
	int last = 0;
	for (int line = 1; contract.find("\n" + std::to_string(line) + ". ") != std::string::npos; ++line) last = line;
	EXPECT_EQ(last, int(std::size(subjects))) << "the contract has another number of lines than this table";
	for (int line = 1; line <= last; ++line) EXPECT_GT(tests[line], 0) << "line " << line << " has no test";
	EXPECT_EQ(int(tests.size()), last) << "a test names a line that the contract does not have";
}

TEST(contract_table, is_the_one_in_the_documents)
{
	if (auto const* const path = std::getenv("SLIPSTREAM_WRITE_TABLE")) std::ofstream(path) << table();
	EXPECT_TRUE(text_of(SLIPSTREAM_DOCS "/conformance.md") == table())
		<< "docs/conformance.md is stale. It should be:\n" << table();
}

} // namespace slipstream::test
