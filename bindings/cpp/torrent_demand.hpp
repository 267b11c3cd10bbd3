// What the readers of one torrent want next and protect, together: from their positions to reader
// pieces, lookbehind and priorities.
//
// Owned by the torrent's entry. Readers' calls come from any thread; piece_verified and piece_gone
// from the network thread, which takes only the mutex that is never held while libtorrent is
// called. The memory decides how much is granted; what is here asks for no more than that.
//
// Priorities: the head of each window gets the top one, the rest of the windows the next, and, from
// a standing start, deadlines. (A torrent's first deadline cancels the requests without one, which
// not every peer survives, so deadlines are not set while something is requested.) What a reader
// raised and left without getting it is put back to what it was.
#pragma once

#include <slipstream/memory_disk.hpp>

#include <libtorrent/download_priority.hpp>
#include <libtorrent/info_hash.hpp>
#include <libtorrent/units.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <vector>

namespace slipstream::binding {

class session_core;
struct torrent_entry;

// A reader, as its torrent sees it.
struct read_window
{
	std::int64_t position = 0;       // in the torrent
	std::int64_t end = 0;            // of the file, in the torrent
	std::int64_t file_begin = 0;
	std::int64_t read_ahead_bytes = 0;
	std::int64_t lookbehind_bytes = 0;  // 0: does not set lookbehind
	int piece_length = 0;
};

class torrent_demand
{
public:
	explicit torrent_demand(torrent_entry& entry) : m_entry(entry) {}

	// A reader came, or its window moved: told to libtorrent and the memory. Fails (guard.hpp) with
	// no_space, closed, no_such_torrent. `waiting`: for the piece at its position.
	void set(session_core& core, void const* reader, lt::info_hash_t const& hashes, read_window window, bool waiting);
	// A reader left. Fails with nothing.
	void remove(session_core& core, void const* reader) noexcept;

	// Network thread.
	void piece_verified(lt::info_hash_t const& torrent, lt::piece_index_t piece);
	void piece_gone(lt::info_hash_t const& torrent, lt::piece_index_t piece);

private:
	struct plan
	{
		std::vector<lt::piece_index_t> wanted;  // nearest first, each once
		std::vector<lt::piece_index_t> behind;
		std::set<lt::piece_index_t> urgent;
		bool sets_lookbehind = false;
	};
	[[nodiscard]] plan make_plan(memory_torrent const& here) const;
	void tell(session_core& core, memory_torrent const& here, plan const& p, std::size_t granted, bool waiting);
	void put_back(std::set<lt::piece_index_t> const& keep, memory_torrent const& here
		, std::vector<std::pair<lt::piece_index_t, lt::download_priority_t>>& changes);
	void wake_if_mine(lt::info_hash_t const& torrent);

	torrent_entry& m_entry;

	std::mutex m_mutex;  // one change at a time; held while libtorrent is called, so never taken by its thread
	std::map<void const*, read_window> m_windows;
	std::map<lt::piece_index_t, lt::download_priority_t> m_raised;  // and what it was before
	std::map<lt::piece_index_t, lt::download_priority_t> m_told;
	std::set<lt::piece_index_t> m_with_deadline;

	std::mutex m_news_mutex;  // the network thread's
	lt::info_hash_t m_hashes;
	std::set<lt::piece_index_t> m_gone;
	std::atomic<bool> m_read{false};
};

} // namespace slipstream::binding
