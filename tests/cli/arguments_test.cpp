// The command line and the environment.
#include "cli/arguments.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace slipstream::cli {
namespace {

using variables = std::map<std::string, std::string>;

arguments parse(std::vector<std::string> words, variables const& set = {})
{
	return parse_arguments(std::move(words), [&](std::string const& name) -> std::optional<std::string> {
		auto const found = set.find(name);
		if (found == set.end()) return std::nullopt;
		return found->second;
	});
}

serve_settings serve(std::vector<std::string> words, variables const& set = {})
{
	words.insert(words.begin(), "serve");
	arguments const told = parse(std::move(words), set);
	if (auto const* const end = std::get_if<farewell>(&told)) ADD_FAILURE() << end->err;
	auto const* const settings = std::get_if<serve_settings>(&told);
	return settings ? *settings : serve_settings{};
}

// Wrong usage: exit 2, and one line that has `expected_text` in it.
void expect_refusal(std::vector<std::string> words, variables const& set, std::string const& expected_text)
{
	arguments const told = parse(std::move(words), set);
	auto const* const end = std::get_if<farewell>(&told);
	ASSERT_NE(end, nullptr) << expected_text;
	EXPECT_EQ(end->exit_code, 2) << expected_text;
	EXPECT_EQ(end->out, "");
	EXPECT_EQ(std::count(end->err.begin(), end->err.end(), '\n'), 1) << end->err;
	EXPECT_NE(end->err.find(expected_text), std::string::npos) << end->err;
}

std::vector<std::string> texts(std::vector<boost::asio::ip::tcp::endpoint> const& endpoints)
{
	std::vector<std::string> out;
	for (auto const& e : endpoints) out.push_back(e.address().to_string() + ' ' + std::to_string(e.port()));
	return out;
}

using strings = std::vector<std::string>;

TEST(serve_arguments, have_defaults)
{
	serve_settings const s = serve({});
	EXPECT_EQ(texts(s.listen), strings{"127.0.0.1 8090"});
	EXPECT_EQ(s.capacity_bytes, 256 << 20);
	EXPECT_EQ(s.peer_listen, (strings{"0.0.0.0:6881", "[::]:6881"}));
	EXPECT_TRUE(s.connect.empty());
	EXPECT_TRUE(s.host_names.empty());
	EXPECT_FALSE(s.offline);
	EXPECT_EQ(s.metadata_timeout, std::chrono::seconds(60));
	EXPECT_EQ(s.read_timeout, std::chrono::seconds(120));
	EXPECT_EQ(s.log, log_level::warn);
	EXPECT_TRUE(s.torrents.empty());
	EXPECT_EQ(s.state_dir, "");
	EXPECT_EQ(serve({"--state-dir", "d"}).state_dir, "d");
}

TEST(serve_arguments, have_windows_and_a_time_after_which_torrents_are_dropped)
{
	serve_settings const by_default = serve({});
	EXPECT_EQ(by_default.lookbehind, extent::share(250'000));
	EXPECT_EQ(by_default.read_ahead, extent{});
	EXPECT_EQ(by_default.idle, std::chrono::milliseconds(0));
	serve_settings const s = serve({"--lookbehind", "30s", "--read-ahead=64MiB"}, {{"SLIPSTREAM_IDLE", "1.5h"}});
	EXPECT_EQ(s.lookbehind, extent::time(std::chrono::seconds(30)));
	EXPECT_EQ(s.read_ahead, extent::bytes(64 << 20));
	EXPECT_EQ(s.idle, std::chrono::minutes(90));
	expect_refusal({"serve", "--lookbehind", "101%"}, {}, "--lookbehind: '101%'");
	expect_refusal({"serve"}, {{"SLIPSTREAM_READ_AHEAD", "much"}}, "SLIPSTREAM_READ_AHEAD: 'much'");
	expect_refusal({"serve", "--idle", "0"}, {}, "--idle: '0' is not a duration");
}

TEST(serve_arguments, come_from_flags)
{
	serve_settings const s = serve({"--listen", "127.0.0.1:1", "a.torrent", "--listen=[::1]:2", "--capacity"
		, "1GiB", "--peer-listen", "[::]:3", "--connect", "10.0.0.1:4", "magnet:?xt=x", "--connect"
		, "10.0.0.2:5", "--offline", "--metadata-timeout", "2.5", "--read-timeout", "7", "--log-level", "debug"});
	EXPECT_EQ(s.torrents, (strings{"a.torrent", "magnet:?xt=x"}));
	EXPECT_EQ(texts(s.listen), (strings{"127.0.0.1 1", "::1 2"}));
	EXPECT_EQ(s.capacity_bytes, 1 << 30);
	EXPECT_EQ(s.peer_listen, strings{"[::]:3"});
	EXPECT_EQ(texts(s.connect), (strings{"10.0.0.1 4", "10.0.0.2 5"}));
	EXPECT_TRUE(s.offline);
	EXPECT_EQ(s.metadata_timeout, std::chrono::milliseconds(2500));
	EXPECT_EQ(s.read_timeout, std::chrono::seconds(7));
	EXPECT_EQ(s.log, log_level::debug);
}

TEST(serve_arguments, let_unverified_bytes_out_only_when_told)
{
	EXPECT_FALSE(serve({}).early);
	EXPECT_TRUE(serve({"--early"}).early);
	EXPECT_TRUE(serve({}, {{"SLIPSTREAM_EARLY", "1"}}).early);
	EXPECT_FALSE(serve({}, {{"SLIPSTREAM_EARLY", "0"}}).early);
	EXPECT_TRUE(std::get<play_settings>(parse({"play", "--early", "a.torrent"})).early);
	// A file or a pipe would keep what was wrong.
	expect_refusal({"play", "--early", "--output", "-", "a.torrent"}, {}, "--early");
	expect_refusal({"play", "--output", "-", "a.torrent"}, {{"SLIPSTREAM_EARLY", "1"}}, "--early");
}

TEST(serve_arguments, have_names_of_this_server)
{
	EXPECT_EQ(serve({"--host-name", "Player.local", "--host-name", "box"}).host_names, (strings{"player.local", "box"}));
	EXPECT_EQ(serve({}, {{"SLIPSTREAM_HOST_NAME", "a.org, b.org"}}).host_names, (strings{"a.org", "b.org"}));
	for (char const* const wrong : {"a.org:80", "http://a.org", "a b", "*", "[::1]:1"})
		expect_refusal({"serve", "--host-name", wrong}, {}, "--host-name");
}

TEST(serve_arguments, have_users_and_certificates)
{
	serve_settings const s = serve({"--auth", "anna:a:b", "--auth-file", "f", "--tls-cert", "c", "--tls-key", "k"
		, "--stall-timeout", "9"});
	EXPECT_EQ(s.auth, "anna:a:b");
	EXPECT_EQ(s.auth_file, "f");
	EXPECT_EQ(s.tls_cert, "c");
	EXPECT_EQ(s.tls_key, "k");
	EXPECT_EQ(s.stall_timeout, std::chrono::seconds(9));
	EXPECT_EQ(serve({}).stall_timeout, std::chrono::minutes(30));
	EXPECT_EQ(serve({}).auth + serve({}).tls_cert, "");
	// A password may have a comma or a blank in it.
	EXPECT_EQ(serve({}, {{"SLIPSTREAM_AUTH", "a:b, c"}, {"SLIPSTREAM_TLS_CERT", "c"}, {"SLIPSTREAM_TLS_KEY", "k"}}).auth, "a:b, c");
	expect_refusal({"serve", "--tls-cert", "c"}, {}, "--tls-key");
	expect_refusal({"serve", "--tls-key", "c"}, {}, "--tls-cert");
	for (char const* const wrong : {"secret", "secret:", ":secret"})
	{
		expect_refusal({"serve", "--auth", wrong}, {}, "--auth");
		auto const told = parse({"serve", "--auth", wrong});
		EXPECT_EQ(std::get<farewell>(told).err.find("secret\'"), std::string::npos);
	}
}

TEST(serve_arguments, come_from_the_environment)
{
	serve_settings const s = serve({}, {{"SLIPSTREAM_LISTEN", "127.0.0.1:1, [::1]:2 127.0.0.1:3,"}
		, {"SLIPSTREAM_CAPACITY", "512MB"}, {"SLIPSTREAM_PEER_LISTEN", "127.0.0.1:0"}
		, {"SLIPSTREAM_CONNECT", "10.0.0.1:4"}, {"SLIPSTREAM_OFFLINE", "yes"}
		, {"SLIPSTREAM_METADATA_TIMEOUT", "5"}, {"SLIPSTREAM_READ_TIMEOUT", "6"}, {"SLIPSTREAM_LOG_LEVEL", "off"}});
	EXPECT_EQ(texts(s.listen), (strings{"127.0.0.1 1", "::1 2", "127.0.0.1 3"}));
	EXPECT_EQ(s.capacity_bytes, 512'000'000);
	EXPECT_EQ(s.peer_listen, strings{"127.0.0.1:0"});
	EXPECT_EQ(texts(s.connect), strings{"10.0.0.1 4"});
	EXPECT_TRUE(s.offline);
	EXPECT_EQ(s.metadata_timeout, std::chrono::seconds(5));
	EXPECT_EQ(s.read_timeout, std::chrono::seconds(6));
	EXPECT_EQ(s.log, log_level::off);
}

TEST(serve_arguments, prefer_the_flag_and_take_an_empty_variable_for_none)
{
	serve_settings const s = serve({"--capacity", "1GiB"}, {{"SLIPSTREAM_CAPACITY", "nonsense"}
		, {"SLIPSTREAM_LISTEN", ""}, {"SLIPSTREAM_OFFLINE", "0"}});
	EXPECT_EQ(s.capacity_bytes, 1 << 30);
	EXPECT_EQ(texts(s.listen), strings{"127.0.0.1 8090"});
	EXPECT_FALSE(s.offline);
}

TEST(serve_arguments, that_are_wrong_are_named_with_what_would_be_right)
{
	expect_refusal({"serve", "--listen", "8090"}, {}, "--listen: '8090' is not ADDR:PORT; give one like");
	expect_refusal({"serve", "--capacity", "lots"}, {}, "--capacity: 'lots' is not a size");
	expect_refusal({"serve", "--capacity", "4096"}, {}, "1.0 MiB (1048576 bytes)");
	expect_refusal({"serve"}, {{"SLIPSTREAM_CAPACITY", "1KiB"}}, "SLIPSTREAM_CAPACITY: '1KiB' is below");
	expect_refusal({"serve"}, {{"SLIPSTREAM_LISTEN", "127.0.0.1:1,x"}}, "SLIPSTREAM_LISTEN: 'x'");
	expect_refusal({"serve", "--peer-listen", "x"}, {}, "--peer-listen: 'x'");
	expect_refusal({"serve", "--connect", "10.0.0.1:0"}, {}, "--connect: '10.0.0.1:0' has port 0");
	expect_refusal({"serve"}, {{"SLIPSTREAM_OFFLINE", "maybe"}}, "SLIPSTREAM_OFFLINE: 'maybe'");
	for (char const* const time : {"0", "-1", "x", "1s", "nan", "inf", "86401", "1e3"})
		expect_refusal({"serve", "--read-timeout=" + std::string(time)}, {}, "--read-timeout: '");
	expect_refusal({"serve", "--log-level", "loud"}, {}, "--log-level: 'loud'");
	expect_refusal({"serve", "--capacity"}, {}, "--capacity");
	expect_refusal({"serve", "--unknown"}, {}, "--unknown");
	expect_refusal({"serve", "--listen", "a\nb"}, {}, "--listen: 'a b'");
	expect_refusal({"sing"}, {}, "sing");
	expect_refusal({"--offline"}, {}, "--offline");
}

TEST(play_arguments, are_read)
{
	auto const s = std::get<play_settings>(parse({"play", "a.torrent", "--file", "2", "--player", "mpv --fs", "--connect", "10.0.0.1:4"
		, "--capacity", "64MiB", "--offline", "--metadata-timeout", "2", "--read-timeout", "3"}));
	EXPECT_EQ(s.torrent, "a.torrent");
	EXPECT_EQ(s.file, "2");
	EXPECT_EQ(s.player, "mpv --fs");
	EXPECT_EQ(s.output, "");
	EXPECT_EQ(texts(s.connect), strings{"10.0.0.1 4"});
	EXPECT_EQ(s.capacity_bytes, 64 << 20);
	EXPECT_TRUE(s.offline);
	EXPECT_EQ(s.metadata_timeout, std::chrono::seconds(2));
	EXPECT_EQ(s.read_timeout, std::chrono::seconds(3));
	// A server may have the usual port.
	EXPECT_EQ(s.peer_listen, (strings{"0.0.0.0:0", "[::]:0"}));
	EXPECT_EQ(std::get<play_settings>(parse({"play", "--output", "-", "magnet:?x"})).output, "-");
	expect_refusal({"play"}, {}, "TORRENT");
	expect_refusal({"play", "a", "b"}, {}, "b");
	expect_refusal({"play", "a", "--player", "mpv", "--output", "-"}, {}, "--output: give a player or an output");
	expect_refusal({"play", "a", "--listen", "127.0.0.1:1"}, {}, "--listen");
}

TEST(info_and_check_arguments, are_read)
{
	EXPECT_TRUE(std::get<info_settings>(parse({"info", "a.torrent", "--json"})).json);
	EXPECT_FALSE(std::get<info_settings>(parse({"info", "a.torrent"})).json);
	expect_refusal({"info"}, {}, "TORRENT");
	auto const s = std::get<check_settings>(parse({"check", "http://h/", "--ca-file", "f", "--timeout", "5", "--auth", "a:b"}));
	EXPECT_EQ(s.url, "http://h/");
	EXPECT_EQ(s.ca_file, "f");
	EXPECT_EQ(s.auth, "a:b");
	EXPECT_EQ(s.timeout, std::chrono::seconds(5));
	EXPECT_EQ(std::get<check_settings>(parse({"check", "http://h/"})).timeout, std::chrono::seconds(30));
	expect_refusal({"check"}, {}, "URL");
	expect_refusal({"check", "http://h/", "--auth", "x"}, {}, "--auth");
}

TEST(demo_arguments, are_read)
{
	arguments const told = parse({"demo", "--file", "f.mp4", "--keep", "--capacity", "64MiB"}
		, {{"SLIPSTREAM_LISTEN", "127.0.0.1:9"}});
	auto const& s = std::get<demo_settings>(told);
	EXPECT_EQ(s.file, "f.mp4");
	EXPECT_TRUE(s.keep);
	EXPECT_EQ(s.capacity_bytes, 64 << 20);
	EXPECT_EQ(texts(s.listen), strings{"127.0.0.1 9"});
	EXPECT_EQ(texts(std::get<demo_settings>(parse({"demo"})).listen), strings{"127.0.0.1 0"});
	expect_refusal({"demo", "--capacity", "1"}, {}, "--capacity");
	expect_refusal({"demo", "film.mp4"}, {}, "film.mp4");
}

TEST(help, is_there_for_the_program_and_each_command)
{
	auto const top = std::get<farewell>(parse({"--help"}));
	EXPECT_EQ(top.exit_code, 0);
	EXPECT_NE(top.out.find("serve"), std::string::npos);
	EXPECT_NE(top.out.find("demo"), std::string::npos);
	auto const of_serve = std::get<farewell>(parse({"serve", "--help"}));
	EXPECT_EQ(of_serve.exit_code, 0);
	for (char const* const flag : {"--listen", "--capacity", "--peer-listen", "--connect", "--offline"
		, "--metadata-timeout", "--read-timeout", "--log-level", "SLIPSTREAM_PEER_LISTEN"})
		EXPECT_NE(of_serve.out.find(flag), std::string::npos) << flag;
	EXPECT_NE(std::get<farewell>(parse({"demo", "--help"})).out.find("--keep"), std::string::npos);
	auto const version = std::get<farewell>(parse({"--version"}));
	EXPECT_EQ(version.exit_code, 0);
	EXPECT_TRUE(version.out.starts_with("slipstream ")) << version.out;
	auto const nothing = std::get<farewell>(parse({}));
	EXPECT_EQ(nothing.exit_code, 2);
	EXPECT_EQ(nothing.out, "");
	EXPECT_NE(nothing.err.find("serve"), std::string::npos);
}

} // namespace
} // namespace slipstream::cli
