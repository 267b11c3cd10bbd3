#include "block/block_pool.hpp"
#include "block/check.hpp"

#include <algorithm>
#include <array>
#include <new>

#include <sys/mman.h>

// Under AddressSanitizer a free block is poisoned: a stale pointer into one is then reported, as it would
// be into freed memory.
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) static_cast<void>(address)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) static_cast<void>(address)
#endif

#if !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23
#endif

namespace slipstream {

namespace {

constexpr std::size_t region_bytes = 4u << 20;
constexpr std::size_t blocks_in_region = region_bytes / block_bytes - 1; // the first is the header

// Who copies into new memory as fast as it can takes eight regions in the 2 to 3 ms that another thread may wait for a processor.
constexpr std::int64_t most_spares = 8;
constexpr std::int64_t least_regions_a_spare = 32;

std::uintptr_t address_of(void const* p) noexcept { return reinterpret_cast<std::uintptr_t>(p); }

} // namespace

struct alignas(64) block_pool::region
{
	block_pool* pool;
	region* next = nullptr;
	region* prev = nullptr;
	// guarded by pool->m_mutex
	std::size_t num_free = blocks_in_region;
	std::array<std::uint8_t, blocks_in_region> free_list; // a stack of block indices, [0, num_free)
	std::array<std::atomic<std::uint32_t>, blocks_in_region> shares{};

	explicit region(block_pool* p) noexcept : pool(p)
	{
		// Popped from the back: low addresses first.
		for (std::size_t i = 0; i < blocks_in_region; ++i)
			free_list[i] = static_cast<std::uint8_t>(blocks_in_region - 1 - i);
	}

	[[nodiscard]] char* begin() noexcept
	{ return reinterpret_cast<char*>(this) - address_of(this) % region_bytes; }
	[[nodiscard]] char* bytes(std::size_t const block) noexcept { return begin() + (block + 1) * block_bytes; }

	// Not at the beginning of its block, which is a multiple of 4 MiB for every region: all counts would share a few sets of the
	// processor's caches. Where it is follows from the region's address.
	[[nodiscard]] static std::size_t place_in(std::uintptr_t const begin) noexcept
	{ return begin / region_bytes % places * sizeof(region); }
	[[nodiscard]] static region& of(char* inside) noexcept
	{
		auto const offset = address_of(inside) % region_bytes;
		return *reinterpret_cast<region*>(inside - offset + place_in(address_of(inside) - offset));
	}
	[[nodiscard]] static std::size_t block_of(void const* inside) noexcept
	{
		auto const n = address_of(inside) % region_bytes / block_bytes;
		check(n >= 1, "a pointer to a block leads to one");
		return n - 1;
	}

	static constexpr std::size_t places = 12;
};

static_assert(blocks_in_region <= 255, "block indices are bytes");

// -- block_pool

block_pool::block_pool(std::int64_t const capacity, std::int64_t const reserved)
	: m_reserved(reserved), m_capacity(capacity)
{
	static_assert(region::places * sizeof(region) <= block_bytes, "the header fits its block, wherever it is");
	check(reserved > 0 && reserved < capacity, "the reserve is a part of the pool");
}

block_pool::~block_pool()
{
	m_when_free = nullptr;
	while (dispose_some()) {}
	check(m_used == 0, "every block comes home before its pool dies");
	unmap_spares(0);
}

unique_block block_pool::acquire() { return take(m_reserved); }
unique_block block_pool::acquire_reserved() { return take(0); }

void block_pool::set_capacity(std::int64_t const blocks)
{
	check(blocks > m_reserved, "the reserve is a part of the pool");
	mutex_lock const lock(m_mutex);
	m_capacity = blocks;
}

void block_pool::when_free(std::int64_t const blocks, std::function<void()> call)
{
	{
		mutex_lock const lock(m_mutex);
		if (headroom_blocks() < blocks)
		{
			m_when_free = std::move(call);
			m_when_free_blocks = blocks;
			return;
		}
	}
	call();
}

// Free blocks are found in the regions' lists; their pages read as zeros when touched again.
void block_pool::trim()
{
	mutex_lock const lock(m_mutex);
	m_trim_again = m_graves != nullptr;
	for (region* r = m_with_free; r != nullptr; r = r->next)
		for (std::size_t i = 0; i < r->num_free; ++i)
			::madvise(r->bytes(r->free_list[i]), block_bytes, MADV_DONTNEED);
	while (region* const spare = take_spare())
	{
		unmap_region(spare);
		count_mapped(-1);
	}
}

bool block_pool::needs_spare() const
{
	return m_num_spares < m_wanted_spares
		&& m_mapped.load(std::memory_order_relaxed) / std::int64_t(region_bytes) * std::int64_t(blocks_in_region) < m_capacity;
}

block_pool::region* block_pool::take_spare() noexcept
{
	region* const r = m_spares;
	if (r == nullptr) return nullptr;
	m_spares = std::exchange(r->next, nullptr);
	--m_num_spares;
	return r;
}

void block_pool::add_spare(region& r) noexcept
{
	r.next = std::exchange(m_spares, &r);
	++m_num_spares;
}

// Outside the lock: the system takes its time, and somebody may want a block.
void block_pool::unmap_spares(int const left) noexcept
{
	for (;;)
	{
		region* r = nullptr;
		{
			mutex_lock const lock(m_mutex);
			if (m_num_spares > left) r = take_spare();
		}
		if (r == nullptr) return;
		unmap_region(r);
		count_mapped(-1);
	}
}

unique_block block_pool::take(std::int64_t const kept_back)
{
	auto block = try_take(kept_back);
	// Once more when there is nothing to drop any more: somebody else may have dropped it meanwhile.
	for (bool more = !block; more && !block;)
	{
		more = dispose_some();
		block = try_take(kept_back);
	}
	return block;
}

unique_block block_pool::try_take(std::int64_t const kept_back)
{
	char* bytes = nullptr;
	bool is_due = false;
	{
		mutex_lock const lock(m_mutex);
		if (m_used >= m_capacity - kept_back) return {};
		bool const begins = m_with_free == nullptr;
		if (begins && !begin_region()) return {};
		region& r = *m_with_free;
		auto const block = r.free_list[--r.num_free];
		bool const is_half_used = r.num_free == blocks_in_region / 2 && r.next == nullptr;
		is_due = (is_half_used || (begins && m_wanted_spares > 1)) && !m_is_prepare_due && needs_spare();
		m_is_prepare_due |= is_due;
		if (r.num_free == 0) unlink(r);
		auto const used = m_used.fetch_add(1, std::memory_order_relaxed) + 1;
		if (used > m_peak.load(std::memory_order_relaxed)) m_peak.store(used, std::memory_order_relaxed);
		r.shares[block].store(1, std::memory_order_relaxed);
		bytes = r.bytes(block);
	}
	ASAN_UNPOISON_MEMORY_REGION(bytes, block_bytes);
	if (is_due && m_upkeep_is_due) m_upkeep_is_due();
	return unique_block(bytes);
}

bool block_pool::begin_region()
{
	region* r = take_spare();
	if (r == nullptr)
	{
		r = map_region();
		if (r == nullptr) return false;
		count_mapped(1);
		// The first of all is missed by nobody.
		bool const is_first = m_mapped == std::int64_t(region_bytes);
		auto const regions = m_capacity / std::int64_t(blocks_in_region);
		auto const most = std::clamp<std::int64_t>(regions / least_regions_a_spare, 1, most_spares);
		if (!is_first) m_wanted_spares = int(std::min<std::int64_t>(2 * m_wanted_spares, most));
		m_was_missing |= !is_first;
	}
	link(*r);
	return true;
}

void block_pool::prepare() noexcept
{
	for (;;)
	{
		{
			mutex_lock const lock(m_mutex);
			if (!m_is_prepare_due) return;
			m_is_prepare_due = needs_spare();
			if (!m_is_prepare_due) return;
		}
		region* r = map_region();
		// Linux 5.14. An older one refuses: the pages come when blocks are touched.
		if (r) ::madvise(r->begin(), region_bytes, MADV_POPULATE_WRITE);
		{
			mutex_lock const lock(m_mutex);
			m_is_prepare_due = r != nullptr;
			if (r && needs_spare())
			{
				add_spare(*std::exchange(r, nullptr));
				count_mapped(1);
			}
		}
		if (r) unmap_region(r); // one came home meanwhile
	}
}

bool block_pool::is_ahead()
{
	mutex_lock const lock(m_mutex);
	return m_num_spares > 1 || m_wanted_spares > 1;
}

void block_pool::settle() noexcept
{
	int wanted = 0;
	{
		mutex_lock const lock(m_mutex);
		if (std::exchange(m_was_missing, false)) return;
		wanted = m_wanted_spares = std::max(m_wanted_spares / 2, 1);
	}
	unmap_spares(wanted);
}

void block_pool::bury(std::unique_ptr<remains> dead) noexcept
{
	if (!dead) return;
	std::function<void()> call;
	{
		mutex_lock const lock(m_mutex);
		m_buried.fetch_add(dead->m_num_blocks, std::memory_order_relaxed);
		auto* const last = dead.get();
		(m_last_grave ? m_last_grave->m_next : m_graves) = std::move(dead);
		m_last_grave = last;
		call = who_hears_of_room();
	}
	if (call) call();
	if (m_upkeep_is_due) m_upkeep_is_due();
	else while (dispose_some()) {}
}

bool block_pool::dispose_some() noexcept
{
	std::unique_ptr<remains> empty; // dies outside the lock of the pool
	mutex_lock const one_at_a_time(m_burial_mutex);
	remains* dead = nullptr;
	{
		mutex_lock const lock(m_mutex);
		dead = m_graves.get();
	}
	if (dead == nullptr) return false;
	auto const dropped = dead->drop_some();
	auto const counted = dropped == 0 ? dead->m_num_blocks : dropped;
	dead->m_num_blocks -= counted;
	m_buried.fetch_sub(counted, std::memory_order_relaxed);
	if (dropped > 0) return true;
	bool trim_now = false;
	{
		mutex_lock const lock(m_mutex);
		empty = std::move(m_graves);
		m_graves = std::move(empty->m_next);
		if (!m_graves) m_last_grave = nullptr;
		trim_now = !m_graves && std::exchange(m_trim_again, false);
	}
	if (trim_now) trim();
	return true;
}

std::function<void()> block_pool::who_hears_of_room() noexcept
{
	std::function<void()> call;
	if (m_when_free && headroom_blocks() >= m_when_free_blocks) call = std::exchange(m_when_free, nullptr);
	return call;
}

void block_pool::give_back(region& r, std::size_t const block) noexcept
{
	region* empty = nullptr;
	std::function<void()> call;
	ASAN_POISON_MEMORY_REGION(r.bytes(block), block_bytes);
	{
		mutex_lock const lock(m_mutex);
		r.free_list[r.num_free++] = static_cast<std::uint8_t>(block);
		m_used.fetch_sub(1, std::memory_order_relaxed);
		if (r.num_free == 1) link(r);
		if (r.num_free == blocks_in_region)
		{
			unlink(r);
			if (m_num_spares == 0) add_spare(r);
			else empty = &r;
		}
		call = who_hears_of_room();
	}
	if (empty)
	{
		unmap_region(empty);
		count_mapped(-1);
	}
	if (call) call();
}

// Maps twice the size and trims, because the system aligns to pages only.
block_pool::region* block_pool::map_region() noexcept
{
	void* const raw = ::mmap(nullptr, 2 * region_bytes, PROT_READ | PROT_WRITE
		, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (raw == MAP_FAILED) return nullptr;
	auto* const begin = static_cast<char*>(raw);
	auto const before = (region_bytes - address_of(raw) % region_bytes) % region_bytes;
	if (before > 0) ::munmap(begin, before);
	::munmap(begin + before + region_bytes, region_bytes - before);
	// Huge pages make the first touch of a block several times cheaper. A hint: refusal is harmless.
	::madvise(begin + before, region_bytes, MADV_HUGEPAGE);
	ASAN_POISON_MEMORY_REGION(begin + before + block_bytes, region_bytes - block_bytes);
	return new (begin + before + region::place_in(address_of(begin) + before)) region(this);
}

void block_pool::unmap_region(region* const r) noexcept
{
	char* const begin = r->begin();
	r->~region();
	ASAN_UNPOISON_MEMORY_REGION(begin, region_bytes);
	::munmap(begin, region_bytes);
}

void block_pool::count_mapped(int const regions) noexcept
{ m_mapped.fetch_add(regions * std::int64_t(region_bytes), std::memory_order_relaxed); }

void block_pool::link(region& r)
{
	r.prev = nullptr;
	r.next = m_with_free;
	if (m_with_free) m_with_free->prev = &r;
	m_with_free = &r;
}

void block_pool::unlink(region& r)
{
	(r.prev ? r.prev->next : m_with_free) = r.next;
	if (r.next) r.next->prev = r.prev;
	r.next = r.prev = nullptr;
}

// The last share's end happens after every other holder's last look at the bytes (acquire-release).
void block_pool::release(char* const inside) noexcept
{
	region& r = region::of(inside);
	auto const block = r.block_of(inside);
	auto const before = r.shares[block].fetch_sub(1, std::memory_order_acq_rel);
	check(before != 0, "a block is released once for each share");
	if (before == 1) r.pool->give_back(r, block);
}

// -- unique_block, block_ref

unique_block& unique_block::operator=(unique_block&& other) noexcept
{
	std::swap(m_bytes, other.m_bytes);
	return *this;
}

unique_block::~unique_block() { if (m_bytes) block_pool::release(m_bytes); }

block_ref unique_block::freeze() && noexcept { return block_ref(std::exchange(m_bytes, nullptr)); }

block_ref::block_ref(block_ref const& other) noexcept : m_bytes(other.m_bytes)
{
	if (m_bytes == nullptr) return;
	auto& r = block_pool::region::of(m_bytes);
	// A share is made from a share, so the count cannot be zero here and needs no ordering.
	r.shares[r.block_of(m_bytes)].fetch_add(1, std::memory_order_relaxed);
}

block_ref::~block_ref() { if (m_bytes) block_pool::release(m_bytes); }

void block_ref::take_back(char* const inside) noexcept { if (inside) block_pool::release(inside); }

std::uint32_t block_ref::shares() const noexcept
{
	if (m_bytes == nullptr) return 0;
	auto& r = block_pool::region::of(m_bytes);
	return r.shares[r.block_of(m_bytes)].load(std::memory_order_acquire);
}

} // namespace slipstream
