// A plain HTTP/1.1 client (Beast's), with TLS: what `slipstream check` looks at servers with, and
// the demo at its own.
//
// One connection, one request at a time, in the calling thread, on the io_context it is given: what
// else waits there, such as for a signal, is run meanwhile. The connection is kept as long as the
// server keeps it. It follows no redirections, keeps no cookies and judges nothing.
#pragma once

#include "http/wire.hpp"

#include <slipstream/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/ssl.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipstream::cli {

struct http_url
{
	bool tls = false;
	std::string host;         // without brackets
	std::string port;
	std::string authority;    // for the Host header, as it was given
	std::string target;       // path and query
	std::string credentials;  // user:password, decoded; or empty
};

// "http://" or "https://", a host, and what follows (RFC 3986); a fragment is dropped. Errors:
// bad_argument.
[[nodiscard]] expected<http_url> parse_url(std::string_view text);

struct http_ask
{
	http::wire::verb method = http::wire::verb::get;
	std::vector<std::pair<std::string, std::string>> headers{};
	// What is longer is left, and the connection closed; 0: no body is wanted. Of the first bytes
	// beyond, up to 256 KiB are seen by on_bytes and counted.
	std::size_t max_body_bytes = 0;
	// Hears the bytes of the body, in order, in place of the answer's `body`.
	std::function<void(std::span<char const>)> on_bytes{};
};

struct http_answer
{
	unsigned status = 0;
	http::wire::fields headers;
	std::string body;
	bool whole = false;         // the body is all of it
	std::string broken_off;     // why it is not, where the connection failed
	bool kept = false;          // the connection can be used again
	bool on_old_connection = false;
	std::size_t size_bytes = 0; // of the body, as far as it came
	std::chrono::steady_clock::duration first_byte{};  // from sending the request to the body's first byte
	std::chrono::steady_clock::duration all{};         // and to its end

	[[nodiscard]] std::string_view header(http::wire::field const name) const
	{
		auto const found = headers[name];
		return {found.data(), found.size()};
	}
};

class http_client
{
public:
	// `timeout`: for each step of a request. With TLS the server's certificate has to be valid for
	// its name, by the system's authorities, or those in `ca_file` (PEM) when it is not empty.
	// Throws std::runtime_error when that cannot be read. `interrupted` is asked after whatever
	// happened on `io`; when it says so, the request ends. The look-up of a name ends for the
	// caller in the same way, but the system's goes on, and the end of `io` waits for it.
	http_client(boost::asio::io_context& io, http_url url, std::chrono::milliseconds timeout, std::string const& ca_file
		, std::function<bool()> interrupted = {});
	~http_client();
	http_client(http_client const&) = delete;
	http_client& operator=(http_client const&) = delete;

	// Errors: cancelled, when interrupted; bad_argument, with a sentence, when there is no whole header.
	[[nodiscard]] expected<http_answer> ask(http_ask const& wanted);
	// Ends the connection without a word.
	void drop();

private:
	using tls_stream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

	template <typename Start> boost::system::error_code run(Start&& start);
	[[nodiscard]] boost::beast::tcp_stream& lowest();
	[[nodiscard]] boost::system::error_code connect();
	[[nodiscard]] boost::system::error_code look_up(boost::asio::ip::tcp::resolver::results_type& places);
	template <typename Stream> expected<http_answer> exchange(Stream& stream, http_ask const& wanted);

	http_url const m_url;
	std::chrono::milliseconds const m_timeout;
	std::function<bool()> const m_interrupted;
	boost::asio::io_context& m_io;
	boost::asio::ssl::context m_tls_context{boost::asio::ssl::context::tls_client};
	std::unique_ptr<boost::beast::tcp_stream> m_plain;  // one of them while connected
	std::unique_ptr<tls_stream> m_tls;
	boost::beast::flat_buffer m_buffer{128 << 10}; // at most: a chunk's header may have no end
};

} // namespace slipstream::cli
