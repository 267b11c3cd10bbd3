// Lending: how many blocks are outside, with those who may keep them while their pieces go: peers'
// send buffers, which libtorrent fills by async_read and empties as fast as the peer takes it, and
// players' leases.
//
// A block that is lent stays in use when its piece is evicted, so the budget has a term for what is
// lent at a time (cache::lendable_blocks()). Peers' reads beyond it wait until something comes
// home; a player's lease is counted and never waits: players go before peers, and the HTTP server
// bounds what all its streams borrow.
//
// Owned by the disk's core; any thread, one mutex, not held while calling a listener. It knows
// neither blocks nor who has them, and it takes nothing back.
#pragma once

#include "block/check.hpp"
#include "block/mutex.hpp"
#include "cache/cache.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <utility>

namespace slipstream {

// Hears, on any thread, that there is room again.
class room_listener
{
public:
	virtual void room() noexcept = 0;

protected:
	~room_listener() = default;
};

class lending
{
public:
	explicit lending(cache const& limits) : m_cache(limits) {}

	// One block for a peer. False: not now; `waits` hears when to try again.
	[[nodiscard]] bool try_lend(std::weak_ptr<room_listener> const& waits) EXCLUDES(m_mutex)
	{
		mutex_lock const lock(m_mutex);
		if (m_lent >= m_cache.lendable_blocks())
		{
			m_waiting.insert(waits);
			return false;
		}
		++m_lent;
		return true;
	}

	// Blocks for a player.
	void lend(std::int64_t const blocks) EXCLUDES(m_mutex)
	{
		mutex_lock const lock(m_mutex);
		m_lent += blocks;
	}

	void came_home(std::int64_t const blocks) noexcept EXCLUDES(m_mutex)
	{
		listeners to_tell;
		{
			mutex_lock const lock(m_mutex);
			m_lent -= blocks;
			check(m_lent >= 0, "a block comes home once for each time it was lent");
			if (m_waiting.empty() || m_lent >= m_cache.lendable_blocks()) return;
			to_tell.swap(m_waiting);
		}
		tell(to_tell);
	}

	// More may be lendable now.
	void look() noexcept EXCLUDES(m_mutex) { came_home(0); }

	[[nodiscard]] std::int64_t lent_blocks() const EXCLUDES(m_mutex)
	{
		mutex_lock const lock(m_mutex);
		return m_lent;
	}

private:
	using listeners = std::set<std::weak_ptr<room_listener>, std::owner_less<>>;
	static void tell(listeners const& waiting) noexcept
	{
		for (auto const& weak : waiting)
			if (auto const listener = weak.lock()) listener->room();
	}

	cache const& m_cache;
	mutable mutex m_mutex;
	std::int64_t m_lent GUARDED_BY(m_mutex) = 0;
	listeners m_waiting GUARDED_BY(m_mutex);
};

} // namespace slipstream
