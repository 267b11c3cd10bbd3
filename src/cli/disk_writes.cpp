#include "cli/disk_writes.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <string>

namespace slipstream::cli {

std::optional<std::int64_t> disk_bytes_written()
{
	std::ifstream in("/proc/self/io");
	std::string const text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
	return write_bytes_in(text);
}

std::optional<std::int64_t> write_bytes_in(std::string_view const io_text)
{
	// "cancelled_write_bytes: " ends alike: the line's start tells them apart.
	constexpr std::string_view key = "\nwrite_bytes: ";
	std::size_t const at = io_text.find(key);
	if (at == std::string_view::npos) return std::nullopt;
	std::string_view const rest = io_text.substr(at + key.size());
	std::int64_t value = 0;
	auto const [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
	if (failure != std::errc{}) return std::nullopt;
	return value;
}

} // namespace slipstream::cli
