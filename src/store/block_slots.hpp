// Block slots: the places of one piece's blocks, of which many may be empty.
//
// They come in chunks of 16, each made when its first block is put: a piece of 4 MiB with one block
// here costs 128 to 248 bytes and not 2 KiB; one that is whole costs 9 bytes a block. A place is
// found in two steps, whatever is here; in the pieces that are common (256 KiB, 16 blocks) in one.
//
// A value that is moved, not copied; who owns it guards it.
#pragma once

#include "block/block_pool.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace slipstream {

class block_slots
{
public:
	block_slots() = default;
	explicit block_slots(int const size) noexcept : m_size(size) {}

	// Precondition of all below: 0 <= block < size().
	[[nodiscard]] int size() const noexcept { return m_size; }
	// An empty reference where nothing is.
	[[nodiscard]] block_ref const& operator[](int const block) const noexcept
	{
		static block_ref const none;
		auto const* const chunk = chunk_of(block);
		return chunk ? chunk[block % chunk_blocks] : none;
	}
	// The place itself. Where there is no memory for it std::bad_alloc is thrown, and nothing is done.
	[[nodiscard]] block_ref& at(int const block)
	{
		auto const c = block / chunk_blocks;
		if (c > 0 && !m_others) m_others = std::make_unique<chunk_memory[]>(std::size_t((m_size - 1) / chunk_blocks));
		chunk_memory& place = c == 0 ? m_first : m_others[std::size_t(c - 1)];
		if (!place) place = std::make_unique<block_ref[]>(std::size_t(std::min(int{chunk_blocks}, m_size - c * chunk_blocks)));
		return place[std::size_t(block % chunk_blocks)];
	}
	// What is there, which is taken away.
	[[nodiscard]] block_ref take(int const block) noexcept
	{
		auto* const chunk = chunk_of(block);
		return chunk ? std::exchange(chunk[block % chunk_blocks], block_ref{}) : block_ref{};
	}
	// With one for each place. Precondition: there is a place for each that is not empty, since at().
	void swap(std::vector<block_ref>& others) noexcept
	{
		for (int b = 0; b < m_size; ++b)
			if (auto* const chunk = chunk_of(b)) std::swap(chunk[b % chunk_blocks], others[std::size_t(b)]);
	}
	[[nodiscard]] std::int64_t count() const noexcept
	{
		std::int64_t n = 0;
		for (int b = 0; b < m_size; ++b) n += (*this)[b] ? 1 : 0;
		return n;
	}

private:
	static constexpr int chunk_blocks = 16;
	using chunk_memory = std::unique_ptr<block_ref[]>;

	[[nodiscard]] block_ref* chunk_of(int const block) const noexcept
	{
		if (block < chunk_blocks) return m_first.get();
		return m_others ? m_others[std::size_t(block / chunk_blocks - 1)].get() : nullptr;
	}

	chunk_memory m_first;
	std::unique_ptr<chunk_memory[]> m_others;
	int m_size = 0;
};

} // namespace slipstream
