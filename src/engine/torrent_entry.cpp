#include "engine/torrent_entry.hpp"

#include "engine/info_hash_text.hpp"
#include "engine/reader_impl.hpp"
#include "engine/torrent_source.hpp"

#include <boost/asio/post.hpp>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <libtorrent/peer_info.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/pex_flags.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <filesystem>

namespace slipstream {

torrent_entry::torrent_entry(torrent_environment& environment, lt::torrent_handle handle
	, lt::add_torrent_params const& params)
	: m_environment(environment)
	, m_handle(std::move(handle))
	, m_id(id_of(params.ti ? params.ti->info_hashes() : params.info_hashes))
	, m_hashes(params.ti ? params.ti->info_hashes() : params.info_hashes)
	, m_name(params.name)
	, m_metadata_timer(environment.context)
	, m_life(clock::now())
	, m_life_timer(environment.context)
	, m_idle_timer(environment.context)
	, m_update_timer(environment.context)
{
	if (params.ti) use_metadata(params.ti);
}

void torrent_entry::start()
{
	for (auto const& peer : m_environment.options.connect) connect(peer);
	live_on();
	// While the files are being checked libtorrent connects to nobody: checked() resumes then.
	if (m_metadata) return;
	resume();
	m_metadata_timer.expires_after(m_environment.options.metadata_timeout);
	m_metadata_timer.async_wait([self = weak_from_this()](boost::system::error_code const ec) {
		if (auto const entry = self.lock(); entry && !ec) entry->metadata_timed_out();
	});
}

void torrent_entry::use_metadata(std::shared_ptr<lt::torrent_info const> metadata)
{
	m_metadata = std::move(metadata);
	m_hashes = m_metadata->info_hashes();
	m_name = m_metadata->name();
	m_files = std::make_shared<torrent_files>(torrent_files{m_id, m_name, files_of(*m_metadata)});
	m_phase = torrent_phase::checking;
	m_failure.reset();
	// libtorrent stops it as well; here the reason is known.
	if (auto const room = m_environment.disk.room_for(m_metadata->total_size(), m_metadata->piece_length()); !room)
		fail(room.error().is(errc::no_space) ? errc::no_space : errc::bad_torrent, "the memory is too small for its pieces: "
			+ room.error().detail);
}

void torrent_entry::metadata_arrived()
{
	if (m_metadata) return;
	auto metadata = m_handle.torrent_file();
	if (!metadata) return;
	m_metadata_timer.cancel();
	use_metadata(std::move(metadata));
	m_environment.changed();
	spdlog::info("torrent {}: metadata is here, \"{}\"", m_id, m_name);
}

void torrent_entry::metadata_timed_out()
{
	// The timer may have run out in the moment the metadata came.
	if (m_metadata) return;
	fail(errc::metadata_timeout, fmt::format("no peer sent the metadata within {} ms"
		, m_environment.options.metadata_timeout.count()));
}

void torrent_entry::checked()
{
	resume();
	if (!m_metadata) metadata_arrived();
	if (!m_metadata || m_phase == torrent_phase::failed) return;
	m_phase = torrent_phase::ready;
	m_environment.readable.enter(std::make_shared<readable_torrent>(readable_torrent{weak_from_this(), m_hashes, m_files, m_metadata}));
	m_lost_peers = true;
	answer_waiting({});
	demand_changed();
}

void torrent_entry::fail(errc const e, std::string detail)
{
	// What is known to be too large is stopped by libtorrent, too, which does not know why.
	if (m_metadata && m_failure && m_failure->is(errc::no_space)) return;
	spdlog::warn("torrent {}: {}", m_id, detail);
	m_phase = torrent_phase::failed;
	m_environment.readable.leave(m_hashes);
	m_failure = error(e, std::move(detail));
	answer_waiting(make_error_code(e));
	for (auto const& r : m_readers) r->fail(*m_failure);
}

void torrent_entry::out_of_space(std::string const& detail)
{
	// Every block that was under way is refused; once is enough to say.
	if (!m_upload_mode)
		spdlog::warn("torrent {}: no space in memory: {}", m_id, detail);
	m_upload_mode = true;
	for (auto const& r : m_readers) r->fail(error(errc::no_space, detail));
}

void torrent_entry::piece_verified(lt::piece_index_t const piece)
{
	m_lent_early.erase(piece);
	for (auto const& r : m_readers) r->piece_changed(piece);
	demand_changed();
}

void torrent_entry::block_written(lt::piece_index_t const piece)
{
	bool is_waited_for = false;
	for (auto const& r : m_readers)
	{
		r->piece_changed(piece);
		is_waited_for |= r->waits() && stream::locate(r->file(), r->position_bytes()).piece == piece;
	}
	// It may have failed and gone since it was told: what is awaited now is asked for anew.
	if (is_waited_for) demand_changed();
}

void torrent_entry::piece_failed(lt::piece_index_t const piece)
{
	auto const lent = m_lent_early.extract(piece);
	if (lent.empty()) return;
	m_environment.early.failed_bytes += lent.mapped();
	spdlog::warn("torrent {}: piece {} was wrong, and readers had {} bytes of it early", m_id, static_cast<int>(piece)
		, lent.mapped());
}

void torrent_entry::piece_gone(lt::piece_index_t const piece)
{
	m_demand.gone(piece);
	if (!m_readers.empty()) demand_changed();
}

void torrent_entry::removed(errc const why)
{
	m_metadata_timer.cancel();
	m_life_timer.cancel();
	m_idle_timer.cancel();
	m_update_timer.cancel();
	m_removed = true;
	m_environment.readable.leave(m_hashes);
	answer_waiting(make_error_code(why));
	for (auto const& done : std::exchange(m_saving, {})) done(make_error_code(why), {});
	bool others_gain = false;
	for (auto const& r : m_readers)
	{
		r->torrent_gone(why);
		others_gain |= m_environment.reader_shares.forget(r->number());
	}
	m_readers.clear();
	if (others_gain) m_environment.shares_changed(this);
}

void torrent_entry::wait_ready(ready_handler done)
{
	if (m_phase == torrent_phase::ready) done({});
	else if (m_failure) done(m_failure->code);
	else
	{
		m_waiting.push_back(std::move(done));
		live_on();
	}
}

void torrent_entry::answer_waiting(boost::system::error_code const ec)
{
	for (auto const& done : std::exchange(m_waiting, {})) done(ec);
	live_on();
}

expected<std::shared_ptr<torrent_files const>> torrent_entry::files() const
{
	if (m_failure) return *m_failure;
	if (m_phase != torrent_phase::ready)
		return error(errc::no_metadata, fmt::format("torrent {} cannot be read yet", m_id));
	return m_files;
}

expected<stream::file_geometry> torrent_entry::file(int const index) const
{
	if (!m_metadata)
		return error(errc::no_metadata, fmt::format("the metadata of torrent {} has not arrived", m_id));
	if (m_phase == torrent_phase::failed) return *m_failure;
	lt::file_storage const& files = m_metadata->files();
	lt::file_index_t const file_index{index};
	if (index < 0 || file_index >= files.end_file())
		return error(errc::no_such_file, fmt::format("torrent {} has files 0 to {}, not {}", m_id
			, files.num_files() - 1, index));
	if (files.pad_file_at(file_index))
		return error(errc::no_such_file, fmt::format("file {} of torrent {} is padding", index, m_id));
	return stream::file_geometry{.offset_bytes = files.file_offset(file_index)
		, .size_bytes = files.file_size(file_index), .piece_length_bytes = m_metadata->piece_length()};
}

void torrent_entry::connect(boost::asio::ip::tcp::endpoint const& peer)
{
	try { m_handle.connect_peer(peer); }
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
}

void torrent_entry::resume()
{
	if (m_paused) return;
	try { m_handle.resume(); }
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
}

std::optional<error> torrent_entry::prepare_to_wait()
{
	if (m_phase == torrent_phase::failed)
		return error(m_failure->is(errc::no_space) ? errc::no_space : errc::torrent_failed, m_failure->detail);
	if (!m_upload_mode) return std::nullopt;
	// A write was refused before; memory may have become free since. If not, the next write tells.
	m_upload_mode = false;
	try { m_handle.unset_flags(lt::torrent_flags::upload_mode); }
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
	return std::nullopt;
}

memory_torrent const& torrent_entry::memory() const
{
	if (!m_memory.alive()) m_memory = m_environment.disk.torrent(m_hashes);
	return m_memory;
}

expected<lease> torrent_entry::view(stream::place const& at, int const length)
{
	auto verified = memory().view(at.piece, at.offset_bytes, length, true);
	if (verified || !m_environment.options.early || !verified.error().is(errc::not_verified)) return verified;
	auto unverified = memory().view(at.piece, at.offset_bytes, length, false);
	if (!unverified) return unverified;
	auto const bytes = static_cast<std::int64_t>(unverified->size_bytes());
	m_environment.early.lent_bytes += bytes;
	// What becomes of the piece is told in an event, which comes after this also where it is known
	// by now.
	m_lent_early[at.piece] += bytes;
	return unverified;
}

payload_totals torrent_entry::payload() const
{
	try
	{
		lt::torrent_status const status = m_handle.status(lt::status_flags_t{});
		return {status.total_payload_download, status.total_payload_upload};
	}
	catch (lt::system_error const&) { return {}; }
}

torrent_summary torrent_entry::summary() const
{
	torrent_summary s;
	s.hashes = m_hashes;
	s.id = m_id;
	s.name = m_name;
	s.phase = m_phase;
	s.failure = m_failure;
	s.paused = m_paused;
	if (m_files) s.files = m_files->files;
	s.use = m_life.use();
	s.drops_at = m_drops_at;
	s.readers = static_cast<int>(m_readers.size());
	if (m_metadata)
	{
		s.size_bytes = m_metadata->total_size();
		s.piece_length_bytes = m_metadata->piece_length();
		s.num_pieces = m_metadata->num_pieces();
		if (auto const verified = memory().num_verified_pieces()) s.verified_pieces = *verified;
	}
	try
	{
		lt::torrent_status const status = m_handle.status(lt::status_flags_t{});
		s.peers = status.num_peers;
		s.download_rate_bytes_s = status.download_payload_rate;
		s.upload_rate_bytes_s = status.upload_payload_rate;
		s.downloaded_bytes = status.total_payload_download;
		s.uploaded_bytes = status.total_payload_upload;
	}
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", m_id, e.what()); }
	return s;
}

} // namespace slipstream
