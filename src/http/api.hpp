// The JSON API under /api/v1: torrents listed, added, looked at and removed.
//
// Called on the server's thread; each call asks the engine and answers at once. It does not wait for
// metadata and does not stream.
#pragma once

#include "http/reply.hpp"
#include "http/route.hpp"

#include <slipstream/engine.hpp>

namespace slipstream::http {

// Answers GET, HEAD, POST and DELETE on resource::torrents and resource::torrent, where
// allowed_methods() lists the method.
[[nodiscard]] reply answer_api(engine& e, request const& asked, route const& where);

// The torrent as JSON. Names that are not UTF-8 have the faulty bytes replaced.
[[nodiscard]] std::string to_json(torrent_summary const& torrent);
[[nodiscard]] std::string to_json(std::vector<torrent_summary> const& torrents);

// Bytes of a JSON body, at most. A magnet link is far shorter.
inline constexpr std::size_t max_json_bytes = 64 << 10;

} // namespace slipstream::http
