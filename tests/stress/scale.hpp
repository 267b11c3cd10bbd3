// How much of it. SLIPSTREAM_STRESS is a percentage of what `make test` does; `make stress` asks for more. Under a
// sanitizer a tenth: it costs ten times as much, and looks at each step harder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace slipstream::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

inline std::int64_t scaled(std::int64_t const n)
{
	char const* const text = std::getenv("SLIPSTREAM_STRESS");
	auto const percent = text ? std::strtoll(text, nullptr, 10) : (is_sanitized ? 10 : 100);
	return std::max<std::int64_t>(1, n * std::max(1LL, percent) / 100);
}

} // namespace slipstream::test
