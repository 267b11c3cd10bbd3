// Range requests for bytes: from the text of a Range header to a part of a file (RFC 9110, section 14).
//
// Pure arithmetic, any thread, throws nothing, allocates nothing but the answers' text. It is not the
// place where conditions (If-Range) are judged; see stream_plan.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

struct range_set
{
	// More than these are not asked for in good faith (RFC 9110, section 17.15).
	static constexpr std::size_t max_specs = 16;
	std::array<range_spec, max_specs> specs{};
	std::size_t count = 0;  // at least 1
};

// Nothing when the header is malformed, is of another unit than bytes, or has too many elements: the
// header is then to be ignored.
[[nodiscard]] std::optional<range_set> parse_range_set(std::string_view header) noexcept;

// The bytes that `spec` means in a file of `size_bytes` (>= 0); nothing when it means none.
[[nodiscard]] std::optional<byte_range> resolve(range_spec const& spec, std::int64_t size_bytes) noexcept;

enum class range_outcome
{
	whole,          // answer 200 with everything
	part,           // answer 206 with `range_choice::range`
	unsatisfiable,  // answer 416
};

struct range_choice
{
	range_outcome outcome = range_outcome::whole;
	byte_range range;  // what to send; for `whole` all of the file, for `unsatisfiable` nothing
};

// What a GET with this Range header gets from a file of `size_bytes` (>= 0). Several ranges get the
// whole file, which a server may do (RFC 9110, section 14.2).
[[nodiscard]] range_choice choose_range(std::string_view header, std::int64_t size_bytes) noexcept;

// Values of the Content-Range header (RFC 9110, section 14.4).
[[nodiscard]] std::string content_range(byte_range range, std::int64_t size_bytes);
[[nodiscard]] std::string unsatisfied_content_range(std::int64_t size_bytes);

} // namespace slipstream::http
