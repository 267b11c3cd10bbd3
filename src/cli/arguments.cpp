#include "cli/arguments.hpp"

#include "cli/address.hpp"
#include "cli/size.hpp"
#include "cli/version.hpp"
#include "http/authority.hpp"
#include "http/credentials.hpp"
#include "http/options.hpp"

#include <slipstream/engine.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <list>
#include <utility>

namespace slipstream::cli {
namespace {

// Ends the reading of arguments; never leaves this file.
struct wrong_value
{
	std::string what;
};

std::string variable_of(std::string const& flag)
{
	std::string name = "SLIPSTREAM_" + flag;
	std::replace(name.begin(), name.end(), '-', '_');
	std::transform(name.begin(), name.end(), name.begin()
		, [](char const c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
	return name;
}

std::vector<std::string> split(std::string const& text)
{
	std::vector<std::string> parts;
	std::size_t at = 0;
	while ((at = text.find_first_not_of(", \t\n", at)) != std::string::npos)
	{
		std::size_t const end = std::min(text.find_first_of(", \t\n", at), text.size());
		parts.push_back(text.substr(at, end - at));
		at = end;
	}
	return parts;
}

// The flags of one sub-command, and where their values come from.
class flags
{
public:
	struct value
	{
		std::string source;  // "--capacity" or "SLIPSTREAM_CAPACITY"
		std::string text;
	};

	flags(CLI::App& command, environment const& env) : m_command(command), m_env(env) {}

	void add(std::string const& name, std::string const& placeholder, std::string const& what
		, bool const repeatable = false)
	{
		entry& e = m_entries.emplace_back();
		e.name = name;
		e.repeatable = repeatable;
		std::string const text = what + (repeatable ? " (repeatable)" : "") + " [" + variable_of(name) + "]";
		e.option = m_command.add_option("--" + name, e.given, text)->type_name(placeholder);
		// One value each: what follows may be a torrent.
		e.option->expected(1)->allow_extra_args(false);
		if (repeatable) e.option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
		else e.option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
	}

	void add_switch(std::string const& name, std::string const& what)
	{
		entry& e = m_entries.emplace_back();
		e.name = name;
		std::string const text = what + " [" + variable_of(name) + "]";
		e.option = m_command.add_flag("--" + name, text);
	}

	[[nodiscard]] std::vector<value> all(std::string const& name) const
	{
		entry const& e = find(name);
		std::vector<value> values;
		if (e.option->count() > 0)
		{
			for (std::string const& text : e.given) values.push_back({"--" + name, text});
			return values;
		}
		std::string const variable = variable_of(name);
		std::optional<std::string> const text = m_env(variable);
		if (!text || text->empty()) return values;
		if (!e.repeatable) return {{variable, *text}};
		for (std::string& part : split(*text)) values.push_back({variable, std::move(part)});
		return values;
	}

	[[nodiscard]] std::optional<value> last(std::string const& name) const
	{
		std::vector<value> values = all(name);
		if (values.empty()) return std::nullopt;
		return std::move(values.back());
	}

	[[nodiscard]] bool on(std::string const& name) const
	{
		if (find(name).option->count() > 0) return true;
		std::string const variable = variable_of(name);
		std::optional<std::string> const text = m_env(variable);
		if (!text || text->empty()) return false;
		for (char const* const yes : {"1", "true", "yes", "on"})
		{
			if (*text == yes) return true;
		}
		for (char const* const no : {"0", "false", "no", "off"})
		{
			if (*text == no) return false;
		}
		throw wrong_value{fmt::format("{}: '{}' is neither yes nor no; give 1 or 0", variable, *text)};
	}

private:
	struct entry
	{
		std::string name;
		bool repeatable = false;
		std::vector<std::string> given;
		CLI::Option* option = nullptr;
	};

	[[nodiscard]] entry const& find(std::string const& name) const
	{
		return *std::find_if(m_entries.begin(), m_entries.end()
			, [&](entry const& e) { return e.name == name; });
	}

	CLI::App& m_command;
	environment const& m_env;
	std::list<entry> m_entries;  // CLI11 keeps pointers to `given`
};

template <typename T>
T take(flags::value const& v, expected<T> parsed)
{
	if (!parsed) throw wrong_value{v.source + ": " + parsed.error().detail};
	return std::move(*parsed);
}

std::vector<boost::asio::ip::tcp::endpoint> addresses(flags const& given, std::string const& name)
{
	std::vector<boost::asio::ip::tcp::endpoint> found;
	for (flags::value const& v : given.all(name)) found.push_back(take(v, parse_address(v.text)));
	return found;
}

std::vector<std::string> host_names(flags const& given)
{
	std::vector<std::string> names;
	for (flags::value const& v : given.all("host-name"))
	{
		auto const name = http::parse_authority(v.text);
		if (!name || !name->port.empty() || v.text.find(':') != std::string::npos)
			throw wrong_value{fmt::format("{}: '{}' is not the name of a host; give one like player.example.org", v.source, v.text)};
		names.push_back(name->host);
	}
	return names;
}

extent window(flags const& given, std::string const& name, extent const& otherwise)
{
	std::optional<flags::value> const v = given.last(name);
	return v ? take(*v, parse_extent(v->text)) : otherwise;
}

std::int64_t capacity(flags const& given)
{
	std::optional<flags::value> const v = given.last("capacity");
	if (!v) return memory_disk_options{}.capacity_bytes;
	std::int64_t const bytes = take(*v, parse_size(v->text));
	if (bytes < memory_disk::min_capacity_bytes)
	{
		throw wrong_value{fmt::format("{}: '{}' is below the floor; give at least {} ({} bytes)", v->source
			, v->text, size_text(memory_disk::min_capacity_bytes), memory_disk::min_capacity_bytes)};
	}
	return bytes;
}

std::chrono::milliseconds seconds(flags const& given, std::string const& name
	, std::chrono::milliseconds const otherwise)
{
	std::optional<flags::value> const v = given.last(name);
	if (!v) return otherwise;
	double value = 0;
	char const* const end = v->text.data() + v->text.size();
	auto const [after, failure] = std::from_chars(v->text.data(), end, value, std::chars_format::fixed);
	bool const in_range = failure == std::errc{} && after == end && value >= 0.001 && value <= 86'400;
	if (!in_range)
	{
		throw wrong_value{fmt::format("{}: '{}' is not a time in seconds; give one from 0.001 to 86400"
			, v->source, v->text)};
	}
	return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

log_level level(flags const& given, log_level const otherwise)
{
	std::optional<flags::value> const v = given.last("log-level");
	if (!v) return otherwise;
	constexpr std::pair<char const*, log_level> names[]{{"trace", log_level::trace}
		, {"debug", log_level::debug}, {"info", log_level::info}, {"warn", log_level::warn}
		, {"error", log_level::error}, {"off", log_level::off}};
	for (auto const& [name, known] : names)
	{
		if (v->text == name) return known;
	}
	throw wrong_value{fmt::format("{}: '{}' is not a level; give trace, debug, info, warn, error or off"
		, v->source, v->text)};
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
	f.add("lookbehind", "EXTENT", "what stays in memory behind a player, for seeking back: 25% of the capacity, 64MiB or 30s, default 25%");
	f.add("read-ahead", "EXTENT", "what is fetched ahead of a player, likewise, or auto: an eighth of the capacity, 1MiB to 64MiB; default auto");
	f.add("idle", "DURATION", "drop a torrent that nobody has read for so long, like 30min or 2h; default never");
	f.add("peer-listen", "ADDR:PORT", "where peers may connect to, default 0.0.0.0:6881 and [::]:6881", true);
	f.add("connect", "ADDR:PORT", "a peer to connect to for every torrent", true);
	f.add_switch("offline", "no DHT, local discovery, UPnP, NAT-PMP, peer exchange, trackers, web seeds, nor peers named in a link");
	f.add("metadata-timeout", "SECONDS", "how long a magnet link's metadata is waited for, default 60");
	f.add("read-timeout", "SECONDS", "how long a stream waits for its next bytes, default 120");
	f.add("stall-timeout", "SECONDS", "how long a client may take nothing of a stream, like a paused player, default 1800");
	f.add("log-level", "LEVEL", "trace, debug, info, warn, error or off, default warn");
}

void add_demo_flags(flags& f)
{
	f.add("file", "FILE", "stream this file instead of a film made with ffmpeg");
	f.add_switch("keep", "go on serving afterwards, for a player");
	f.add("capacity", "SIZE", "memory for the torrent's bytes, default 256MiB");
	f.add("listen", "ADDR:PORT", "where to serve HTTP, default a free port of 127.0.0.1", true);
	f.add("log-level", "LEVEL", "trace, debug, info, warn, error or off, default warn");
}

void read_security(flags const& given, serve_settings& s)
{
	auto const text = [&](char const* const name) {
		auto const v = given.last(name);
		return v ? v->text : std::string();
	};
	s.auth = text("auth");
	// The value is not said: it may be half of a password.
	if (!s.auth.empty() && !http::is_credentials(s.auth))
		throw wrong_value{given.last("auth")->source + ": not USER:PASSWORD; give one like anna:secret"};
	s.auth_file = text("auth-file");
	s.tls_cert = text("tls-cert");
	s.tls_key = text("tls-key");
	if (s.tls_cert.empty() != s.tls_key.empty())
	{
		auto const one = given.last(s.tls_cert.empty() ? "tls-key" : "tls-cert");
		throw wrong_value{one->source + ": give both --tls-cert and --tls-key, or neither"};
	}
}

serve_settings read_serve(flags const& given, std::vector<std::string> torrents)
{
	engine_options const defaults;
	serve_settings s;
	s.torrents = std::move(torrents);
	s.listen = addresses(given, "listen");
	if (s.listen.empty()) s.listen.emplace_back(boost::asio::ip::address_v4::loopback(), 8090);
	s.host_names = host_names(given);
	read_security(given, s);
	s.capacity_bytes = capacity(given);
	for (auto const& where : addresses(given, "peer-listen")) s.peer_listen.push_back(address_text(where));
	if (s.peer_listen.empty()) s.peer_listen = defaults.peer_listen;
	for (flags::value const& v : given.all("connect"))
	{
		s.connect.push_back(take(v, parse_address(v.text)));
		if (s.connect.back().address().is_unspecified())
			throw wrong_value{fmt::format("{}: '{}' is no peer's address; give the one it listens on", v.source, v.text)};
		if (s.connect.back().port() == 0)
			throw wrong_value{fmt::format("{}: '{}' has port 0; give the peer's port", v.source, v.text)};
	}
	s.offline = given.on("offline");
	s.metadata_timeout = seconds(given, "metadata-timeout", defaults.metadata_timeout);
	s.read_timeout = seconds(given, "read-timeout", defaults.read_timeout);
	s.lookbehind = window(given, "lookbehind", defaults.lookbehind);
	s.read_ahead = window(given, "read-ahead", defaults.read_ahead);
	if (auto const v = given.last("idle")) s.idle = take(*v, parse_duration(v->text));
	s.stall_timeout = seconds(given, "stall-timeout", http::server_options{}.stall_timeout);
	s.log = level(given, log_level::warn);
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

} // namespace

arguments parse_arguments(std::vector<std::string> words, environment const& env)
{
	CLI::App app("Streams torrents from memory over HTTP.", "slipstream");
	app.set_version_flag("--version", std::string("slipstream ") + version);
	app.footer("Every flag is an environment variable too, named in brackets at the flag; several values\n"
		"are separated by commas or blanks there. Exit codes: 0 done, 1 failed, 2 wrong usage.");
	app.require_subcommand(1);

	CLI::App& serve = *app.add_subcommand("serve", "serve torrents over HTTP until SIGINT or SIGTERM");
	std::vector<std::string> torrents;
	serve.add_option("TORRENT", torrents, "torrent files and magnet links to begin with")->type_name("");
	flags serve_flags(serve, env);
	add_serve_flags(serve_flags);

	CLI::App& demo = *app.add_subcommand("demo"
		, "stream a film from a swarm on this machine, and show that every byte is right");
	flags demo_flags(demo, env);
	add_demo_flags(demo_flags);

	if (words.empty()) return farewell{exit_usage, {}, app.help()};
	// CLI11 would only say that a command is missing.
	std::string const& command = words.front();
	bool const known = command == "serve" || command == "demo" || command == "--help" || command == "-h"
		|| command == "--version";
	if (!known) return usage_error("'" + command + "' is not a command; give serve or demo, or see --help");
	try
	{
		std::reverse(words.begin(), words.end());  // as CLI11 wants them
		app.parse(std::move(words));
		if (serve.parsed()) return read_serve(serve_flags, std::move(torrents));
		return read_demo(demo_flags);
	}
	catch (CLI::CallForHelp const&)
	{
		CLI::App const& asked = serve.parsed() ? serve : demo.parsed() ? demo : app;
		return farewell{0, asked.help(), {}};
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
