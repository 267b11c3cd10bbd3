// What the program was told on its command line and in its environment.
//
// Every flag is an environment variable too: --peer-listen is SLIPSTREAM_PEER_LISTEN; the flag
// wins. A flag that may be repeated takes several values there, separated by commas or blanks. An
// empty variable is not there. Nothing is started here, nothing is printed.
#pragma once

#include <slipstream/extent.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace slipstream::cli {

enum class log_level { trace, debug, info, warn, error, off };

// What an engine is told, whatever the command.
struct swarm_settings
{
	std::int64_t capacity_bytes = 0;
	std::vector<std::string> peer_listen;
	std::vector<boost::asio::ip::tcp::endpoint> connect;
	bool offline = false;
	std::chrono::milliseconds metadata_timeout{};
	std::chrono::milliseconds read_timeout{};
	extent lookbehind = extent::share(250'000);
	extent read_ahead;
	bool early = false;
	log_level log = log_level::warn;
};

struct serve_settings : swarm_settings
{
	std::vector<std::string> torrents;  // magnet links and paths of torrent files
	std::vector<boost::asio::ip::tcp::endpoint> listen;
	std::vector<std::string> host_names;
	std::string auth;       // USER:PASSWORD, or empty
	std::string auth_file;  // the path of a file with one on each line, or empty
	std::string tls_cert;   // paths of PEM files; both or none
	std::string tls_key;
	std::chrono::milliseconds stall_timeout{};
	std::chrono::milliseconds idle{};  // 0: nothing is dropped
	std::string state_dir;  // a folder, or empty: nothing is remembered
};

struct play_settings : swarm_settings
{
	std::string torrent;  // a magnet link or the path of a torrent file
	std::string file;     // an index, or a name or a part of one; empty: the largest that can be played
	std::string player;   // a command and its arguments; empty: mpv, or else VLC
	std::string output;   // a path, or "-"; empty: a player
};

struct info_settings : swarm_settings
{
	std::string torrent;
	bool json = false;
};

struct check_settings
{
	std::string url;
	std::string auth;     // USER:PASSWORD, or empty
	std::string ca_file;  // the path of a PEM file, or empty
	std::chrono::milliseconds timeout{};
};

struct demo_settings
{
	std::string file;  // empty: one is made
	bool keep = false;
	std::vector<boost::asio::ip::tcp::endpoint> listen;
	std::int64_t capacity_bytes = 0;
	log_level log = log_level::warn;
};

// The program ends here: text to say (one line where it is an error), and the exit code.
struct farewell
{
	int exit_code = 0;
	std::string out;  // for stdout
	std::string err;  // for stderr
};

inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

using arguments = std::variant<serve_settings, play_settings, info_settings, check_settings, demo_settings
	, farewell>;
using environment = std::function<std::optional<std::string>(std::string const& name)>;

// `words`: without the program's name.
[[nodiscard]] arguments parse_arguments(std::vector<std::string> words, environment const& env);

} // namespace slipstream::cli
