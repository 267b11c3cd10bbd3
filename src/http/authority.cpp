#include "http/authority.hpp"

#include "http/ascii.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace slipstream::http {
namespace {

// What host names are made of in practice: letters, digits, '-', '.', and '_'.
bool is_name(std::string_view const text) noexcept
{
	return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char const c) {
		return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
	});
}

std::string canonical(std::string_view name)
{
	// "localhost." is the same name.
	if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
	std::string out(name);
	std::transform(out.begin(), out.end(), out.begin(), lower);
	return out;
}

} // namespace

std::optional<authority> parse_authority(std::string_view const text)
{
	authority a;
	std::string_view host = text;
	// The last ':' begins a port unless it is inside brackets.
	std::size_t const colon = text.rfind(':');
	if (colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos)
	{
		host = text.substr(0, colon);
		a.port = text.substr(colon + 1);
		bool const digits = std::all_of(a.port.begin(), a.port.end(), [](char const c) { return c >= '0' && c <= '9'; });
		if (!digits || a.port.size() > 5) return std::nullopt;
	}
	error_code ec;
	if (host.size() > 2 && host.front() == '[' && host.back() == ']')
	{
		host = host.substr(1, host.size() - 2);
		// Without a zone: those are for this machine's own use (RFC 6874).
		if (host.find('%') != std::string_view::npos) return std::nullopt;
		asio::ip::make_address_v6(std::string(host), ec);
		if (ec) return std::nullopt;
		a.address = true;
	}
	else if (is_name(host))
	{
		asio::ip::make_address_v4(std::string(host), ec);
		a.address = !ec;
	}
	else
	{
		return std::nullopt;
	}
	a.host = canonical(host);
	return a;
}

std::string_view requested_authority(wire::request_header<> const& head) noexcept
{
	beast::string_view const target = head.target();
	std::string_view text(target.data(), target.size());
	for (std::string_view const scheme : {"http://", "https://"})
	{
		if (!text.starts_with(scheme)) continue;
		text.remove_prefix(scheme.size());
		return text.substr(0, text.find_first_of("/?#"));
	}
	beast::string_view const host = head[wire::field::host];
	return {host.data(), host.size()};
}

bool is_ours(authority const& asked, std::span<std::string const> const names)
{
	if (asked.address || asked.host == "localhost" || asked.host.ends_with(".localhost")) return true;
	return std::any_of(names.begin(), names.end()
		, [&](std::string const& name) { return canonical(name) == asked.host; });
}

} // namespace slipstream::http
