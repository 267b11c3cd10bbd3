// What a torrent tells those who look at it: peers, pieces, readers. It changes nothing.
#include "engine/reader_impl.hpp"
#include "engine/torrent_entry.hpp"

#include <spdlog/spdlog.h>

#include <libtorrent/file_storage.hpp>
#include <libtorrent/peer_info.hpp>

namespace slipstream {

namespace {

peer_entry entry_of(lt::peer_info const& peer)
{
	peer_entry e;
	e.endpoint = peer.ip;
	e.client = peer.client;
	e.outgoing = bool(peer.flags & lt::peer_info::local_connection);
	e.seed = bool(peer.flags & lt::peer_info::seed);
	e.progress_ppm = peer.progress_ppm;
	e.download_rate_bytes_s = peer.payload_down_speed;
	e.upload_rate_bytes_s = peer.payload_up_speed;
	e.downloaded_bytes = peer.total_download;
	e.uploaded_bytes = peer.total_upload;
	return e;
}

std::vector<piece_run> runs_of(memory_torrent const& torrent, int const num_pieces)
{
	std::vector<piece_run> runs;
	for (int i = 0; i < num_pieces; ++i)
	{
		auto const known = torrent.state(lt::piece_index_t(i));
		auto const state = known ? *known : piece_state::absent;
		if (runs.empty() || runs.back().state != state) runs.push_back({i, 0, state});
		++runs.back().count;
	}
	return runs;
}

// By its place: a file without bytes has no reader that anybody would look for.
int index_of(lt::file_storage const& files, stream::file_geometry const& file)
{
	for (lt::file_index_t const i : files.file_range())
		if (!files.pad_file_at(i) && files.file_offset(i) == file.offset_bytes && files.file_size(i) == file.size_bytes)
			return static_cast<int>(i);
	return -1;
}

} // namespace

torrent_details torrent_entry::details() const
{
	torrent_details d;
	d.summary = summary();
	d.readers = reader_entries();
	if (m_metadata) d.pieces = runs_of(memory(), m_metadata->num_pieces());
	try
	{
		std::vector<lt::peer_info> peers;
		m_handle.get_peer_info(peers);
		for (lt::peer_info const& peer : peers) d.peers.push_back(entry_of(peer));
	}
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
	return d;
}

std::vector<reader_entry> torrent_entry::reader_entries() const
{
	std::vector<reader_entry> all;
	for (auto const& r : m_readers)
	{
		reader_entry e;
		e.torrent_id = m_id;
		if (m_metadata) e.file_index = index_of(m_metadata->files(), r->file());
		e.position_bytes = r->position_bytes();
		e.size_bytes = r->size_bytes();
		auto const window = r->window();
		e.first_piece = static_cast<int>(window.first);
		e.end_piece = static_cast<int>(window.end);
		e.lookbehind_bytes = r->portion().lookbehind_bytes;
		e.consumed_bytes_s = r->consumed().bytes_s();
		e.waiting = r->waits();
		e.idle = r->idle();
		all.push_back(std::move(e));
	}
	return all;
}

} // namespace slipstream
