// Entity tags, and the conditions that requests put on them (RFC 9110, sections 8.8.3 and 13.1).
//
// Pure functions on header texts, any thread, throw nothing. Dates are not known here: what is streamed
// has no time of modification, so a condition on one never holds.
#pragma once

#include <string_view>

namespace slipstream::http {

enum class tag_comparison { strong, weak };  // RFC 9110, section 8.8.3.2

// True when `list` (the value of If-Match or If-None-Match) is "*" or has `tag`, which is a strong
// entity tag with its quotes. A malformed list matches up to its first fault.
[[nodiscard]] bool matches_any(std::string_view list, std::string_view tag, tag_comparison how) noexcept;

// True when If-Range lets a Range header be obeyed (RFC 9110, section 13.1.5): the same strong tag.
[[nodiscard]] bool if_range_holds(std::string_view value, std::string_view tag) noexcept;

} // namespace slipstream::http
