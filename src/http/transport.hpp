// The bytes of one connection, plain or through TLS.
//
// Belongs to the server's thread. At most one read and one write at a time, which may be at the
// same time; shutdown() needs both to have ended. Closing ends whatever is under way. It keeps no
// deadlines.
#pragma once

#include "http/wire.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace slipstream::http {

class transport
{
public:
	using executor_type = tcp::socket::executor_type;

	// Without `tls`: plain. The context must outlive it.
	transport(tcp::socket socket, asio::ssl::context* const tls) : m_socket(std::move(socket))
	{
		if (tls != nullptr) m_tls.emplace(m_socket, *tls);
	}
	transport(transport const&) = delete;
	transport& operator=(transport const&) = delete;

	[[nodiscard]] executor_type get_executor() { return m_socket.get_executor(); }
	[[nodiscard]] tcp::socket& socket() { return m_socket; }
	[[nodiscard]] bool secure() const { return m_tls.has_value(); }

	// How much the system keeps that has not been sent yet, about (tcp(7), TCP_NOTSENT_LOWAT).
	// Without it that grows to megabytes for a client that takes nothing. What is on its way is not
	// limited by it. Where the system has no such limit, nothing is changed.
	void limit_unsent(std::size_t bytes);

	// Nothing to do when it is plain.
	asio::awaitable<error_code> handshake()
	{
		error_code ec;
		if (m_tls) co_await m_tls->async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, ec));
		co_return ec;
	}

	// Says that nothing more will be sent; through TLS it also waits for the same from the other side.
	asio::awaitable<error_code> shutdown()
	{
		error_code ec;
		if (m_tls) co_await m_tls->async_shutdown(asio::redirect_error(asio::use_awaitable, ec));
		else m_socket.shutdown(tcp::socket::shutdown_send, ec);
		co_return ec;
	}

	void close()
	{
		error_code ignored;
		m_socket.close(ignored);
	}

	// Asio's AsyncReadStream and AsyncWriteStream, for plain handlers.
	template <typename Buffers, typename Handler>
	void async_read_some(Buffers const& to, Handler&& done)
	{
		if (m_tls) m_tls->async_read_some(to, std::forward<Handler>(done));
		else m_socket.async_read_some(to, std::forward<Handler>(done));
	}
	template <typename Buffers, typename Handler>
	void async_write_some(Buffers const& from, Handler&& done)
	{
		if (m_tls) m_tls->async_write_some(from, std::forward<Handler>(done));
		else m_socket.async_write_some(from, std::forward<Handler>(done));
	}

private:
	tcp::socket m_socket;
	std::optional<asio::ssl::stream<tcp::socket&>> m_tls;
};

// TLS 1.2 or later, with the chain and the key of these PEM files. Throws std::runtime_error,
// naming the file, when one cannot be used.
[[nodiscard]] asio::ssl::context tls_context(std::string const& certificate_file, std::string const& key_file);

} // namespace slipstream::http
