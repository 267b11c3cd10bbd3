// Range requests for bytes: from the text of a Range header to a part of a file (RFC 9110, section 14).
//
// Pure arithmetic, any thread, no I/O; throws nothing but for want of memory. It is not the place where
// conditions (If-Range) are judged; see stream_plan.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::http {

// A part of a file that is there: 0 <= first, 1 <= length, first + length <= the file's size.
struct byte_range
{
	std::int64_t first = 0;
	std::int64_t length = 0;
	friend bool operator==(byte_range const&, byte_range const&) = default;
};

// One element of a Range header as it was asked for, before the size is known. Numbers too large for
// 64 bits are held as the largest one: they lie behind the end of every file.
struct range_spec
{
	std::optional<std::uint64_t> first;  // absent: a suffix, of `last` bytes
	std::optional<std::uint64_t> last;   // inclusive; absent: to the end
};

// More elements than these are not asked for in good faith, nor are more parts than these, once
// what overlaps is sorted out (RFC 9110, section 17.15).
inline constexpr std::size_t max_range_specs = 256;
inline constexpr std::size_t max_range_parts = 16;

// At least one element. Nothing when the header is malformed, is of another unit than bytes, or has
// too many elements: the header is then to be ignored.
[[nodiscard]] std::optional<std::vector<range_spec>> parse_range_set(std::string_view header);

// The bytes that `spec` means in a file of `size_bytes` (>= 0); nothing when it means none.
[[nodiscard]] std::optional<byte_range> resolve(range_spec const& spec, std::int64_t size_bytes) noexcept;

enum class range_outcome
{
	whole,          // answer 200 with everything
	part,           // answer 206 with `range_choice::parts`
	unsatisfiable,  // answer 416
};

struct range_choice
{
	range_outcome outcome = range_outcome::whole;
	// What to send. For `whole` all of the file; for `part` between one and max_range_parts ranges,
	// in the order they were asked for, of which no two overlap or touch: together they never have
	// more bytes than the file.
	std::vector<byte_range> parts;
};

// What a GET with this Range header gets from a file of `size_bytes` (>= 0).
[[nodiscard]] range_choice choose_ranges(std::string_view header, std::int64_t size_bytes);

// Values of the Content-Range header (RFC 9110, section 14.4).
[[nodiscard]] std::string content_range(byte_range range, std::int64_t size_bytes);
[[nodiscard]] std::string unsatisfied_content_range(std::int64_t size_bytes);

} // namespace slipstream::http
