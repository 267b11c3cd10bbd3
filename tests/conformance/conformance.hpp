// The conformance suite: what libtorrent demands of a disk_interface, asked of any of them.
//
// Every test runs on Slipstream's memory disk and on libtorrent's own two disks, the oracles for
// what an application sees. Tests are named after the behaviour, and CONTRACT_TEST_P gives the
// lines of docs/libtorrent-contract.md that a test holds a disk to; docs/conformance.md is the table of
// lines and disks that follows from that (contract_table.cpp). Where libtorrent's disks break a line
// the table of known deviations says so, and the test asserts the deviating behaviour or skips with
// the stated reason. The memory disk has no row there. After every test the fixture ends the disk
// as a session would and checks every handler: called once, posted, on the network thread,
// destroyed (contract 2, 5, 32).
#pragma once

#include "support/disk_harness.hpp"

#include <boost/asio/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::test {

struct disk_kind
{
	std::string name;
	// A constructor for one test: nothing is shared with another.
	std::function<lt::disk_io_constructor_type()> make;
};
inline void PrintTo(disk_kind const& k, std::ostream* os) { *os << k.name; }

[[nodiscard]] std::vector<disk_kind> all_disks();

struct deviation
{
	std::string_view disk;
	std::string_view test;  // suite.name, without the parameter
	std::string_view why;
};
[[nodiscard]] std::vector<deviation> const& known_deviations();

// Which lines of the contract a test is about.
struct contract_test
{
	std::string_view test;  // suite.name, without the parameter
	std::vector<int> lines;
	bool memory_alone;      // not parametrised
};
// All of them, and how they get there: before main(), each in its file.
[[nodiscard]] std::vector<contract_test>& contract_tests();
inline bool note(contract_test test)
{
	contract_tests().push_back(std::move(test));
	return true;
}

#define CONTRACT_TEST_P(suite, name, ...) \
	[[maybe_unused]] static bool const suite##_##name##_noted = note({#suite "." #name, {__VA_ARGS__}, false}); \
	TEST_P(suite, name)
#define CONTRACT_TEST(suite, name, ...) \
	[[maybe_unused]] static bool const suite##_##name##_noted = note({#suite "." #name, {__VA_ARGS__}, true}); \
	TEST(suite, name)

// Why the disk is known to behave differently in the running test.
[[nodiscard]] std::optional<std::string> deviates(disk_kind const& disk);

class conformance : public testing::TestWithParam<disk_kind>
{
protected:
	conformance() : disk(GetParam().make()) {}
	void TearDown() override;

	[[nodiscard]] std::optional<std::string> deviates() const { return test::deviates(GetParam()); }

	disk_harness disk;
};

[[nodiscard]] inline bool aborted(lt::storage_error const& e)
{ return e.ec == boost::asio::error::operation_aborted; }

inline constexpr lt::disk_job_flags_t checking
	= lt::disk_interface::sequential_access | lt::disk_interface::volatile_read;

[[nodiscard]] shape const& shape_named(std::string_view name);

// Reads every block of the torrent and compares; every hash, too.
void expect_all_readable(disk_harness& disk, disk_harness::storage const& s);
void expect_right_hash(pending<hash_result> const& h, test_torrent const& t
	, lt::piece_index_t piece);
void expect_missing(pending<read_result> const& r);

// Instantiates a theme's suite on every disk.
#define SLIPSTREAM_ON_EVERY_DISK(suite) \
	INSTANTIATE_TEST_SUITE_P(on, suite, testing::ValuesIn(all_disks()) \
		, [](testing::TestParamInfo<disk_kind> const& i) { return i.param.name; })

} // namespace slipstream::test
