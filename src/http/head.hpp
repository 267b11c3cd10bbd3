// The header of an answer as text, with what every answer of this server says.
//
// A function of its arguments and the clock (the Date header); any thread.
#pragma once

#include "http/route.hpp"
#include "http/wire.hpp"

#include <string>

namespace slipstream::http {

// Completes `head` (of an answer to a request for `what`) and writes it down, ready to be sent.
[[nodiscard]] std::string head_text(wire::response<wire::empty_body>& head, resource what);

// True for answers that never have a body and no Content-Length (RFC 9110, sections 15.3.5 and 15.4.5).
[[nodiscard]] bool is_bodiless(wire::status status) noexcept;

} // namespace slipstream::http
