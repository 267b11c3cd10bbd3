#include "block/copy.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace slipstream {

namespace {

// Lengths around the 64 bytes that are copied at a time, from any address.
TEST(copy_past_cache, copies_each_length_from_each_offset_and_nothing_beyond)
{
	std::vector<char> from(512);
	for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<char>(i * 7 + 1);
	for (std::size_t size = 0; size <= 260; ++size)
	{
		for (std::size_t offset = 0; offset < 17; ++offset)
		{
			alignas(16) std::array<char, 320> to;
			to.fill(0x55);
			copy_past_cache(to.data(), from.data() + offset, size);
			for (std::size_t i = 0; i < to.size(); ++i)
				ASSERT_EQ(to.at(i), i < size ? from[offset + i] : char(0x55)) << size << " from " << offset << ", byte " << i;
		}
	}
}

} // namespace

} // namespace slipstream
