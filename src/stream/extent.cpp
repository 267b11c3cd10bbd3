#include <slipstream/extent.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace slipstream {

namespace {

constexpr std::int64_t kibi = 1024;
constexpr std::int64_t kilo = 1000;
constexpr std::int64_t whole = 1'000'000;
constexpr std::int64_t percent = whole / 100;
constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t max_bytes = std::int64_t{1} << 50;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 10> sizes{{
	{"", 1}, {"b", 1},
	{"kib", kibi}, {"mib", kibi * kibi}, {"gib", kibi * kibi * kibi}, {"tib", kibi * kibi * kibi * kibi},
	{"kb", kilo}, {"mb", kilo * kilo}, {"gb", kilo * kilo * kilo}, {"tb", kilo * kilo * kilo * kilo},
}};
constexpr std::array<std::pair<std::string_view, std::int64_t>, 3> times_ms{{
	{"s", 1000}, {"min", 60'000}, {"h", 3'600'000},
}};

std::string lower(std::string_view const text)
{
	std::string out(text);
	for (char& c : out)
		if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
	return out;
}

bool begins_with_digit(std::string_view const text) { return !text.empty() && text.front() >= '0' && text.front() <= '9'; }

struct measure
{
	double count = 0;
	std::string unit;  // in lower case, without the blanks before it
};

// "1.5min" is 1.5 and "min".
std::optional<measure> read_measure(std::string_view const text)
{
	measure m;
	if (!begins_with_digit(text)) return std::nullopt;
	auto const [after, failure] = std::from_chars(text.data(), text.data() + text.size(), m.count, std::chars_format::fixed);
	if (failure != std::errc{}) return std::nullopt;
	std::string_view rest(after, static_cast<std::size_t>(text.data() + text.size() - after));
	rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
	m.unit = lower(rest);
	return m;
}

std::optional<std::int64_t> unit_ms(std::string_view const unit)
{
	for (auto const& [name, ms] : times_ms)
		if (unit == name) return ms;
	return std::nullopt;
}

// Rounded; nothing when it is above `most`.
std::optional<std::int64_t> scaled(double const count, std::int64_t const by, std::int64_t const most)
{
	double const amount = std::round(count * static_cast<double>(by));
	if (!(amount <= static_cast<double>(most))) return std::nullopt;
	return static_cast<std::int64_t>(amount);
}

error no_size(std::string_view const text)
{
	return {errc::bad_argument
		, fmt::format("'{:.64}' is not a size; give one like 256MiB, 1GiB, 512MB or a number of bytes", text)};
}

error no_extent(std::string_view const text)
{
	return {errc::bad_argument, fmt::format("'{:.64}' is neither a share, a size, nor a time; give one like 25%, 64MiB, 30s, or auto"
		" (100%, 1024TiB, 24h at most)", text)};
}

} // namespace

bool extent::is_valid() const
{
	switch (in)
	{
		case unit::automatic: return amount == 0;
		case unit::bytes: return amount >= 0 && amount <= max_bytes;
		case unit::share: return amount >= 0 && amount <= whole;
		case unit::time: return amount >= 0 && amount <= day_ms;
	}
	return false;
}

expected<std::int64_t> parse_bytes(std::string_view const text)
{
	std::int64_t count = 0;
	if (!begins_with_digit(text)) return no_size(text);
	auto const [after, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
	if (failure != std::errc{}) return no_size(text);
	std::string_view rest(after, static_cast<std::size_t>(text.data() + text.size() - after));
	rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
	auto const unit = lower(rest);
	for (auto const& [name, bytes] : sizes)
	{
		if (unit != name) continue;
		if (count > std::numeric_limits<std::int64_t>::max() / bytes) return no_size(text);
		return count * bytes;
	}
	return no_size(text);
}

expected<extent> parse_extent(std::string_view const text)
{
	if (lower(text) == "auto") return extent{};
	auto const m = read_measure(text);
	if (m && m->unit == "%")
	{
		auto const millionths = scaled(m->count, percent, whole);
		return millionths ? expected<extent>(extent::share(*millionths)) : no_extent(text);
	}
	if (m)
	{
		if (auto const per = unit_ms(m->unit))
		{
			auto const ms = scaled(m->count, *per, day_ms);
			return ms ? expected<extent>(extent::time(std::chrono::milliseconds(*ms))) : no_extent(text);
		}
	}
	auto const bytes = parse_bytes(text);
	if (!bytes || *bytes > max_bytes) return no_extent(text);
	return extent::bytes(*bytes);
}

std::string extent_text(extent const& e)
{
	switch (e.in)
	{
		case extent::unit::automatic: break;
		case extent::unit::bytes:
			for (auto const& [name, bytes] : {std::pair("GiB", kibi * kibi * kibi), std::pair("MiB", kibi * kibi), std::pair("KiB", kibi)})
				if (e.amount > 0 && e.amount % bytes == 0) return fmt::format("{}{}", e.amount / bytes, name);
			return fmt::format("{}", e.amount);
		case extent::unit::share: return fmt::format("{}%", static_cast<double>(e.amount) / percent);
		case extent::unit::time: return fmt::format("{}s", static_cast<double>(e.amount) / 1000);
	}
	return "auto";
}

expected<std::chrono::milliseconds> parse_duration(std::string_view const text)
{
	auto const m = read_measure(text);
	auto const per = !m ? std::nullopt : m->unit.empty() ? std::optional<std::int64_t>(1000) : unit_ms(m->unit);
	auto const ms = per ? scaled(m->count, *per, 366 * day_ms) : std::nullopt;
	if (!ms || *ms < 1)
	{
		return error(errc::bad_argument, fmt::format("'{:.64}' is not a duration; give one like 30s, 10min, 2h"
			" or a number of seconds, up to 8784h", text));
	}
	return std::chrono::milliseconds(*ms);
}

} // namespace slipstream
