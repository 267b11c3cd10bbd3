#include "cli/size.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace slipstream::cli {
namespace {

constexpr std::int64_t kibi = 1024;
constexpr std::int64_t kilo = 1000;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 10> units{{
	{"", 1}, {"b", 1},
	{"kib", kibi}, {"mib", kibi * kibi}, {"gib", kibi * kibi * kibi}, {"tib", kibi * kibi * kibi * kibi},
	{"kb", kilo}, {"mb", kilo * kilo}, {"gb", kilo * kilo * kilo}, {"tb", kilo * kilo * kilo * kilo},
}};

error not_a_size(std::string_view const text)
{
	return {errc::bad_argument
		, fmt::format("'{}' is not a size; give one like 256MiB, 1GiB, 512MB or a number of bytes", text)};
}

} // namespace

expected<std::int64_t> parse_size(std::string_view const text)
{
	std::int64_t count = 0;
	char const* const end = text.data() + text.size();
	if (text.empty() || text.front() < '0' || text.front() > '9') return not_a_size(text);
	auto const [after, failure] = std::from_chars(text.data(), end, count);
	if (failure != std::errc{}) return not_a_size(text);

	std::string unit(after, end);
	unit.erase(0, unit.find_first_not_of(' ') == std::string::npos ? unit.size() : unit.find_first_not_of(' '));
	for (char& c : unit)
	{
		if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
	}
	for (auto const& [name, bytes] : units)
	{
		if (unit != name) continue;
		if (count > std::numeric_limits<std::int64_t>::max() / bytes) return not_a_size(text);
		return count * bytes;
	}
	return not_a_size(text);
}

std::string size_text(std::int64_t const bytes)
{
	constexpr std::array<char const*, 4> names{"KiB", "MiB", "GiB", "TiB"};
	if (bytes < kibi) return fmt::format("{} bytes", bytes);
	double value = static_cast<double>(bytes) / 1024;
	std::size_t name = 0;
	while (value >= 1024 && name + 1 < names.size())
	{
		value /= 1024;
		++name;
	}
	return fmt::format("{:.1f} {}", value, names[name]);
}

} // namespace slipstream::cli
