#include "disk/torrent_storage.hpp"
#include "disk/disk_core.hpp"

#include <algorithm>
#include <new>

namespace slipstream {

torrent_storage::torrent_storage(std::shared_ptr<disk_core> core, geometry shape
	, std::shared_ptr<void> owner, lt::info_hash_t const& hashes
	, std::shared_ptr<completion_queue> completions)
	: m_core(std::move(core))
	, m_pieces(std::move(shape))
	, m_hashes(hashes)
	, m_arriving(m_pieces, m_core->hasher, !hashes.has_v2(), hashes.has_v2())
	, m_owner(std::move(owner))
	, m_completions(std::move(completions))
{}

lt::info_hash_t torrent_storage::info_hashes() const
{
	mutex_lock const lock(m_mutex);
	return m_hashes;
}

void torrent_storage::learn(lt::info_hash_t const& hashes)
{
	mutex_lock const lock(m_mutex);
	if (hashes.has_v1()) m_hashes.v1 = hashes.v1;
	if (hashes.has_v2()) m_hashes.v2 = hashes.v2;
}

torrent_storage::priorities torrent_storage::withheld() const
{
	mutex_lock const lock(m_mutex);
	return m_withheld;
}

torrent_storage::priorities torrent_storage::withheld_when_saved() const
{
	mutex_lock const lock(m_mutex);
	return m_withheld_when_saved;
}

void torrent_storage::resume_data_saved()
{
	mutex_lock const lock(m_mutex);
	m_withheld_when_saved = m_withheld;
}

void torrent_storage::withhold(lt::piece_index_t const piece, lt::download_priority_t const priority)
{
	mutex_lock const lock(m_mutex);
	m_withheld.resize(static_cast<std::size_t>(shape().num_pieces()), lt::dont_download);
	auto& p = m_withheld[static_cast<std::size_t>(static_cast<int>(piece))];
	if (p == lt::dont_download) p = priority;
}

void torrent_storage::set_withheld(priorities withheld)
{
	mutex_lock const lock(m_mutex);
	m_withheld.swap(withheld);
}

// -- bytes

void torrent_storage::write(lt::piece_index_t const piece, int const block, block_ref bytes)
{
	if (m_pieces.put(piece, block, std::move(bytes))) report_gone(piece);
	m_arriving.arrived(piece, block);
	if (!m_awaited.take(piece, block)) return;
	if (auto const events = m_events.lock()) events->block_written(info_hashes(), piece);
}

void torrent_storage::verified(lt::piece_index_t const piece)
{
	if (!shape().has(piece)) return;
	bool const is_here = m_delivering && m_delivering->first == piece
		? m_pieces.mark_verified(piece, std::move(m_delivering->second))
		: m_pieces.mark_verified(piece);
	m_delivering.reset();
	if (!is_here) return;
	m_arriving.forget(piece);  // of blocks that came after those that were hashed
	m_writes.erase(piece);
	m_awaited.stop(piece);
	m_core->count.pieces_verified.fetch_add(1, std::memory_order_relaxed);
	try { tell_cache(piece); }
	catch (std::bad_alloc const&) { m_cache_missed_some = true; }
	if (auto const events = m_events.lock()) events->piece_verified(info_hashes(), piece);
}

void torrent_storage::tell_cache(lt::piece_index_t const piece)
{
	// A short last piece of one block cannot be held, and is not worth a recheck: it stays.
	if (shape().num_blocks(piece) > 1 || shape().num_blocks(lt::piece_index_t(0)) == 1)
		m_core->cache.verified(cache_id(), static_cast<int>(piece));
}

void torrent_storage::tell_cache_what_it_missed() noexcept
{
	if (!m_cache_missed_some) return;
	try
	{
		for (auto const piece : m_pieces.verified()) tell_cache(piece);
		m_cache_missed_some = false;
	}
	catch (std::bad_alloc const&) {}
}

void torrent_storage::found_wrong(lt::piece_index_t const piece)
{
	m_writes[piece].found_wrong = true;
	if (auto const events = m_events.lock()) events->piece_failed(info_hashes(), piece);
}

void torrent_storage::clear(lt::piece_index_t const piece)
{
	m_arriving.forget(piece);
	auto const was = m_pieces.drop(piece);
	if (auto const written = m_writes.find(piece); written != m_writes.end()) written->second.begin_anew();
	// What is whole and not verified is cleared because its hash was wrong. To forget a piece is to
	// have libtorrent find it wrong, too: that says nothing of its bytes.
	// (torrent_plugin::on_piece_failed is not called where no peer is to blame.)
	bool const failed = was == piece_state::complete && !is_forgetting(piece);
	if (auto held = m_forgetting.release(piece)) m_completions->push(std::move(*held));
	// A piece that was only partly here was not wanted when it began to go. It may be wanted again
	// by now.
	bool const given_up = m_forgetting.cleared(piece, was == piece_state::verified);
	// Not before its blocks are gone: nobody reads them after this.
	if (auto const events = m_events.lock(); failed && events) events->piece_failed(info_hashes(), piece);
	if (was != piece_state::verified) return;
	if (given_up) m_core->count.pieces_evicted.fetch_add(1, std::memory_order_relaxed);
	report_gone(piece);
}

void torrent_storage::drop_all()
{
	m_arriving.clear();
	auto const verified = m_pieces.verified();
	m_core->pool.bury(m_pieces.take_all());
	for (auto const piece : verified) report_gone(piece);
}

// libtorrent calls this where nothing may fail.
void torrent_storage::remove() noexcept
{
	m_removed.store(true, std::memory_order_release);
	try { for (auto& done : m_forgetting.release_all()) m_completions->push(std::move(done)); }
	catch (std::bad_alloc const&) {} // handlers of writes of a torrent that is gone
	m_core->cache.leave(cache_id());
	m_arriving.clear();
	m_core->pool.bury(m_pieces.take_all());
	m_events.reset();
	m_owner.reset();
}

void torrent_storage::report_gone(lt::piece_index_t const piece)
{
	m_core->cache.gone(cache_id(), static_cast<int>(piece));
	if (auto const events = m_events.lock()) events->piece_gone(info_hashes(), piece);
}

std::uint64_t torrent_storage::begin_hash()
{
	m_hashing.push_back(m_next_hash);
	return m_next_hash++;
}

void torrent_storage::fence(completion c)
{
	if (m_hashing.empty()) m_completions->push(std::move(c));
	else m_fenced.emplace_back(m_next_hash, make_ready(std::move(c)));
}

void torrent_storage::release_fences(std::uint64_t const finished) noexcept
{
	if (auto const i = std::ranges::lower_bound(m_hashing, finished); i != m_hashing.end() && *i == finished) m_hashing.erase(i);
	while (!m_fenced.empty() && (m_hashing.empty() || *m_hashing.begin() >= m_fenced.front().first))
	{
		m_completions->push(std::move(m_fenced.front().second));
		m_fenced.pop_front();
	}
}

} // namespace slipstream
