#include "cli/size.hpp"

#include <fmt/format.h>

#include <array>

namespace slipstream::cli {
namespace {

constexpr std::int64_t kibi = 1024;

} // namespace

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
