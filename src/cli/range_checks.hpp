// The range conformance suite: what players need of a server of files, asked over HTTP (RFC 9110,
// section 14, and around).
//
// It knows nothing of Slipstream: any server, any file of 1 KiB or more. Runs in the calling
// thread; each check has connections of its own where it matters. What is asked for is small; a
// whole file is begun and left.
#pragma once

#include "cli/http_client.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace slipstream::cli {

enum class check_outcome
{
	pass,
	warn,  // the standard allows it, or players live with it
	fail,  // players cannot seek, or are given wrong bytes
	skip,  // it makes no sense here; what was seen says why
};

struct check_result
{
	std::string name;
	check_outcome outcome = check_outcome::fail;
	std::string seen;
};

struct check_options
{
	http_url url;
	std::chrono::milliseconds timeout{30'000};  // for each step of a request
	std::string ca_file;
};

// All checks, in order; the first only, when there is no file that can be asked for.
[[nodiscard]] std::vector<check_result> check_ranges(check_options const& options);

// "0-99" of 1000: the first and last byte, and the size. Nothing for anything else.
struct content_range
{
	std::int64_t first = 0;
	std::int64_t last = 0;
	std::int64_t size = 0;
	friend bool operator==(content_range const&, content_range const&) = default;
};
[[nodiscard]] std::optional<content_range> parse_content_range(std::string_view value);

// The parts of a multipart/byteranges body (RFC 9110, section 14.6); nothing when it is malformed.
struct byte_part
{
	content_range range;
	std::string bytes;
};
[[nodiscard]] std::optional<std::vector<byte_part>> parse_byteranges(std::string_view content_type, std::string_view body);

} // namespace slipstream::cli
