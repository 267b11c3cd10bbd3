#include "cli/fetch.hpp"

#include "http/wire.hpp"

#include <boost/beast/http/buffer_body.hpp>

#include <limits>
#include <optional>
#include <vector>

namespace slipstream::cli {
namespace {

using namespace slipstream::http;

constexpr std::size_t chunk_bytes = 256 << 10;
constexpr std::chrono::seconds patience{150};  // longer than the engine's own time-outs

// Starts an operation and runs `io` until it is done; operation_aborted when interrupted.
template <typename Start>
error_code run(asio::io_context& io, beast::tcp_stream& stream, std::function<bool()> const& interrupted
	, Start&& start)
{
	std::optional<error_code> result;
	stream.expires_after(patience);
	start([&result](error_code const ec, auto&&...) { result = ec; });
	bool closed = false;
	while (!result)
	{
		io.restart();
		io.run_one();
		if (closed || !interrupted()) continue;
		closed = true;
		stream.close();
	}
	return closed ? error_code(asio::error::operation_aborted) : *result;
}

error failure_to_fetch(error_code const ec, std::string const& what)
{
	if (ec == asio::error::operation_aborted) return error(errc::cancelled);
	return {errc::torrent_failed, what + ": " + ec.message()};
}

// Reads the body behind a header, into `on_bytes`.
expected<fetched> read_body(asio::io_context& io, beast::tcp_stream& stream, beast::flat_buffer& buffer
	, wire::response_parser<wire::buffer_body>& parser, fetch_request const& wanted
	, std::function<bool()> const& interrupted, std::chrono::steady_clock::time_point const sent)
{
	fetched f;
	f.status = parser.get().result_int();
	f.content_range = std::string(parser.get()[wire::field::content_range]);
	std::vector<char> chunk(chunk_bytes);
	while (!parser.is_done())
	{
		auto& body = parser.get().body();
		body.data = chunk.data();
		body.size = chunk.size();
		error_code ec = run(io, stream, interrupted
			, [&](auto done) { wire::async_read_some(stream, buffer, parser, done); });
		if (ec == wire::error::need_buffer) ec = {};
		if (ec) return failure_to_fetch(ec, "the stream broke off after " + std::to_string(f.size_bytes) + " bytes");
		std::size_t const count = chunk.size() - body.size;
		if (count == 0) continue;
		if (f.size_bytes == 0) f.first_byte = std::chrono::steady_clock::now() - sent;
		f.size_bytes += static_cast<std::int64_t>(count);
		if (!wanted.on_bytes({chunk.data(), count})) return errc::cancelled;
	}
	f.all = std::chrono::steady_clock::now() - sent;
	return f;
}

} // namespace

expected<fetched> fetch(asio::io_context& io, fetch_request const& wanted
	, std::function<bool()> const& interrupted)
{
	beast::tcp_stream stream(io);
	error_code ec = run(io, stream, interrupted
		, [&](auto done) { stream.async_connect(wanted.server, done); });
	if (ec) return failure_to_fetch(ec, "cannot connect");

	wire::request<wire::empty_body> asked(wire::verb::get, wanted.target, 11);
	asked.set(wire::field::host, "127.0.0.1");
	if (!wanted.range.empty()) asked.set(wire::field::range, wanted.range);
	auto const sent = std::chrono::steady_clock::now();
	ec = run(io, stream, interrupted, [&](auto done) { wire::async_write(stream, asked, done); });
	if (ec) return failure_to_fetch(ec, "cannot ask");

	beast::flat_buffer buffer;
	wire::response_parser<wire::buffer_body> parser;
	parser.body_limit(std::numeric_limits<std::uint64_t>::max());
	ec = run(io, stream, interrupted, [&](auto done) { wire::async_read_header(stream, buffer, parser, done); });
	if (ec) return failure_to_fetch(ec, "no answer");
	return read_body(io, stream, buffer, parser, wanted, interrupted, sent);
}

} // namespace slipstream::cli
