#include "cli/play.hpp"

#include "cli/address.hpp"
#include "cli/choose_file.hpp"
#include "cli/output.hpp"
#include "cli/player.hpp"
#include "cli/progress.hpp"
#include "cli/size.hpp"
#include "cli/swarm.hpp"
#include "cli/watching.hpp"
#include "http/media_type.hpp"
#include "http/playlist.hpp"
#include "http/route.hpp"
#include "http/server.hpp"

#include <slipstream/engine.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <csignal>
#include <exception>
#include <optional>
#include <stdexcept>

namespace slipstream::cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using steady = std::chrono::steady_clock;

// Between two looks at the state that a terminal is shown.
constexpr std::chrono::milliseconds line_interval{500};
// For a player to end when it is told to.
constexpr std::chrono::seconds player_patience{3};
constexpr std::size_t lease_bytes = 256 << 10;

template <typename T>
T must(expected<T> e)
{
	if (!e) throw std::runtime_error(e.error().detail);
	return std::move(*e);
}

class playing
{
public:
	explicit playing(play_settings const& settings)
		: m_settings(settings)
		, m_signals(m_io, SIGINT, SIGTERM, SIGHUP)
		, m_children(m_io, SIGCHLD)
		, m_child_ended(m_io)
		, m_line(m_io)
		, m_patience(m_io)
	{
		m_child_ended.expires_at(steady::time_point::max());
	}

	int run()
	{
		// Before anything starts: what cannot be had is said at once.
		if (m_settings.output.empty()) m_player_words = must(player_words(m_settings.player));
		else if (auto const why = output::objection(m_settings.output); !why.empty()) throw std::runtime_error(why);
		m_engine.emplace(options_of(m_settings));
		wait_for_signal();
		if (m_progress.live()) draw_line();
		asio::co_spawn(m_io, play_it(), [this](std::exception_ptr const& failure, int const exit_code) {
			m_failure = failure;
			m_exit_code = exit_code;
			m_io.stop();
		});
		m_io.run();
		m_progress.finish();
		if (m_interrupted != 0) m_exit_code = 128 + m_interrupted;
		else if (m_failure) m_exit_code = exit_failed;
		// Said before the engine ends, which may end the process.
		if (m_failure && m_interrupted == 0) say_failure();
		error_code ignored;
		m_signals.clear(ignored);  // a second signal ends the process at once
		m_reader.reset();
		m_output.reset();
		m_server.reset();
		stop_within(*m_engine, std::chrono::seconds(3), m_exit_code);
		return m_exit_code;
	}

private:
	void say_failure() const
	{
		try { std::rethrow_exception(m_failure); }
		catch (std::exception const& e) { say(stderr, fmt::format("slipstream: {}", e.what())); }
	}

	void wait_for_signal()
	{
		m_signals.async_wait([this](error_code const ec, int const number) {
			if (ec) return;
			interrupt(number);
			wait_for_signal();
		});
	}

	// The player is asked to end, and made to the second time or when it takes too long; all else
	// is left where it is.
	void interrupt(int const number)
	{
		bool const again = m_interrupted != 0;
		m_interrupted = number;
		if (!m_player) return m_io.stop();
		m_player->signal(again ? SIGKILL : SIGTERM);
		if (again) return;
		m_patience.expires_after(player_patience);
		m_patience.async_wait([this](error_code const ec) { if (!ec && m_player) m_player->signal(SIGKILL); });
	}

	asio::awaitable<int> play_it()
	{
		m_id = must(m_engine->add(m_settings.torrent));
		m_progress.step(fmt::format("looking at {}", printable(m_settings.torrent)));
		error_code ec;
		co_await m_engine->async_wait_ready(m_id, asio::redirect_error(asio::use_awaitable, ec));
		if (ec) throw std::runtime_error(failure_of(*m_engine, m_id, ec));
		torrent_summary const torrent = must(m_engine->find(m_id));
		m_file = must(choose_file(torrent.files, m_settings.file));
		m_file_offset = offset_of(torrent.files, m_file->index);
		int const exit_code = m_settings.output.empty() ? co_await to_player(torrent) : co_await to_output();
		co_return exit_code;
	}

	asio::awaitable<int> to_player(torrent_summary const& torrent)
	{
		m_server.emplace(*m_engine, http::server_options{.listen = {{asio::ip::address_v4::loopback(), 0}}, .early = m_settings.early});
		std::string const base = url_of(m_server->endpoints().front());
		auto const url = [&](file_entry const& f) { return base + http::stream_path(m_id, f.index, f.name); };
		std::vector<std::string> subtitles, sounds;
		for (auto const& item : http::playlist_items(torrent.files))
		{
			if (item.file->index != m_file->index) continue;
			for (file_entry const* const side : item.sides)
				(http::media_kind_of(side->name) == http::media_kind::audio ? sounds : subtitles).push_back(url(*side));
		}
		auto words = player_command_line(m_player_words, url(*m_file), subtitles, sounds);
		std::string const name = words.front();
		m_progress.step(fmt::format("playing {} ({}) in {}: {}", printable(m_file->name), size_text(m_file->size_bytes)
			, name, url(*m_file)));
		m_progress.finish();
		wait_for_child();
		m_player.emplace(must(child_process::start(std::move(words))));
		while (!m_player->ended())
		{
			error_code cancelled;
			co_await m_child_ended.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
		}
		int const code = *m_player->ended();
		m_player.reset();
		m_patience.cancel();
		if (code != 0 && m_interrupted == 0)
			throw std::runtime_error(code > 128 ? fmt::format("{} was ended by signal {}", name, code - 128)
				: fmt::format("{} ended with exit code {}", name, code));
		co_return 0;
	}

	void wait_for_child()
	{
		m_children.async_wait([this](error_code const ec, int) {
			if (ec) return;
			wait_for_child();
			m_child_ended.cancel();
		});
	}

	asio::awaitable<int> to_output()
	{
		m_output.emplace(must(output::open(m_io, m_settings.output)));
		m_reader = must(m_engine->open(m_id, m_file->index));
		m_progress.step(fmt::format("writing {} ({}) to {}", printable(m_file->name), size_text(m_file->size_bytes)
			, m_settings.output == "-" ? "the standard output" : m_settings.output));
		m_progress.finish();
		while (m_reader->position_bytes() < m_reader->size_bytes())
		{
			error_code ec;
			std::int64_t const position = m_reader->position_bytes();
			lease const bytes = co_await m_reader->async_lease(lease_bytes
				, asio::redirect_error(asio::use_awaitable, ec));
			if (ec) throw std::runtime_error(fmt::format("{} of {}: {}", size_text(position)
				, size_text(m_file->size_bytes), failure_of(*m_engine, m_id, ec)));
			for (lease::view const view : bytes.views())
			{
				ec = co_await m_output->write(view);
				if (ec == boost::system::errc::broken_pipe)
				{
					m_progress.step(fmt::format("whoever read it has enough, after about {}", size_text(position)));
					co_return 0;
				}
				if (ec) throw std::runtime_error(fmt::format("--output: {}: {}", m_settings.output, ec.message()));
			}
		}
		m_output->finish();
		m_progress.step(fmt::format("all of it: {}", size_text(m_file->size_bytes)));
		co_return 0;
	}

	// Now and every half second.
	void draw_line()
	{
		if (std::string const line = status_line(); !line.empty()) m_progress.update(line);
		m_line.expires_after(line_interval);
		m_line.async_wait([this](error_code const ec) { if (!ec) draw_line(); });
	}

	std::string status_line()
	{
		auto const details = m_engine->details(m_id);
		if (!details) return {};
		torrent_summary const& torrent = details->summary;
		if (torrent.phase == torrent_phase::metadata)
			return fmt::format("{} peer{}  waiting for the torrent's metadata", torrent.peers, torrent.peers == 1 ? "" : "s");
		if (!m_file) return {};
		buffered around;
		if (auto const r = nearest_reader(details->readers, m_file->index, m_position))
		{
			std::int64_t const came = torrent.downloaded_bytes - m_downloaded;
			m_pace.observe(steady::now(), r->position_bytes, m_ahead + came);
			m_position = r->position_bytes;
			around = buffered_around(details->pieces, torrent.piece_length_bytes, m_file_offset, m_file->size_bytes, m_position);
		}
		m_downloaded = torrent.downloaded_bytes;
		m_ahead = around.ahead_bytes;
		return status_text(torrent, around, m_pace.bytes_per_s(), m_engine->memory().stats());
	}

	play_settings const& m_settings;
	asio::io_context m_io{1};
	asio::signal_set m_signals;
	asio::signal_set m_children;
	asio::steady_timer m_child_ended;  // never; cancelled when a child has
	asio::steady_timer m_line;
	asio::steady_timer m_patience;
	progress m_progress;
	std::vector<std::string> m_player_words;
	std::optional<engine> m_engine;
	std::optional<http::server> m_server;
	std::unique_ptr<reader> m_reader;
	std::optional<output> m_output;
	std::optional<child_process> m_player;

	std::string m_id;
	std::optional<file_entry> m_file;
	std::int64_t m_file_offset = 0;
	pace m_pace;
	std::int64_t m_position = 0;    // as of the last line, as the next two
	std::int64_t m_downloaded = 0;
	std::int64_t m_ahead = 0;

	int m_interrupted = 0;  // by this signal
	std::exception_ptr m_failure;
	int m_exit_code = 0;
};

} // namespace

int play(play_settings const& settings)
{
	std::signal(SIGPIPE, SIG_IGN);  // whoever reads our output may go
	playing p(settings);
	return p.run();
}

} // namespace slipstream::cli
