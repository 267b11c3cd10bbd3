#include "disk/admission.hpp"
#include "disk/disk_core.hpp"

#include <algorithm>
#include <utility>

namespace slipstream {

void admission::withhold(torrent_storage& storage, lt::torrent_handle const& torrent, lt::piece_index_t const piece)
{
	auto const priority = torrent.piece_priority(piece);
	if (priority == lt::dont_download) return;
	if (m_who == wanting::limited) storage.withhold(piece, priority);
	torrent.piece_priority(piece, lt::dont_download);
}

void admission::review(torrent_storage& storage, lt::torrent_handle const& torrent)
{
	auto& cache = storage.core().cache;
	// What is read is known without asking.
	if (m_who == wanting::told) return cache.set_wanting(storage.cache_id(), false);
	bool const crowded = cache.crowded();
	auto const was = storage.withheld();
	if (!crowded && was.empty()) return cache.set_wanting(storage.cache_id(), true);

	auto const told = torrent.get_piece_priorities();
	auto priorities = told;
	// The application's wishes: what libtorrent has, and what was taken from it here.
	for (auto const& [piece, priority] : was)
	{
		auto& p = priorities[static_cast<std::size_t>(static_cast<int>(piece))];
		if (p == lt::dont_download) p = priority;
	}
	std::vector<bool> const may = crowded ? admitted(storage, priorities) : std::vector<bool>(priorities.size(), true);

	std::vector<std::pair<lt::piece_index_t, lt::download_priority_t>> changes;
	torrent_storage::priorities withheld;
	bool wants = false;
	for (std::size_t i = 0; i < priorities.size(); ++i)
	{
		lt::piece_index_t const piece(static_cast<int>(i));
		if (priorities[i] == lt::dont_download) continue;
		bool const was_withheld = was.count(piece) != 0;
		// libtorrent counts a piece that passed, is not flushed (one of its writes is held) and has
		// priority 0 twice, and then thinks it has finished: what is here keeps its priority.
		auto const state = storage.pieces().state(piece);
		bool const is_here = state == piece_state::complete || state == piece_state::verified;
		if (is_here && !was_withheld) continue;
		wants |= may[i] && !is_here;
		if (!may[i] && !is_here)
		{
			withheld.emplace(piece, priorities[i]);
			changes.emplace_back(piece, lt::dont_download);
		}
		else if (was_withheld) changes.emplace_back(piece, priorities[i]);
	}
	std::erase_if(changes, [&](auto const& c)
		{ return c.second == told[static_cast<std::size_t>(static_cast<int>(c.first))]; });
	storage.set_withheld(std::move(withheld));
	cache.set_wanting(storage.cache_id(), wants);
	if (!changes.empty()) torrent.prioritize_pieces(changes);
}

std::vector<bool> admission::admitted(torrent_storage& storage
	, std::vector<lt::download_priority_t> const& wanted) const
{
	auto& cache = storage.core().cache;
	auto const id = storage.cache_id();
	std::vector<bool> may(wanted.size(), false);

	auto const read = cache.granted_pieces(id, cache::protection::reader);
	for (auto const kind : {cache::protection::reader, cache::protection::reserved})
		for (int const piece : cache.granted_pieces(id, kind)) may[static_cast<std::size_t>(piece)] = true;
	if (!read.empty()) return may;

	// What it has protected itself comes on top of its share.
	auto const piece_blocks = std::max(1, storage.shape().num_blocks(lt::piece_index_t(0)));
	auto room = cache.share_blocks(id) / piece_blocks;
	for (bool const in_memory : {true, false})
	{
		for (std::size_t i = 0; i < wanted.size() && room > 0; ++i)
		{
			lt::piece_index_t const piece(static_cast<int>(i));
			if (may[i] || (wanted[i] == lt::dont_download && !in_memory)) continue;
			if ((storage.pieces().state(piece) != piece_state::absent) != in_memory) continue;
			may[i] = true;
			--room;
		}
	}
	return may;
}

} // namespace slipstream
