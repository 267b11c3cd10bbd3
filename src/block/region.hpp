// A region: 4 MiB from the system, at an address that is a multiple of 4 MiB. It has 255 blocks,
// and in the place of the first their share counts and the list of those that are free. So any
// address in a block leads to its count:
//
//   region = address & ~(4 MiB - 1)        block = (address - region) / 16 KiB
//
// Owned by one pool. The counts are atomic; the list of free blocks and the links are used under
// the pool's mutex. It decides nothing: not who gets a block, nor when it goes back to the system.
#pragma once

#include "block/block_pool.hpp"
#include "block/check.hpp"
#include "block/sanitizers.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#ifdef SLIPSTREAM_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace slipstream {

inline constexpr std::size_t region_bytes = 4u << 20;
inline constexpr std::size_t blocks_in_region = region_bytes / block_bytes - 1; // the first is the header

class alignas(64) block_region
{
public:
	// nullptr when the system has no memory. One call or several of the system's; any thread.
	[[nodiscard]] static block_region* map(block_pool& owner) noexcept;
	static void unmap(block_region* r) noexcept;
	// Has the system fill it with pages now, if it can: most of what a block's first touch costs.
	void fill_with_pages() noexcept;
	// Gives the pages of free blocks back to the system; they read as zeros when touched again.
	// Under the pool's mutex.
	void drop_free_pages() noexcept;

	// The region that an address in one of its blocks is in, and that block.
	[[nodiscard]] static block_region& of(char* inside) noexcept;
	[[nodiscard]] static std::size_t block_of(void const* inside) noexcept;
	[[nodiscard]] char* bytes(std::size_t block) noexcept { return begin() + (block + 1) * block_bytes; }

	// Precondition: one is free. Low addresses first.
	[[nodiscard]] std::size_t take_free() noexcept { return m_free[--m_num_free]; }
	void add_free(std::size_t const block) noexcept { m_free[m_num_free++] = static_cast<std::uint8_t>(block); }
	[[nodiscard]] std::size_t num_free() const noexcept { return m_num_free; }

	// A free block is poisoned under AddressSanitizer: a stale pointer into one is then reported,
	// as it would be into freed memory.
	void poison(std::size_t block) noexcept;
	void unpoison(std::size_t block) noexcept;

	block_pool* const pool;
	block_region* next = nullptr;
	block_region* prev = nullptr;

private:
	std::size_t m_num_free = blocks_in_region; // in one line of the processor's cache with the links
	std::array<std::uint8_t, blocks_in_region> m_free; // a stack of blocks, [0, m_num_free)

public:
	std::array<std::atomic<std::uint32_t>, blocks_in_region> shares{};

private:
	explicit block_region(block_pool& owner) noexcept;
	[[nodiscard]] char* begin() noexcept;
	[[nodiscard]] static std::size_t place_in(std::uintptr_t begin) noexcept;
};

static_assert(blocks_in_region <= 255, "a block's number is a byte");

#ifdef SLIPSTREAM_ADDRESS_SANITIZER
inline void block_region::poison(std::size_t const block) noexcept { ASAN_POISON_MEMORY_REGION(bytes(block), block_bytes); }
inline void block_region::unpoison(std::size_t const block) noexcept { ASAN_UNPOISON_MEMORY_REGION(bytes(block), block_bytes); }
#else
inline void block_region::poison(std::size_t) noexcept {}
inline void block_region::unpoison(std::size_t) noexcept {}
#endif

// -- arithmetic

inline std::uintptr_t address_of(void const* p) noexcept { return reinterpret_cast<std::uintptr_t>(p); }

// The header is not at the beginning of its block, which is a multiple of 4 MiB for every region:
// all counts would share a few sets of the processor's caches. Where it is follows from the
// region's address.
inline std::size_t block_region::place_in(std::uintptr_t const begin) noexcept
{
	constexpr std::size_t places = 12;
	static_assert(places * sizeof(block_region) <= block_bytes, "the header fits its block, wherever it is");
	return begin / region_bytes % places * sizeof(block_region);
}

inline char* block_region::begin() noexcept { return reinterpret_cast<char*>(this) - address_of(this) % region_bytes; }

inline block_region& block_region::of(char* const inside) noexcept
{
	auto const offset = address_of(inside) % region_bytes;
	return *reinterpret_cast<block_region*>(inside - offset + place_in(address_of(inside) - offset));
}

inline std::size_t block_region::block_of(void const* const inside) noexcept
{
	auto const n = address_of(inside) % region_bytes / block_bytes;
	check(n >= 1, "a pointer to a block leads to one");
	return n - 1;
}

} // namespace slipstream
