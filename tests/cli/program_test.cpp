// The program as its users start it: what it says, where, and how it ends.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

extern char** environ;

namespace slipstream::cli {
namespace {

// A run of the program; killed when it is left running.
class program
{
public:
	explicit program(std::vector<std::string> words)
	{
		int out[2];
		int err[2];
		if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
		words.insert(words.begin(), SLIPSTREAM_PROGRAM);
		std::vector<char*> argv;
		for (std::string& word : words) argv.push_back(word.data());
		argv.push_back(nullptr);
		posix_spawn_file_actions_t files;
		posix_spawn_file_actions_init(&files);
		posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
		posix_spawn_file_actions_adddup2(&files, err[1], STDERR_FILENO);
		if (posix_spawn(&m_pid, SLIPSTREAM_PROGRAM, &files, nullptr, argv.data(), environ) != 0)
			throw std::runtime_error("cannot start " SLIPSTREAM_PROGRAM);
		posix_spawn_file_actions_destroy(&files);
		close(out[1]);
		close(err[1]);
		m_out = out[0];
		m_err = err[0];
	}
	~program()
	{
		if (m_pid > 0)
		{
			kill(m_pid, SIGKILL);
			waitpid(m_pid, nullptr, 0);
		}
		close(m_out);
		close(m_err);
	}
	program(program const&) = delete;
	program& operator=(program const&) = delete;

	// The next line of stdout, within 30 s; empty at its end.
	std::string out_line() { return line(m_out, m_out_rest); }
	std::string err_line() { return line(m_err, m_err_rest); }
	void signal(int const number) const { kill(m_pid, number); }
	// The exit code, once both outputs have ended; minus the signal that ended it.
	int wait()
	{
		while (!out_line().empty()) {}
		int status = 0;
		waitpid(std::exchange(m_pid, 0), &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	}

private:
	static std::string line(int const from, std::string& rest)
	{
		while (rest.find('\n') == std::string::npos)
		{
			pollfd ready{from, POLLIN, 0};
			char bytes[4096];
			if (poll(&ready, 1, 30'000) <= 0) return "(nothing for 30 s)";
			ssize_t const count = read(from, bytes, sizeof(bytes));
			if (count <= 0) return std::exchange(rest, {});
			rest.append(bytes, static_cast<std::size_t>(count));
		}
		std::size_t const end = rest.find('\n') + 1;
		std::string first = rest.substr(0, end);
		rest.erase(0, end);
		return first;
	}

	pid_t m_pid = 0;
	int m_out = -1;
	int m_err = -1;
	std::string m_out_rest;
	std::string m_err_rest;
};

std::vector<std::string> quiet_serve(std::vector<std::string> more = {})
{
	std::vector<std::string> words{"serve", "--listen", "127.0.0.1:0", "--peer-listen", "127.0.0.1:0"
		, "--offline", "--log-level", "error"};
	words.insert(words.end(), more.begin(), more.end());
	return words;
}

// "listening on http://127.0.0.1:PORT/"
unsigned short port_in(std::string const& line)
{
	std::size_t const colon = line.rfind(':');
	return colon == std::string::npos ? static_cast<unsigned short>(0)
		: static_cast<unsigned short>(std::stoi("0" + line.substr(colon + 1)));
}

TEST(program, says_where_it_listens_and_ends_with_0_on_a_signal)
{
#ifdef __SANITIZE_THREAD__
	// It takes a signal for the program and keeps it, when that comes in the middle of the write that says where it listens.
	GTEST_SKIP() << "ThreadSanitizer's runtime may lose a signal; e2e.t06_stopping ends the program later";
#endif
	for (int const number : {SIGINT, SIGTERM})
	{
		program p(quiet_serve());
		std::string const line = p.out_line();
		EXPECT_TRUE(line.starts_with("listening on http://127.0.0.1:")) << line << p.err_line();
		EXPECT_TRUE(line.ends_with("/\n")) << line;
		EXPECT_GT(port_in(line), 0);
		p.signal(number);
		EXPECT_EQ(p.wait(), 0);
	}
}

TEST(program, ends_on_a_signal_with_a_client_that_waits)
{
	program p(quiet_serve({"magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567"}));
	boost::asio::io_context io;
	boost::asio::ip::tcp::socket client(io);
	client.connect({boost::asio::ip::make_address("127.0.0.1"), port_in(p.out_line())});
	std::string const ask = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
		"GET /stream/0123456789abcdef0123456789abcdef01234567/0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	boost::asio::write(client, boost::asio::buffer(ask));
	boost::asio::streambuf answer;
	boost::asio::read_until(client, answer, "ok\n");
	p.signal(SIGTERM);
	EXPECT_EQ(p.wait(), 0);
}

TEST(program, says_so_when_nobody_has_a_magnet_links_metadata)
{
	std::string const magnet = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=x";
	program p(quiet_serve({"--metadata-timeout", "0.2", magnet}));
	EXPECT_TRUE(p.out_line().starts_with("listening on "));
	EXPECT_NE(p.err_line().find(magnet), std::string::npos);
	p.signal(SIGTERM);
	EXPECT_EQ(p.wait(), 0);
}

void expect_failure(std::vector<std::string> words, int const exit_code, std::string const& part_of_line)
{
	program p(std::move(words));
	EXPECT_EQ(p.out_line(), "");
	std::string const line = p.err_line();
	EXPECT_NE(line.find(part_of_line), std::string::npos) << line;
	EXPECT_TRUE(line.starts_with("slipstream: ")) << line;
	EXPECT_EQ(p.err_line(), "");
	EXPECT_EQ(p.wait(), exit_code) << part_of_line;
}

TEST(program, fails_with_one_line_when_it_cannot_start)
{
	expect_failure(quiet_serve({"/no/such/file.torrent"}), 1, "/no/such/file.torrent");
	expect_failure(quiet_serve({"/tmp"}), 1, "/tmp");
	expect_failure(quiet_serve({"/dev/null"}), 1, "/dev/null");
	expect_failure(quiet_serve({"magnet:?nothing"}), 1, "magnet:?nothing");
	expect_failure(quiet_serve({"--capacity", "1"}), 2, "1048576");
	expect_failure(quiet_serve({"--auth-file", "/no/such/users"}), 1, "/no/such/users");
	expect_failure(quiet_serve({"--tls-cert", "/no/cert.pem", "--tls-key", "/no/key.pem"}), 1, "/no/cert.pem");
	expect_failure({"demo", "--file", "/no/such/film"}, 1, "/no/such/film");
	expect_failure({"demo", "--file", "/tmp"}, 1, "/tmp");
	expect_failure({"juggle"}, 2, "juggle");

	boost::asio::io_context io;
	boost::asio::ip::tcp::acceptor const taken(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
	std::string const address = "127.0.0.1:" + std::to_string(taken.local_endpoint().port());
	expect_failure({"serve", "--offline", "--peer-listen", "127.0.0.1:0", "--listen", address}, 1, address);
}

TEST(program, shows_in_a_demo_that_every_byte_is_right)
{
	std::string name = (std::filesystem::temp_directory_path() / "slipstream-test-XXXXXX").string();
	ASSERT_NE(mkdtemp(name.data()), nullptr);
	std::string const film = name + "/a film.mkv";
	{
		std::ofstream out(film, std::ios::binary);
		std::uint32_t x = 1;
		for (int i = 0; i < 3'000'017; ++i)
		{
			x = x * 1664525 + 1013904223;
			out.put(static_cast<char>(x >> 24));
		}
	}
	program p({"demo", "--file", film, "--capacity", "16MiB"});
	std::string all;
	for (std::string line = p.out_line(); !line.empty(); line = p.out_line()) all += line;
	EXPECT_NE(all.find("3000017 bytes"), std::string::npos) << all;
	EXPECT_NE(all.find("Every byte was right."), std::string::npos) << all;
	EXPECT_NE(all.find("0 bytes (write_bytes"), std::string::npos) << all;
	EXPECT_EQ(p.wait(), 0);
	std::filesystem::remove_all(name);
}

} // namespace
} // namespace slipstream::cli
