// What a session's torrents are asked and told: each call finds the torrent by its number, uses the
// session, and is done.
#include <slipstream_binding/session.hpp>

#include "hashes.hpp"
#include "session_core.hpp"

#include <libtorrent/announce_entry.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include <iterator>

namespace slipstream::binding {

namespace {

// A torrent, and the session for as long as this lives.
class in_use
{
public:
	in_use(std::shared_ptr<session_core> const& core, std::int64_t const torrent)
		: m_entry((core ? *core : (fail(fault_closed, "the session was never started"), *core)).entry(torrent)), m_use(*core) {}
	[[nodiscard]] lt::torrent_handle const* operator->() const { return &m_entry->handle; }
	[[nodiscard]] std::shared_ptr<torrent_entry> const& entry() const { return m_entry; }
	[[nodiscard]] std::shared_ptr<lt::torrent_info const> metadata() const
	{
		auto metadata = m_entry->handle.torrent_file();
		if (!metadata) fail(fault_no_metadata, "the torrent's metadata has not arrived");
		return metadata;
	}

private:
	std::shared_ptr<torrent_entry> m_entry;
	session_core::use m_use;
};

lt::piece_index_t piece_in(lt::torrent_info const& metadata, int const piece)
{
	if (piece < 0 || piece >= metadata.num_pieces())
		fail(fault_no_such_piece, "the torrent has pieces 0 to " + std::to_string(metadata.num_pieces() - 1) + ", not "
			+ std::to_string(piece));
	return lt::piece_index_t(piece);
}

} // namespace

torrent_record session::status(std::int64_t const torrent, bool const with_pieces, outcome& out) const
{
	return guarded(out, [&] {
		in_use const t(m_core, torrent);
		auto wanted = lt::torrent_handle::query_accurate_download_counters | lt::torrent_handle::query_last_seen_complete
			| lt::torrent_handle::query_distributed_copies | lt::torrent_handle::query_save_path | lt::torrent_handle::query_name;
		if (with_pieces) wanted |= lt::torrent_handle::query_pieces;
		return record_of(t->status(wanted), torrent);
	});
}

bool session::is_valid(std::int64_t const torrent) const
{ return guarded_or(false, [&] { return m_core && m_core->entry(torrent)->handle.is_valid(); }); }

bytes session::v1_hash(std::int64_t const torrent, outcome& out) const
{ return guarded(out, [&] { return v1_of(in_use(m_core, torrent)->info_hashes()); }); }

bytes session::v2_hash(std::int64_t const torrent, outcome& out) const
{ return guarded(out, [&] { return v2_of(in_use(m_core, torrent)->info_hashes()); }); }

std::vector<file_record> session::files(std::int64_t const torrent, outcome& out) const
{
	return guarded(out, [&] {
		in_use const t(m_core, torrent);
		auto const metadata = t.metadata();
		auto const& files = metadata->files();
		auto const priorities = t->get_file_priorities();
		std::vector<std::int64_t> done;
		t->file_progress(done, lt::torrent_handle::piece_granularity);
		std::vector<file_record> result;
		for (auto const i : files.file_range())
		{
			auto const n = static_cast<std::size_t>(static_cast<int>(i));
			file_record f;
			f.index = static_cast<int>(i);
			f.path = files.file_path(i);
			f.name = std::string(files.file_name(i));
			f.size = files.file_size(i);
			f.offset = files.file_offset(i);
			f.done = n < done.size() ? done[n] : 0;
			f.priority = n < priorities.size() ? static_cast<int>(static_cast<std::uint8_t>(priorities[n])) : 4;
			f.first_piece = static_cast<int>(f.offset / metadata->piece_length());
			f.end_piece = f.size == 0 ? f.first_piece : static_cast<int>((f.offset + f.size - 1) / metadata->piece_length()) + 1;
			f.pad = files.pad_file_at(i);
			result.push_back(std::move(f));
		}
		return result;
	});
}

int session::piece_length(std::int64_t const torrent, outcome& out) const
{ return guarded(out, [&] { return in_use(m_core, torrent).metadata()->piece_length(); }); }

bytes session::torrent_file(std::int64_t const torrent, outcome& out) const
{
	return guarded(out, [&] {
		in_use const t(m_core, torrent);
		static_cast<void>(t.metadata());
		// With the piece layers that came since: a link does not bring them.
		auto const metadata = t->torrent_file_with_hashes();
		if (!metadata) fail(fault_no_metadata, "the torrent's metadata has not arrived");
		try
		{
			bytes result;
			lt::bencode(std::back_inserter(result), lt::create_torrent(*metadata).generate());
			return result;
		}
		catch (lt::system_error const& e)
		{
			if (metadata->v2()) fail(fault_no_metadata, "the torrent's piece hashes (v2) have not all arrived: " + e.code().message());
			throw;
		}
	});
}

std::int64_t session::storage(std::int64_t const torrent, outcome& out) const
{
	return guarded(out, [&]() -> std::int64_t {
		in_use const t(m_core, torrent);
		auto const storage = m_core->storage(*t.entry());
		if (!storage.alive()) fail(fault_no_such_torrent, "the torrent has no storage yet; wait_ready waits for it");
		return m_core->disk().number_of(storage);
	});
}

void session::set_file_priority(std::int64_t const torrent, int const file, int const priority, outcome& out) const
{
	guarded(out, [&] {
		in_use const t(m_core, torrent);
		auto const count = t.metadata()->num_files();
		if (file < 0 || file >= count)
			fail(fault_no_such_file, "the torrent has files 0 to " + std::to_string(count - 1) + ", not " + std::to_string(file));
		t->file_priority(lt::file_index_t(file), parse_priorities({priority}).front());
	});
}

void session::set_file_priorities(std::int64_t const torrent, std::vector<int> const& priorities, outcome& out) const
{
	guarded(out, [&] {
		in_use const t(m_core, torrent);
		auto const count = static_cast<std::size_t>(t.metadata()->num_files());
		if (priorities.size() > count)
			fail(fault_no_such_file, "the torrent has " + std::to_string(count) + " files, not " + std::to_string(priorities.size()));
		t->prioritize_files(parse_priorities(priorities));
	});
}

std::vector<int> session::piece_priorities(std::int64_t const torrent, outcome& out) const
{
	return guarded(out, [&] {
		in_use const t(m_core, torrent);
		static_cast<void>(t.metadata());
		std::vector<int> result;
		for (auto const p : t->get_piece_priorities()) result.push_back(static_cast<int>(static_cast<std::uint8_t>(p)));
		return result;
	});
}

void session::set_piece_priority(std::int64_t const torrent, int const piece, int const priority, outcome& out) const
{
	guarded(out, [&] {
		in_use const t(m_core, torrent);
		t->piece_priority(piece_in(*t.metadata(), piece), parse_priorities({priority}).front());
	});
}

void session::set_piece_priorities(std::int64_t const torrent, std::vector<int> const& priorities, outcome& out) const
{
	guarded(out, [&] {
		in_use const t(m_core, torrent);
		auto const count = static_cast<std::size_t>(t.metadata()->num_pieces());
		if (priorities.size() != count)
			fail(fault_bad_argument, "the torrent has " + std::to_string(count) + " pieces, these are priorities for "
				+ std::to_string(priorities.size()));
		t->prioritize_pieces(parse_priorities(priorities));
	});
}

void session::set_piece_deadline(std::int64_t const torrent, int const piece, int const deadline_ms, outcome& out) const
{
	guarded(out, [&] {
		in_use const t(m_core, torrent);
		if (deadline_ms < 0) fail(fault_bad_argument, "a deadline is 0 ms or more from now, not " + std::to_string(deadline_ms));
		t->set_piece_deadline(piece_in(*t.metadata(), piece), deadline_ms);
	});
}

void session::reset_piece_deadline(std::int64_t const torrent, int const piece, outcome& out) const
{
	guarded(out, [&] {
		in_use const t(m_core, torrent);
		t->reset_piece_deadline(piece_in(*t.metadata(), piece));
	});
}

void session::clear_piece_deadlines(std::int64_t const torrent, outcome& out) const
{ guarded(out, [&] { in_use(m_core, torrent)->clear_piece_deadlines(); }); }

bool session::have_piece(std::int64_t const torrent, int const piece, outcome& out) const
{
	return guarded(out, [&] {
		in_use const t(m_core, torrent);
		auto const index = piece_in(*t.metadata(), piece);
		// Not have_piece(): before libtorrent 2.0.11 it does not count pieces of which a write is
		// held (docs/design.md).
		auto const pieces = t->status(lt::torrent_handle::query_pieces).pieces;
		return index < pieces.end_index() && pieces.get_bit(index);
	});
}

std::vector<tracker_record> session::trackers(std::int64_t const torrent, outcome& out) const
{
	return guarded(out, [&] {
		std::vector<tracker_record> result;
		for (auto const& t : in_use(m_core, torrent)->trackers())
		{
			tracker_record r;
			r.url = t.url;
			r.tier = t.tier;
			r.verified = t.verified;
			for (auto const& endpoint : t.endpoints)
				for (auto const v : {lt::protocol_version::V1, lt::protocol_version::V2})
				{
					auto const& i = endpoint.info_hashes[v];
					r.updating |= i.updating;
					r.fails = std::max<int>(r.fails, i.fails);
					r.scrape_complete = std::max(r.scrape_complete, i.scrape_complete);
					r.scrape_incomplete = std::max(r.scrape_incomplete, i.scrape_incomplete);
					if (r.message.empty()) r.message = i.message;
					if (r.error.empty() && i.last_error) r.error = i.last_error.message();
				}
			result.push_back(std::move(r));
		}
		return result;
	});
}

void session::add_tracker(std::int64_t const torrent, std::string const& url, int const tier, outcome& out) const
{
	guarded(out, [&] {
		if (tier < 0 || tier > 255) fail(fault_bad_argument, "a tier is 0 to 255, not " + std::to_string(tier));
		lt::announce_entry tracker(url);
		tracker.tier = static_cast<std::uint8_t>(tier);
		in_use(m_core, torrent)->add_tracker(tracker);
	});
}

std::vector<peer_record> session::peers(std::int64_t const torrent, outcome& out) const
{
	return guarded(out, [&] {
		std::vector<lt::peer_info> peers;
		in_use(m_core, torrent)->get_peer_info(peers);
		std::vector<peer_record> result;
		for (auto const& p : peers)
		{
			peer_record r;
			r.endpoint = text_of(p.ip);
			r.peer_id = p.pid.to_string();
			r.client = p.client;
			r.flags = static_cast<std::uint32_t>(p.flags);
			r.source = static_cast<std::uint32_t>(static_cast<std::uint8_t>(p.source));
			r.total_download = p.total_download;
			r.total_upload = p.total_upload;
			r.down_speed = p.down_speed;
			r.up_speed = p.up_speed;
			r.payload_down_speed = p.payload_down_speed;
			r.payload_up_speed = p.payload_up_speed;
			r.progress_ppm = p.progress_ppm;
			r.num_pieces = p.num_pieces;
			r.download_queue_length = p.download_queue_length;
			r.upload_queue_length = p.upload_queue_length;
			r.num_hashfails = p.num_hashfails;
			r.failcount = p.failcount;
			r.rtt_ms = p.rtt;
			result.push_back(std::move(r));
		}
		return result;
	});
}

std::uint64_t session::flags(std::int64_t const torrent, outcome& out) const
{ return guarded(out, [&] { return static_cast<std::uint64_t>(in_use(m_core, torrent)->flags()); }); }

void session::set_flags(std::int64_t const torrent, std::uint64_t const flags, std::uint64_t const mask, outcome& out) const
{ guarded(out, [&] { in_use(m_core, torrent)->set_flags(lt::torrent_flags_t(flags), lt::torrent_flags_t(mask)); }); }

void session::pause_torrent(std::int64_t const torrent, bool const graceful, outcome& out) const
{
	guarded(out, [&] {
		in_use(m_core, torrent)->pause(graceful ? lt::torrent_handle::graceful_pause : lt::pause_flags_t{});
	});
}

void session::resume_torrent(std::int64_t const torrent, outcome& out) const
{ guarded(out, [&] { in_use(m_core, torrent)->resume(); }); }

void session::force_reannounce(std::int64_t const torrent, outcome& out) const
{ guarded(out, [&] { in_use(m_core, torrent)->force_reannounce(); }); }

void session::force_dht_announce(std::int64_t const torrent, outcome& out) const
{ guarded(out, [&] { in_use(m_core, torrent)->force_dht_announce(); }); }

void session::force_recheck(std::int64_t const torrent, outcome& out) const
{ guarded(out, [&] { in_use(m_core, torrent)->force_recheck(); }); }

void session::set_limits(std::int64_t const torrent, int const upload, int const download, int const uploads, int const connections
	, outcome& out) const
{
	guarded(out, [&] {
		in_use const t(m_core, torrent);
		t->set_upload_limit(upload);
		t->set_download_limit(download);
		t->set_max_uploads(uploads);
		t->set_max_connections(connections);
	});
}

void session::connect_peer(std::int64_t const torrent, std::string const& endpoint, outcome& out) const
{
	guarded(out, [&] {
		auto const peer = parse_endpoint(endpoint);
		in_use(m_core, torrent)->connect_peer(peer);
	});
}

void session::save_resume_data(std::int64_t const torrent, outcome& out) const
{ guarded(out, [&] { in_use(m_core, torrent)->save_resume_data(lt::torrent_handle::save_info_dict); }); }

bytes session::resume_data(std::int64_t const torrent, stopper const& until, std::int64_t const timeout_ms, outcome& out) const
{
	return guarded(out, [&] {
		auto const deadline = deadline_in(timeout_ms);
		std::shared_ptr<torrent_entry> entry;
		std::uint64_t before = 0;
		{
			in_use const t(m_core, torrent);
			entry = t.entry();
			{
				std::scoped_lock const l(entry->resume_mutex);
				before = entry->resume_count;
			}
			t->save_resume_data(lt::torrent_handle::save_info_dict);
		}
		for (;;)
		{
			auto const seen = entry->changed.seen();
			{
				std::scoped_lock const l(entry->resume_mutex);
				if (entry->resume_count != before)
				{
					if (!entry->resume_error.empty()) fail(fault_libtorrent, entry->resume_error);
					return entry->resume_data;
				}
			}
			static_cast<void>(m_core->entry(torrent));
			if (until.stopped()) fail(fault_cancelled, "the wait for resume data was cancelled");
			if (!entry->changed.wait(seen, deadline)) fail(fault_read_timeout, "resume data did not come in time");
		}
	});
}

void session::wait_ready(std::int64_t const torrent, stopper const& until, std::int64_t const timeout_ms, outcome& out) const
{
	guarded(out, [&] {
		auto const deadline = deadline_in(timeout_ms);
		for (;;)
		{
			std::shared_ptr<torrent_entry> entry;
			std::uint64_t seen = 0;
			{
				in_use const t(m_core, torrent);
				entry = t.entry();
				seen = entry->changed.seen();
				auto const s = t->status({});
				if (s.errc) fail(fault_torrent_failed, "libtorrent stopped the torrent: " + s.errc.message());
				if (s.has_metadata && s.state != lt::torrent_status::checking_resume_data && m_core->storage(*entry).alive())
					return;
			}
			if (until.stopped()) fail(fault_cancelled, "the wait for the torrent was cancelled");
			if (!entry->changed.wait(seen, deadline)) fail(fault_metadata_timeout, "no peer sent the metadata in time");
		}
	});
}

} // namespace slipstream::binding
