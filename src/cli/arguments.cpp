#include "cli/arguments.hpp"

#include "cli/address.hpp"
#include "cli/flags.hpp"
#include "cli/help_format.hpp"
#include "cli/version.hpp"
#include "engine/address_text.hpp"
#include "http/credentials.hpp"
#include "http/options.hpp"

#include <slipstream/engine.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <utility>

namespace slipstream::cli {
namespace {

void add_window_flags(flags& f)
{
	f.add("lookbehind", "EXTENT", "what stays in memory behind a player, for seeking back: 25% of the capacity, 64MiB or 30s, default 25%");
	f.add("read-ahead", "EXTENT", "what is fetched ahead of a player, likewise, or auto: what it takes in 10 seconds, 64MiB until that is known; at most a quarter of the capacity, at least an eighth (1MiB to 64MiB); default auto");
}

void add_early_flag(flags& f)
{
	f.add_switch("early", "give a player bytes before their piece's hash was checked: sooner, and wrong ones where a peer sends such");
}

void add_serve_flags(flags& f)
{
	f.add("listen", "ADDR:PORT", "where to serve HTTP; IPv6 in brackets, port 0 picks a free one, default "
		"127.0.0.1:8090", true);
	f.add("host-name", "NAME", "a name that this server is reached by; others than localhost and addresses are refused", true);
	f.add("auth", "USER:PASSWORD", "what requests must come with (Basic); others can see it in the list of processes");
	f.add("auth-file", "FILE", "the same, one on each line of a file");
	f.add("tls-cert", "FILE", "serve HTTPS with this certificate and its chain, PEM");
	f.add("tls-key", "FILE", "the certificate's key, PEM");
	f.add("capacity", "SIZE", "memory for torrents' bytes, like 256MiB, 1GiB, 512MB or bytes, default 256MiB");
	add_window_flags(f);
	add_early_flag(f);
	f.add("idle", "DURATION", "drop a torrent that nobody has read for so long, like 30min or 2h; default never");
	f.add("peer-listen", "ADDR:PORT", "where peers may connect to, default 0.0.0.0:6881 and [::]:6881", true);
	f.add("connect", "ADDR:PORT", "a peer to connect to for every torrent", true);
	f.add_switch("offline", "no DHT, local discovery, UPnP, NAT-PMP, peer exchange, trackers, web seeds, nor peers named in a link");
	f.add("metadata-timeout", "SECONDS", "how long a magnet link's metadata is waited for, default 60");
	f.add("read-timeout", "SECONDS", "how long a stream waits for its next bytes, default 120");
	f.add("stall-timeout", "SECONDS", "how long a client may take nothing of a stream, like a paused player, default 1800");
	f.add("state-dir", "DIR", "a folder to remember torrents (paused ones as paused) and DHT nodes in; without it nothing is written to a disk");
	f.add("log-level", "LEVEL", "trace, debug, info, warn, error or off, default warn");
}

// For `play` and `info`, which run beside a server: the usual port for peers may be taken.
void add_swarm_flags(flags& f)
{
	f.add("peer-listen", "ADDR:PORT", "where peers may connect to, default free ports of 0.0.0.0 and [::]", true);
	f.add("connect", "ADDR:PORT", "a peer to connect to", true);
	f.add_switch("offline", "no DHT, local discovery, UPnP, NAT-PMP, peer exchange, trackers, web seeds, nor peers named in a link");
	f.add("metadata-timeout", "SECONDS", "how long a magnet link's metadata is waited for, default 60");
	f.add("log-level", "LEVEL", "trace, debug, info, warn, error or off, default warn");
}

void add_play_flags(flags& f)
{
	f.add("file", "N|NAME", "which file: its number, its name, or a part of its name; default the largest film, or else sound");
	f.add("player", "COMMAND", "what to play it with: a command, which is given the URL; default mpv, or else vlc");
	f.add("output", "FILE", "write the file's bytes there instead of starting a player; - is the standard output");
	f.add("capacity", "SIZE", "memory for the torrent's bytes, like 256MiB, 1GiB, 512MB or bytes, default 256MiB");
	add_window_flags(f);
	add_early_flag(f);
	f.add("read-timeout", "SECONDS", "how long the player waits for its next bytes, default 120");
	add_swarm_flags(f);
}

void add_info_flags(flags& f)
{
	f.add_switch("json", "say it as JSON");
	add_swarm_flags(f);
}

void add_check_flags(flags& f)
{
	f.add("auth", "USER:PASSWORD", "what the server wants to be given (Basic); others can see it in the list of processes");
	f.add("ca-file", "FILE", "certificates to trust instead of the system's, PEM");
	f.add("timeout", "SECONDS", "how long each step of a request may take, default 30");
}

void add_demo_flags(flags& f)
{
	f.add("file", "FILE", "stream this file instead of a film made with ffmpeg");
	f.add_switch("keep", "go on serving afterwards, for a player");
	f.add("capacity", "SIZE", "memory for the torrent's bytes, default 256MiB");
	f.add("listen", "ADDR:PORT", "where to serve HTTP, default a free port of 127.0.0.1", true);
	f.add("log-level", "LEVEL", "trace, debug, info, warn, error or off, default warn");
}

std::string auth(flags const& given)
{
	auto const v = given.last("auth");
	// The value is not said: it may be half of a password.
	if (v && !http::is_credentials(v->text))
		throw wrong_value{v->source + ": not USER:PASSWORD; give one like anna:secret"};
	return v ? v->text : std::string();
}

void read_security(flags const& given, serve_settings& s)
{
	s.auth = auth(given);
	s.auth_file = given.text("auth-file");
	s.tls_cert = given.text("tls-cert");
	s.tls_key = given.text("tls-key");
	if (s.tls_cert.empty() != s.tls_key.empty())
	{
		auto const one = given.last(s.tls_cert.empty() ? "tls-key" : "tls-cert");
		throw wrong_value{one->source + ": give both --tls-cert and --tls-key, or neither"};
	}
}

void read_swarm(flags const& given, swarm_settings& s, std::vector<std::string> const& peer_listen)
{
	for (auto const& where : addresses(given, "peer-listen")) s.peer_listen.push_back(endpoint_text(where));
	if (s.peer_listen.empty()) s.peer_listen = peer_listen;
	s.connect = peers(given, "connect");
	s.offline = given.on("offline");
	s.metadata_timeout = seconds(given, "metadata-timeout", engine_options{}.metadata_timeout);
	s.log = level(given, log_level::warn);
}

void read_windows(flags const& given, swarm_settings& s)
{
	s.lookbehind = window(given, "lookbehind", engine_options{}.lookbehind);
	s.read_ahead = window(given, "read-ahead", engine_options{}.read_ahead);
}

serve_settings read_serve(flags const& given, std::vector<std::string> torrents)
{
	serve_settings s;
	s.torrents = std::move(torrents);
	s.listen = addresses(given, "listen");
	if (s.listen.empty()) s.listen.emplace_back(boost::asio::ip::address_v4::loopback(), 8090);
	s.host_names = host_names(given);
	read_security(given, s);
	s.capacity_bytes = capacity(given);
	read_swarm(given, s, engine_options{}.peer_listen);
	s.read_timeout = seconds(given, "read-timeout", engine_options{}.read_timeout);
	read_windows(given, s);
	s.early = given.on("early");
	if (auto const v = given.last("idle")) s.idle = take(*v, parse_duration(v->text));
	s.stall_timeout = seconds(given, "stall-timeout", http::server_options{}.stall_timeout);
	s.state_dir = given.text("state-dir");
	return s;
}

std::vector<std::string> const any_free_port{"0.0.0.0:0", "[::]:0"};

play_settings read_play(flags const& given, std::string torrent)
{
	play_settings s;
	s.torrent = std::move(torrent);
	s.file = given.text("file");
	s.player = given.text("player");
	s.output = given.text("output");
	if (!s.player.empty() && !s.output.empty())
		throw wrong_value{given.last("output")->source + ": give a player or an output, not both"};
	s.capacity_bytes = capacity(given);
	read_swarm(given, s, any_free_port);
	s.read_timeout = seconds(given, "read-timeout", engine_options{}.read_timeout);
	read_windows(given, s);
	s.early = given.on("early");
	if (s.early && !s.output.empty())
		throw wrong_value{"--early: what was written to an output could not be taken back when it is wrong; give a player, or leave it out"};
	return s;
}

info_settings read_info(flags const& given, std::string torrent)
{
	info_settings s;
	s.torrent = std::move(torrent);
	s.json = given.on("json");
	s.capacity_bytes = memory_disk_options{}.capacity_bytes;
	read_swarm(given, s, any_free_port);
	s.read_timeout = engine_options{}.read_timeout;
	return s;
}

check_settings read_check(flags const& given, std::string url)
{
	check_settings s;
	s.url = std::move(url);
	s.auth = auth(given);
	s.ca_file = given.text("ca-file");
	s.timeout = seconds(given, "timeout", std::chrono::seconds(30));
	return s;
}

demo_settings read_demo(flags const& given)
{
	demo_settings s;
	if (auto const file = given.last("file")) s.file = file->text;
	s.keep = given.on("keep");
	s.listen = addresses(given, "listen");
	if (s.listen.empty()) s.listen.emplace_back(boost::asio::ip::address_v4::loopback(), 0);
	s.capacity_bytes = capacity(given);
	s.log = level(given, log_level::warn);
	return s;
}

farewell usage_error(std::string what)
{
	// One line, whatever was typed.
	for (char& c : what)
	{
		if (static_cast<unsigned char>(c) < ' ') c = ' ';
	}
	return {exit_usage, {}, "slipstream: " + what + '\n'};
}

constexpr char const* exit_codes = "Exit codes: 0 done, 1 failed, 2 wrong usage.";

// A command with the one thing it works on.
struct command
{
	command(CLI::App& parent, environment const& env, char const* const name, char const* const what
		, void (*add_flags)(flags&))
		: app(*parent.add_subcommand(name, what))
		, given(app, env)
	{
		add_flags(given);
		app.group("Commands");
		app.footer(exit_codes);
	}
	void take_one(char const* const name, char const* const what)
	{
		app.add_option(name, subject, what)->type_name("")->required()->expected(1);
	}
	[[nodiscard]] bool parsed() const { return app.parsed(); }

	CLI::App& app;
	flags given;
	std::string subject;
};

} // namespace

arguments parse_arguments(std::vector<std::string> words, environment const& env)
{
	CLI::App app("Plays and serves torrents from memory.", "slipstream");
	app.set_version_flag("--version", std::string("slipstream ") + version);
	app.footer("slipstream COMMAND --help tells more of each. Every flag is an environment variable too, named in\n"
		"brackets at the flag; several values are separated by commas or blanks there.\n" + std::string(exit_codes));
	app.require_subcommand(1);
	app.formatter(help_format());  // commands take it over

	command play(app, env, "play", "play a film of a torrent in mpv or VLC, or write it to a pipe", add_play_flags);
	play.take_one("TORRENT", "a torrent file or a magnet link");
	play.app.footer("For example:\n"
		"  slipstream play film.torrent\n"
		"  slipstream play --player 'vlc --fullscreen' 'magnet:?xt=urn:btih:...'\n"
		"  slipstream play --output - film.torrent | ffprobe -\n\n"
		"Exit codes: 0 the player ended well, or all was written; 1 failed, or the player did; 2 wrong usage;\n"
		"128 and a signal's number when one ended it (130: Ctrl-C).");
	command serve(app, env, "serve", "serve torrents over HTTP until SIGINT or SIGTERM", add_serve_flags);
	serve.app.footer("For example:\n"
		"  slipstream serve film.torrent                        (this machine alone)\n"
		"  slipstream serve --listen 0.0.0.0:8090 --auth-file users.txt --state-dir ~/.slipstream\n\n"
		+ std::string(exit_codes));
	std::vector<std::string> torrents;
	serve.app.add_option("TORRENT", torrents, "torrent files and magnet links to begin with")->type_name("");
	command info(app, env, "info", "say what is in a torrent", add_info_flags);
	info.take_one("TORRENT", "a torrent file or a magnet link");
	command check(app, env, "check", "see whether players can seek in what a server serves (any server)", add_check_flags);
	check.take_one("URL", "of a file of 1 KiB or more, http or https");
	check.app.footer("Exit codes: 0 players can seek, 1 something that they need failed, 2 wrong usage.");
	command demo(app, env, "demo", "stream a film from a swarm on this machine, and show that every byte is right"
		, add_demo_flags);

	if (words.empty()) return farewell{exit_usage, {}, app.help()};
	// CLI11 would only say that a command is missing.
	auto const known = app.get_subcommands([&](CLI::App const* a) { return a->get_name() == words.front(); });
	if (known.empty() && words.front() != "--help" && words.front() != "-h" && words.front() != "--version")
		return usage_error("'" + words.front() + "' is not a command; give play, serve, info, check or demo, or see --help");
	try
	{
		std::reverse(words.begin(), words.end());  // as CLI11 wants them
		app.parse(std::move(words));
		if (play.parsed()) return read_play(play.given, std::move(play.subject));
		if (serve.parsed()) return read_serve(serve.given, std::move(torrents));
		if (info.parsed()) return read_info(info.given, std::move(info.subject));
		if (check.parsed()) return read_check(check.given, std::move(check.subject));
		return read_demo(demo.given);
	}
	catch (CLI::CallForHelp const&)
	{
		return farewell{0, known.empty() ? app.help() : known.front()->help(), {}};
	}
	catch (CLI::CallForVersion const& e)
	{
		return farewell{0, std::string(e.what()) + '\n', {}};
	}
	catch (CLI::ParseError const& e)
	{
		return usage_error(std::string(e.what()) + "; see slipstream --help");
	}
	catch (wrong_value const& e)
	{
		return usage_error(e.what);
	}
}

} // namespace slipstream::cli
