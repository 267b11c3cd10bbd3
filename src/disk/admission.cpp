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
	auto withheld = storage.withheld();
	if (!crowded && withheld.empty()) return cache.set_wanting(storage.cache_id(), true);

	auto const told = torrent.get_piece_priorities();
	if (told.empty()) return; // no metadata any more
	withheld.resize(told.size(), lt::dont_download);
	auto const is_withheld = [&](std::size_t const i) { return withheld[i] != lt::dont_download; };
	// The application's wishes: what libtorrent has, and what was taken from it here.
	auto priorities = told;
	for (std::size_t i = 0; i < told.size(); ++i)
		if (is_withheld(i) && told[i] == lt::dont_download) priorities[i] = withheld[i];
	auto const states = storage.pieces().states();
	std::vector<bool> const may = crowded ? admitted(storage, priorities, states) : std::vector<bool>(told.size(), true);

	std::vector<std::pair<lt::piece_index_t, lt::download_priority_t>> changes;
	auto const change = [&](std::size_t const i, lt::download_priority_t const to)
		{ if (told[i] != to) changes.emplace_back(static_cast<int>(i), to); };
	bool wants = false;
	bool withholds = false;
	for (std::size_t i = 0; i < told.size(); ++i)
	{
		bool const was_withheld = is_withheld(i);
		withheld[i] = lt::dont_download;
		if (priorities[i] == lt::dont_download) continue;
		// libtorrent counts a piece that passed, is not flushed (one of its writes is held) and has
		// priority 0 twice, and then thinks it has finished: what is here keeps its priority.
		bool const is_here = states[i] == piece_state::complete || states[i] == piece_state::verified;
		if (is_here && !was_withheld) continue;
		wants |= may[i] && !is_here;
		if (!may[i] && !is_here)
		{
			withholds = true;
			withheld[i] = priorities[i];
			change(i, lt::dont_download);
		}
		else if (was_withheld) change(i, priorities[i]);
	}
	storage.set_withheld(withholds ? std::move(withheld) : torrent_storage::priorities{});
	cache.set_wanting(storage.cache_id(), wants);
	if (!changes.empty()) torrent.prioritize_pieces(changes);
}

std::vector<bool> admission::admitted(torrent_storage& storage
	, std::vector<lt::download_priority_t> const& wanted, std::vector<piece_state> const& states) const
{
	auto& cache = storage.core().cache;
	auto const id = storage.cache_id();
	std::vector<bool> may(wanted.size(), false);

	auto const read = cache.granted_pieces(id, cache::protection::reader);
	for (int const piece : read) may[static_cast<std::size_t>(piece)] = true;
	for (int const piece : cache.granted_pieces(id, cache::protection::reserved)) may[static_cast<std::size_t>(piece)] = true;
	if (!read.empty()) return may;

	// What it has protected itself comes on top of its share.
	auto const piece_blocks = std::max(1, storage.shape().num_blocks(lt::piece_index_t(0)));
	auto room = cache.share_blocks(id) / piece_blocks;
	for (bool const in_memory : {true, false})
	{
		for (std::size_t i = 0; i < wanted.size() && room > 0; ++i)
		{
			if (may[i] || (wanted[i] == lt::dont_download && !in_memory)) continue;
			if ((states[i] != piece_state::absent) != in_memory) continue;
			may[i] = true;
			--room;
		}
	}
	return may;
}

} // namespace slipstream
