// The HTTP server: streams of an engine's torrents, and the JSON API.
//
// It owns one io_context and one thread, on which every connection lives as a coroutine: many streams
// cost no threads. The thread calls the engine, which answers from a thread of its own. The engine must
// outlive the server. It knows nothing of libtorrent and, but for its certificate, touches no file.
#pragma once

#include "http/options.hpp"

#include <slipstream/engine.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <vector>

namespace slipstream::http {

class server
{
public:
	// Listens, and serves from then on. Throws std::runtime_error, with the address in its message,
	// when an endpoint cannot be listened on or a file of TLS cannot be used, and
	// std::invalid_argument for options that make no sense.
	server(engine& torrents, server_options options);
	~server();
	server(server const&) = delete;
	server& operator=(server const&) = delete;

	// Where it listens, in the order of the options; what port 0 became. Any thread.
	[[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> endpoints() const;

	// Closes every connection where it is, and returns when the thread has ended. Idempotent; any thread
	// but the server's own. The destructor calls it.
	void stop();

private:
	class impl;
	std::unique_ptr<impl> m_impl;
};

} // namespace slipstream::http
