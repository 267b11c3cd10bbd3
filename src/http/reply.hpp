// A complete answer with a short body, and the problem documents (RFC 9457) that errors are told with.
//
// Values; any thread. A stream's body is not one of these: it is never in one piece.
#pragma once

#include "http/wire.hpp"

#include <slipstream/error.hpp>

#include <string>
#include <utility>
#include <vector>

namespace slipstream::http {

struct reply
{
	wire::status status = wire::status::ok;
	std::string content_type;  // empty: no body
	std::string body;
	std::vector<std::pair<wire::field, std::string>> headers;
	bool close = false;        // end the connection after it
};

// {"status":404,"title":"Not Found","detail":"..."} as application/problem+json. `detail` may be of any
// bytes; what is not UTF-8 in it is replaced.
[[nodiscard]] reply problem(wire::status status, std::string const& detail);
// The status that an error of the engine is told with.
[[nodiscard]] reply problem(error const& e);
[[nodiscard]] wire::status status_of(error_code ec) noexcept;

} // namespace slipstream::http
