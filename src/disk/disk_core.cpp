#include "disk/disk_core.hpp"
#include "disk/torrent_storage.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace slipstream {

static_assert(block_size_bytes == block_bytes, "the public block and the pool's are the same");

namespace {

// Kept out of reach of writes, for putting together reads that straddle two blocks.
constexpr std::int64_t reserved_blocks = 8;

memory_disk_options const& valid(memory_disk_options const& o)
{
	if (o.capacity_bytes < memory_disk::min_capacity_bytes)
		throw std::invalid_argument("capacity_bytes is " + std::to_string(o.capacity_bytes)
			+ "; it must be at least " + std::to_string(memory_disk::min_capacity_bytes) + " (1 MiB)");
	if (o.hash_threads < 0 || o.hash_threads > 64)
		throw std::invalid_argument("hash_threads is " + std::to_string(o.hash_threads)
			+ "; it must be 1 to 64, or 0 for what the session's hashing_threads asks for");
	return o;
}

} // namespace

torrent_names names_of(lt::info_hash_t const& hashes) noexcept
{
	torrent_names n;
	if (hashes.has_v1()) n.names[n.count++] = hashes.v1;
	if (hashes.has_v2()) n.names[n.count++] = lt::sha1_hash(hashes.v2.data());
	return n;
}

disk_core::disk_core(memory_disk_options const& options)
	: pool(valid(options).capacity_bytes / block_size_bytes, reserved_blocks)
	, cache(pool, options.evict)
	, m_hash_threads(options.hash_threads)
	, m_hold_always(options.evict && options.hold_always)
{
	hasher.want_threads(std::max(1, m_hash_threads));
}

void disk_core::serve_session(int const hashing_threads)
{
	if (m_hash_threads == 0) hasher.want_threads(std::clamp(hashing_threads, 1, 64));
}

expected<std::int64_t> disk_core::set_capacity(std::int64_t const bytes)
{
	auto const blocks = bytes / block_size_bytes;
	if (bytes < memory_disk::min_capacity_bytes)
		return error(errc::bad_argument, "a capacity of " + std::to_string(bytes) + " bytes is below the least, "
			+ std::to_string(memory_disk::min_capacity_bytes));
	if (auto const b = cache.budget_at(blocks); !b.holds() && cache.crowded_at(blocks))
		return error(errc::bad_argument, b.text());
	pool.set_capacity(blocks);
	cache.change_capacity();
	cache.make_room();
	// The pool knows one waiter: this one replaces, and does the work of, one that waits for room.
	m_trim_due.store(true);
	pool.when_free(0, [this] { say_room(); });
	lending.look();
	decltype(m_capacity_listeners) listeners;
	{
		mutex_lock const lock(m_mutex);
		std::erase_if(m_capacity_listeners, [](auto const& weak) { return weak.expired(); });
		listeners = m_capacity_listeners;
	}
	for (auto const& weak : listeners)
		if (auto const events = weak.lock()) events->capacity_changed(blocks * block_size_bytes);
	return blocks * block_size_bytes;
}

void disk_core::tell_of_capacity(std::weak_ptr<memory_events> events)
{
	if (events.expired()) return;
	mutex_lock const lock(m_mutex);
	m_capacity_listeners.insert(std::move(events));
}

// The pool is the core's, so the call cannot outlive `this`.
void disk_core::tell_when_room(std::weak_ptr<room_listener> listener)
{
	{
		mutex_lock const lock(m_mutex);
		m_wait_for_room.insert(std::move(listener));
	}
	pool.when_free(cache.wanted_free_blocks(), [this] { say_room(); });
}

void disk_core::look_for_room()
{
	lending.look();
	if (cache.is_low()) return;
	{
		mutex_lock const lock(m_mutex);
		if (m_wait_for_room.empty()) return;
	}
	say_room();
}

void disk_core::say_room() noexcept
{
	if (m_trim_due.exchange(false)) pool.trim();
	std::set<std::weak_ptr<room_listener>, std::owner_less<>> waiting;
	{
		mutex_lock const lock(m_mutex);
		waiting.swap(m_wait_for_room);
	}
	for (auto const& weak : waiting)
		if (auto const listener = weak.lock()) listener->room();
}

void disk_core::file_under(lt::sha1_hash const& name, std::shared_ptr<torrent_storage> const& storage)
{
	auto& entries = m_by_name[name];
	auto const same = [&](entry const& e) { return e.address == storage.get(); };
	if (std::none_of(entries.begin(), entries.end(), same)) entries.push_back({storage.get(), storage});
}

void disk_core::enter(std::shared_ptr<torrent_storage> const& storage)
{
	enter_names(storage);
	mutex_lock const lock(m_mutex);
	m_by_owner[storage->owner()] = storage;
}

void disk_core::enter_names(std::shared_ptr<torrent_storage> const& storage)
{
	auto const names = names_of(storage->info_hashes());
	mutex_lock const lock(m_mutex);
	for (auto const& name : names) file_under(name, storage);
}

void disk_core::leave(torrent_storage const& storage) noexcept
{
	auto const names = names_of(storage.info_hashes());
	mutex_lock const lock(m_mutex);
	for (auto const& name : names)
	{
		auto const i = m_by_name.find(name);
		if (i == m_by_name.end()) continue;
		std::erase_if(i->second, [&](entry const& e) { return e.address == &storage; });
		if (i->second.empty()) m_by_name.erase(i);
	}
	m_by_owner.erase(storage.owner());
}

std::shared_ptr<torrent_storage> disk_core::find(lt::sha1_hash const& hash) const
{
	mutex_lock const lock(m_mutex);
	auto const i = m_by_name.find(hash);
	return i == m_by_name.end() ? nullptr : i->second.back().storage.lock();
}

std::shared_ptr<torrent_storage> disk_core::find_owned_by(void const* const owner) const
{
	mutex_lock const lock(m_mutex);
	auto const i = m_by_owner.find(owner);
	return i == m_by_owner.end() ? nullptr : i->second.lock();
}

memory_stats disk_core::stats() const
{
	auto const get = [](std::atomic<std::int64_t> const& c) { return c.load(std::memory_order_relaxed); };
	memory_stats s;
	s.capacity_bytes = pool.capacity_blocks() * block_size_bytes;
	s.writable_bytes = s.capacity_bytes - reserved_blocks * block_size_bytes;
	s.used_bytes = pool.used_blocks() * block_size_bytes;
	s.peak_bytes = pool.peak_blocks() * block_size_bytes;
	s.mapped_bytes = pool.mapped_bytes();
	s.lent_bytes = lending.lent_blocks() * block_size_bytes;
	s.hash_jobs = hasher.num_jobs();
	s.handlers = count.handlers->load(std::memory_order_relaxed);
	s.blocks_written = get(count.blocks_written);
	s.blocks_read = get(count.blocks_read);
	s.reads_missed = get(count.reads_missed);
	s.reads_copied = get(count.reads_copied);
	s.writes_refused = get(count.writes_refused);
	s.pieces_hashed = get(count.pieces_hashed);
	s.pieces_verified = get(count.pieces_verified);
	s.pieces_evicted = get(count.pieces_evicted);
	s.pieces_forgotten = get(count.pieces_forgotten);
	s.protectable_bytes = cache.protectable_blocks() * block_size_bytes;
	s.lookbehind_bytes = cache.granted_blocks(cache::protection::lookbehind) * block_size_bytes;
	s.lookbehind_available_bytes = cache.available_blocks(cache::protection::lookbehind) * block_size_bytes;
	mutex_lock const lock(m_mutex);
	s.torrents = static_cast<std::int64_t>(m_by_owner.size());
	return s;
}

} // namespace slipstream
