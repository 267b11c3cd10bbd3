// What the engine's tests share: an engine on loopback that knows its peers, and ways to wait for it.
#pragma once

#include "support/swarm.hpp"

#include <slipstream/engine.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <string>
#include <vector>

namespace slipstream::test {

// Offline, on 127.0.0.1, and in no hurry to give up.
[[nodiscard]] engine_options local_engine(std::vector<boost::asio::ip::tcp::endpoint> peers
	, std::int64_t capacity_bytes = std::int64_t{64} << 20);

// Adds and waits until it can be read; the id. Throws when it cannot.
[[nodiscard]] std::string add_ready(engine& e, std::string_view uri);
[[nodiscard]] std::string add_ready(engine& e, shared_files const& files);
// How the wait ends.
[[nodiscard]] boost::system::error_code wait_ready(engine& e, std::string_view id);
// The reader of a file; throws when there is none.
[[nodiscard]] std::unique_ptr<reader> open(engine& e, std::string_view id, int file_index);

struct read_result
{
	std::string bytes;
	boost::system::error_code ec;
};
// Reads up to `size` bytes, or to the end or the first error.
[[nodiscard]] read_result read_up_to(reader& r, std::size_t size);
[[nodiscard]] read_result read_all(reader& r);

// Reads to the end of the first file, or `size` bytes, and compares; stops at the first difference.
[[nodiscard]] testing::AssertionResult plays(reader& r, shared_files const& files, std::size_t size);
// Looks until what other threads bring about is so, at most a minute.
[[nodiscard]] bool comes_true(std::function<bool()> const& condition);

// A lease that is waited for, and what it ends with. (Not asio's use_future: it carries errors across
// threads as exceptions, whose reference count in libstdc++ the race detector cannot see.)
struct lease_result
{
	boost::system::error_code ec;
	lease bytes;
};
[[nodiscard]] std::future<lease_result> start_lease(reader& r);
[[nodiscard]] std::future<boost::system::error_code> start_wait(engine& e, std::string_view id);
// What they end with; fails the test when they do not end.
[[nodiscard]] boost::system::error_code outcome(std::future<lease_result>& waiting);
[[nodiscard]] boost::system::error_code outcome(std::future<boost::system::error_code>& waiting);

} // namespace slipstream::test
