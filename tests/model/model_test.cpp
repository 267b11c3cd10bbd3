// Millions of random steps. Each run says its seed; one that fails, the shortest trace that was found to fail, too.
// To repeat it: SLIPSTREAM_SEED=<seed> SLIPSTREAM_STEPS=<step + 1> model_test. `make soak` takes another seed each time.
#include "model/random_steps.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace slipstream::test;

namespace {

std::uint64_t from_environment(char const* const name, std::uint64_t const otherwise)
{
	char const* const text = std::getenv(name);
	return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Each seed has its own capacity, and its torrents their own shapes.
void run(std::uint64_t const seed, std::int64_t const steps, random_steps::counts& all)
{
	std::printf("model: seed %llu, %lld steps\n", static_cast<unsigned long long>(seed), static_cast<long long>(steps));
	SCOPED_TRACE("SLIPSTREAM_SEED=" + std::to_string(seed) + " SLIPSTREAM_STEPS=" + std::to_string(steps));
	random_steps r(seed);
	bool const right = r.run(steps);
	if (!right)
	{
		std::string trace;
		for (auto const step : shortest_trace(seed, r.step_number(), 300))
			trace += "\n" + std::to_string(step) + " " + random_steps::name_of_step(seed, step);
		ADD_FAILURE() << r.failure() << "\nThe same, or another failure, with these steps alone:" << trace;
	}
	else EXPECT_TRUE(r.end()) << r.failure();
	all.writes += r.seen().writes;
	all.refused += r.seen().refused;
	all.verified += r.seen().verified;
	all.named += r.seen().named;
	all.given_up += r.seen().given_up;
	all.stayed += r.seen().stayed;
	all.prepared += r.seen().prepared;
	all.grants_cut += r.seen().grants_cut;
	all.compared += r.seen().compared;
}

TEST(model, memory_does_what_a_simple_model_does_over_random_steps)
{
	auto const seed = from_environment("SLIPSTREAM_SEED", 0);
	auto const steps = std::int64_t(from_environment("SLIPSTREAM_STEPS", seed == 0 ? 100'000 : 1'000'000));
	random_steps::counts seen;
	if (seed != 0) run(seed, steps, seen);
	else for (std::uint64_t s = 1; s <= 12 && !HasFailure(); ++s) run(s, steps, seen);
	RecordProperty("seen", "writes " + std::to_string(seen.writes) + ", refused " + std::to_string(seen.refused)
		+ ", verified " + std::to_string(seen.verified) + ", named " + std::to_string(seen.named)
		+ ", given up " + std::to_string(seen.given_up) + ", stayed " + std::to_string(seen.stayed)
		+ ", prepared " + std::to_string(seen.prepared));
	if (steps < 100'000 || HasFailure()) return;
	// The run was about something: memory was full, pieces were named, compared, given up and kept after all.
	EXPECT_GT(seen.verified, steps / 100);
	EXPECT_GT(seen.refused, 0);
	EXPECT_GT(seen.given_up, steps / 1000);
	EXPECT_GT(seen.stayed, 0);
	EXPECT_TRUE(seen.prepared > 0 || (seed != 0 && steps < 1'000'000)) << "which is rare";
	EXPECT_GT(seen.grants_cut, 0);
	EXPECT_GT(seen.compared, std::uint64_t(steps) / 10);
}

} // namespace
