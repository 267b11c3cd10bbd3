// What libtorrent tells of torrents, peers, files and trackers, and its alerts, as copies: plain
// values that point to nothing.
//
// Units are libtorrent's: bytes, bytes a second, seconds where a name says so. Text is as it came,
// which may be any bytes.
#pragma once

#include <slipstream_binding/outcome.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace slipstream::binding {

struct torrent_record
{
	std::int64_t torrent = 0;  // the session's number for it
	bytes v1, v2;              // raw; empty where the torrent has none
	int state = 0;             // lt::torrent_status::state_t
	std::uint64_t flags = 0;   // lt::torrent_flags
	int error_value = 0;
	std::string error;         // empty: none
	std::string name, save_path, current_tracker;
	bool has_metadata = false, is_seeding = false, is_finished = false, need_save_resume = false, announcing_to_trackers = false
		, announcing_to_dht = false, announcing_to_lsd = false, moving_storage = false;
	std::int64_t total_download = 0, total_upload = 0, total_payload_download = 0, total_payload_upload = 0, total_failed = 0
		, total_redundant = 0, total_done = 0, total = 0, total_wanted_done = 0, total_wanted = 0, all_time_upload = 0
		, all_time_download = 0;
	std::int64_t added_time = 0, completed_time = 0, last_seen_complete = 0;  // seconds since 1970, UTC; 0: never
	std::int64_t next_announce_seconds = 0, active_seconds = 0, seeding_seconds = 0, finished_seconds = 0;
	int progress_ppm = 0, queue_position = 0, download_rate = 0, upload_rate = 0, download_payload_rate = 0, upload_payload_rate = 0
		, num_seeds = 0, num_peers = 0, num_complete = 0, num_incomplete = 0, list_seeds = 0, list_peers = 0, connect_candidates = 0
		, num_pieces = 0, num_connections = 0, num_uploads = 0, block_size = 0, distributed_copies_ppm = 0;
	bytes pieces;              // a byte for each piece: 1 where libtorrent has it; empty unless asked for
};

struct peer_record
{
	std::string endpoint;      // ADDR:PORT, IPv6 in brackets
	bytes peer_id;             // 20 bytes
	std::string client;
	std::uint32_t flags = 0, source = 0;
	std::int64_t total_download = 0, total_upload = 0;
	int down_speed = 0, up_speed = 0, payload_down_speed = 0, payload_up_speed = 0, progress_ppm = 0, num_pieces = 0
		, download_queue_length = 0, upload_queue_length = 0, num_hashfails = 0, failcount = 0, rtt_ms = 0;
};

struct file_record
{
	int index = 0;
	std::string path;          // inside the torrent, '/' between parts
	std::string name;          // the last part
	std::int64_t size = 0, offset = 0, done = 0;
	int priority = 0;          // 0 (not wanted) to 7
	int first_piece = 0, end_piece = 0;  // the pieces with bytes of it: [first_piece, end_piece)
	bool pad = false;
};

struct tracker_record
{
	std::string url, message, error;
	int tier = 0, fails = 0, scrape_complete = -1, scrape_incomplete = -1;
	bool verified = false, updating = false;
};

// One alert. `alert_type` is libtorrent's number, `what` its name; the other fields say something
// for the types that have them, and are the neutral value for all others.
struct alert_record
{
	int alert_type = 0;
	std::uint32_t category = 0;
	std::string what, message;
	std::int64_t age_us = 0;          // how long before it was popped it was posted
	std::int64_t torrent = 0;         // the session's number for its torrent; 0: none
	bytes v1, v2;
	std::string torrent_name;
	int state = 0, previous_state = 0;
	int piece = -1, block = -1, file = -1;
	std::string endpoint;             // a peer's, or where it listens
	bytes peer_id;
	std::string url, text;            // a tracker; its reason, a file's name, an interface
	int count = 0;                    // peers in a reply, failures in a row
	int event = 0, direction = 0, socket_type = 0, operation = 0, reason = 0;
	int error_value = 0;
	std::string error_category, error;
	bytes data;                       // resume data, bencoded
	std::vector<std::int64_t> counters;
	std::vector<torrent_record> torrents;
};

// Alerts that were popped together, in order.
class alert_batch
{
public:
	[[nodiscard]] int size() const { return static_cast<int>(m_alerts.size()); }
	// Errors: out_of_range, as an empty record.
	[[nodiscard]] alert_record const& at(int index) const;
#ifndef SWIG
	std::vector<alert_record> m_alerts;
#endif
};

} // namespace slipstream::binding
