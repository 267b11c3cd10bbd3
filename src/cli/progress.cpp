#include "cli/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>

namespace slipstream::cli {
namespace {

// The length of the character that `text` begins with; 0 when that is no UTF-8 (RFC 3629, section
// 4: overlong forms and surrogates are none).
std::size_t character_length(std::string_view const text)
{
	auto const byte = [&](std::size_t const i) { return static_cast<unsigned char>(text[i]); };
	unsigned char const first = byte(0);
	if (first < 0x80) return 1;
	std::size_t const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
	for (std::size_t i = 1; i < length; ++i)
		if ((byte(i) & 0xc0) != 0x80) return 0;
	unsigned char const second = byte(1);
	bool const wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)
		|| (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
	return wrong ? 0 : length;
}

bool is_control(std::string_view const character)
{
	auto const first = static_cast<unsigned char>(character[0]);
	if (first < ' ' || first == 0x7f) return true;
	if (first == 0xc2) return static_cast<unsigned char>(character[1]) < 0xa0;
	// Marks that turn the direction of what follows: a name could show as another.
	constexpr std::string_view turning[]{"\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066"
		, "\u2067", "\u2068", "\u2069"};
	for (std::string_view const mark : turning)
		if (character == mark) return true;
	return false;
}

std::size_t terminal_columns()
{
	winsize size{};
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
	return size.ws_col;
}

} // namespace

std::string printable(std::string_view text)
{
	std::string out;
	while (!text.empty())
	{
		std::size_t const length = character_length(text);
		if (length == 0 || is_control(text.substr(0, length))) out += '?';
		else out += text.substr(0, length);
		text.remove_prefix(length == 0 ? 1 : length);
	}
	return out;
}

std::string first_columns(std::string_view const utf8, std::size_t const columns)
{
	std::size_t at = 0;
	for (std::size_t count = 0; at < utf8.size() && count < columns; ++count)
	{
		std::size_t const length = character_length(utf8.substr(at));
		at += length == 0 ? 1 : length;
	}
	return std::string(utf8.substr(0, at));
}

progress::progress() : m_tty(isatty(STDERR_FILENO) == 1) {}

progress::~progress() { finish(); }

void progress::step(std::string const& what)
{
	finish();
	if (m_tty) draw(what);
	else std::fprintf(stderr, "%s\n", what.c_str());
}

void progress::update(std::string const& what)
{
	if (!m_tty || std::chrono::steady_clock::now() - m_drawn < std::chrono::milliseconds(100)) return;
	draw(what);
}

void progress::finish()
{
	if (m_open) std::fputc('\n', stderr);
	m_open = false;
}

void progress::draw(std::string const& what)
{
	// A line that wraps could not be drawn over. The last column stays free: some terminals wrap
	// when it is filled.
	std::fprintf(stderr, "\r\033[K%s", first_columns(what, terminal_columns() - 1).c_str());
	std::fflush(stderr);
	m_open = true;
	m_drawn = std::chrono::steady_clock::now();
}

} // namespace slipstream::cli
