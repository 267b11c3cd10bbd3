#include "cli/player.hpp"

#include <CLI/StringTools.hpp>
#include <fmt/format.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

extern char** environ;

namespace slipstream::cli {
namespace {

bool is_program(std::string const& path)
{
	std::error_code ec;
	return std::filesystem::is_regular_file(path, ec) && access(path.c_str(), X_OK) == 0;
}

bool can_be_run(std::string const& name)
{
	if (name.find('/') != std::string::npos) return is_program(name);
	char const* const path = std::getenv("PATH");
	std::string const folders = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
	for (std::size_t at = 0; at <= folders.size();)
	{
		std::size_t const end = std::min(folders.find(':', at), folders.size());
		std::string const folder = folders.substr(at, end - at);
		if (is_program((folder.empty() ? "." : folder) + '/' + name)) return true;
		at = end + 1;
	}
	return false;
}

std::string name_of(std::string const& program)
{
	return std::filesystem::path(program).filename().string();
}

} // namespace

expected<std::vector<std::string>> player_words(std::string const& command)
{
	if (command.empty())
	{
		for (char const* const name : {"mpv", "vlc"})
			if (can_be_run(name)) return std::vector<std::string>{name};
		return error(errc::bad_argument, "neither mpv nor vlc is installed; install one, name another player with --player, "
			"or write the film to a pipe with --output -");
	}
	std::vector<std::string> words = CLI::detail::split_up(command);
	if (words.empty()) return error(errc::bad_argument, "--player: no command in it; give one like mpv or 'vlc --fullscreen'");
	if (!can_be_run(words.front()))
		return error(errc::bad_argument, fmt::format("--player: '{}' is no program that can be run", words.front()));
	return words;
}

std::vector<std::string> player_command_line(std::vector<std::string> words, std::string const& url
	, std::vector<std::string> const& subtitles, std::vector<std::string> const& sounds)
{
	std::string const name = name_of(words.front());
	bool const vlc = name == "vlc" || name == "cvlc";
	if (name == "mpv")
	{
		words.emplace_back("--quiet");
		for (std::string const& file : subtitles) words.push_back("--sub-file=" + file);
		for (std::string const& file : sounds) words.push_back("--audio-file=" + file);
	}
	if (vlc)
	{
		words.emplace_back("--quiet");
		words.emplace_back("--play-and-exit");
	}
	words.push_back(url);
	if (vlc)
	{
		std::string sides;
		for (auto const* const list : {&subtitles, &sounds})
			for (std::string const& file : *list) sides += (sides.empty() ? "" : "#") + file;
		if (!sides.empty()) words.push_back(":input-slave=" + sides);
	}
	return words;
}

expected<child_process> child_process::start(std::vector<std::string> words)
{
	std::vector<char*> argv;
	argv.reserve(words.size() + 1);
	for (std::string& word : words) argv.push_back(word.data());
	argv.push_back(nullptr);
	posix_spawnattr_t attributes;
	posix_spawnattr_init(&attributes);
	// What we ignore, a player need not.
	sigset_t defaults;
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	pid_t pid = 0;
	int const failure = posix_spawnp(&pid, argv[0], nullptr, &attributes, argv.data(), environ);
	posix_spawnattr_destroy(&attributes);
	if (failure != 0)
		return error(errc::bad_argument, fmt::format("cannot run {}: {}", words.front(), std::strerror(failure)));
	return child_process(pid);
}

child_process::child_process(child_process&& other) noexcept
	: m_pid(std::exchange(other.m_pid, 0))
	, m_exit_code(other.m_exit_code)
{}

child_process::~child_process()
{
	if (m_pid == 0) return;
	kill(m_pid, SIGKILL);
	while (waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) {}
}

std::optional<int> child_process::ended()
{
	if (m_pid == 0) return m_exit_code;
	int status = 0;
	pid_t const pid = waitpid(m_pid, &status, WNOHANG);
	if (pid != m_pid) return std::nullopt;
	m_pid = 0;
	m_exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return m_exit_code;
}

void child_process::signal(int const number) const
{
	if (m_pid != 0) kill(m_pid, number);
}

} // namespace slipstream::cli
