#include "cli/info.hpp"

#include "cli/choose_file.hpp"
#include "cli/progress.hpp"
#include "cli/size.hpp"
#include "cli/swarm.hpp"
#include "engine/info_hash_text.hpp"
#include "engine/torrent_source.hpp"
#include "http/media_type.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <libtorrent/announce_entry.hpp>
#include <libtorrent/torrent_info.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace slipstream::cli {
namespace {

using json = nlohmann::ordered_json;
using boost::system::error_code;

std::string v1_of(lt::info_hash_t const& hashes) { return id_of(lt::info_hash_t(hashes.v1)); }
std::string v2_of(lt::info_hash_t const& hashes) { return id_of(lt::info_hash_t(hashes.v2)); }

void add_once(std::vector<std::string>& list, std::string const& what)
{
	if (std::find(list.begin(), list.end(), what) == list.end()) list.push_back(what);
}

torrent_info_text text_from(lt::add_torrent_params const& params)
{
	torrent_info_text t;
	for (std::string const& url : params.trackers) add_once(t.trackers, url);
	t.web_seeds = params.url_seeds;
	t.torrent.hashes = params.info_hashes;
	t.torrent.name = params.name;
	if (params.ti == nullptr) return t;
	lt::torrent_info const& metadata = *params.ti;
	for (auto const& tracker : metadata.trackers()) add_once(t.trackers, tracker.url);
	for (auto const& seed : metadata.web_seeds()) add_once(t.web_seeds, seed.url);
	t.torrent.hashes = metadata.info_hashes();
	t.torrent.name = metadata.name();
	t.torrent.files = files_of(metadata);
	t.torrent.size_bytes = metadata.total_size();
	t.torrent.piece_length_bytes = metadata.piece_length();
	t.torrent.num_pieces = metadata.num_pieces();
	return t;
}

// A magnet link's metadata, from its peers.
class asking
{
public:
	asking(info_settings const& settings, engine& e) : m_settings(settings), m_engine(e), m_signals(m_io, SIGINT, SIGTERM), m_tick(m_io) {}

	// The signal that interrupted it, or 0.
	int run(std::string const& id)
	{
		m_signals.async_wait([this](error_code const ec, int const number) {
			if (ec) return;
			m_interrupted = number;
			m_io.stop();
		});
		m_progress.step("waiting for the torrent's metadata");
		m_engine.async_wait_ready(id, boost::asio::bind_executor(m_io.get_executor()
			, [this](error_code const ec) { m_ended = ec; m_io.stop(); }));
		if (m_progress.live()) tick(id);
		m_io.run();
		m_progress.finish();
		return m_interrupted;
	}

	[[nodiscard]] error_code ended() const { return m_ended; }

private:
	void tick(std::string const& id)
	{
		auto const waited = std::chrono::steady_clock::now() - m_began;
		if (auto const found = m_engine.find(id))
			m_progress.update(fmt::format("waiting for the torrent's metadata: {} peer{}, {} s of {} s", found->peers
				, found->peers == 1 ? "" : "s", std::chrono::duration_cast<std::chrono::seconds>(waited).count()
				, std::chrono::duration_cast<std::chrono::seconds>(m_settings.metadata_timeout).count()));
		m_tick.expires_after(std::chrono::milliseconds(500));
		m_tick.async_wait([this, id](error_code const ec) { if (!ec) tick(id); });
	}

	info_settings const& m_settings;
	engine& m_engine;
	boost::asio::io_context m_io{1};
	boost::asio::signal_set m_signals;
	boost::asio::steady_timer m_tick;
	progress m_progress;
	std::chrono::steady_clock::time_point const m_began = std::chrono::steady_clock::now();
	error_code m_ended;
	int m_interrupted = 0;
};

void print(torrent_info_text const& t, bool const as_json)
{
	std::string const text = as_json ? json_of(t) : text_of(t);
	std::fwrite(text.data(), 1, text.size(), stdout);
	if (std::fflush(stdout) != 0) throw std::runtime_error("the standard output cannot be written to");
}

int info_of_link(info_settings const& settings, torrent_info_text told)
{
	engine e(options_of(settings));
	auto const id = e.add_magnet(settings.torrent);
	if (!id) throw std::runtime_error(id.error().detail);
	asking link(settings, e);
	int const interrupted = link.run(*id);
	int exit_code = interrupted != 0 ? 128 + interrupted : 0;
	auto const found = e.find(*id);
	// A torrent that is too large for the memory has failed, and is known all the same.
	if (interrupted == 0 && found && !found->files.empty())
	{
		told.torrent = *found;
		print(told, settings.json);
	}
	else if (interrupted == 0)
	{
		say(stderr, fmt::format("slipstream: {}", failure_of(e, *id, link.ended())));
		exit_code = exit_failed;
	}
	stop_within(e, std::chrono::seconds(3), exit_code);
	return exit_code;
}

} // namespace

std::string text_of(torrent_info_text const& t)
{
	std::string out;
	auto const line = [&](char const* const what, std::string const& text) { out += fmt::format("{:<13}{}\n", what, printable(text)); };
	torrent_summary const& torrent = t.torrent;
	line("name", torrent.name);
	if (torrent.hashes.has_v1()) line("info-hash v1", v1_of(torrent.hashes));
	if (torrent.hashes.has_v2()) line("info-hash v2", v2_of(torrent.hashes));
	line("size", fmt::format("{} ({} bytes)", size_text(torrent.size_bytes), torrent.size_bytes));
	line("pieces", fmt::format("{} of {}", torrent.num_pieces, size_text(torrent.piece_length_bytes)));
	for (std::string const& url : t.trackers) line("tracker", url);
	for (std::string const& url : t.web_seeds) line("web seed", url);
	out += fmt::format("\n {:>6}  {:>12}  {:<24}  {}\n", "file", "size", "media type", "path  (* can be played)");
	for (file_entry const& file : torrent.files)
	{
		if (file.pad) continue;
		out += fmt::format("{}{:>6}  {:>12}  {:<24}  {}\n", is_playable(file) ? '*' : ' ', file.index, size_text(file.size_bytes)
			, http::media_type(file.name), printable(file.path));
	}
	return out;
}

// The names of the HTTP API, where it has them.
std::string json_of(torrent_info_text const& t)
{
	torrent_summary const& torrent = t.torrent;
	json o;
	o["id"] = id_of(torrent.hashes);
	o["v1"] = torrent.hashes.has_v1() ? json(v1_of(torrent.hashes)) : json(nullptr);
	o["v2"] = torrent.hashes.has_v2() ? json(v2_of(torrent.hashes)) : json(nullptr);
	o["name"] = torrent.name;
	o["size_bytes"] = torrent.size_bytes;
	o["piece_length_bytes"] = torrent.piece_length_bytes;
	o["num_pieces"] = torrent.num_pieces;
	o["trackers"] = t.trackers;
	o["web_seeds"] = t.web_seeds;
	o["files"] = json::array();
	for (file_entry const& file : torrent.files)
	{
		if (file.pad) continue;
		json f;
		f["index"] = file.index;
		f["path"] = file.path;
		f["name"] = file.name;
		f["size_bytes"] = file.size_bytes;
		f["media_type"] = http::media_type(file.name);
		f["playable"] = is_playable(file);
		o["files"].push_back(std::move(f));
	}
	return o.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

int info(info_settings const& settings)
{
	std::signal(SIGPIPE, SIG_IGN);
	auto const params = parse_uri(settings.torrent, engine::max_torrent_bytes);
	if (!params) throw std::runtime_error(params.error().detail);
	torrent_info_text told = text_from(*params);
	if (params->ti == nullptr) return info_of_link(settings, std::move(told));
	print(told, settings.json);
	return 0;
}

} // namespace slipstream::cli
