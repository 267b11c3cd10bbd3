// A region of the pool as tests count with it, which are about numbers and not about where they come from.
#pragma once

#include "block/block_pool.hpp"

#include <cstdint>

namespace slipstream::test {

inline constexpr std::int64_t region_size = 4 << 20;
inline constexpr std::int64_t region_blocks = 255; // one is its header

inline void prepare_all(block_pool& pool)
{
	while (pool.prepare()) {}
}

} // namespace slipstream::test
