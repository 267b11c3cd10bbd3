// ADDR:PORT as people write it. Pure functions; any thread. Names of hosts are not looked up.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace slipstream {

// "127.0.0.1:8090", "[::1]:8090"; port 0..65535. Nothing for anything else.
[[nodiscard]] std::optional<boost::asio::ip::tcp::endpoint> endpoint_in(std::string_view text);
// What endpoint_in() reads as the same: an IPv6 address in brackets.
[[nodiscard]] std::string endpoint_text(boost::asio::ip::tcp::endpoint const& where);

} // namespace slipstream
