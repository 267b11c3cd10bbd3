// From the target of a request to what it names (RFC 9112, section 3.2), and back: paths for URLs.
//
// Pure functions, any thread. Nothing here, or behind it, is a path of a file system.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::http {

// %XX for all but the unreserved characters (RFC 3986, section 2.3): safe in a path, a header, a
// terminal.
[[nodiscard]] std::string percent_encoded(std::string_view text);
// Nothing when a '%' is not followed by two hex digits (RFC 3986, section 2.1).
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

enum class resource
{
	malformed,  // not a target at all: 400, see route::reason
	unknown,    // 404
	server,     // "*", of OPTIONS
	page,         // for people: web/
	page_style,
	page_script,
	health,
	metrics,
	playlists,  // of everything
	playlist,   // of one torrent
	openapi,
	stream,
	torrents,
	torrent,
	pause,
	resume,
	readers,
	memory,
	settings,
	events,
};

struct route
{
	resource what = resource::unknown;
	std::string id;          // the info-hash as given, where the path has one
	int file_index = 0;      // stream; negative: no file can have this index
	std::string reason;      // malformed: why
};

// A path that there is. In `pattern`, {id}, {index} and {name} stand for a part of the path each;
// the description of the API names it by the same text.
struct known_route
{
	std::string_view pattern;
	resource what;
	std::string_view methods;  // for the Allow header
};
[[nodiscard]] std::span<known_route const> known_routes() noexcept;

// `target` in origin-form, absolute-form or "*"; a query is not looked at. The file name at the end of
// a stream's path is for players and people: it is not looked at either.
[[nodiscard]] route find_route(std::string_view target);

// For the Allow header; empty for malformed and unknown.
[[nodiscard]] std::string_view allowed_methods(resource what) noexcept;

// "/stream/<id>/<index>/<name>"; without the name where it would not survive as a part of a path.
[[nodiscard]] std::string stream_path(std::string_view id, int file_index, std::string_view name);

} // namespace slipstream::http
