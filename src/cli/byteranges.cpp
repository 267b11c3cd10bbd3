#include "cli/range_checks.hpp"

#include <boost/beast/core/string.hpp>

#include <charconv>

namespace slipstream::cli {
namespace {

bool take_number(std::string_view& text, std::int64_t& number)
{
	if (text.empty() || text.front() < '0' || text.front() > '9') return false;
	auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
	text.remove_prefix(static_cast<std::size_t>(end - text.data()));
	return failure == std::errc{};
}

bool take(std::string_view& text, std::string_view const what)
{
	if (!text.starts_with(what)) return false;
	text.remove_prefix(what.size());
	return true;
}

// The value of boundary=, quoted or not (RFC 2046, section 5.1.1).
std::string_view boundary_of(std::string_view const content_type)
{
	constexpr std::string_view name = "boundary=";
	std::size_t const at = content_type.find(name);
	if (at == std::string_view::npos) return {};
	std::string_view value = content_type.substr(at + name.size());
	if (take(value, "\"")) return value.substr(0, value.find('"'));
	return value.substr(0, value.find_first_of("; \t"));
}

std::optional<content_range> range_in(std::string_view head)
{
	constexpr std::string_view name = "content-range:";
	while (!head.empty())
	{
		std::size_t const end = std::min(head.find("\r\n"), head.size());
		std::string_view line = head.substr(0, end);
		head.remove_prefix(std::min(end + 2, head.size()));
		if (line.size() < name.size() || !boost::beast::iequals(
			boost::beast::string_view(line.data(), name.size()), boost::beast::string_view(name.data(), name.size()))) continue;
		line.remove_prefix(name.size());
		while (line.starts_with(' ')) line.remove_prefix(1);
		return parse_content_range(line);
	}
	return std::nullopt;
}

} // namespace

std::optional<content_range> parse_content_range(std::string_view value)
{
	content_range r;
	bool const right = take(value, "bytes ") && take_number(value, r.first) && take(value, "-") && take_number(value, r.last)
		&& take(value, "/") && take_number(value, r.size) && value.empty();
	if (!right || r.first > r.last || r.last >= r.size) return std::nullopt;
	return r;
}

std::optional<std::vector<byte_part>> parse_byteranges(std::string_view const content_type, std::string_view body)
{
	std::string_view const boundary = boundary_of(content_type);
	if (boundary.empty() || !content_type.starts_with("multipart/byteranges")) return std::nullopt;
	std::string const dashes = "--" + std::string(boundary);
	std::size_t const begin = body.find(dashes);  // before it is a preamble, to be ignored
	if (begin == std::string_view::npos) return std::nullopt;
	body.remove_prefix(begin + dashes.size());
	std::vector<byte_part> parts;
	while (!body.starts_with("--"))
	{
		if (!take(body, "\r\n")) return std::nullopt;
		std::size_t const head_end = body.find("\r\n\r\n");
		if (head_end == std::string_view::npos) return std::nullopt;
		auto const range = range_in(body.substr(0, head_end));
		body.remove_prefix(head_end + 4);
		if (!range) return std::nullopt;
		// By its length: the bytes may have the boundary in them.
		auto const length = static_cast<std::size_t>(range->last - range->first + 1);
		if (body.size() < length) return std::nullopt;
		parts.push_back({*range, std::string(body.substr(0, length))});
		body.remove_prefix(length);
		if (!take(body, "\r\n") || !take(body, dashes)) return std::nullopt;
	}
	return parts;
}

} // namespace slipstream::cli
