// check(): an invariant of ours, verified in release builds too. When it does not hold, going on would
// hand out wrong bytes, so the process says what broke and where, and ends. Never for anything that
// input, a peer or the system can cause.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace slipstream {

inline void check(bool const holds, char const* const what
	, std::source_location const where = std::source_location::current()) noexcept
{
	if (holds) [[likely]] return;
	std::fprintf(stderr, "slipstream: broken invariant: %s (%s:%u)\n", what, where.file_name(), unsigned(where.line()));
	std::abort();
}

} // namespace slipstream
