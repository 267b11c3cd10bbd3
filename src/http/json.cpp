#include "http/json.hpp"

#include "engine/address_text.hpp"
#include "engine/hex_text.hpp"
#include "http/media_type.hpp"
#include "http/route.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <ctime>
#include <optional>
#include <string_view>

namespace slipstream::http {
namespace {

using json = nlohmann::ordered_json;

std::string_view phase_name(torrent_phase const phase) noexcept
{
	switch (phase)
	{
		case torrent_phase::metadata: return "metadata";
		case torrent_phase::checking: return "checking";
		case torrent_phase::ready: return "ready";
		case torrent_phase::failed: break;
	}
	return "failed";
}

std::string_view kind_name(media_kind const kind) noexcept
{
	switch (kind)
	{
		case media_kind::video: return "video";
		case media_kind::audio: return "audio";
		case media_kind::subtitles: return "subtitles";
		case media_kind::other: break;
	}
	return "other";
}

std::string_view use_name(torrent_use const use) noexcept
{
	switch (use)
	{
		case torrent_use::added: return "added";
		case torrent_use::used: return "used";
		case torrent_use::idle: break;
	}
	return "idle";
}

// As RFC 3339 has it, to the second.
json time_text(std::optional<std::chrono::system_clock::time_point> const& at)
{
	if (!at) return nullptr;
	std::time_t const seconds = std::chrono::system_clock::to_time_t(*at);
	std::tm utc{};
	gmtime_r(&seconds, &utc);
	std::array<char, 32> text{};
	return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc));
}

json hash_text(bool const there, std::string_view const raw)
{
	return there ? json(hex_text(raw)) : json(nullptr);
}

json object_of(file_entry const& file, std::string_view const id)
{
	json o;
	o["index"] = file.index;
	o["path"] = file.path;
	o["name"] = file.name;
	o["size_bytes"] = file.size_bytes;
	o["media_type"] = media_type(file.name);
	o["kind"] = kind_name(media_kind_of(file.name));
	o["pad"] = file.pad;
	// Gaps between files (BEP 47) are not offered.
	if (!file.pad) o["stream_url"] = stream_path(id, file.index, file.name);
	return o;
}

json object_of(torrent_summary const& t, with_files const files)
{
	json o;
	o["id"] = t.id;
	o["v1"] = hash_text(t.hashes.has_v1(), {t.hashes.v1.data(), std::size_t(t.hashes.v1.size())});
	o["v2"] = hash_text(t.hashes.has_v2(), {t.hashes.v2.data(), std::size_t(t.hashes.v2.size())});
	o["name"] = t.name;
	o["phase"] = phase_name(t.phase);
	o["paused"] = t.paused;
	o["use"] = use_name(t.use);
	o["drops_at"] = time_text(t.drops_at);
	o["failure"] = t.failure ? json(t.failure->detail) : json(nullptr);
	o["size_bytes"] = t.size_bytes;
	o["piece_length_bytes"] = t.piece_length_bytes;
	o["num_pieces"] = t.num_pieces;
	o["verified_pieces"] = t.verified_pieces;
	o["peers"] = t.peers;
	o["readers"] = t.readers;
	o["download_rate_bytes_s"] = t.download_rate_bytes_s;
	o["upload_rate_bytes_s"] = t.upload_rate_bytes_s;
	o["downloaded_bytes"] = t.downloaded_bytes;
	o["uploaded_bytes"] = t.uploaded_bytes;
	if (files == with_files::no) return o;
	o["files"] = json::array();
	for (file_entry const& file : t.files) o["files"].push_back(object_of(file, t.id));
	return o;
}

std::string text_of(json const& o)
{
	// A torrent's names are any bytes: dump() must not throw on them.
	return o.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

std::string_view state_name(piece_state const state) noexcept
{
	switch (state)
	{
		case piece_state::absent: return "absent";
		case piece_state::partial: return "partial";
		case piece_state::complete: return "complete";
		case piece_state::verified: break;
	}
	return "verified";
}

json object_of(peer_entry const& peer)
{
	json o;
	o["address"] = endpoint_text(peer.endpoint);
	o["client"] = peer.client;
	o["outgoing"] = peer.outgoing;
	o["seed"] = peer.seed;
	o["progress"] = peer.progress_ppm / 1e6;
	o["download_rate_bytes_s"] = peer.download_rate_bytes_s;
	o["upload_rate_bytes_s"] = peer.upload_rate_bytes_s;
	o["downloaded_bytes"] = peer.downloaded_bytes;
	o["uploaded_bytes"] = peer.uploaded_bytes;
	return o;
}

json object_of(reader_entry const& r)
{
	json o;
	o["torrent_id"] = r.torrent_id;
	o["file_index"] = r.file_index;
	o["position_bytes"] = r.position_bytes;
	o["size_bytes"] = r.size_bytes;
	o["window"] = {{"first_piece", r.first_piece}, {"end_piece", r.end_piece}};
	o["lookbehind_bytes"] = r.lookbehind_bytes;
	o["consumed_bytes_s"] = r.consumed_bytes_s ? json(*r.consumed_bytes_s) : json(nullptr);
	o["waiting"] = r.waiting;
	o["idle"] = r.idle;
	return o;
}

} // namespace

std::string to_json(torrent_summary const& torrent) { return text_of(object_of(torrent, with_files::yes)); }

std::string to_json(torrent_details const& torrent)
{
	json o = object_of(torrent.summary, with_files::yes);
	o["peer_list"] = json::array();
	for (peer_entry const& peer : torrent.peers) o["peer_list"].push_back(object_of(peer));
	o["piece_runs"] = json::array();
	for (piece_run const& run : torrent.pieces)
		o["piece_runs"].push_back({{"first", run.first}, {"count", run.count}, {"state", state_name(run.state)}});
	o["reader_list"] = json::array();
	for (reader_entry const& r : torrent.readers) o["reader_list"].push_back(object_of(r));
	return text_of(o);
}

std::string to_json(std::vector<torrent_summary> const& torrents, with_files const files)
{
	json list = json::array();
	for (torrent_summary const& t : torrents) list.push_back(object_of(t, files));
	return text_of(list);
}

std::string to_json(std::vector<reader_entry> const& readers)
{
	json list = json::array();
	for (reader_entry const& r : readers) list.push_back(object_of(r));
	return text_of(list);
}

std::string to_json(memory_stats const& memory)
{
	json o;
	o["capacity_bytes"] = memory.capacity_bytes;
	o["used_bytes"] = memory.used_bytes;
	o["peak_bytes"] = memory.peak_bytes;
	o["protectable_bytes"] = memory.protectable_bytes;
	o["lookbehind_bytes"] = memory.lookbehind_bytes;
	o["lookbehind_available_bytes"] = memory.lookbehind_available_bytes;
	o["pieces_hashed"] = memory.pieces_hashed;
	o["pieces_verified"] = memory.pieces_verified;
	o["pieces_evicted"] = memory.pieces_evicted;
	o["pieces_forgotten"] = memory.pieces_forgotten;
	o["writes_refused"] = memory.writes_refused;
	o["reads_missed"] = memory.reads_missed;
	return text_of(o);
}

std::string settings_json(std::int64_t const capacity_bytes, window_extents const& windows)
{
	return text_of({{"capacity_bytes", capacity_bytes}, {"min_capacity_bytes", memory_disk::min_capacity_bytes}
		, {"lookbehind", extent_text(windows.lookbehind)}, {"read_ahead", extent_text(windows.read_ahead)}});
}

} // namespace slipstream::http
