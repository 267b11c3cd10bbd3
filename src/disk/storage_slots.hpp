// Slots: turns libtorrent's storage_index_t into a storage, and refuses an index from an earlier life.
//
// An index is a slot's number in its lower 20 bits and the slot's generation in the upper 12. When
// a torrent goes its slot gets the next generation, so the index it had finds nothing from then on,
// while the slot serves the next torrent. Free slots wait in a queue: before an index could come
// again its slot was handed out 4,096 times. The queue is a list through the slots themselves:
// remove() needs no memory, and must not, since libtorrent calls it where nothing may fail. One
// session's; network thread only.
#pragma once

#include <libtorrent/storage_defs.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace slipstream {

template <typename Storage>
class storage_slots
{
public:
	[[nodiscard]] lt::storage_index_t add(std::shared_ptr<Storage> storage)
	{
		std::uint32_t n = 0;
		if (m_first_free == none)
		{
			n = static_cast<std::uint32_t>(m_slots.size());
			// A million torrents in one session: the index leads nowhere, every operation on it fails.
			if (n > slot_mask) return lt::storage_index_t(~std::uint32_t{0});
			m_slots.emplace_back();
		}
		else
		{
			n = m_first_free;
			m_first_free = std::exchange(m_slots[n].next_free, none);
			if (m_first_free == none) m_last_free = none;
		}
		m_slots[n].storage = std::move(storage);
		return lt::storage_index_t(n | (m_slots[n].generation << slot_bits));
	}

	// Null for an index that is not, or no longer, in use.
	[[nodiscard]] std::shared_ptr<Storage> find(lt::storage_index_t const index) const
	{
		auto const n = static_cast<std::uint32_t>(index) & slot_mask;
		auto const generation = static_cast<std::uint32_t>(index) >> slot_bits;
		return n < m_slots.size() && m_slots[n].generation == generation ? m_slots[n].storage : nullptr;
	}

	// Null likewise.
	std::shared_ptr<Storage> remove(lt::storage_index_t const index) noexcept
	{
		if (!find(index)) return nullptr;
		auto const n = static_cast<std::uint32_t>(index) & slot_mask;
		m_slots[n].generation = (m_slots[n].generation + 1) & generation_mask;
		(m_last_free == none ? m_first_free : m_slots[m_last_free].next_free) = n;
		m_last_free = n;
		return std::exchange(m_slots[n].storage, nullptr);
	}

	template <typename Visit>
	void for_each(Visit visit) const
	{
		for (auto const& s : m_slots)
			if (s.storage) visit(s.storage);
	}

private:
	static constexpr std::uint32_t slot_bits = 20;
	static constexpr std::uint32_t slot_mask = (1u << slot_bits) - 1;
	static constexpr std::uint32_t none = ~std::uint32_t{0};
	static constexpr std::uint32_t generation_mask = (1u << (32 - slot_bits)) - 1;

	struct slot
	{
		std::shared_ptr<Storage> storage;
		std::uint32_t generation = 0;
		std::uint32_t next_free = none;
	};

	std::vector<slot> m_slots;
	std::uint32_t m_first_free = none;
	std::uint32_t m_last_free = none;
};

} // namespace slipstream
