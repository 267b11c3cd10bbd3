// The answers that need no engine: malformed requests, requests for somebody else or from nobody we
// know, unknown paths, wrong methods, OPTIONS, /healthz.
//
// Pure functions on the header of a request; any thread.
#pragma once

#include "http/credentials.hpp"
#include "http/options.hpp"
#include "http/reply.hpp"
#include "http/route.hpp"

#include <optional>

namespace slipstream::http {

// Nothing when the engine is to be asked.
[[nodiscard]] std::optional<reply> answer_at_the_door(wire::request_header<> const& head, route const& where
	, server_options const& options, credentials const& admitted);

// What a request that could not be read is told; nothing when there is nobody to tell.
[[nodiscard]] std::optional<reply> answer_unreadable(error_code ec);

} // namespace slipstream::http
