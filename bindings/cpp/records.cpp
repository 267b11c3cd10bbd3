#include <slipstream_binding/records.hpp>

#include "hashes.hpp"
#include "session_core.hpp"

#include <libtorrent/alert_types.hpp>
#include <libtorrent/torrent_status.hpp>
#include <libtorrent/write_resume_data.hpp>

namespace slipstream::binding {

namespace {

template <typename Duration>
std::int64_t seconds_of(Duration const d) { return std::chrono::duration_cast<std::chrono::seconds>(d).count(); }

void set_error(alert_record& r, lt::error_code const& ec)
{
	if (!ec) return;
	r.error_value = ec.value();
	r.error_category = ec.category().name();
	r.error = ec.message();
}

void set_torrent(alert_record& r, lt::torrent_alert const& a, session_core& core)
{
	r.torrent_name = a.torrent_name();
	// The handle's torrent may be gone, its number is not.
	if (a.handle == lt::torrent_handle()) return;
	auto const entry = core.enter(a.handle);
	r.torrent = entry->number;
	std::scoped_lock const l(entry->hashes_mutex);
	bool const known = entry->hashes.has_v1() || entry->hashes.has_v2();
	if (!known || lt::alert_cast<lt::metadata_received_alert>(&a))
	{
		// Empty once the torrent is gone.
		auto const now = a.handle.info_hashes();
		if (now.has_v1() || now.has_v2()) entry->hashes = now;
	}
	r.v1 = v1_of(entry->hashes);
	r.v2 = v2_of(entry->hashes);
}

void set_hashes(alert_record& r, lt::info_hash_t const& hashes)
{
	r.v1 = v1_of(hashes);
	r.v2 = v2_of(hashes);
}

void set_peer(alert_record& r, lt::peer_alert const& a)
{
	r.endpoint = text_of(a.endpoint);
	r.peer_id = a.pid.to_string();
}

template <typename Alert>
void set_block(alert_record& r, Alert const& a)
{
	r.piece = static_cast<int>(a.piece_index);
	r.block = a.block_index;
}

// What alerts of the kind have beyond the common; true when the type was this one.
template <typename Alert, typename F>
bool with(lt::alert const& alert, F&& f)
{
	auto const* const a = lt::alert_cast<Alert>(&alert);
	if (a) f(*a);
	return a != nullptr;
}

bool about_torrents(alert_record& r, lt::alert const& alert, session_core& core)
{
	return with<lt::state_changed_alert>(alert, [&](auto const& a) { r.state = a.state; r.previous_state = a.prev_state; })
		|| with<lt::add_torrent_alert>(alert, [&](auto const& a) {
			set_hashes(r, a.params.ti ? a.params.ti->info_hashes() : a.params.info_hashes);
			set_error(r, a.error);
		})
		|| with<lt::torrent_removed_alert>(alert, [&](auto const& a) { set_hashes(r, a.info_hashes); })
		|| with<lt::torrent_error_alert>(alert, [&](auto const& a) { r.text = a.filename(); set_error(r, a.error); })
		|| with<lt::file_error_alert>(alert, [&](auto const& a) {
			r.text = a.filename();
			r.operation = static_cast<int>(a.op);
			set_error(r, a.error);
		})
		|| with<lt::file_completed_alert>(alert, [&](auto const& a) { r.file = static_cast<int>(a.index); })
		|| with<lt::metadata_failed_alert>(alert, [&](auto const& a) { set_error(r, a.error); })
		|| with<lt::save_resume_data_alert>(alert, [&](auto const& a) {
			auto params = a.params;
			core.disk().disk()->put_back_priorities(params, a.handle);
			auto const data = lt::write_resume_data_buf(params);
			r.data.assign(data.begin(), data.end());
			set_hashes(r, params.ti ? params.ti->info_hashes() : params.info_hashes);
		})
		|| with<lt::save_resume_data_failed_alert>(alert, [&](auto const& a) { set_error(r, a.error); })
		|| with<lt::state_update_alert>(alert, [&](auto const& a) {
			for (auto const& s : a.status) r.torrents.push_back(record_of(s, core.enter(s.handle)->number));
		});
}

bool about_pieces(alert_record& r, lt::alert const& alert)
{
	return with<lt::piece_finished_alert>(alert, [&](auto const& a) { r.piece = static_cast<int>(a.piece_index); })
		|| with<lt::hash_failed_alert>(alert, [&](auto const& a) { r.piece = static_cast<int>(a.piece_index); })
		|| with<lt::block_finished_alert>(alert, [&](auto const& a) { set_peer(r, a); set_block(r, a); })
		|| with<lt::block_downloading_alert>(alert, [&](auto const& a) { set_peer(r, a); set_block(r, a); })
		|| with<lt::block_timeout_alert>(alert, [&](auto const& a) { set_peer(r, a); set_block(r, a); });
}

bool about_trackers(alert_record& r, lt::alert const& alert)
{
	auto const url = [&](lt::tracker_alert const& a) { r.url = a.tracker_url(); };
	return with<lt::tracker_announce_alert>(alert, [&](auto const& a) { url(a); r.event = static_cast<int>(a.event); })
		|| with<lt::tracker_reply_alert>(alert, [&](auto const& a) { url(a); r.count = a.num_peers; })
		|| with<lt::tracker_warning_alert>(alert, [&](auto const& a) { url(a); r.text = a.warning_message(); })
		|| with<lt::tracker_error_alert>(alert, [&](auto const& a) {
			url(a);
			r.count = a.times_in_row;
			r.text = a.failure_reason();
			r.operation = static_cast<int>(a.op);
			set_error(r, a.error);
		});
}

bool about_peers(alert_record& r, lt::alert const& alert)
{
	return with<lt::peer_connect_alert>(alert, [&](auto const& a) {
			set_peer(r, a);
			r.direction = static_cast<int>(a.direction);
			r.socket_type = static_cast<int>(a.socket_type);
		})
		|| with<lt::peer_disconnected_alert>(alert, [&](auto const& a) {
			set_peer(r, a);
			r.operation = static_cast<int>(a.op);
			r.socket_type = static_cast<int>(a.socket_type);
			r.reason = static_cast<int>(a.reason);
			set_error(r, a.error);
		})
		|| with<lt::peer_error_alert>(alert, [&](auto const& a) {
			set_peer(r, a);
			r.operation = static_cast<int>(a.op);
			set_error(r, a.error);
		})
		|| with<lt::peer_ban_alert>(alert, [&](auto const& a) { set_peer(r, a); });
}

bool about_session(alert_record& r, lt::alert const& alert)
{
	return with<lt::listen_succeeded_alert>(alert, [&](auto const& a) {
			r.endpoint = text_of({a.address, static_cast<std::uint16_t>(a.port)});
			r.socket_type = static_cast<int>(a.socket_type);
		})
		|| with<lt::listen_failed_alert>(alert, [&](auto const& a) {
			r.endpoint = text_of({a.address, static_cast<std::uint16_t>(a.port)});
			r.text = a.listen_interface();
			r.socket_type = static_cast<int>(a.socket_type);
			r.operation = static_cast<int>(a.op);
			set_error(r, a.error);
		})
		|| with<lt::session_stats_alert>(alert, [&](auto const& a) {
			auto const counters = a.counters();
			r.counters.assign(counters.begin(), counters.end());
		});
}

} // namespace

alert_record const& alert_batch::at(int const index) const
{
	static alert_record const none;
	return index >= 0 && index < size() ? m_alerts[static_cast<std::size_t>(index)] : none;
}

torrent_record record_of(lt::torrent_status const& s, std::int64_t const number)
{
	torrent_record r;
	r.torrent = number;
	r.v1 = v1_of(s.info_hashes);
	r.v2 = v2_of(s.info_hashes);
	r.state = s.state;
	r.flags = static_cast<std::uint64_t>(s.flags);
	if (s.errc)
	{
		r.error_value = s.errc.value();
		r.error = s.errc.message();
	}
	r.name = s.name;
	r.save_path = s.save_path;
	r.current_tracker = s.current_tracker;
	r.has_metadata = s.has_metadata;
	r.is_seeding = s.is_seeding;
	r.is_finished = s.is_finished;
	r.need_save_resume = s.need_save_resume;
	r.announcing_to_trackers = s.announcing_to_trackers;
	r.announcing_to_dht = s.announcing_to_dht;
	r.announcing_to_lsd = s.announcing_to_lsd;
	r.moving_storage = s.moving_storage;
	r.total_download = s.total_download;
	r.total_upload = s.total_upload;
	r.total_payload_download = s.total_payload_download;
	r.total_payload_upload = s.total_payload_upload;
	r.total_failed = s.total_failed_bytes;
	r.total_redundant = s.total_redundant_bytes;
	r.total_done = s.total_done;
	r.total = s.total;
	r.total_wanted_done = s.total_wanted_done;
	r.total_wanted = s.total_wanted;
	r.all_time_upload = s.all_time_upload;
	r.all_time_download = s.all_time_download;
	r.added_time = s.added_time;
	r.completed_time = s.completed_time;
	r.last_seen_complete = s.last_seen_complete;
	r.next_announce_seconds = seconds_of(s.next_announce);
	r.active_seconds = seconds_of(s.active_duration);
	r.seeding_seconds = seconds_of(s.seeding_duration);
	r.finished_seconds = seconds_of(s.finished_duration);
	r.progress_ppm = s.progress_ppm;
	r.queue_position = static_cast<int>(s.queue_position);
	r.download_rate = s.download_rate;
	r.upload_rate = s.upload_rate;
	r.download_payload_rate = s.download_payload_rate;
	r.upload_payload_rate = s.upload_payload_rate;
	r.num_seeds = s.num_seeds;
	r.num_peers = s.num_peers;
	r.num_complete = s.num_complete;
	r.num_incomplete = s.num_incomplete;
	r.list_seeds = s.list_seeds;
	r.list_peers = s.list_peers;
	r.connect_candidates = s.connect_candidates;
	r.num_pieces = s.num_pieces;
	r.num_connections = s.num_connections;
	r.num_uploads = s.num_uploads;
	r.block_size = s.block_size;
	r.distributed_copies_ppm = s.distributed_full_copies < 0 ? -1
		: s.distributed_full_copies * 1'000'000 + s.distributed_fraction * 1000;
	r.pieces.reserve(static_cast<std::size_t>(s.pieces.size()));
	for (auto const i : s.pieces.range()) r.pieces.push_back(s.pieces.get_bit(i) ? '\1' : '\0');
	return r;
}

alert_record record_of(lt::alert const& alert, session_core& core)
{
	alert_record r;
	r.alert_type = alert.type();
	r.category = static_cast<std::uint32_t>(alert.category());
	r.what = alert.what();
	r.message = alert.message();
	r.age_us = std::chrono::duration_cast<std::chrono::microseconds>(lt::clock_type::now() - alert.timestamp()).count();
	// Every alert of a torrent derives from it.
	if (auto const* const t = dynamic_cast<lt::torrent_alert const*>(&alert)) set_torrent(r, *t, core);
	static_cast<void>(about_torrents(r, alert, core) || about_pieces(r, alert) || about_trackers(r, alert) || about_peers(r, alert)
		|| about_session(r, alert));
	return r;
}

} // namespace slipstream::binding
