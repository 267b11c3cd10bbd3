// Pausing a torrent, and finding its peers again.
#include "engine/torrent_entry.hpp"

#include <spdlog/spdlog.h>

#include <libtorrent/torrent_status.hpp>

#include <utility>

namespace slipstream {

void torrent_entry::set_paused(bool const paused)
{
	if (std::exchange(m_paused, paused) != paused) m_environment.changed();
	try
	{
		if (paused) return m_handle.pause();
	}
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
	m_environment.count_peers_again();
	resume();
}

// While a torrent wants nothing libtorrent takes it for finished and has no use for seeds. It
// counts the peers that it may connect to only now and then, and when the torrent wants something
// again it may be left with none for ever. A change of the number of failures it allows makes it
// count, and a limit of connections, set to what it is, makes it look.
void torrent_entry::look_for_peers()
{
	try
	{
		// After a check those that are counted may be on their way out.
		if (!std::exchange(m_lost_peers, false) && m_handle.status(lt::status_flags_t{}).num_peers > 0) return;
		m_environment.count_peers_again();
		m_handle.set_max_connections(-1);
	}
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
}

} // namespace slipstream
