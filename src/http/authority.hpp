// Whom a request was sent to: the Host header (RFC 9110, section 7.2), and whether that is us.
//
// A page in a browser can make a name of its own lead to this machine (DNS rebinding), and is then
// of the same origin as we: it could read and change everything. Its requests carry its name; so
// only names that nobody else can own are answered. Pure functions, any thread. Names are not
// looked up.
#pragma once

#include "http/wire.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace slipstream::http {

struct authority
{
	std::string host;      // lower case; an IPv6 address without its brackets
	std::string port;      // digits, or empty
	bool address = false;  // a literal one
};

// "host", "host:port", "[::1]:port". Nothing for anything else; never a user's name.
[[nodiscard]] std::optional<authority> parse_authority(std::string_view text);

// What the request says it is for: that of an absolute-form target, else of the Host header (RFC
// 9112, section 3.2.2). Empty when it says nothing.
[[nodiscard]] std::string_view requested_authority(wire::request_header<> const& head) noexcept;

// Literal addresses, localhost and what ends in .localhost (RFC 6761, section 6.3), and `names`, in
// any case.
[[nodiscard]] bool is_ours(authority const& asked, std::span<std::string const> names);

} // namespace slipstream::http
