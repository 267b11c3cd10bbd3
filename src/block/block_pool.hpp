// The block pool: 16 KiB blocks of memory, at most `capacity` of them at any time, and the two kinds of
// ownership a block can have.
//
//   unique_block   one owner, bytes may be written. Move-only.
//   block_ref      a counted share of bytes that never change again. Made by unique_block::freeze().
//
// Blocks live in regions of 4 MiB (region.hpp): any pointer into a block leads to its count by
// arithmetic, which is how a buffer comes home that libtorrent returns as a bare char*. One block
// in 256 (0.4 %) is a region's own.
//
// A region with no block in use is given back to the system, but for one that is kept so that a
// pool hovering at a boundary does not map and unmap. When the last region with free blocks is half
// used and the capacity allows for more, the next one may be prepared, by whoever does the pool's
// upkeep (upkeep.hpp): it is the spare one then. Where blocks are taken faster than it gets to
// that, several are (spare_regions.hpp).
//
// Thread-safe. Owned by the disk's shared core; it must outlive every block, and its destructor checks
// that every one came home. It knows nothing of torrents, and it never waits: when the capacity is
// reached the answer is "none".
#pragma once

#include "block/mutex.hpp"
#include "block/spare_regions.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace slipstream {

inline constexpr std::size_t block_bytes = 16 * 1024;

class block_pool;
class block_ref;
class block_region;

// A block that one owner may write.
class unique_block
{
public:
	unique_block() = default;
	unique_block(unique_block&& other) noexcept : m_bytes(std::exchange(other.m_bytes, nullptr)) {}
	unique_block& operator=(unique_block&& other) noexcept;
	~unique_block();

	explicit operator bool() const noexcept { return m_bytes != nullptr; }
	// block_bytes of them. Uninitialised when fresh.
	[[nodiscard]] char* bytes() const noexcept { return m_bytes; }
	// The bytes are final: gives up the right to write for a share in reading.
	[[nodiscard]] block_ref freeze() && noexcept;

private:
	friend class block_pool;
	explicit unique_block(char* bytes) noexcept : m_bytes(bytes) {}
	char* m_bytes = nullptr;
};

// A share of an immutable block. Copying counts up, destroying counts down; any thread.
class block_ref
{
public:
	block_ref() = default;
	block_ref(block_ref const& other) noexcept;
	block_ref(block_ref&& other) noexcept : m_bytes(std::exchange(other.m_bytes, nullptr)) {}
	block_ref& operator=(block_ref other) noexcept { std::swap(m_bytes, other.m_bytes); return *this; }
	~block_ref();

	explicit operator bool() const noexcept { return m_bytes != nullptr; }
	[[nodiscard]] char const* bytes() const noexcept { return m_bytes; }

	// libtorrent keeps buffers as bare pointers and returns them by address. lend() turns a share into
	// one (libtorrent's type is char*; it never writes there), take_back() ends it, given any address in
	// the block. Exactly one take_back() for each lend().
	[[nodiscard]] char* lend(std::size_t offset) && noexcept { return std::exchange(m_bytes, nullptr) + offset; }
	static void take_back(char* inside) noexcept;

	// How many shares there are now. For tests and eviction: true for an instant only.
	[[nodiscard]] std::uint32_t shares() const noexcept;

private:
	friend class unique_block;
	explicit block_ref(char* bytes) noexcept : m_bytes(bytes) {}
	char* m_bytes = nullptr;
};

// Blocks that their owner let go of, to be dropped bit by bit: a list of shares, in whatever form
// they are in.
class remains
{
public:
	// `blocks`: how many shares there are.
	explicit remains(std::int64_t const blocks) noexcept : m_num_blocks(blocks) {}
	virtual ~remains() = default;
	remains(remains const&) = delete;
	remains& operator=(remains const&) = delete;

	// Drops some, not many; answers how many, and 0 when none are left. Takes no memory.
	[[nodiscard]] virtual std::int64_t drop_some() noexcept = 0;

private:
	friend class block_pool;
	std::int64_t m_num_blocks; // that are left
	std::unique_ptr<remains> m_next;
};

class block_pool
{
public:
	// In blocks. Precondition: both > 0, reserved < capacity. `reserved` blocks of the capacity can
	// be had with acquire_reserved() only: without them a full pool could not even assemble a read.
	block_pool(std::int64_t capacity, std::int64_t reserved);
	~block_pool();
	block_pool(block_pool const&) = delete;
	block_pool& operator=(block_pool const&) = delete;

	// An empty unique_block when the capacity is reached, or the system has no memory.
	[[nodiscard]] unique_block acquire() EXCLUDES(m_mutex, m_burial_mutex);
	// The same for short-lived blocks, from the reserve as well.
	[[nodiscard]] unique_block acquire_reserved() EXCLUDES(m_mutex, m_burial_mutex);

	// May be less than what is in use: then nothing is handed out until enough came home. Precondition:
	// more than the reserve.
	void set_capacity(std::int64_t blocks) EXCLUDES(m_mutex);
	// Gives the memory of free blocks inside regions in use back to the system; and again when what
	// is buried by now has been dropped.
	void trim() EXCLUDES(m_mutex);

	// -- upkeep: what is due can be done by anybody, on any thread, and takes no memory but the blocks'

	// Sets who is told, on the thread whose call made it so, that one of the next is due. `call`
	// must be quick and not throw. While nobody else uses the pool.
	void when_upkeep_is_due(std::function<void()> call) { m_upkeep_is_due = std::move(call); }
	// Maps the next region if that is due, and has the system fill it with pages, which is most of
	// what a block's first touch costs: half a millisecond or more. True when another is due.
	bool prepare() noexcept EXCLUDES(m_mutex);
	// Whether there is more to spare than one region, or would be: then settle() is to be called
	// now and then.
	[[nodiscard]] bool is_ahead() EXCLUDES(m_mutex);
	// If none was missing since the last call, half as many are prepared from now on, and what is
	// too many goes back to the system.
	void settle() noexcept EXCLUDES(m_mutex);
	// Takes what nobody will use any more. It counts as free at once, and is dropped by whoever
	// does the upkeep, or by acquire() when that finds nothing else; here, where nobody does. (A
	// block that somebody shares stays until that share ends, so what counts as free may be too
	// much for as long as this takes; the capacity holds in any case.)
	void bury(std::unique_ptr<remains> dead) noexcept EXCLUDES(m_mutex, m_burial_mutex);
	// Drops some of what was buried; false when there is nothing any more.
	bool dispose_some() noexcept EXCLUDES(m_mutex, m_burial_mutex);

	[[nodiscard]] std::int64_t capacity_blocks() const noexcept { return m_capacity.load(std::memory_order_relaxed); }
	[[nodiscard]] std::int64_t reserved_blocks() const noexcept { return m_reserved; }
	// Calls `call`, once, when acquire() can hand out `blocks` again: at once or on the thread that
	// brings the last of them home. `call` must be quick. Replaces an earlier call.
	void when_free(std::int64_t blocks, std::function<void()> call) EXCLUDES(m_mutex);
	// What acquire() can still hand out.
	[[nodiscard]] std::int64_t free_blocks() const noexcept
	{ return headroom_blocks() > 0 ? headroom_blocks() : 0; }
	// The same, negative while more is in use than a lowered capacity allows.
	[[nodiscard]] std::int64_t headroom_blocks() const noexcept
	{ return capacity_blocks() - m_reserved - used_blocks() + m_buried.load(std::memory_order_relaxed); }
	// Those that are buried are among them until they are dropped.
	[[nodiscard]] std::int64_t used_blocks() const noexcept { return m_used.load(std::memory_order_relaxed); }
	[[nodiscard]] std::int64_t peak_blocks() const noexcept { return m_peak.load(std::memory_order_relaxed); }
	[[nodiscard]] std::int64_t mapped_bytes() const noexcept { return m_mapped.load(std::memory_order_relaxed); }

private:
	friend class unique_block;
	friend class block_ref;

	[[nodiscard]] unique_block take(std::int64_t kept_back) EXCLUDES(m_mutex, m_burial_mutex);
	[[nodiscard]] unique_block try_take(std::int64_t kept_back) EXCLUDES(m_mutex);
	void give_back(block_region& r, std::size_t block) noexcept EXCLUDES(m_mutex);
	[[nodiscard]] std::function<void()> who_hears_of_room() noexcept REQUIRES(m_mutex);
	[[nodiscard]] int wanted_spares() const REQUIRES(m_mutex);
	[[nodiscard]] bool lacks_spare() const REQUIRES(m_mutex);
	[[nodiscard]] bool begin_region() REQUIRES(m_mutex);
	void unmap_spares(int left) noexcept EXCLUDES(m_mutex);
	void count_mapped(int regions) noexcept;
	void link(block_region& r) REQUIRES(m_mutex);
	void unlink(block_region& r) REQUIRES(m_mutex);
	static void release(char* inside) noexcept;

	std::int64_t const m_reserved;
	std::function<void()> m_upkeep_is_due;

	// Read anywhere. m_capacity, m_used and m_peak are written under m_mutex, the others count what
	// is done outside it too.
	std::atomic<std::int64_t> m_capacity;
	std::atomic<std::int64_t> m_used{0};
	std::atomic<std::int64_t> m_peak{0};
	std::atomic<std::int64_t> m_mapped{0};
	std::atomic<std::int64_t> m_buried{0};

	// Held while some are dropped, so that who finds no block waits for those on their way home.
	mutex m_burial_mutex{mutex::rank::outer};

	mutex m_mutex;
	block_region* m_with_free GUARDED_BY(m_mutex) = nullptr; // regions that have a free block
	spare_regions m_spares GUARDED_BY(m_mutex);
	bool m_is_prepare_due GUARDED_BY(m_mutex) = false;
	std::unique_ptr<remains> m_graves GUARDED_BY(m_mutex); // a list; the first is dropped next
	remains* m_last_grave GUARDED_BY(m_mutex) = nullptr;
	bool m_trim_again GUARDED_BY(m_mutex) = false;         // when the last one is empty
	std::function<void()> m_when_free GUARDED_BY(m_mutex);
	std::int64_t m_when_free_blocks GUARDED_BY(m_mutex) = 0;
};

} // namespace slipstream
