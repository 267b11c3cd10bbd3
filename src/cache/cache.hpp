// The cache: who may keep what in the pool, and who goes when memory is wanted. The only code that
// decides an eviction.
//
// It knows torrents by a number and an evictee, the pool by its counts, and protections by what
// their owners asked for and were granted. When fewer blocks are free than may arrive before peers hear "stop", it names
// victims from its eviction order and asks their torrents to forget them; the blocks come home when that is done.
// It asks for nothing to be downloaded and drops nothing itself.
//
// Thread-safe, one mutex, not held while asking an evictee. Owned by the disk's core.
#pragma once

#include "block/block_pool.hpp"
#include "block/mutex.hpp"
#include "cache/budget.hpp"
#include "cache/eviction_order.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace slipstream {

// A torrent, as the cache asks it to shrink.
class evictee
{
public:
	// Any thread; must only pass the wish on. False: it cannot be passed on any more.
	virtual bool evict(int piece) noexcept = 0;

protected:
	~evictee() = default;
};

// What of a wish was granted: a prefix of it.
struct granted
{
	int pieces = 0;
	std::int64_t blocks = 0;
};

class cache
{
public:
	// The kinds of protection, first served first when not all fits.
	enum class protection { reader, reserved, lookbehind };

	// With `enabled` false memory is never crowded, and nobody is asked to go.
	cache(block_pool& pool, bool enabled) : m_pool(pool), m_enabled(enabled) {}

	// -- torrents

	[[nodiscard]] std::uint64_t enter(std::weak_ptr<evictee> torrent, std::int64_t total_blocks, int piece_blocks) EXCLUDES(m_mutex);
	void leave(std::uint64_t torrent) EXCLUDES(m_mutex);
	// Whether the torrent wants anything; true until told otherwise. One that wants nothing and is not read has no open
	// pieces to provide for.
	void set_wanting(std::uint64_t torrent, bool wanting) EXCLUDES(m_mutex);
	[[nodiscard]] bool knows(std::uint64_t torrent) const EXCLUDES(m_mutex);
	// The budget if the torrent were the only one read, where that is below the floor: its pieces are too large.
	[[nodiscard]] std::optional<budget> refusal(std::uint64_t torrent) const EXCLUDES(m_mutex);
	// The same before it is here.
	[[nodiscard]] std::optional<budget> refusal_of(std::int64_t total_blocks, int piece_blocks) const EXCLUDES(m_mutex);
	// Connections that may send, over all sessions.
	void change_connections(std::int64_t difference) EXCLUDES(m_mutex);

	// The pool's capacity has changed.
	void change_capacity() EXCLUDES(m_mutex);

	// True when not everything that may come fits, so that pieces may have to go. Any time, no lock.
	[[nodiscard]] bool crowded() const noexcept { return m_crowded.load(std::memory_order_relaxed); }
	[[nodiscard]] budget current_budget() const EXCLUDES(m_mutex);
	// What protections may add up to now. All there is, where everything fits.
	[[nodiscard]] std::int64_t protectable_blocks() const EXCLUDES(m_mutex);
	// What a torrent that nobody reads may have in memory, together with what it has there: what readers leave, in equal
	// shares for as many of such torrents as the floor allows, in the order of entering. 0 for one too many.
	[[nodiscard]] std::int64_t share_blocks(std::uint64_t torrent) EXCLUDES(m_mutex);
	// What it would be if the torrent, too, were read.
	[[nodiscard]] budget budget_with(std::uint64_t torrent) const EXCLUDES(m_mutex);
	// What these would be with another capacity.
	[[nodiscard]] budget budget_at(std::int64_t capacity_blocks) const EXCLUDES(m_mutex);
	[[nodiscard]] bool crowded_at(std::int64_t capacity_blocks) const EXCLUDES(m_mutex);

	// -- what is there

	void verified(std::uint64_t torrent, int piece) EXCLUDES(m_mutex);
	void gone(std::uint64_t torrent, int piece) EXCLUDES(m_mutex);
	void touched(std::uint64_t torrent, int piece) EXCLUDES(m_mutex);
	// The piece could not be given up after all.
	void stays(std::uint64_t torrent, int piece) EXCLUDES(m_mutex);

	// -- what is to be kept

	// Replaces the torrent's wish of that kind; pieces in order of importance. Of `reader`, the first two are
	// kept and the rest is read-ahead, which goes before anything kept. Answers what could be granted of it now. A torrent
	// that nobody read or wanted is granted no reader, and the wish is not kept, where that would break the floor.
	granted protect(std::uint64_t torrent, protection kind, std::vector<int> pieces) EXCLUDES(m_mutex);
	[[nodiscard]] std::int64_t granted_blocks(protection kind) const EXCLUDES(m_mutex);
	// Of the granted, what is verified and in memory.
	[[nodiscard]] std::int64_t available_blocks(protection kind) const EXCLUDES(m_mutex);
	[[nodiscard]] granted granted_for(std::uint64_t torrent, protection kind) const EXCLUDES(m_mutex);
	[[nodiscard]] std::vector<int> granted_pieces(std::uint64_t torrent, protection kind) const EXCLUDES(m_mutex);
	// How the piece stands now.
	[[nodiscard]] standing standing_of(std::uint64_t torrent, int piece) const EXCLUDES(m_mutex);

	// -- room

	// Asks pieces to go until what may arrive has room. Cheap when there is room.
	void make_room() EXCLUDES(m_mutex);
	// Fewer blocks are free than may still arrive.
	[[nodiscard]] bool is_low() const noexcept;
	// How many blocks may be lent at a time to those who may keep them while their pieces go. Any time, no lock.
	[[nodiscard]] std::int64_t lendable_blocks() const noexcept { return m_lendable.load(std::memory_order_relaxed); }
	// The number of free blocks from which on memory is not low.
	[[nodiscard]] std::int64_t wanted_free_blocks() const noexcept
	{ return m_wanted_free.load(std::memory_order_relaxed); }

private:
	struct member
	{
		std::weak_ptr<evictee> torrent;
		std::int64_t total_blocks = 0;
		int piece_blocks = 0;
		bool wanting = true;
		std::vector<int> wished[3];
		granted given[3];
		std::map<int, standing> standings; // pieces that are not open
		bool shares = false;               // in what readers leave; by share_out()

		[[nodiscard]] bool wishes() const
		{ return !wished[0].empty() || !wished[1].empty() || !wished[2].empty(); }
		[[nodiscard]] bool is_read() const { return !wished[std::size_t(protection::reader)].empty(); }
		[[nodiscard]] bool busy() const { return wanting || is_read(); }
	};

	// Of a reader's pieces, those that are being read now.
	static constexpr int pieces_at_head = 2;

	// How many pieces of each kind at most.
	using limits = std::array<int, 3>;
	static constexpr limits unlimited{std::numeric_limits<int>::max(), std::numeric_limits<int>::max()
		, std::numeric_limits<int>::max()};

	void grant_anew() REQUIRES(m_mutex);
	void grant_to(std::uint64_t torrent, member& m, bool was_busy) REQUIRES(m_mutex);
	void grant(std::uint64_t id, member& m, limits const& most) REQUIRES(m_mutex);
	std::int64_t take(std::uint64_t id, protection kind, int keep, std::int64_t wanted_blocks) REQUIRES(m_mutex);
	static void price(member& m);
	void stand(std::uint64_t id, member& m) REQUIRES(m_mutex);
	void recount() REQUIRES(m_mutex);
	void share_out() REQUIRES(m_mutex);
	// `alone`: as if it were the only busy one; `also`: as if it were busy, too.
	[[nodiscard]] budget sum(member const* alone = nullptr, member const* also = nullptr) const REQUIRES(m_mutex);
	[[nodiscard]] std::int64_t total_blocks() const REQUIRES(m_mutex);
	[[nodiscard]] std::int64_t protectable() const REQUIRES(m_mutex);

	block_pool& m_pool;
	bool const m_enabled;
	std::atomic<bool> m_crowded{false};
	std::atomic<std::int64_t> m_wanted_free{0};
	std::atomic<std::int64_t> m_lendable{std::numeric_limits<std::int64_t>::max()};

	mutable mutex m_mutex;
	std::uint64_t m_next_id GUARDED_BY(m_mutex) = 1;
	std::map<std::uint64_t, member> m_members GUARDED_BY(m_mutex);
	std::optional<std::int64_t> m_share_blocks GUARDED_BY(m_mutex); // one share; empty: something changed since
	std::int64_t m_connections GUARDED_BY(m_mutex) = 0;
	std::int64_t m_leaving_blocks GUARDED_BY(m_mutex) = 0;
	std::map<piece_key, std::int64_t> m_leaving GUARDED_BY(m_mutex);
	eviction_order m_order GUARDED_BY(m_mutex);
};

} // namespace slipstream
