// An HTTP client for tests that can also misbehave: it sends any bytes, and goes away when told to.
// Blocking; every wait has a deadline of 20 s. One thread.
#pragma once

#include "http/wire.hpp"

#include <boost/asio/io_context.hpp>

#include <string>
#include <string_view>

namespace slipstream::test {

struct answer
{
	http::error_code ec;             // while it was read
	unsigned status = 0;             // 0: not even a header came
	http::wire::fields fields;
	std::string body;
	bool complete = false;           // as long as was said
	bool keep_alive = false;

	[[nodiscard]] std::string field(std::string_view name) const;
};

class client
{
public:
	explicit client(boost::asio::ip::tcp::endpoint const& server);

	// Any bytes. False when the connection broke.
	bool send(std::string_view bytes);
	// The next answer. `to_head`: the request was HEAD, no body follows.
	[[nodiscard]] answer receive(bool to_head = false);
	// Up to `count` bytes of whatever comes; fewer at the end.
	[[nodiscard]] std::string receive_bytes(std::size_t count);
	// True when the server closed within the deadline.
	[[nodiscard]] bool is_closed_by_server();
	// "<method> <target> HTTP/1.1", Host, the fields ("Range: bytes=0-1\r\n"...), and the answer.
	[[nodiscard]] answer ask(std::string_view method, std::string_view target, std::string_view fields = {}
		, std::string_view body = {});
	void close();
	// Sends the end of the stream, and goes on receiving.
	void finish_sending();
	void set_receive_buffer(int bytes);

private:
	template <typename Start>
	http::error_code wait(Start start);

	boost::asio::io_context m_io;
	http::beast::tcp_stream m_stream;
	http::beast::flat_buffer m_buffer;
};

// The same with a connection of its own.
[[nodiscard]] answer ask(boost::asio::ip::tcp::endpoint const& server, std::string_view method
	, std::string_view target, std::string_view fields = {}, std::string_view body = {});

} // namespace slipstream::test
