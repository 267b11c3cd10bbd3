// What explorers have in common: numbers from a seed, and the way to a failure made short.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

namespace slipstream::test {

[[nodiscard]] inline std::uint64_t mixed(std::uint64_t x) noexcept
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

// The trace of a seed's failure with every step left out that it does not need. `Explorer` is explorer or forgetting_explorer:
// step n of a seed draws the same numbers whatever steps were left out before it.
template <typename Explorer>
[[nodiscard]] std::string shortest_trace(std::uint64_t const seed)
{
	std::set<int> left_out;
	for (int step = Explorer::steps_in_a_run - 1; step >= 0; --step)
	{
		auto tried = left_out;
		tried.insert(step);
		if (!Explorer(seed, tried).run().empty()) left_out = std::move(tried);
	}
	Explorer shortest(seed, left_out);
	auto const failure = shortest.run();
	return shortest.trace() + failure;
}

} // namespace slipstream::test
