#include "block/block_pool.hpp"
#include "block/check.hpp"
#include "block/region.hpp"

namespace slipstream {

// -- block_pool

block_pool::block_pool(std::int64_t const capacity, std::int64_t const reserved)
	: m_reserved(reserved), m_capacity(capacity)
{
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

void block_pool::trim()
{
	{
		mutex_lock const lock(m_mutex);
		m_trim_again = m_graves != nullptr;
		for (block_region* r = m_with_free; r != nullptr; r = r->next) r->drop_free_pages();
	}
	unmap_spares(0);
}

int block_pool::wanted_spares() const { return m_spares.wanted(m_capacity / std::int64_t(blocks_in_region)); }

// Whether one may be prepared.
bool block_pool::lacks_spare() const
{
	return m_spares.num() < wanted_spares()
		&& m_mapped.load(std::memory_order_relaxed) / std::int64_t(region_bytes) * std::int64_t(blocks_in_region) < m_capacity;
}

// Outside the lock: the system takes its time, and somebody may want a block.
void block_pool::unmap_spares(int const left) noexcept
{
	for (;;)
	{
		block_region* r = nullptr;
		{
			mutex_lock const lock(m_mutex);
			if (m_spares.num() > left) r = m_spares.take();
		}
		if (r == nullptr) return;
		block_region::unmap(r);
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
		block_region& r = *m_with_free;
		auto const block = r.take_free();
		bool const is_half_used = r.num_free() == blocks_in_region / 2 && r.next == nullptr;
		is_due = (is_half_used || (begins && wanted_spares() > 1)) && !m_is_prepare_due && lacks_spare();
		m_is_prepare_due |= is_due;
		if (r.num_free() == 0) unlink(r);
		auto const used = m_used.fetch_add(1, std::memory_order_relaxed) + 1;
		if (used > m_peak.load(std::memory_order_relaxed)) m_peak.store(used, std::memory_order_relaxed);
		r.shares[block].store(1, std::memory_order_relaxed);
		r.unpoison(block);
		bytes = r.bytes(block);
	}
	if (is_due && m_upkeep_is_due) m_upkeep_is_due();
	return unique_block(bytes);
}

bool block_pool::begin_region()
{
	block_region* r = m_spares.take();
	if (r == nullptr)
	{
		r = block_region::map(*this);
		if (r == nullptr) return false;
		count_mapped(1);
		// The first of all is missed by nobody; and where nobody prepares, none is.
		bool const is_first = m_mapped == std::int64_t(region_bytes);
		if (!is_first && m_upkeep_is_due) m_spares.was_missing();
	}
	link(*r);
	return true;
}

bool block_pool::prepare() noexcept
{
	{
		mutex_lock const lock(m_mutex);
		if (!m_is_prepare_due) return false;
		m_is_prepare_due = lacks_spare();
		if (!m_is_prepare_due) return false;
	}
	auto* r = block_region::map(*this);
	if (r) r->fill_with_pages();
	bool more = false;
	{
		mutex_lock const lock(m_mutex);
		if (r && lacks_spare())
		{
			m_spares.add(*std::exchange(r, nullptr));
			count_mapped(1);
			more = lacks_spare();
		}
		m_is_prepare_due = more;
	}
	if (r) block_region::unmap(r); // one came home meanwhile
	return more;
}

bool block_pool::is_ahead()
{
	mutex_lock const lock(m_mutex);
	return m_spares.num() > 1 || wanted_spares() > 1;
}

void block_pool::settle() noexcept
{
	int wanted = 0;
	{
		mutex_lock const lock(m_mutex);
		wanted = m_spares.settle();
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

void block_pool::give_back(block_region& r, std::size_t const block) noexcept
{
	block_region* empty = nullptr;
	std::function<void()> call;
	r.poison(block);
	{
		mutex_lock const lock(m_mutex);
		r.add_free(block);
		m_used.fetch_sub(1, std::memory_order_relaxed);
		if (r.num_free() == 1) link(r);
		if (r.num_free() == blocks_in_region)
		{
			unlink(r);
			if (m_spares.num() == 0) m_spares.add(r);
			else empty = &r;
		}
		call = who_hears_of_room();
	}
	if (empty)
	{
		block_region::unmap(empty);
		count_mapped(-1);
	}
	if (call) call();
}

void block_pool::count_mapped(int const regions) noexcept
{ m_mapped.fetch_add(regions * std::int64_t(region_bytes), std::memory_order_relaxed); }

void block_pool::link(block_region& r)
{
	r.prev = nullptr;
	r.next = m_with_free;
	if (m_with_free) m_with_free->prev = &r;
	m_with_free = &r;
}

void block_pool::unlink(block_region& r)
{
	(r.prev ? r.prev->next : m_with_free) = r.next;
	if (r.next) r.next->prev = r.prev;
	r.next = r.prev = nullptr;
}

// The last share's end happens after every other holder's last look at the bytes (acquire-release).
void block_pool::release(char* const inside) noexcept
{
	block_region& r = block_region::of(inside);
	auto const block = block_region::block_of(inside);
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
	auto& r = block_region::of(m_bytes);
	// A share is made from a share, so the count cannot be zero here and needs no ordering.
	r.shares[block_region::block_of(m_bytes)].fetch_add(1, std::memory_order_relaxed);
}

block_ref::~block_ref() { if (m_bytes) block_pool::release(m_bytes); }

void block_ref::take_back(char* const inside) noexcept { if (inside) block_pool::release(inside); }

std::uint32_t block_ref::shares() const noexcept
{
	if (m_bytes == nullptr) return 0;
	auto& r = block_region::of(m_bytes);
	return r.shares[block_region::block_of(m_bytes)].load(std::memory_order_acquire);
}

} // namespace slipstream
