// What of a torrent outlives the engine: resume data, as libtorrent makes it, told of what memory
// forgets.
#include "engine/torrent_entry.hpp"

#include <spdlog/spdlog.h>

#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/write_resume_data.hpp>

#include <utility>

namespace slipstream {

void torrent_entry::save_resume_data(resume_data_handler done)
{
	try
	{
		m_handle.save_resume_data(lt::torrent_handle::save_info_dict);
		m_saving.push_back(std::move(done));
	}
	catch (lt::system_error const& e)
	{
		spdlog::debug("torrent {}: {}", m_id, e.what());
		// cppcheck-suppress accessMoved ; what throws is before the move
		done(make_error_code(errc::torrent_failed), {});
	}
}

void torrent_entry::resume_data_saved(lt::add_torrent_params params)
{
	m_environment.disk.put_back_priorities(params);
	// What memory holds now will be gone when this is read.
	params.have_pieces.clear();
	params.verified_pieces.clear();
	params.unfinished_pieces.clear();
	// libtorrent's flag is ours as well: a torrent is paused while its files are checked.
	params.flags &= ~lt::torrent_flags::paused;
	if (m_paused) params.flags |= lt::torrent_flags::paused;
	params.save_path.clear();
	auto const bytes = lt::write_resume_data_buf(params);
	// One answer serves all who asked before it: it is of now.
	for (auto const& done : std::exchange(m_saving, {})) done({}, bytes);
}

void torrent_entry::resume_data_failed()
{
	for (auto const& done : std::exchange(m_saving, {})) done(make_error_code(errc::torrent_failed), {});
}

} // namespace slipstream
