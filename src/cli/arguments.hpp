// What the program was told on its command line and in its environment.
//
// Every flag is an environment variable too: --peer-listen is SLIPSTREAM_PEER_LISTEN; the flag wins. A flag
// that may be repeated takes several values there, separated by commas or blanks. An empty variable is
// not there. Nothing is started here, nothing is printed.
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

struct serve_settings
{
	std::vector<std::string> torrents;  // magnet links and paths of torrent files
	std::vector<boost::asio::ip::tcp::endpoint> listen;
	std::vector<std::string> host_names;
	std::string auth;       // USER:PASSWORD, or empty
	std::string auth_file;  // the path of a file with one on each line, or empty
	std::string tls_cert;   // paths of PEM files; both or none
	std::string tls_key;
	std::chrono::milliseconds stall_timeout{};
	std::int64_t capacity_bytes = 0;
	std::vector<std::string> peer_listen;
	std::vector<boost::asio::ip::tcp::endpoint> connect;
	bool offline = false;
	std::chrono::milliseconds metadata_timeout{};
	std::chrono::milliseconds read_timeout{};
	extent lookbehind;
	extent read_ahead;
	std::chrono::milliseconds idle{};  // 0: nothing is dropped
	log_level log = log_level::warn;
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

using arguments = std::variant<serve_settings, demo_settings, farewell>;
using environment = std::function<std::optional<std::string>(std::string const& name)>;

// `words`: without the program's name.
[[nodiscard]] arguments parse_arguments(std::vector<std::string> words, environment const& env);

} // namespace slipstream::cli
