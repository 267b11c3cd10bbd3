// The blocks of one torrent that somebody wants to hear of when they are written.
//
// Owned by the torrent's storage. Any thread awaits; its network thread takes what is written, and
// hears nothing for a block that nobody awaits but one look at a flag. It holds no bytes and calls
// nobody. What is awaited and never comes stays until its piece is verified: no more than the
// torrent has blocks.
#pragma once

#include "block/mutex.hpp"

#include <libtorrent/units.hpp>

#include <atomic>
#include <set>
#include <utility>

namespace slipstream {

class awaited_blocks
{
public:
	void await(lt::piece_index_t const piece, int const block) EXCLUDES(m_mutex)
	{
		mutex_lock const lock(m_mutex);
		m_blocks.emplace(piece, block);
		m_any.store(true, std::memory_order_release);
	}

	// Whether the block was awaited; it is not any more.
	[[nodiscard]] bool take(lt::piece_index_t const piece, int const block) EXCLUDES(m_mutex)
	{
		if (!m_any.load(std::memory_order_acquire)) return false;
		mutex_lock const lock(m_mutex);
		bool const was = m_blocks.erase({piece, block}) != 0;
		m_any.store(!m_blocks.empty(), std::memory_order_release);
		return was;
	}

	void stop(lt::piece_index_t const piece) EXCLUDES(m_mutex)
	{
		if (!m_any.load(std::memory_order_acquire)) return;
		mutex_lock const lock(m_mutex);
		std::erase_if(m_blocks, [&](auto const& awaited) { return awaited.first == piece; });
		m_any.store(!m_blocks.empty(), std::memory_order_release);
	}

private:
	std::atomic<bool> m_any{false}; // m_blocks is not empty
	mutex m_mutex;
	std::set<std::pair<lt::piece_index_t, int>> m_blocks GUARDED_BY(m_mutex);
};

} // namespace slipstream
