#include "http/client.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <limits>
#include <optional>

namespace slipstream::test {

using namespace slipstream::http;

std::string answer::field(std::string_view const name) const
{
	auto const found = fields.find(beast::string_view(name.data(), name.size()));
	return found == fields.end() ? std::string() : std::string(found->value());
}

client::client(tcp::endpoint const& server) : m_stream(m_io)
{
	error_code const ec = wait([&](auto done) {
		m_stream.async_connect(server, [done](error_code const e) { done(e); });
	});
	if (ec) throw boost::system::system_error(ec, "client: connect");
}

template <typename Start>
error_code client::wait(Start start)
{
	std::optional<error_code> result;
	m_stream.expires_after(std::chrono::seconds(20));
	start([&result](error_code const ec) { result = ec; });
	m_io.restart();
	while (!result) m_io.run_one();
	m_stream.expires_never();
	return *result;
}

bool client::send(std::string_view const bytes)
{
	return !wait([&](auto done) {
		asio::async_write(m_stream, asio::buffer(bytes.data(), bytes.size())
			, [done](error_code const ec, std::size_t) { done(ec); });
	});
}

answer client::receive(bool const to_head)
{
	wire::response_parser<wire::string_body> parser;
	parser.body_limit(std::numeric_limits<std::uint64_t>::max());
	parser.skip(to_head);
	answer a;
	a.ec = wait([&](auto done) {
		wire::async_read(m_stream, m_buffer, parser, [done](error_code const ec, std::size_t) { done(ec); });
	});
	a.complete = !a.ec && parser.is_done();
	if (parser.is_header_done()) a.status = parser.get().result_int();
	a.keep_alive = parser.is_header_done() && parser.keep_alive();
	auto message = parser.release();
	a.body = std::move(message.body());
	a.fields = std::move(static_cast<wire::fields&>(message.base()));
	return a;
}

std::string client::receive_bytes(std::size_t const count)
{
	std::string out(count, '\0');
	std::size_t got = 0;
	wait([&](auto done) {
		asio::async_read(m_stream, asio::buffer(out), [done, &got](error_code const ec, std::size_t const n) {
			got = n;
			done(ec);
		});
	});
	out.resize(got);
	return out;
}

bool client::is_closed_by_server()
{
	char byte = 0;
	error_code const ec = wait([&](auto done) {
		m_stream.async_read_some(asio::buffer(&byte, 1)
			, [done](error_code const e, std::size_t) { done(e); });
	});
	return ec == asio::error::eof || ec == asio::error::connection_reset;
}

answer client::ask(std::string_view const method, std::string_view const target
	, std::string_view const fields, std::string_view const body)
{
	std::string text = std::string(method) + ' ' + std::string(target) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		+ std::string(fields);
	if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
	text += "\r\n";
	text += body;
	send(text);
	return receive(method == "HEAD");
}

void client::close() { m_stream.close(); }

void client::finish_sending() { m_stream.socket().shutdown(tcp::socket::shutdown_send); }

void client::set_receive_buffer(int const bytes)
{
	m_stream.socket().set_option(asio::socket_base::receive_buffer_size(bytes));
}

answer ask(tcp::endpoint const& server, std::string_view const method, std::string_view const target
	, std::string_view const fields, std::string_view const body)
{
	client c(server);
	return c.ask(method, target, fields, body);
}

} // namespace slipstream::test
