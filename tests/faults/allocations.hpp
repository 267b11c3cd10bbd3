// Allocations that fail when a test says so: operator new of this program (faults/allocations.cpp), and mmap and madvise of our
// own code (the linker's --wrap).
//
// While a `failing_allocation` lives, the n-th allocation of this thread (or of every other thread) throws std::bad_alloc; all
// others succeed. One at a time.
#pragma once

#include <cstdint>

namespace slipstream::test {

class failing_allocation
{
public:
	enum class where { this_thread, other_threads };

	explicit failing_allocation(std::int64_t nth, where w = where::this_thread);
	~failing_allocation();
	failing_allocation(failing_allocation const&) = delete;
	failing_allocation& operator=(failing_allocation const&) = delete;
	// Whether one failed.
	[[nodiscard]] bool failed() const;
};

// As long as it lives, the system refuses.
class refused_mappings
{
public:
	refused_mappings();
	~refused_mappings();
	refused_mappings(refused_mappings const&) = delete;
	refused_mappings& operator=(refused_mappings const&) = delete;
	[[nodiscard]] int refusals() const;
};

// Allocations while it lives: of this thread, and of all others. One at a time.
class counted_allocations
{
public:
	counted_allocations();
	~counted_allocations();
	counted_allocations(counted_allocations const&) = delete;
	counted_allocations& operator=(counted_allocations const&) = delete;
	[[nodiscard]] std::int64_t here() const;
	[[nodiscard]] std::int64_t elsewhere() const;
};

// What operator new handed out and was not given back.
[[nodiscard]] std::int64_t live_allocations();

} // namespace slipstream::test
