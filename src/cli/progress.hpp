// What a command is doing, for who watches it: on stderr.
//
// One line on a terminal, redrawn; elsewhere the steps alone, a line each and without control
// characters (a file of progress would be writing to the disk, and of no use). Owned by the
// command; its thread. It is not the log.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace slipstream::cli {

// Text of others (a torrent's names) for a terminal: control characters, C1's included, and what is
// not UTF-8 become '?'.
[[nodiscard]] std::string printable(std::string_view text);
// The first `columns` characters.
[[nodiscard]] std::string first_columns(std::string_view utf8, std::size_t columns);

class progress
{
public:
	progress();
	// Ends the line where one is open.
	~progress();
	progress(progress const&) = delete;
	progress& operator=(progress const&) = delete;

	// True when update() is seen.
	[[nodiscard]] bool live() const { return m_tty; }
	void step(std::string const& what);
	// Ten times a second at most; others are dropped.
	void update(std::string const& what);
	// Leaves the line as it is, and begins the next.
	void finish();

private:
	void draw(std::string const& what);

	bool const m_tty;
	bool m_open = false;
	std::chrono::steady_clock::time_point m_drawn;
};

} // namespace slipstream::cli
