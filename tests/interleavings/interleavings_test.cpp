// Thousands of orders of operations and completions, each from a seed. To repeat one: SLIPSTREAM_SEED=<seed> interleavings_test;
// to try more: SLIPSTREAM_SEEDS=<how many> (`make soak` tries a million).
#include "interleavings/explorer.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace slipstream::test {

namespace {

std::uint64_t from_environment(char const* const name, std::uint64_t const otherwise)
{
	char const* const text = std::getenv(name);
	return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

} // namespace

TEST(interleavings, every_order_of_calls_and_completions_does_what_the_model_says)
{
	auto const chosen = from_environment("SLIPSTREAM_SEED", 0);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	auto const seeds = from_environment("SLIPSTREAM_SEEDS", 300);
#else
	auto const seeds = from_environment("SLIPSTREAM_SEEDS", 2500);
#endif
	explorer::counts all;
	for (std::uint64_t seed = chosen ? chosen : 1; seed <= (chosen ? chosen : seeds); ++seed)
	{
		explorer e(seed);
		auto const failure = e.run();
		ASSERT_TRUE(failure.empty()) << "SLIPSTREAM_SEED=" << seed << ", " << failure << "\nthe shortest way there:\n" << shortest_trace(seed);
		all.calls += e.seen().calls;
		all.hashed += e.seen().hashed;
		all.verified += e.seen().verified;
		all.refused += e.seen().refused;
		all.missed += e.seen().missed;
		all.stale += e.seen().stale;
		all.fences += e.seen().fences;
		all.aborted += e.seen().aborted;
	}
	RecordProperty("seen", "calls " + std::to_string(all.calls) + ", hashed " + std::to_string(all.hashed) + ", verified "
		+ std::to_string(all.verified) + ", refused " + std::to_string(all.refused) + ", missed " + std::to_string(all.missed)
		+ ", stale " + std::to_string(all.stale) + ", fences " + std::to_string(all.fences) + ", aborted " + std::to_string(all.aborted));
	if (chosen || seeds < 100) return;
	// The runs were about something.
	for (auto const n : {all.verified, all.refused, all.missed, all.stale, all.fences, all.aborted}) EXPECT_GT(n, 0);
}

} // namespace slipstream::test
