// Extents: how much of a stream, as people say it: "25%", "64MiB", "30s"; and durations, "90s",
// "10min", "2h".
//
// Values that nobody owns, and pure functions; any thread. It knows no memory and no player: what a
// share or seconds come to in bytes is said where they are used.
#pragma once

#include <slipstream/error.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipstream {

struct extent
{
	enum class unit
	{
		automatic,  // what the setting does when nobody says anything; the amount is 0
		bytes,      // 0..2^50
		share,      // of the memory's capacity, in millionths: 0..1'000'000
		time,       // of playing, in milliseconds: 0..86'400'000 (a day)
	};
	unit in = unit::automatic;
	std::int64_t amount = 0;

	[[nodiscard]] static extent bytes(std::int64_t const count) { return {unit::bytes, count}; }
	[[nodiscard]] static extent share(std::int64_t const millionths) { return {unit::share, millionths}; }
	[[nodiscard]] static extent time(std::chrono::milliseconds const t) { return {unit::time, t.count()}; }
	// Whether the amount is in its unit's range.
	[[nodiscard]] bool is_valid() const;
	friend bool operator==(extent const&, extent const&) = default;
};

// "auto"; a percentage of the capacity ("25%", "12.5%"); a time ("30s", "1.5min", "2h"); a size
// ("64MiB", "512MB", "1048576"). Case does not matter. Errors: bad_argument, with a sentence that
// says what would be right.
[[nodiscard]] expected<extent> parse_extent(std::string_view text);
// What parse_extent reads as the same.
[[nodiscard]] std::string extent_text(extent const& e);

// A whole number of bytes, or of KiB, MiB, GiB, TiB (of 1024), or of kB, MB, GB, TB (of 1000), in either
// case. Errors: bad_argument, with a sentence that says what would be right.
[[nodiscard]] expected<std::int64_t> parse_bytes(std::string_view text);

// "30s", "1.5min", "2h", or a number of seconds alone: a millisecond to 366 days. Errors:
// bad_argument, with a sentence that says what would be right.
[[nodiscard]] expected<std::chrono::milliseconds> parse_duration(std::string_view text);

} // namespace slipstream
