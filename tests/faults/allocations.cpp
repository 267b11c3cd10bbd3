#include "faults/allocations.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

#include <sys/mman.h>

namespace slipstream::test {

namespace {

std::atomic<std::int64_t> live{0};
std::atomic<std::int64_t> countdown{0}; // of threads that may fail
std::atomic<bool> has_failed{false};
std::atomic<bool> others_fail{false};
std::atomic<bool> mappings_fail{false};
std::atomic<int> num_refusals{0};
std::atomic<bool> is_counting{false};
std::atomic<std::int64_t> counted_here{0};
std::atomic<std::int64_t> counted_elsewhere{0};
thread_local bool counts_here = false;
thread_local bool is_spared = true; // of this thread's allocations none fails, or all others' may
thread_local bool is_the_tests = false;

void maybe_fail()
{
	if (others_fail ? is_the_tests : is_spared) return;
	if (countdown.fetch_sub(1) != 1) return;
	has_failed = true;
	throw std::bad_alloc();
}

} // namespace

failing_allocation::failing_allocation(std::int64_t const nth, where const w)
{
	has_failed = false;
	is_the_tests = true;
	countdown = nth;
	others_fail = w == where::other_threads;
	is_spared = w == where::other_threads;
}

failing_allocation::~failing_allocation()
{
	is_spared = true;
	others_fail = false;
	countdown = 0;
}

bool failing_allocation::failed() const { return has_failed; }

counted_allocations::counted_allocations()
{
	counted_here = counted_elsewhere = 0;
	counts_here = is_counting = true;
}
counted_allocations::~counted_allocations() { counts_here = is_counting = false; }
std::int64_t counted_allocations::here() const { return counted_here; }
std::int64_t counted_allocations::elsewhere() const { return counted_elsewhere; }

refused_mappings::refused_mappings()
{
	num_refusals = 0;
	mappings_fail = true;
}
refused_mappings::~refused_mappings() { mappings_fail = false; }
int refused_mappings::refusals() const { return num_refusals; }

std::int64_t live_allocations() { return live; }

} // namespace slipstream::test

using namespace slipstream::test;

void* operator new(std::size_t const size)
{
	maybe_fail();
	if (is_counting) ++(counts_here ? counted_here : counted_elsewhere);
	void* const p = std::malloc(size == 0 ? 1 : size);
	if (p == nullptr) throw std::bad_alloc();
	++live;
	return p;
}
void* operator new[](std::size_t const size) { return operator new(size); }
// The sanitizers' own would not come here.
void* operator new(std::size_t const size, std::nothrow_t const&) noexcept
{
	try { return operator new(size); }
	catch (std::bad_alloc const&) { return nullptr; }
}
void* operator new[](std::size_t const size, std::nothrow_t const& no) noexcept { return operator new(size, no); }
void operator delete(void* const p) noexcept
{
	if (p == nullptr) return;
	--live;
	std::free(p);
}
void operator delete[](void* const p) noexcept { operator delete(p); }
void operator delete(void* const p, std::nothrow_t const&) noexcept { operator delete(p); }
void operator delete[](void* const p, std::nothrow_t const&) noexcept { operator delete(p); }
void operator delete(void* const p, std::size_t) noexcept { operator delete(p); }
void operator delete[](void* const p, std::size_t) noexcept { operator delete(p); }

extern "C" {
void* __real_mmap(void*, std::size_t, int, int, int, off_t);
int __real_madvise(void*, std::size_t, int);

void* __wrap_mmap(void* const at, std::size_t const size, int const prot, int const flags, int const fd, off_t const offset)
{
	if (!mappings_fail) return __real_mmap(at, size, prot, flags, fd, offset);
	++num_refusals;
	errno = ENOMEM;
	return MAP_FAILED;
}

int __wrap_madvise(void* const at, std::size_t const size, int const advice)
{
	if (!mappings_fail) return __real_madvise(at, size, advice);
	++num_refusals;
	errno = EINVAL;
	return -1;
}
}
