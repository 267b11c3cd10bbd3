// The JSON API under /api/v1: torrents, readers, memory, settings.
//
// Called on the server's thread; each call asks the engine and answers at once. It does not wait for
// metadata and does not stream.
#pragma once

#include "http/reply.hpp"
#include "http/route.hpp"

#include <slipstream/engine.hpp>

namespace slipstream::http {

// Answers what allowed_methods() lists for resource::torrents, torrent, pause, resume, readers,
// memory and settings.
[[nodiscard]] reply answer_api(engine& e, request const& asked, route const& where);

// Bytes of a JSON body, at most. A magnet link is far shorter.
inline constexpr std::size_t max_json_bytes = 64 << 10;

} // namespace slipstream::http
