// The torrents that can be read, for threads other than the engine's: what a request for a file has
// to know, without waiting for a turn of the engine.
//
// Owned by the engine's core. The engine's thread enters torrents when they become readable and
// takes them out when they fail or go; any thread looks. What was found may be out of date at once:
// a reader of a torrent that has gone is told so by the engine's thread. It keeps no torrent alive.
#pragma once

#include "block/mutex.hpp"
#include "stream/window.hpp"

#include <slipstream/engine.hpp>

#include <libtorrent/info_hash.hpp>
#include <libtorrent/torrent_info.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace slipstream {

class torrent_entry;

// Immutable.
struct readable_torrent
{
	std::weak_ptr<torrent_entry> entry;             // not to be locked but on the engine's thread
	lt::info_hash_t hashes;
	std::shared_ptr<torrent_files const> files;
	std::shared_ptr<lt::torrent_info const> metadata;

	// Nothing for a file that there is not, and for padding.
	[[nodiscard]] std::optional<stream::file_geometry> file(int index) const;
};

class readable_torrents
{
public:
	// `id`: any of the torrent's hashes in hex, either case. Null when there is none.
	[[nodiscard]] std::shared_ptr<readable_torrent const> find(std::string_view id) const EXCLUDES(m_mutex);

	// The engine's thread.
	void enter(std::shared_ptr<readable_torrent const> const& torrent) EXCLUDES(m_mutex);
	void leave(lt::info_hash_t const& hashes) EXCLUDES(m_mutex);

private:
	mutable mutex m_mutex;
	std::unordered_map<std::string, std::shared_ptr<readable_torrent const>> m_by_id GUARDED_BY(m_mutex);
};

} // namespace slipstream
