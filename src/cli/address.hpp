// ADDR:PORT as a flag has it, with a sentence when it is wrong, and URLs of what listens there.
//
// Pure functions; any thread. Names of hosts are not looked up.
#pragma once

#include <slipstream/error.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <string_view>

namespace slipstream::cli {

// "127.0.0.1:8090", "[::1]:8090"; port 0..65535. Errors: bad_argument, with a sentence that says what
// would be right.
[[nodiscard]] expected<boost::asio::ip::tcp::endpoint> parse_address(std::string_view text);

// "http://127.0.0.1:8090", without a '/' at the end; "https:" with `tls`.
[[nodiscard]] std::string url_of(boost::asio::ip::tcp::endpoint const& where, bool tls = false);
// The same for a program on this machine: the loopback address for one that means all addresses.
[[nodiscard]] std::string local_url_of(boost::asio::ip::tcp::endpoint const& where, bool tls = false);

} // namespace slipstream::cli
