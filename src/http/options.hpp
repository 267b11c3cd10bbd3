// What the HTTP server is told at its start.
//
// A value: whoever starts a server makes it, on any thread, and the server keeps a copy that does
// not change. It checks nothing; the server's constructor does.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace slipstream::http {

struct server_options
{
	// At least one. Port 0 picks a free one. An IPv6 address listens for IPv6 alone.
	std::vector<boost::asio::ip::tcp::endpoint> listen;
	// The engine was made with engine_options::early: clients are told to keep nothing of a stream
	// (no-store).
	bool early = false;
	// Names that requests may be for, besides literal addresses and localhost; see authority.hpp.
	std::vector<std::string> host_names{};
	// USER:PASSWORD each; with any, requests need one of them (Basic), but for OPTIONS and /healthz.
	std::vector<std::string> credentials{};
	// PEM files; both or none. With them, every address speaks TLS and nothing else.
	std::string tls_certificate{};
	std::string tls_key{};
	// From the end of an answer to the end of the next request's header.
	std::chrono::milliseconds idle_timeout{60'000};
	// For the body of a request.
	std::chrono::milliseconds upload_timeout{120'000};
	// For a client to take one lease (256 KiB) of a stream: a paused player takes none, and is let be.
	std::chrono::milliseconds stall_timeout{1'800'000};
	// For a client to close when it was told that the connection ends.
	std::chrono::milliseconds linger_timeout{2'000};
	// Between two looks at the state that is sent as events.
	std::chrono::milliseconds event_interval{1'000};
	// Open at once; more are answered 503. Each lends at most one lease at a time.
	std::size_t max_connections = 1024;
	// POST bodies received at once; more are answered 503. Each takes up to engine::max_torrent_bytes.
	std::size_t max_uploads = 4;
};

} // namespace slipstream::http
