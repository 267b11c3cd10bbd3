#include "cli/http_client.hpp"

#include "http/authority.hpp"
#include "http/route.hpp"

#include <boost/asio/connect.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <limits>
#include <memory>
#include <stdexcept>

namespace slipstream::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t chunk_bytes = 256 << 10;

std::string base64(std::string const& text)
{
	std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
	int const length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data())
		, reinterpret_cast<unsigned char const*>(text.data()), static_cast<int>(text.size()));
	out.resize(static_cast<std::size_t>(length));
	return out;
}

error connection_failure(error_code const ec, std::string const& what)
{
	if (ec == asio::error::operation_aborted) return error(errc::cancelled);
	return {errc::bad_argument, fmt::format("{}: {}", what, ec.message())};
}

error not_a_url(std::string_view const text)
{
	return {errc::bad_argument, fmt::format("'{}' is not a URL that can be checked; give one like "
		"http://127.0.0.1:8090/stream/<info-hash>/0/film.mkv", text)};
}

} // namespace

expected<http_url> parse_url(std::string_view const text)
{
	http_url url;
	std::string_view rest = text;
	if (rest.starts_with("http://")) rest.remove_prefix(7);
	else if (rest.starts_with("https://"))
	{
		rest.remove_prefix(8);
		url.tls = true;
	}
	else return not_a_url(text);
	for (char const c : rest)
		if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) return not_a_url(text);
	rest = rest.substr(0, rest.find('#'));
	std::size_t const slash = std::min(rest.find_first_of("/?"), rest.size());
	std::string_view place = rest.substr(0, slash);
	url.target = rest.substr(slash);
	if (!url.target.starts_with('/')) url.target.insert(0, 1, '/');
	if (std::size_t const at = place.rfind('@'); at != std::string_view::npos)
	{
		auto const decoded = http::percent_decoded(place.substr(0, at));
		if (!decoded || decoded->find(':') == std::string::npos) return not_a_url(text);
		url.credentials = *decoded;
		place.remove_prefix(at + 1);
	}
	auto const there = http::parse_authority(place);
	if (!there || there->host.empty()) return not_a_url(text);
	url.host = there->host;
	url.port = !there->port.empty() ? there->port : url.tls ? "443" : "80";
	url.authority = place;
	return url;
}

http_client::http_client(asio::io_context& io, http_url url, std::chrono::milliseconds const timeout, std::string const& ca_file
	, std::function<bool()> interrupted)
	: m_url(std::move(url))
	, m_timeout(timeout)
	, m_interrupted(std::move(interrupted))
	, m_io(io)
{
	if (!m_url.tls) return;
	error_code ec;
	if (ca_file.empty()) m_tls_context.set_default_verify_paths(ec);
	else m_tls_context.load_verify_file(ca_file, ec);
	if (ec) throw std::runtime_error(fmt::format("{}: cannot be used as the authorities' certificates: {}"
		, ca_file.empty() ? "the system's store" : ca_file, ec.message()));
	m_tls_context.set_verify_mode(asio::ssl::verify_peer);
	m_tls_context.set_verify_callback(asio::ssl::host_name_verification(m_url.host));
}

http_client::~http_client() = default;

void http_client::drop()
{
	m_tls.reset();
	m_plain.reset();
	m_buffer.clear();
}

beast::tcp_stream& http_client::lowest() { return m_tls ? m_tls->next_layer() : *m_plain; }

// Starts an operation, and runs until it is done; operation_aborted when interrupted.
template <typename Start>
error_code http_client::run(Start&& start)
{
	std::optional<error_code> result;
	lowest().expires_after(m_timeout);
	start([&result](error_code const ec, auto&&...) { result = ec; });
	bool closed = false;
	while (!result)
	{
		m_io.restart();
		m_io.run_one();
		if (closed || !m_interrupted || !m_interrupted()) continue;
		closed = true;
		lowest().close();
	}
	return closed ? error_code(asio::error::operation_aborted) : *result;
}

// Not by run(): the system's look-up cannot be cancelled, so its handler comes when it likes,
// perhaps never while this runs.
error_code http_client::look_up(asio::ip::tcp::resolver::results_type& places)
{
	struct outcome { std::optional<error_code> ec; asio::ip::tcp::resolver::results_type places; };
	auto const found = std::make_shared<outcome>();
	asio::ip::tcp::resolver resolver(m_io);
	resolver.async_resolve(m_url.host, m_url.port, [found](error_code const ec, auto got)
	{
		found->ec = ec;
		found->places = std::move(got);
	});
	auto const until = std::chrono::steady_clock::now() + m_timeout;
	while (!found->ec)
	{
		m_io.restart();
		m_io.run_one_until(until);
		if (m_interrupted && m_interrupted()) return asio::error::operation_aborted;
		if (!found->ec && std::chrono::steady_clock::now() >= until) return asio::error::timed_out;
	}
	places = std::move(found->places);
	return *found->ec;
}

error_code http_client::connect()
{
	drop();
	asio::ip::tcp::resolver::results_type places;
	error_code ec = look_up(places);
	if (ec) return ec;
	if (m_url.tls) m_tls = std::make_unique<tls_stream>(m_io, m_tls_context);
	else m_plain = std::make_unique<beast::tcp_stream>(m_io);
	ec = run([&](auto done) { lowest().async_connect(places, done); });
	if (ec || !m_tls) return ec;
	// A server of many names chooses its certificate by this (RFC 6066, section 3); literal
	// addresses are none.
	auto const named = http::parse_authority(m_url.authority);
	if (named && !named->address) SSL_set_tlsext_host_name(m_tls->native_handle(), m_url.host.c_str());
	return run([&](auto done) { m_tls->async_handshake(asio::ssl::stream_base::client, done); });
}

template <typename Stream>
expected<http_answer> http_client::exchange(Stream& stream, http_ask const& wanted)
{
	wire::request<wire::empty_body> request(wanted.method, m_url.target, 11);
	request.set(wire::field::host, m_url.authority);
	request.set(wire::field::user_agent, "slipstream");
	if (!m_url.credentials.empty()) request.set(wire::field::authorization, "Basic " + base64(m_url.credentials));
	for (auto const& [name, value] : wanted.headers) request.set(name, value);

	auto const sent = std::chrono::steady_clock::now();
	error_code ec = run([&](auto done) { wire::async_write(stream, request, done); });
	if (ec) return connection_failure(ec, "the request could not be sent");
	wire::response_parser<wire::buffer_body> parser;
	parser.body_limit(std::numeric_limits<std::uint64_t>::max());
	if (wanted.method == wire::verb::head) parser.skip(true);
	ec = run([&](auto done) { wire::async_read_header(stream, m_buffer, parser, done); });
	if (ec) return connection_failure(ec, "no answer");

	http_answer answer;
	answer.status = parser.get().result_int();
	answer.headers = parser.get().base();
	std::vector<char> chunk(chunk_bytes);
	while (!parser.is_done() && answer.size_bytes <= wanted.max_body_bytes)
	{
		auto& body = parser.get().body();
		body.data = chunk.data();
		body.size = chunk.size();
		ec = run([&](auto done) { wire::async_read_some(stream, m_buffer, parser, done); });
		std::size_t const came = chunk.size() - body.size;
		if (came > 0 && answer.size_bytes == 0) answer.first_byte = std::chrono::steady_clock::now() - sent;
		answer.size_bytes += came;
		if (!wanted.on_bytes) answer.body.append(chunk.data(), came);
		else if (came > 0) wanted.on_bytes({chunk.data(), came});
		if (ec == wire::error::need_buffer) ec = {};
		if (ec) break;
	}
	if (ec == asio::error::operation_aborted) return error(errc::cancelled);
	if (ec) answer.broken_off = ec.message();
	answer.all = std::chrono::steady_clock::now() - sent;
	answer.whole = !ec && parser.is_done() && answer.size_bytes <= wanted.max_body_bytes;
	answer.kept = answer.whole && parser.keep_alive();
	if (answer.body.size() > wanted.max_body_bytes) answer.body.resize(wanted.max_body_bytes);
	return answer;
}

expected<http_answer> http_client::ask(http_ask const& wanted)
{
	bool const old = m_plain || m_tls;
	if (!old)
	{
		if (error_code const ec = connect())
		{
			drop();
			return connection_failure(ec, "cannot connect to " + m_url.authority);
		}
	}
	auto answer = m_tls ? exchange(*m_tls, wanted) : exchange(*m_plain, wanted);
	if (answer) answer->on_old_connection = old;
	if (!answer || !answer->kept) drop();
	return answer;
}

} // namespace slipstream::cli
