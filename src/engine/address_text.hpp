// ADDR:PORT as people write it. A pure function; any thread. Names of hosts are not looked up.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string_view>

namespace slipstream {

// "127.0.0.1:8090", "[::1]:8090"; port 0..65535. Nothing for anything else.
[[nodiscard]] std::optional<boost::asio::ip::tcp::endpoint> endpoint_in(std::string_view text);

} // namespace slipstream
