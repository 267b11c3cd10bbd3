#include "cli/check.hpp"

#include "cli/range_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace slipstream::cli {
namespace {

char const* word_of(check_outcome const outcome)
{
	switch (outcome)
	{
		case check_outcome::pass: return "pass";
		case check_outcome::warn: return "warn";
		case check_outcome::skip: return "skip";
		case check_outcome::fail: break;
	}
	return "FAIL";
}

} // namespace

int check(check_settings const& settings)
{
	auto const url = parse_url(settings.url);
	if (!url) throw std::invalid_argument(url.error().detail);
	check_options options{*url, settings.timeout, settings.ca_file};
	// A password in the URL is of no use to who reads the table.
	if (options.url.credentials.empty()) options.url.credentials = settings.auth;
	std::vector<check_result> const results = check_ranges(options);

	auto const count = [&](check_outcome const outcome) {
		return std::count_if(results.begin(), results.end(), [&](check_result const& r) { return r.outcome == outcome; });
	};
	for (check_result const& r : results) fmt::print("{}  {:<51}  {}\n", word_of(r.outcome), r.name, r.seen);
	auto const failed = count(check_outcome::fail);
	fmt::print("\n{}: {} passed, {} warned, {} skipped, {} failed\n", failed == 0 ? "Players can seek here"
		: "Players will have trouble here", count(check_outcome::pass), count(check_outcome::warn), count(check_outcome::skip), failed);
	if (std::fflush(stdout) != 0) throw std::runtime_error("the standard output cannot be written to");
	return failed == 0 ? 0 : exit_failed;
}

} // namespace slipstream::cli
