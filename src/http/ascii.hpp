// Characters as protocols mean them: ASCII, whatever the locale. Pure.
#pragma once

namespace slipstream::http {

[[nodiscard]] constexpr bool is_digit(char const c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr char lower(char const c) noexcept
{ return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
[[nodiscard]] constexpr bool is_letter(char const c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }

} // namespace slipstream::http
