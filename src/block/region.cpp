#include "block/region.hpp"

#include <new>

#include <sys/mman.h>

#if !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23
#endif

namespace slipstream {

block_region::block_region(block_pool& owner) noexcept : pool(&owner)
{
	// Popped from the back.
	for (std::size_t i = 0; i < blocks_in_region; ++i)
		m_free[i] = static_cast<std::uint8_t>(blocks_in_region - 1 - i);
}

// Maps twice the size and trims, because the system aligns to pages only.
block_region* block_region::map(block_pool& owner) noexcept
{
	void* const raw = ::mmap(nullptr, 2 * region_bytes, PROT_READ | PROT_WRITE
		, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (raw == MAP_FAILED) return nullptr;
	auto const before = (region_bytes - address_of(raw) % region_bytes) % region_bytes;
	auto* const begin = static_cast<char*>(raw) + before;
	if (before > 0) ::munmap(raw, before);
	::munmap(begin + region_bytes, region_bytes - before);
	// Huge pages make the first touch of a block several times cheaper. A hint: refusal is harmless.
	::madvise(begin, region_bytes, MADV_HUGEPAGE);
	auto* const r = new (begin + place_in(address_of(begin))) block_region(owner);
	for (std::size_t i = 0; i < blocks_in_region; ++i) r->poison(i);
	return r;
}

void block_region::unmap(block_region* const r) noexcept
{
	char* const begin = r->begin();
	for (std::size_t i = 0; i < blocks_in_region; ++i) r->unpoison(i);
	r->~block_region();
	::munmap(begin, region_bytes);
}

// Linux 5.14. An older one refuses: the pages come when blocks are touched.
void block_region::fill_with_pages() noexcept { ::madvise(begin(), region_bytes, MADV_POPULATE_WRITE); }

void block_region::drop_free_pages() noexcept
{
	for (std::size_t i = 0; i < m_num_free; ++i) ::madvise(bytes(m_free[i]), block_bytes, MADV_DONTNEED);
}

} // namespace slipstream
