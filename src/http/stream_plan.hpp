// What a GET or HEAD for a file is answered with: the status, the headers and which bytes. Decided
// from the request and the file's size alone, before a reader is opened.
//
// A pure function; any thread. It does not know whether the bytes are there.
#pragma once

#include "http/range.hpp"
#include "http/wire.hpp"

#include <slipstream/engine.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipstream::http {

// A piece of a body: text, then bytes of the file.
struct body_part
{
	std::string before;  // what introduces a part of multipart/byteranges (RFC 9110, section 14.6); else empty
	byte_range bytes;
};

struct stream_plan
{
	wire::status status = wire::status::ok;  // 200, 206, 304, 412 or 416
	std::vector<body_part> parts;            // the body, in order
	std::string closing;                     // its end, after the last part
	std::vector<std::pair<wire::field, std::string>> headers;

	// Of the body. Never more than the file has: where several parts would be, the file is sent whole.
	[[nodiscard]] std::int64_t length_bytes() const noexcept;
};

[[nodiscard]] stream_plan plan_stream(wire::request_header<> const& head, std::string_view torrent_id
	, file_entry const& file);

// A strong entity tag: the bytes behind a hash never change.
[[nodiscard]] std::string entity_tag(std::string_view torrent_id, int file_index);

// What separates the parts of multipart/byteranges: it has the info-hash in it, and a file that
// contains the hash of its own torrent cannot be made.
[[nodiscard]] std::string part_boundary(std::string_view torrent_id);

} // namespace slipstream::http
