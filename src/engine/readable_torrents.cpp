#include "engine/readable_torrents.hpp"

#include "engine/info_hash_text.hpp"

#include <libtorrent/file_storage.hpp>

#include <utility>

namespace slipstream {

std::optional<stream::file_geometry> readable_torrent::file(int const index) const
{
	auto const& all = metadata->files();
	lt::file_index_t const i{index};
	if (index < 0 || i >= all.end_file() || all.pad_file_at(i)) return std::nullopt;
	return stream::file_geometry{.offset_bytes = all.file_offset(i), .size_bytes = all.file_size(i)
		, .piece_length_bytes = metadata->piece_length()};
}

std::shared_ptr<readable_torrent const> readable_torrents::find(std::string_view const id) const
{
	auto const key = normalized_id(id);
	if (!key) return nullptr;
	mutex_lock const lock(m_mutex);
	auto const at = m_by_id.find(*key);
	return at == m_by_id.end() ? nullptr : at->second;
}

void readable_torrents::enter(std::shared_ptr<readable_torrent const> const& torrent)
{
	auto const ids = all_ids(torrent->hashes);
	mutex_lock const lock(m_mutex);
	for (auto const& id : ids) m_by_id[id] = torrent;
}

void readable_torrents::leave(lt::info_hash_t const& hashes)
{
	auto const ids = all_ids(hashes);
	mutex_lock const lock(m_mutex);
	for (auto const& id : ids) m_by_id.erase(id);
}

} // namespace slipstream
