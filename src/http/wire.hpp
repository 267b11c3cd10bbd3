// The names under which this layer uses Asio and Beast.
//
// `wire` is Beast's HTTP: messages as they are on the wire. It is not a layer over Beast.
#pragma once

#include <string_view>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace slipstream::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

using request = wire::request<wire::string_body>;

// Beast's own, as everybody's.
[[nodiscard]] inline std::string_view view(beast::string_view const text) { return {text.data(), text.size()}; }

} // namespace slipstream::http
