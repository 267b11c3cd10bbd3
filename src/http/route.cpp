#include "http/route.hpp"

#include <algorithm>
#include <array>
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

constexpr std::string_view reading = "GET, HEAD, OPTIONS";

constexpr std::array routes{
	known_route{"/", resource::page, reading},
	known_route{"/page.css", resource::page_style, reading},
	known_route{"/page.js", resource::page_script, reading},
	known_route{"/healthz", resource::health, reading},
	known_route{"/metrics", resource::metrics, reading},
	known_route{"/openapi.yaml", resource::openapi, reading},
	known_route{"/playlist.m3u", resource::playlists, reading},
	known_route{"/playlist/{id}.m3u", resource::playlist, reading},
	known_route{"/stream/{id}/{index}", resource::stream, reading},
	known_route{"/stream/{id}/{index}/{name}", resource::stream, reading},
	known_route{"/api/v1/torrents", resource::torrents, "GET, HEAD, POST, OPTIONS"},
	known_route{"/api/v1/torrents/{id}", resource::torrent, "GET, HEAD, DELETE, OPTIONS"},
	known_route{"/api/v1/torrents/{id}/pause", resource::pause, "POST, OPTIONS"},
	known_route{"/api/v1/torrents/{id}/resume", resource::resume, "POST, OPTIONS"},
	known_route{"/api/v1/readers", resource::readers, reading},
	known_route{"/api/v1/memory", resource::memory, reading},
	known_route{"/api/v1/settings", resource::settings, "GET, HEAD, PATCH, OPTIONS"},
	known_route{"/api/v1/events", resource::events, "GET, OPTIONS"},
};

// Whether one part of a path is what the pattern's says; what it stands for goes to `r`.
bool matches_part(std::string_view const pattern, std::string const& part, route& r)
{
	if (pattern == "{name}") return true;
	if (pattern == "{index}")
	{
		r.file_index = file_index(part);
		return true;
	}
	if (!pattern.starts_with("{id}")) return pattern == part;
	std::string_view const suffix = pattern.substr(4);
	if (!std::string_view(part).ends_with(suffix)) return false;
	r.id = part.substr(0, part.size() - suffix.size());
	return true;
}

bool matches(std::string_view pattern, std::vector<std::string> const& parts, route& r)
{
	for (std::string const& part : parts)
	{
		if (pattern.empty()) return false;
		pattern.remove_prefix(1);  // its '/'
		std::size_t const end = std::min(pattern.find('/'), pattern.size());
		if (!matches_part(pattern.substr(0, end), part, r)) return false;
		pattern.remove_prefix(end);
	}
	return pattern.empty();
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
	if (target == "*") return {resource::server, {}, 0, {}};
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

	// One '/' at the end is forgiven where no name may follow.
	if (parts.size() > 1 && parts.back().empty() && parts.front() == "api") parts.pop_back();
	for (known_route const& known : routes)
	{
		route found;
		if (!matches(known.pattern, parts, found)) continue;
		found.what = known.what;
		return found;
	}
	return {};
}

std::span<known_route const> known_routes() noexcept { return routes; }

std::string_view allowed_methods(resource const what) noexcept
{
	if (what == resource::server) return "GET, HEAD, POST, PATCH, DELETE, OPTIONS";
	auto const known = std::find_if(routes.begin(), routes.end(), [&](known_route const& r) { return r.what == what; });
	return known == routes.end() ? std::string_view() : known->methods;
}

std::string stream_path(std::string_view const id, int const file_index, std::string_view const name)
{
	std::string path = "/stream/" + percent_encoded(id) + '/' + std::to_string(file_index);
	// Clients resolve "." and ".." away, encoded or not (RFC 3986, section 6.2.2).
	if (!name.empty() && name != "." && name != "..") path += '/' + percent_encoded(name);
	return path;
}

} // namespace slipstream::http
