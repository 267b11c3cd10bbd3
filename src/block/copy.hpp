// Copies past the processor's cache.
//
// A block that is written is looked at next by a hash worker, on another core, and then for a long
// time by nobody. A plain store first fetches the line that it is going to overwrite; where another
// thread had the system clear the page that line is not in this core's cache, and fetching it costs
// as much as the copy. One function; any thread; it owns nothing.
#pragma once

#include "block/sanitizers.hpp"

#include <cstddef>
#include <cstring>

// Sanitizers do not see such stores; what they watch is a plain copy.
#if defined(__SSE2__) && !defined(SLIPSTREAM_ADDRESS_SANITIZER) && !defined(SLIPSTREAM_THREAD_SANITIZER)
#define SLIPSTREAM_COPY_PAST_CACHE
#include <emmintrin.h>
#endif

namespace slipstream {

// As memcpy. Precondition: `to` is a multiple of 16. Whoever is told of it by a lock or a release
// sees what was copied.
inline void copy_past_cache(char* to, char const* from, std::size_t size) noexcept
{
#ifdef SLIPSTREAM_COPY_PAST_CACHE
	for (; size >= 64; to += 64, from += 64, size -= 64)
	{
		auto const* const f = reinterpret_cast<__m128i const*>(from);
		auto* const t = reinterpret_cast<__m128i*>(to);
		__m128i const a = _mm_loadu_si128(f);
		__m128i const b = _mm_loadu_si128(f + 1);
		__m128i const c = _mm_loadu_si128(f + 2);
		__m128i const d = _mm_loadu_si128(f + 3);
		_mm_stream_si128(t, a);
		_mm_stream_si128(t + 1, b);
		_mm_stream_si128(t + 2, c);
		_mm_stream_si128(t + 3, d);
	}
	_mm_sfence(); // such stores are not ordered by a release alone
#endif
	std::memcpy(to, from, size);
}

} // namespace slipstream
