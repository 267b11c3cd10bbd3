// Regions with no block in use that are kept ready, and how many of them are wanted: one; twice as
// many each time one was missing, up to a 32nd of the capacity and eight at most; half as many each
// time settle() finds that none was.
//
// Owned by the pool, used under its mutex. It maps and unmaps nothing.
#pragma once

#include <cstdint>

namespace slipstream {

class block_region;

class spare_regions
{
public:
	// nullptr when there is none.
	[[nodiscard]] block_region* take() noexcept;
	void add(block_region& r) noexcept;
	[[nodiscard]] int num() const noexcept { return m_num; }
	// How many, where the capacity has so many regions.
	[[nodiscard]] int wanted(std::int64_t regions) const noexcept;

	// One was needed that was not here.
	void was_missing() noexcept;
	// To be called now and then; answers how many are to be kept from now on.
	[[nodiscard]] int settle() noexcept;

private:
	block_region* m_first = nullptr; // a list
	int m_num = 0;
	int m_wanted = 1; // in a capacity without end
	bool m_was_missing = false; // since settle()
};

} // namespace slipstream
