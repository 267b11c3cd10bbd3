// The cache: who may keep what in the pool, and who goes when memory is wanted. The only code that
// decides an eviction.
//
// It knows torrents by a number and an evictee, the pool by its counts, and protections by what
// their owners asked for and were granted. When fewer blocks are free than may arrive before peers
// hear "stop", it names victims from its eviction order and asks their torrents to forget them; the
// blocks come home when that is done. It asks for nothing to be downloaded and drops nothing
// itself.
//
// What a call costs does not grow with the number of torrents, but for those that have protections
// while not all of them can be granted; nor with what is protected, but for looking once at each
// piece of the wish: the order changes where standings do. share_blocks() looks at all torrents
// after any change.
//
// Where there is no memory, enter(), verified() and protect() throw std::bad_alloc, and nothing has
// happened. No other change needs any; make_room() asks fewer then.
//
// Thread-safe, one mutex, not held while asking an evictee. Owned by the disk's core.
#pragma once

#include "block/block_pool.hpp"
#include "block/mutex.hpp"
#include "cache/budget.hpp"
#include "cache/eviction_order.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
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

// A value for each piece, all of which are forgotten at once. Values live until the next begin().
template <typename Value>
class piece_marks
{
public:
	void begin()
	{
		if (++m_epoch != 0) return;
		m_marks.clear();
		m_epoch = 1;
	}
	// Whether it was not there; `value` is then what it gets.
	bool try_set(int const piece, Value const value)
	{
		mark& m = at(piece);
		if (m.epoch == m_epoch) return false;
		m = {m_epoch, value};
		return true;
	}
	// What it has; a new one if it has none.
	[[nodiscard]] Value& operator[](int const piece)
	{
		try_set(piece, Value{});
		return at(piece).value;
	}
	[[nodiscard]] bool has(int const piece) { return at(piece).epoch == m_epoch; }
	// Pieces below that need no memory from now on.
	void make_places(std::size_t const end) { if (end > m_marks.size()) m_marks.resize(end); }

private:
	struct mark
	{
		std::uint32_t epoch = 0;
		Value value{};
	};
	[[nodiscard]] mark& at(int const piece)
	{
		auto const i = static_cast<std::size_t>(piece);
		if (i >= m_marks.size()) m_marks.resize(i + 1);
		return m_marks[i];
	}

	std::uint32_t m_epoch = 0; // marks have 0 when they have none
	std::vector<mark> m_marks;
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

	[[nodiscard]] bool enabled() const noexcept { return m_enabled; }

	// -- torrents

	[[nodiscard]] std::uint64_t enter(std::weak_ptr<evictee> torrent, std::int64_t total_blocks, int piece_blocks) EXCLUDES(m_mutex);
	void leave(std::uint64_t torrent) noexcept EXCLUDES(m_mutex);
	// Whether the torrent wants anything; true until told otherwise. One that wants nothing and is
	// not read has no open pieces to provide for.
	void set_wanting(std::uint64_t torrent, bool wanting) noexcept EXCLUDES(m_mutex);
	[[nodiscard]] bool knows(std::uint64_t torrent) const EXCLUDES(m_mutex);
	// The budget if the torrent were the only one read, where that is below the floor: its pieces
	// are too large.
	[[nodiscard]] std::optional<budget> refusal(std::uint64_t torrent) const EXCLUDES(m_mutex);
	// The same before it is here.
	[[nodiscard]] std::optional<budget> refusal_of(std::int64_t total_blocks, int piece_blocks) const EXCLUDES(m_mutex);
	// Connections that may send, over all sessions.
	void change_connections(std::int64_t difference) noexcept EXCLUDES(m_mutex);

	// The pool's capacity has changed.
	void change_capacity() noexcept EXCLUDES(m_mutex);

	// True when not everything that may come fits, so that pieces may have to go. Any time, no lock.
	[[nodiscard]] bool crowded() const noexcept { return m_crowded.load(std::memory_order_relaxed); }
	[[nodiscard]] budget current_budget() const EXCLUDES(m_mutex);
	// What protections may add up to now. All there is, where everything fits.
	[[nodiscard]] std::int64_t protectable_blocks() const EXCLUDES(m_mutex);
	// What a torrent that nobody reads may have in memory, together with what it has there: what
	// readers leave, in equal shares for as many of such torrents as the floor allows, in the order
	// of entering. 0 for one too many.
	[[nodiscard]] std::int64_t share_blocks(std::uint64_t torrent) noexcept EXCLUDES(m_mutex);
	// What it would be if the torrent, too, were read.
	[[nodiscard]] budget budget_with(std::uint64_t torrent) const EXCLUDES(m_mutex);
	// What these would be with another capacity.
	[[nodiscard]] budget budget_at(std::int64_t capacity_blocks) const EXCLUDES(m_mutex);
	[[nodiscard]] bool crowded_at(std::int64_t capacity_blocks) const EXCLUDES(m_mutex);

	// -- what is there

	void verified(std::uint64_t torrent, int piece) EXCLUDES(m_mutex);
	void gone(std::uint64_t torrent, int piece) noexcept EXCLUDES(m_mutex);
	// It was read, and goes last of the idle; not while its torrent has more unprotected than a
	// share was when anybody last asked for his.
	void touched(std::uint64_t torrent, int piece) noexcept EXCLUDES(m_mutex);
	// The piece could not be given up after all.
	void stays(std::uint64_t torrent, int piece) noexcept EXCLUDES(m_mutex);
	// Nor could this one, but it will when it is asked while memory is low: only a recheck frees it.
	void stays_until_low(std::uint64_t torrent, int piece) noexcept EXCLUDES(m_mutex);

	// -- what is to be kept

	// Replaces the torrent's wish of that kind; pieces in order of importance. Of `reader`, the
	// first two are kept and the rest is read-ahead, which goes before anything kept. Answers what
	// could be granted of it now. A torrent that nobody read or wanted is granted no reader, and
	// the wish is not kept, where that would break the floor.
	granted protect(std::uint64_t torrent, protection kind, std::vector<int> pieces) EXCLUDES(m_mutex);
	[[nodiscard]] std::int64_t granted_blocks(protection kind) const EXCLUDES(m_mutex);
	// Of the granted, what is verified and in memory.
	[[nodiscard]] std::int64_t available_blocks(protection kind) const EXCLUDES(m_mutex);
	[[nodiscard]] granted granted_for(std::uint64_t torrent, protection kind) const EXCLUDES(m_mutex);
	[[nodiscard]] std::vector<int> granted_pieces(std::uint64_t torrent, protection kind) const EXCLUDES(m_mutex);
	// How the piece stands now.
	[[nodiscard]] standing standing_of(std::uint64_t torrent, int piece) const EXCLUDES(m_mutex);

	// -- room

	// Asks pieces to go until what may arrive, and what is still to come of reader pieces, have
	// room. Pieces that stay until memory is low are such room for the latter, before anything goes
	// but what readers left behind. Cheap when there is room.
	void make_room() noexcept EXCLUDES(m_mutex);
	// Fewer blocks are free than may still arrive.
	[[nodiscard]] bool is_low() const noexcept;
	// How many blocks may be lent at a time to those who may keep them while their pieces go. Any
	// time, no lock.
	[[nodiscard]] std::int64_t lendable_blocks() const noexcept { return m_lendable.load(std::memory_order_relaxed); }
	// The number of free blocks from which on memory is not low.
	[[nodiscard]] std::int64_t wanted_free_blocks() const noexcept
	{ return m_wanted_free.load(std::memory_order_relaxed); }
	// The number of free blocks that make_room() asks for: a peer may have been asked for all that
	// a reader waits for, and pieces take a while to go. A quarter of the capacity at most.
	//
	//   wanted_free_blocks() + reader pieces that are not verified - blocks of pieces that are begun
	//
	// The last have their room already. For these is taken what is in use, not verified, and more
	// than may be lent, which the budget provides for. What torrents have begun that nobody reads
	// is among it, and hides as much of what is to come: room for that much is made when it comes.
	// Pieces are counted whole, and a last one of which the cache is not told counts as begun: a
	// piece or so either way.
	[[nodiscard]] std::int64_t prepared_free_blocks() const noexcept
	{
		auto const in_use = m_pool.capacity_blocks() - m_pool.reserved_blocks() - m_pool.headroom_blocks();
		auto const begun_or_lent = std::max<std::int64_t>(0, in_use - m_here_blocks.load(std::memory_order_relaxed));
		auto const begun = std::max<std::int64_t>(0, begun_or_lent - lendable_blocks());
		auto const all = wanted_free_blocks() + m_awaited.load(std::memory_order_relaxed) - begun;
		return std::max(wanted_free_blocks(), std::min(all, m_pool.capacity_blocks() / 4));
	}

private:
	struct member
	{
		std::weak_ptr<evictee> torrent;
		std::int64_t total_blocks = 0;
		std::int64_t unprotected_blocks = 0; // of the pieces that are here
		int piece_blocks = 0;
		bool wanting = true;
		bool shares = true;                // in what readers leave; since share_out(), that is
		bool is_counted_busy = false;      // in m_sizes
		bool is_counted_cut = false;       // in m_num_cut
		std::vector<int> wished[3];
		granted given[3];
		std::vector<standing> stands;      // by piece, as far as any was ever protected
		std::vector<int> protected_pieces; // those that are
		std::vector<bool> here;            // by piece: verified and in memory, and so in the order
		std::vector<bool> read;            // by piece: granted to a reader

		[[nodiscard]] standing stands_at(int const piece) const
		{ return static_cast<std::size_t>(piece) < stands.size() ? stands[static_cast<std::size_t>(piece)] : standing{}; }
		[[nodiscard]] bool is_here(int const piece) const { return is_set(here, piece); }
		[[nodiscard]] bool is_protected(int const piece) const { return stands_at(piece).what != standing::kind::unprotected; }
		static bool is_set(std::vector<bool> const& pieces, int const piece)
		{ return static_cast<std::size_t>(piece) < pieces.size() && pieces[static_cast<std::size_t>(piece)]; }
		[[nodiscard]] std::int64_t granted_blocks() const { return given[0].blocks + given[1].blocks + given[2].blocks; }
		// Not all that was wished was granted.
		[[nodiscard]] bool is_cut() const
		{
			for (std::size_t k = 0; k < 3; ++k)
				if (static_cast<std::size_t>(given[k].pieces) < wished[k].size()) return true;
			return false;
		}
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

	// All the memory that the torrent's wish may need, now and when it is granted anew.
	void prepare_for_wish(std::uint64_t id, member& m, std::size_t kind, std::vector<int> const& pieces) REQUIRES(m_mutex);
	void grant_anew() noexcept REQUIRES(m_mutex);
	void grant_to(std::uint64_t torrent, member& m, bool was_busy) noexcept REQUIRES(m_mutex);
	void grant(std::uint64_t id, member& m, limits const& most) noexcept REQUIRES(m_mutex);
	std::int64_t take(std::uint64_t id, protection kind, int keep, std::int64_t wanted_blocks) noexcept REQUIRES(m_mutex);
	void give(member& m, std::size_t kind, granted g) noexcept REQUIRES(m_mutex);
	void price(member& m) noexcept REQUIRES(m_mutex);
	void stand(std::uint64_t id, member& m) noexcept REQUIRES(m_mutex);
	void stand(std::uint64_t id, member& m, int piece, standing s) noexcept REQUIRES(m_mutex);
	void set_read(member& m, int piece, bool read) noexcept REQUIRES(m_mutex);
	void set_here(member& m, int piece, bool here) noexcept REQUIRES(m_mutex);
	// To be called when what they count may have changed.
	void count_wishes(std::uint64_t id, member& m) noexcept REQUIRES(m_mutex);
	void count_busy(member& m, bool busy) noexcept REQUIRES(m_mutex);
	void count_cut(member& m, bool cut) noexcept REQUIRES(m_mutex);
	void recount() noexcept REQUIRES(m_mutex);
	void share_out() noexcept REQUIRES(m_mutex);
	[[nodiscard]] std::int64_t share_of(member const& m) const noexcept REQUIRES(m_mutex) { return m.shares ? m_share_blocks : 0; }
	// `alone`: as if it were the only busy one; `also`: as if it were busy, too.
	[[nodiscard]] budget sum(member const* alone = nullptr, member const* also = nullptr) const REQUIRES(m_mutex);
	[[nodiscard]] std::int64_t protectable() const REQUIRES(m_mutex);
	[[nodiscard]] std::int64_t all_granted_blocks() const REQUIRES(m_mutex);

	block_pool& m_pool;
	bool const m_enabled;
	std::atomic<bool> m_crowded{false};
	std::atomic<std::int64_t> m_wanted_free{0};
	std::atomic<std::int64_t> m_here_blocks{0}; // of the pieces that are here
	std::atomic<std::int64_t> m_awaited{0};     // blocks of reader pieces that are not
	std::atomic<std::int64_t> m_lendable{std::numeric_limits<std::int64_t>::max()};

	mutable mutex m_mutex;
	std::uint64_t m_next_id GUARDED_BY(m_mutex) = 1;
	std::map<std::uint64_t, member> m_members GUARDED_BY(m_mutex);
	std::int64_t m_share_blocks GUARDED_BY(m_mutex) = std::numeric_limits<std::int64_t>::max(); // one, by the last share_out(); before the first no bound
	bool m_is_shared_out GUARDED_BY(m_mutex) = false; // nothing has changed since
	std::int64_t m_connections GUARDED_BY(m_mutex) = 0;

	// Sums over the members.
	std::int64_t m_total_blocks GUARDED_BY(m_mutex) = 0;
	std::int64_t m_granted_blocks[3] GUARDED_BY(m_mutex) = {};
	std::set<std::uint64_t> m_wishing GUARDED_BY(m_mutex);  // those that have any wish
	struct size_count
	{
		std::int64_t members = 0;
		std::int64_t busy = 0; // read, or wanting anything
	};
	std::map<int, size_count> m_sizes GUARDED_BY(m_mutex);   // by piece_blocks
	std::int64_t m_busy_piece_blocks GUARDED_BY(m_mutex) = 0;
	std::int64_t m_num_busy GUARDED_BY(m_mutex) = 0;
	std::int64_t m_num_cut GUARDED_BY(m_mutex) = 0;

	// Scratch.
	piece_marks<int> m_times GUARDED_BY(m_mutex);           // how often a piece is granted
	piece_marks<standing> m_now GUARDED_BY(m_mutex);
	std::vector<int> m_before GUARDED_BY(m_mutex);          // what was protected
	std::vector<std::pair<std::uint64_t, limits>> m_had GUARDED_BY(m_mutex);

	eviction_order m_order GUARDED_BY(m_mutex);
};

} // namespace slipstream
