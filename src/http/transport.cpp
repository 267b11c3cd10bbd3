#include "http/transport.hpp"

#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <stdexcept>

namespace slipstream::http {

void transport::limit_unsent([[maybe_unused]] std::size_t const bytes)
{
#ifdef TCP_NOTSENT_LOWAT
	int const limit = static_cast<int>(bytes);
	// A refusal is no failure of the connection.
	static_cast<void>(::setsockopt(m_socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, sizeof limit));
#endif
}

asio::ssl::context tls_context(std::string const& certificate_file, std::string const& key_file)
{
	asio::ssl::context context(asio::ssl::context::tls_server);
	SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
	// Players often end without a farewell: they have a Content-Length to know the end by.
	SSL_CTX_set_options(context.native_handle(), SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	error_code ec;
	context.use_certificate_chain_file(certificate_file, ec);
	if (ec) throw std::runtime_error("the certificate " + certificate_file + " cannot be used: " + ec.message());
	context.use_private_key_file(key_file, asio::ssl::context::pem, ec);
	if (ec) throw std::runtime_error("the key " + key_file + " cannot be used: " + ec.message());
	return context;
}

} // namespace slipstream::http
