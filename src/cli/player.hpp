// The player that `slipstream play` starts: which, with what arguments, and the process.
//
// The main thread. Waiting is the caller's, who hears SIGCHLD: nothing here blocks.
#pragma once

#include <slipstream/error.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace slipstream::cli {

// "mpv --fs" as words; quotes keep blanks together. Empty: mpv when PATH has it, or else vlc. What
// is not in PATH, and no path of a program, is an error (bad_argument) that says what can be done.
[[nodiscard]] expected<std::vector<std::string>> player_words(std::string const& command);

// The whole command line. mpv and VLC, by their names, are told not to write over our line, to end
// at the end, and of the files that belong to the film; others are given the URL alone.
[[nodiscard]] std::vector<std::string> player_command_line(std::vector<std::string> words, std::string const& url
	, std::vector<std::string> const& subtitles, std::vector<std::string> const& sounds);

class child_process
{
public:
	// Starts it, with our standard streams. Errors: bad_argument, with the system's reason.
	[[nodiscard]] static expected<child_process> start(std::vector<std::string> words);
	child_process(child_process&& other) noexcept;
	child_process& operator=(child_process&&) = delete;
	// Kills it when it still runs, and waits for it.
	~child_process();

	// The exit code, or 128 and the number of the signal that ended it; nothing while it runs.
	[[nodiscard]] std::optional<int> ended();
	void signal(int number) const;

private:
	explicit child_process(pid_t const pid) : m_pid(pid) {}
	pid_t m_pid = 0;  // 0: none, or it has been waited for
	std::optional<int> m_exit_code;
};

} // namespace slipstream::cli
