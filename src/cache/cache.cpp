#include "cache/cache.hpp"

#include "block/check.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

namespace slipstream {

// -- torrents

std::uint64_t cache::enter(std::weak_ptr<evictee> torrent, std::int64_t const total_blocks, int const piece_blocks)
{
	mutex_lock const lock(m_mutex);
	auto& size = m_sizes[piece_blocks]; // counts nobody, where there is no memory for what follows
	member& m = m_members[m_next_id];
	auto const id = m_next_id++;
	++size.members;
	m.torrent = std::move(torrent);
	m.total_blocks = total_blocks;
	m.piece_blocks = piece_blocks;
	m_total_blocks += total_blocks;
	count_busy(m, m.busy());
	recount();
	return id;
}

void cache::leave(std::uint64_t const torrent) noexcept
{
	mutex_lock const lock(m_mutex);
	auto const left = m_members.find(torrent);
	if (left == m_members.end()) return;
	member& m = left->second;
	m_total_blocks -= m.total_blocks;
	for (int const piece : m.protected_pieces) set_read(m, piece, false);
	for (std::size_t kind = 0; kind < std::size(m.given); ++kind) give(m, kind, {});
	count_busy(m, false);
	count_cut(m, false);
	if (auto const size = m_sizes.find(m.piece_blocks); --size->second.members == 0) m_sizes.erase(size);
	m_wishing.erase(torrent);
	m_members.erase(left);
	m_order.erase_torrent(torrent);
	m_here_blocks = m_order.blocks();
	recount();
}

void cache::count_busy(member& m, bool const busy) noexcept
{
	if (std::exchange(m.is_counted_busy, busy) == busy) return;
	m_num_busy += busy ? 1 : -1;
	m_busy_piece_blocks += busy ? m.piece_blocks : -m.piece_blocks;
	m_sizes.find(m.piece_blocks)->second.busy += busy ? 1 : -1;
}

bool cache::knows(std::uint64_t const torrent) const
{
	mutex_lock const lock(m_mutex);
	return m_members.count(torrent) != 0;
}

void cache::change_connections(std::int64_t const difference) noexcept
{
	mutex_lock const lock(m_mutex);
	m_connections += difference;
	recount();
}

void cache::change_capacity() noexcept
{
	mutex_lock const lock(m_mutex);
	recount();
}

void cache::set_wanting(std::uint64_t const torrent, bool const wanting) noexcept
{
	mutex_lock const lock(m_mutex);
	auto const i = m_members.find(torrent);
	if (i == m_members.end() || i->second.wanting == wanting) return;
	i->second.wanting = wanting;
	bool const was_busy = i->second.is_counted_busy;
	count_busy(i->second, i->second.busy());
	if (i->second.is_counted_busy != was_busy) recount();
}

budget cache::sum(member const* const alone, member const* const also) const
{
	budget b;
	b.capacity_blocks = m_pool.capacity_blocks();
	b.scratch_blocks = m_pool.reserved_blocks();
	b.connections = m_connections;
	b.torrents = static_cast<std::int64_t>(m_members.size());
	if (alone)
	{
		b.largest_piece_blocks = b.piece_blocks = alone->piece_blocks;
		b.busy_torrents = 1;
		return b;
	}
	auto const largest = std::find_if(m_sizes.rbegin(), m_sizes.rend(), [](auto const& size) { return size.second.busy > 0; });
	b.largest_piece_blocks = largest == m_sizes.rend() ? 0 : largest->first;
	b.piece_blocks = m_busy_piece_blocks;
	b.busy_torrents = m_num_busy;
	if (!also || also->is_counted_busy) return b;
	b.largest_piece_blocks = std::max<std::int64_t>(b.largest_piece_blocks, also->piece_blocks);
	b.piece_blocks += also->piece_blocks;
	b.busy_torrents += 1;
	return b;
}

std::optional<budget> cache::refusal(std::uint64_t const torrent) const
{
	mutex_lock const lock(m_mutex);
	auto const i = m_members.find(torrent);
	if (!m_enabled || i == m_members.end()) return std::nullopt;
	auto const b = sum(&i->second);
	if (i->second.total_blocks <= b.capacity_blocks - b.scratch_blocks || b.holds()) return std::nullopt;
	return b;
}

std::optional<budget> cache::refusal_of(std::int64_t const blocks, int const piece_blocks) const
{
	mutex_lock const lock(m_mutex);
	auto b = sum();
	b.piece_blocks = b.largest_piece_blocks = piece_blocks;
	b.busy_torrents = b.torrents = 1;
	if (!m_enabled || blocks <= b.capacity_blocks - b.scratch_blocks || b.holds()) return std::nullopt;
	return b;
}

budget cache::current_budget() const
{
	mutex_lock const lock(m_mutex);
	return sum();
}

budget cache::budget_with(std::uint64_t const torrent) const
{
	mutex_lock const lock(m_mutex);
	auto const i = m_members.find(torrent);
	return i == m_members.end() ? sum() : sum(nullptr, &i->second);
}

budget cache::budget_at(std::int64_t const capacity_blocks) const
{
	auto b = current_budget();
	b.capacity_blocks = capacity_blocks;
	return b;
}

bool cache::crowded_at(std::int64_t const capacity_blocks) const
{
	mutex_lock const lock(m_mutex);
	return m_enabled && m_total_blocks > capacity_blocks - m_pool.reserved_blocks();
}

std::int64_t cache::protectable() const
{
	auto const b = sum();
	return m_crowded ? b.protectable_blocks() : b.capacity_blocks - b.scratch_blocks;
}

std::int64_t cache::protectable_blocks() const
{
	mutex_lock const lock(m_mutex);
	return protectable();
}

std::int64_t cache::share_blocks(std::uint64_t const torrent) noexcept
{
	mutex_lock const lock(m_mutex);
	auto const i = m_members.find(torrent);
	if (i == m_members.end()) return 0;
	if (!m_is_shared_out) share_out();
	return share_of(i->second);
}

void cache::share_out() noexcept
{
	auto b = sum();
	b.piece_blocks = b.busy_torrents = 0;
	auto const add = [](budget to, member const& m)
	{
		to.piece_blocks += m.piece_blocks;
		to.busy_torrents += 1;
		return to;
	};
	for (auto const id : m_wishing)
		if (auto const& m = m_members.at(id); m.is_read()) b = add(b, m);
	std::int64_t sharing = 0;
	for (auto& [id, m] : m_members)
	{
		auto const with = add(b, m);
		m.shares = !m.is_read() && with.holds();
		if (!m.shares) continue;
		b = with;
		++sharing;
	}
	m_is_shared_out = true;
	m_share_blocks = sharing == 0 ? 0 : std::max<std::int64_t>(0, b.protectable_blocks() - all_granted_blocks()) / sharing;
}

void cache::recount() noexcept
{
	m_is_shared_out = false;
	auto const b = sum();
	m_crowded = m_enabled && m_total_blocks > b.capacity_blocks - b.scratch_blocks;
	// Connections beyond what a quarter of the capacity could take in are slowed, not provided for.
	m_wanted_free = std::min(b.arriving_blocks() + b.largest_piece_blocks, b.capacity_blocks / 4);
	// Where nothing has to go, what is lent costs nothing.
	m_lendable = m_crowded ? b.lent_blocks() : std::numeric_limits<std::int64_t>::max();
	// Everybody has what they wished, and it still fits.
	if (m_num_cut == 0 && all_granted_blocks() <= protectable()) return;
	grant_anew();
}

// -- what is there

void cache::set_here(member& m, int const piece, bool const here) noexcept
{
	if (m.is_here(piece) == here) return;
	m.here[static_cast<std::size_t>(piece)] = here;
	auto const blocks = here ? m.piece_blocks : -m.piece_blocks;
	if (!m.is_protected(piece)) m.unprotected_blocks += blocks;
	if (member::is_set(m.read, piece)) m_awaited -= blocks;
}

void cache::verified(std::uint64_t const torrent, int const piece)
{
	mutex_lock const lock(m_mutex);
	auto const i = m_members.find(torrent);
	if (i == m_members.end()) return;
	member& m = i->second;
	if (auto const end = static_cast<std::size_t>(piece) + 1; end > m.here.size()) m.here.resize(end);
	m_order.insert({torrent, piece}, m.stands_at(piece), m.piece_blocks);
	m_here_blocks = m_order.blocks();
	set_here(m, piece, true);
}

void cache::gone(std::uint64_t const torrent, int const piece) noexcept
{
	mutex_lock const lock(m_mutex);
	m_order.erase({torrent, piece});
	m_here_blocks = m_order.blocks();
	if (auto const m = m_members.find(torrent); m != m_members.end()) set_here(m->second, piece, false);
}

void cache::stays(std::uint64_t const torrent, int const piece) noexcept
{
	mutex_lock const lock(m_mutex);
	m_order.stay({torrent, piece});
}

void cache::stays_until_low(std::uint64_t const torrent, int const piece) noexcept
{
	mutex_lock const lock(m_mutex);
	m_order.stay_until_low({torrent, piece});
}

void cache::touched(std::uint64_t const torrent, int const piece) noexcept
{
	if (!crowded()) return;
	mutex_lock const lock(m_mutex);
	// What peers read all the time would go last for ever, and others would give up in its place
	// what they download for their shares, again and again.
	auto const m = m_members.find(torrent);
	if (m != m_members.end() && m->second.unprotected_blocks > share_of(m->second)) return;
	m_order.touch({torrent, piece});
}

// -- room

bool cache::is_low() const noexcept
{
	return crowded() && m_pool.free_blocks() < m_wanted_free.load(std::memory_order_relaxed);
}

void cache::make_room() noexcept
{
	if (!crowded() || m_pool.headroom_blocks() >= prepared_free_blocks()) return;
	std::vector<std::pair<piece_key, std::weak_ptr<evictee>>> victims;
	{
		mutex_lock const lock(m_mutex);
		for (;;)
		{
			auto const room = m_pool.headroom_blocks() + m_order.leaving_blocks();
			if (room >= prepared_free_blocks()) break;
			// What is protected, and what admission gives to torrents that nobody reads, add up to
			// no more than leaves room for what readers wait for. So where that lacks, something
			// else has it; and what goes as soon as memory is low needs nobody to go in its place
			// until it is: who did would come back, and go again, for as long as the readers wait.
			bool const is_prepared = room >= wanted_free_blocks() && room + m_order.until_low_blocks() >= prepared_free_blocks();
			auto const key = is_prepared ? m_order.spent_victim() : m_order.victim();
			if (!key) break;
			auto const m = m_members.find(key->torrent);
			check(m != m_members.end(), "a piece in the eviction order has its torrent");
			// Those beyond what there is memory to ask are asked the next time.
			try { victims.emplace_back(*key, m->second.torrent); }
			catch (std::bad_alloc const&) { break; }
			m_order.mark_leaving(*key);
		}
	}
	for (auto const& [key, weak] : victims)
	{
		auto const torrent = weak.lock();
		if (!torrent || !torrent->evict(key.piece)) stays(key.torrent, key.piece);
	}
}

} // namespace slipstream
