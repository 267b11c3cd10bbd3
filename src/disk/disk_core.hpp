// The core: what all sessions on one memory disk share: the pool and its capacity, the hash workers,
// the counters, and the register in which a torrent's storage is found by any of its hashes.
//
// Thread-safe. Shared by memory_disk handles, the sessions' disks, storages and leases; the last one to
// let go destroys it, which joins the workers. It knows no session and keeps no storage alive.
#pragma once

#include "block/block_pool.hpp"
#include "block/mutex.hpp"
#include "block/upkeep.hpp"
#include "cache/cache.hpp"
#include "disk/lending.hpp"
#include "store/hasher.hpp"

#include <slipstream/memory_disk.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

namespace slipstream {

class torrent_storage;

class disk_core
{
public:
	explicit disk_core(memory_disk_options const& options);

	struct counters
	{
		std::atomic<std::int64_t> blocks_written{0};
		std::atomic<std::int64_t> blocks_read{0};
		std::atomic<std::int64_t> reads_missed{0};
		std::atomic<std::int64_t> reads_copied{0};
		std::atomic<std::int64_t> writes_refused{0};
		std::atomic<std::int64_t> pieces_hashed{0};
		std::atomic<std::int64_t> pieces_verified{0};
		std::atomic<std::int64_t> pieces_evicted{0};
		std::atomic<std::int64_t> pieces_forgotten{0};
		// Of libtorrent's, over all sessions; shared with their completion queues, which posts keep
		// alive.
		std::shared_ptr<std::atomic<std::int64_t>> handlers = std::make_shared<std::atomic<std::int64_t>>(0);
	};

	block_pool pool;
	class cache cache;
	class lending lending{cache};
	counters count;

	// Whether a piece that comes now may have to be given up later.
	[[nodiscard]] bool may_have_to_go() const noexcept { return m_hold_always || cache.crowded(); }

	// As many workers as the options say; where they leave it open, as many as this session asks for.
	void serve_session(int hashing_threads);

	[[nodiscard]] expected<std::int64_t> set_capacity(std::int64_t bytes) EXCLUDES(m_mutex);

	// Memory is low: `listener` gets a step when it is not any more. Kept until then, weakly.
	void tell_when_room(std::weak_ptr<room_listener> listener) EXCLUDES(m_mutex);
	// What is wanted free may have become less since: tells those that wait, if memory is not low
	// any more.
	void look_for_room() EXCLUDES(m_mutex);
	// `events` hears of the capacity, too. Kept weakly.
	void tell_of_capacity(std::weak_ptr<memory_events> events) EXCLUDES(m_mutex);

	void enter(std::shared_ptr<torrent_storage> const& storage) EXCLUDES(m_mutex);
	// Files it under hashes learnt since.
	void enter_names(std::shared_ptr<torrent_storage> const& storage) EXCLUDES(m_mutex);
	void leave(torrent_storage const& storage) noexcept EXCLUDES(m_mutex);

	// The storage that was entered last under the hash; null when there is none.
	[[nodiscard]] std::shared_ptr<torrent_storage> find(lt::sha1_hash const& hash) const EXCLUDES(m_mutex);
	// The storage of a libtorrent torrent, by identity.
	[[nodiscard]] std::shared_ptr<torrent_storage> find_owned_by(void const* owner) const EXCLUDES(m_mutex);

	[[nodiscard]] memory_stats stats() const EXCLUDES(m_mutex);

private:
	struct entry
	{
		torrent_storage const* address; // to compare with only
		std::weak_ptr<torrent_storage> storage;
	};
	void say_room() noexcept EXCLUDES(m_mutex);
	void file_under(lt::sha1_hash const& name, std::shared_ptr<torrent_storage> const& storage) REQUIRES(m_mutex);

	int const m_hash_threads;
	bool const m_hold_always;
	std::atomic<bool> m_trim_due{false}; // the capacity was changed: memory may go back to the system

	mutable mutex m_mutex;
	// In the order of entering. A v2 hash is filed under its first 20 bytes, as libtorrent does.
	std::unordered_map<lt::sha1_hash, std::vector<entry>> m_by_name GUARDED_BY(m_mutex);
	std::unordered_map<void const*, std::weak_ptr<torrent_storage>> m_by_owner GUARDED_BY(m_mutex);
	std::set<std::weak_ptr<room_listener>, std::owner_less<>> m_wait_for_room GUARDED_BY(m_mutex);
	std::set<std::weak_ptr<memory_events>, std::owner_less<>> m_capacity_listeners GUARDED_BY(m_mutex);

	class upkeep m_upkeep{pool};

public:
	class hasher hasher; // the last: its workers drop blocks, which may tell of room, and are joined before the rest goes
};

// The names a torrent's hashes are filed under: v1, and the first 20 bytes of v2.
struct torrent_names
{
	std::array<lt::sha1_hash, 2> names;
	std::size_t count = 0;
	[[nodiscard]] auto begin() const noexcept { return names.begin(); }
	[[nodiscard]] auto end() const noexcept { return names.begin() + std::ptrdiff_t(count); }
};
[[nodiscard]] torrent_names names_of(lt::info_hash_t const& hashes) noexcept;

} // namespace slipstream
