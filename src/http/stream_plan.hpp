// What a GET or HEAD for a file is answered with: the status, the headers and which bytes. Decided
// from the request and the file's size alone, before a reader is opened.
//
// A pure function; any thread. It does not know whether the bytes are there.
#pragma once

#include "http/range.hpp"
#include "http/wire.hpp"

#include <slipstream/engine.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipstream::http {

struct stream_plan
{
	wire::status status = wire::status::ok;  // 200, 206, 304, 412 or 416
	byte_range bytes;                        // the body; length 0: none
	std::vector<std::pair<wire::field, std::string>> headers;
};

[[nodiscard]] stream_plan plan_stream(wire::request_header<> const& head, std::string_view torrent_id
	, file_entry const& file);

// A strong entity tag: the bytes behind a hash never change.
[[nodiscard]] std::string entity_tag(std::string_view torrent_id, int file_index);

} // namespace slipstream::http
