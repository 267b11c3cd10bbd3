// One client's connection: its requests, one after another, and the streams that answer them.
//
// Lives on the server's thread, all of it: every function but the constructor is called there. It owns
// itself while its coroutine runs; the server holds bare pointers, which connections enter and leave. While it streams, the bytes go
// from the memory of the torrent to the socket as they lie there: one lease of at most 256 KiB at a time,
// so a slow client holds no more than that.
//
// While an answer is being made or sent the socket is watched: a client that closes, also only its
// sending side, is taken for gone, and its reader is freed at once and not when the next byte arrives.
#pragma once

#include "http/event.hpp"
#include "http/gate.hpp"
#include "http/options.hpp"
#include "http/reply.hpp"
#include "http/route.hpp"
#include "http/stream_plan.hpp"
#include "http/wire.hpp"

#include <slipstream/engine.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace slipstream::http {

class connection;

// What the connections of a server have in common. Server's thread only.
struct common
{
	engine& torrents;
	server_options const options;
	std::shared_ptr<gate> back;
	std::list<connection*> open;  // entered and left by the connections themselves
	event room;                   // set when one leaves
	std::size_t uploads = 0;
};

class connection : public std::enable_shared_from_this<connection>
{
public:
	static constexpr std::size_t max_lease_bytes = 256 << 10;
	static constexpr std::size_t max_header_bytes = 16 << 10;

	connection(tcp::socket socket, common& shared);
	~connection();
	connection(connection const&) = delete;
	connection& operator=(connection const&) = delete;

	// Serves until the connection ends.
	static asio::awaitable<void> run(std::shared_ptr<connection> self);
	// Ends it now: what waits comes back, and run() returns.
	void abort();

private:
	using parser = wire::request_parser<wire::string_body>;
	struct waited_lease;

	// True when another request may follow.
	asio::awaitable<bool> serve_request();
	asio::awaitable<bool> serve_upload(parser& received, route const& where);
	asio::awaitable<bool> serve_stream(request const& asked, route const& where);
	asio::awaitable<bool> send_file(request const& asked, route const& where, stream_plan const& plan
		, torrent_summary const& torrent);
	// The torrent, once it can be read.
	asio::awaitable<expected<torrent_summary>> ready_torrent(std::string const& id);
	asio::awaitable<expected<lease>> next_lease(reader& from, std::size_t max_bytes);

	asio::awaitable<bool> send(request const& asked, route const& where, reply answer);
	asio::awaitable<error_code> write(std::string const& text, std::span<lease::view const> views);
	asio::awaitable<void> linger();

	void watch();
	void unwatch();
	void on_readable(error_code ec);
	[[nodiscard]] bool is_over() const { return m_gone || m_aborted; }

	common& m_common;
	beast::tcp_stream m_stream;
	beast::flat_buffer m_buffer;  // what came and was not parsed yet
	std::string m_peer;           // for the log
	event m_wake;                 // an answer of the engine, or the end
	bool m_watched = false;       // want to know of the peer's closing
	bool m_watching = false;      // a wait on the socket is under way
	bool m_gone = false;          // the peer closed
	bool m_aborted = false;
};

} // namespace slipstream::http
