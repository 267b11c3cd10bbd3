#include "http/route.hpp"

#include <charconv>
#include <cstddef>
#include <utility>

namespace slipstream::http {
namespace {

int hex_value(char const c) noexcept
{
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	if (c >= 'A' && c <= 'F') return c - 'A' + 10;
	return -1;
}

bool is_unreserved(char const c) noexcept
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
		|| c == '-' || c == '.' || c == '_' || c == '~';
}

route malformed(std::string reason)
{
	route r;
	r.what = resource::malformed;
	r.reason = std::move(reason);
	return r;
}

route plain(resource const what)
{
	route r;
	r.what = what;
	return r;
}

// Digits only, within int; -1 for anything else: such a file does not exist.
int file_index(std::string_view const text) noexcept
{
	int value = -1;
	if (text.empty() || text.front() < '0' || text.front() > '9') return -1;
	auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
	if (failure != std::errc{} || end != text.data() + text.size()) return -1;
	return value;
}

// The path of an origin-form or absolute-form target without its query; nothing for other forms.
std::optional<std::string_view> path_of(std::string_view target) noexcept
{
	// "a server MUST accept the absolute-form in requests" (RFC 9112, section 3.2.2).
	for (std::string_view const scheme : {"http://", "https://"})
	{
		if (!target.starts_with(scheme)) continue;
		target.remove_prefix(scheme.size());
		std::size_t const slash = target.find('/');
		target = slash == std::string_view::npos ? "/" : target.substr(slash);
		break;
	}
	if (target.empty() || target.front() != '/') return std::nullopt;
	return target.substr(0, target.find_first_of("?#"));
}

} // namespace

std::string percent_encoded(std::string_view const text)
{
	constexpr std::string_view hex = "0123456789ABCDEF";
	std::string out;
	out.reserve(text.size());
	for (char const c : text)
	{
		if (is_unreserved(c))
		{
			out += c;
			continue;
		}
		auto const byte = static_cast<unsigned char>(c);
		out += '%';
		out += hex[byte >> 4];
		out += hex[byte & 15];
	}
	return out;
}

std::optional<std::string> percent_decoded(std::string_view const text)
{
	std::string out;
	out.reserve(text.size());
	for (std::size_t i = 0; i < text.size(); ++i)
	{
		if (text[i] != '%')
		{
			out += text[i];
			continue;
		}
		if (text.size() - i < 3) return std::nullopt;
		int const high = hex_value(text[i + 1]);
		int const low = hex_value(text[i + 2]);
		if (high < 0 || low < 0) return std::nullopt;
		out += static_cast<char>(high * 16 + low);
		i += 2;
	}
	return out;
}

route find_route(std::string_view const target)
{
	if (target == "*") return plain(resource::server);
	std::optional<std::string_view> const path = path_of(target);
	if (!path) return malformed("the request target must be a path that begins with '/'");

	// Split before decoding: an encoded '/' belongs to a part (RFC 3986, section 2.2).
	std::vector<std::string> parts;
	std::string_view rest = path->substr(1);
	while (true)
	{
		std::size_t const slash = rest.find('/');
		std::optional<std::string> part = percent_decoded(rest.substr(0, slash));
		if (!part) return malformed("a '%' in the path is not followed by two hexadecimal digits");
		parts.push_back(std::move(*part));
		if (slash == std::string_view::npos) break;
		rest.remove_prefix(slash + 1);
	}

	std::size_t const count = parts.size();
	if (count == 1 && parts[0] == "healthz") return plain(resource::health);
	if (count == 1 && parts[0] == "metrics") return plain(resource::metrics);
	if (count >= 3 && parts[0] == "api" && parts[1] == "v1" && parts[2] == "torrents")
	{
		// One '/' at the end is forgiven.
		if (count == 3 || (count == 4 && parts[3].empty())) return plain(resource::torrents);
		if (count == 4)
		{
			route r = plain(resource::torrent);
			r.id = std::move(parts[3]);
			return r;
		}
	}
	if ((count == 3 || count == 4) && parts[0] == "stream")
	{
		route r = plain(resource::stream);
		r.id = std::move(parts[1]);
		r.file_index = file_index(parts[2]);
		return r;
	}
	return plain(resource::unknown);
}

std::string_view allowed_methods(resource const what) noexcept
{
	switch (what)
	{
		case resource::health:
		case resource::metrics:
		case resource::stream: return "GET, HEAD, OPTIONS";
		case resource::torrents: return "GET, HEAD, POST, OPTIONS";
		case resource::torrent: return "GET, HEAD, DELETE, OPTIONS";
		case resource::server: return "GET, HEAD, POST, DELETE, OPTIONS";
		case resource::malformed:
		case resource::unknown: break;
	}
	return {};
}

std::string stream_path(std::string_view const id, int const file_index, std::string_view const name)
{
	std::string path = "/stream/" + percent_encoded(id) + '/' + std::to_string(file_index);
	// Clients resolve "." and ".." away, encoded or not (RFC 3986, section 6.2.2).
	if (!name.empty() && name != "." && name != "..") path += '/' + percent_encoded(name);
	return path;
}

} // namespace slipstream::http
