// Eviction policies, and the run of a trace through one of them.
//
// All play by the same rules: memory holds `capacity` pieces of equal size; a piece that is read and not there is a
// miss (a download) and takes a place; when memory is full the policy names who leaves. None may let a piece pass
// without a place, so that the clairvoyant is the optimum (Belady 1966). simulate() keeps what is in memory and checks
// every name; a policy keeps only its own order. Not thread-safe.
#pragma once

#include "trace.hpp"

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace slipstream::bench {

class policy
{
public:
	virtual ~policy() = default;
	// Something happened to a reader; of a read, it is told before the piece is looked for.
	virtual void happened(event const&, std::set<piece_key> const& in_memory) { static_cast<void>(in_memory); }
	virtual void hit(piece_key) {}
	// Who leaves, now: one that was inserted and has not left.
	virtual piece_key leave() = 0;
	virtual void inserted(piece_key) = 0;
};

// In the order of the table: optimum, ours, LRU, FIFO, CLOCK, random.
struct contestant
{
	std::string name;
	std::unique_ptr<policy> (*make)(trace const& t, int capacity_pieces);
};
[[nodiscard]] std::vector<contestant> contestants();

struct outcome
{
	std::size_t reads = 0;
	std::size_t misses = 0;
};

// Throws std::logic_error when the policy names a piece that is not there.
[[nodiscard]] outcome simulate(trace const& t, int capacity_pieces, policy& p);

} // namespace slipstream::bench
