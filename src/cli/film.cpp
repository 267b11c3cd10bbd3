#include "cli/film.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

extern char** environ;

namespace slipstream::cli {
namespace {

std::vector<std::string> ffmpeg_words(std::string const& film)
{
	// Encoded at about 18 Mbit/s, fast: a film of half a minute takes two cores some seconds.
	return {"ffmpeg", "-nostdin", "-v", "error", "-y"
		, "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30:duration=28"
		, "-f", "lavfi", "-i", "sine=frequency=440:duration=28"
		, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "20M"
		, "-c:a", "aac", "-b:a", "128k", film};
}

// Waits for the child; -1 when `interrupted` ended it.
int wait_for(pid_t const child, std::function<bool()> const& interrupted)
{
	bool ended = false;
	int status = 0;
	while (waitpid(child, &status, 0) < 0)
	{
		if (errno != EINTR) return 127;
		if (ended || !interrupted()) continue;
		ended = true;
		kill(child, SIGTERM);
	}
	if (ended) return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::string first_line_of(std::filesystem::path const& file)
{
	std::ifstream in(file);
	std::string line;
	std::getline(in, line);
	return line;
}

} // namespace

temporary_folder::temporary_folder()
{
	std::string name = (std::filesystem::temp_directory_path() / "slipstream-demo-XXXXXX").string();
	if (mkdtemp(name.data()) == nullptr)
		throw std::runtime_error(fmt::format("cannot make the folder {}: {}", name, std::strerror(errno)));
	m_path = name;
}

temporary_folder::~temporary_folder()
{
	std::error_code ignored;
	std::filesystem::remove_all(m_path, ignored);
}

expected<std::filesystem::path> make_film(std::filesystem::path const& folder
	, std::function<bool()> const& interrupted)
{
	std::filesystem::path const film = folder / "slipstream demo.mp4";
	std::filesystem::path const complaints = folder / "ffmpeg.log";
	std::vector<std::string> words = ffmpeg_words(film.string());
	std::vector<char*> argv;
	argv.reserve(words.size() + 1);
	for (std::string& word : words) argv.push_back(word.data());
	argv.push_back(nullptr);

	posix_spawn_file_actions_t files;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, complaints.c_str(), O_WRONLY | O_CREAT, 0600);
	pid_t child = 0;
	int const failure = posix_spawnp(&child, "ffmpeg", &files, nullptr, argv.data(), environ);
	posix_spawn_file_actions_destroy(&files);
	if (failure != 0)
	{
		return error(errc::bad_argument, fmt::format("cannot run ffmpeg ({}); install it (apt-get install "
			"ffmpeg), or give a film of your own with --file", std::strerror(failure)));
	}
	int const exit_code = wait_for(child, interrupted);
	if (exit_code < 0) return errc::cancelled;
	if (exit_code != 0)
	{
		return error(errc::bad_argument, fmt::format("ffmpeg could not make the film ({}); give one with "
			"--file", first_line_of(complaints)));
	}
	return film;
}

} // namespace slipstream::cli
