#include "cli/flags.hpp"

#include "cli/address.hpp"
#include "cli/size.hpp"
#include "http/authority.hpp"

#include <slipstream/extent.hpp>
#include <slipstream/memory_disk.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace slipstream::cli {
namespace {

std::string variable_of(std::string const& flag)
{
	std::string name = "SLIPSTREAM_" + flag;
	std::replace(name.begin(), name.end(), '-', '_');
	std::transform(name.begin(), name.end(), name.begin()
		, [](char const c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
	return name;
}

std::vector<std::string> split(std::string const& text)
{
	std::vector<std::string> parts;
	std::size_t at = 0;
	while ((at = text.find_first_not_of(", \t\n", at)) != std::string::npos)
	{
		std::size_t const end = std::min(text.find_first_of(", \t\n", at), text.size());
		parts.push_back(text.substr(at, end - at));
		at = end;
	}
	return parts;
}

} // namespace

void flags::add(std::string const& name, std::string const& placeholder, std::string const& what
	, bool const repeatable)
{
	entry& e = m_entries.emplace_back();
	e.name = name;
	e.repeatable = repeatable;
	std::string const text = what + (repeatable ? " (repeatable)" : "") + " [" + variable_of(name) + "]";
	e.option = m_command.add_option("--" + name, e.given, text)->type_name(placeholder);
	// One value each: what follows may be a torrent.
	e.option->expected(1)->allow_extra_args(false);
	if (repeatable) e.option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
	else e.option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void flags::add_switch(std::string const& name, std::string const& what)
{
	entry& e = m_entries.emplace_back();
	e.name = name;
	std::string const text = what + " [" + variable_of(name) + "]";
	e.option = m_command.add_flag("--" + name, text);
}

std::vector<flags::value> flags::all(std::string const& name) const
{
	entry const& e = find(name);
	std::vector<value> values;
	if (e.option->count() > 0)
	{
		for (std::string const& text : e.given) values.push_back({"--" + name, text});
		return values;
	}
	std::string const variable = variable_of(name);
	std::optional<std::string> const text = m_env(variable);
	if (!text || text->empty()) return values;
	if (!e.repeatable) return {{variable, *text}};
	for (std::string& part : split(*text)) values.push_back({variable, std::move(part)});
	return values;
}

std::optional<flags::value> flags::last(std::string const& name) const
{
	std::vector<value> values = all(name);
	if (values.empty()) return std::nullopt;
	return std::move(values.back());
}

std::string flags::text(std::string const& name) const
{
	auto v = last(name);
	return v ? std::move(v->text) : std::string();
}

bool flags::on(std::string const& name) const
{
	if (find(name).option->count() > 0) return true;
	std::string const variable = variable_of(name);
	std::optional<std::string> const text = m_env(variable);
	if (!text || text->empty()) return false;
	for (char const* const yes : {"1", "true", "yes", "on"})
	{
		if (*text == yes) return true;
	}
	for (char const* const no : {"0", "false", "no", "off"})
	{
		if (*text == no) return false;
	}
	throw wrong_value{fmt::format("{}: '{}' is neither yes nor no; give 1 or 0", variable, *text)};
}

flags::entry const& flags::find(std::string const& name) const
{
	return *std::find_if(m_entries.begin(), m_entries.end()
		, [&](entry const& e) { return e.name == name; });
}

std::vector<boost::asio::ip::tcp::endpoint> addresses(flags const& given, std::string const& name)
{
	std::vector<boost::asio::ip::tcp::endpoint> found;
	for (flags::value const& v : given.all(name)) found.push_back(take(v, parse_address(v.text)));
	return found;
}

std::vector<boost::asio::ip::tcp::endpoint> peers(flags const& given, std::string const& name)
{
	std::vector<boost::asio::ip::tcp::endpoint> found;
	for (flags::value const& v : given.all(name))
	{
		found.push_back(take(v, parse_address(v.text)));
		if (found.back().address().is_unspecified())
			throw wrong_value{fmt::format("{}: '{}' is no peer's address; give the one it listens on", v.source, v.text)};
		if (found.back().port() == 0)
			throw wrong_value{fmt::format("{}: '{}' has port 0; give the peer's port", v.source, v.text)};
	}
	return found;
}

std::vector<std::string> host_names(flags const& given)
{
	std::vector<std::string> names;
	for (flags::value const& v : given.all("host-name"))
	{
		auto const name = http::parse_authority(v.text);
		if (!name || !name->port.empty() || v.text.find(':') != std::string::npos)
			throw wrong_value{fmt::format("{}: '{}' is not the name of a host; give one like player.example.org", v.source, v.text)};
		names.push_back(name->host);
	}
	return names;
}

std::int64_t capacity(flags const& given)
{
	std::optional<flags::value> const v = given.last("capacity");
	if (!v) return memory_disk_options{}.capacity_bytes;
	std::int64_t const bytes = take(*v, parse_bytes(v->text));
	if (bytes < memory_disk::min_capacity_bytes)
	{
		throw wrong_value{fmt::format("{}: '{}' is below the floor; give at least {} ({} bytes)", v->source
			, v->text, size_text(memory_disk::min_capacity_bytes), memory_disk::min_capacity_bytes)};
	}
	return bytes;
}

extent window(flags const& given, std::string const& name, extent const& otherwise)
{
	std::optional<flags::value> const v = given.last(name);
	return v ? take(*v, parse_extent(v->text)) : otherwise;
}

std::chrono::milliseconds seconds(flags const& given, std::string const& name
	, std::chrono::milliseconds const otherwise)
{
	std::optional<flags::value> const v = given.last(name);
	if (!v) return otherwise;
	double value = 0;
	char const* const end = v->text.data() + v->text.size();
	auto const [after, failure] = std::from_chars(v->text.data(), end, value, std::chars_format::fixed);
	bool const in_range = failure == std::errc{} && after == end && value >= 0.001 && value <= 86'400;
	if (!in_range)
	{
		throw wrong_value{fmt::format("{}: '{}' is not a time in seconds; give one from 0.001 to 86400"
			, v->source, v->text)};
	}
	return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

log_level level(flags const& given, log_level const otherwise)
{
	std::optional<flags::value> const v = given.last("log-level");
	if (!v) return otherwise;
	constexpr std::pair<char const*, log_level> names[]{{"trace", log_level::trace}
		, {"debug", log_level::debug}, {"info", log_level::info}, {"warn", log_level::warn}
		, {"error", log_level::error}, {"off", log_level::off}};
	for (auto const& [name, known] : names)
	{
		if (v->text == name) return known;
	}
	throw wrong_value{fmt::format("{}: '{}' is not a level; give trace, debug, info, warn, error or off"
		, v->source, v->text)};
}

} // namespace slipstream::cli
