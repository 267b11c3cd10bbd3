// One client's connection: its requests, one after another, and the streams that answer them.
//
// Lives on the server's thread, all of it: every function but the constructor is called there. It
// owns itself while its coroutine runs; the server holds bare pointers, which connections enter and
// leave. While it streams, the bytes go from the memory of the torrent to the socket as they lie
// there: one lease of at most 256 KiB at a time, so a slow client holds no more than that, and all
// of them together no more than lease_limit() says.
//
// One read of the socket is under way nearly always, and what comes waits for its turn in m_ahead.
// So a client that closes, also only its sending side, is known to be gone while an answer is being
// made or sent, and its reader is freed at once and not when the next byte arrives. A client that
// sends more than max_ahead_bytes before its turn is taken for gone, too: behind those its end
// could not be seen.
#pragma once

#include "http/credentials.hpp"
#include "http/event.hpp"
#include "http/gate.hpp"
#include "http/options.hpp"
#include "http/reply.hpp"
#include "http/route.hpp"
#include "http/stream_plan.hpp"
#include "http/traffic.hpp"
#include "http/transport.hpp"
#include "http/wire.hpp"

#include <slipstream/engine.hpp>

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
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
	credentials const admitted;
	std::optional<asio::ssl::context> tls;
	std::shared_ptr<gate> back;
	std::list<connection*> open;  // entered and left by the connections themselves
	event room;                   // set when one leaves
	traffic served{};
	std::size_t uploads = 0;
	std::size_t listeners = 0;    // connections that events are sent to
};

class connection : public std::enable_shared_from_this<connection>
{
public:
	static constexpr std::size_t max_lease_bytes = 256 << 10;
	static constexpr std::size_t max_header_bytes = 16 << 10;
	static constexpr std::size_t max_listeners = 16;
	static constexpr std::size_t max_ahead_bytes = 2 * max_header_bytes;

	connection(tcp::socket socket, common& shared);
	~connection();
	connection(connection const&) = delete;
	connection& operator=(connection const&) = delete;

	// Serves until the connection ends.
	static asio::awaitable<void> run(std::shared_ptr<connection> self);
	// The same for one connection too many: it is told so, and ends.
	static asio::awaitable<void> turn_away(std::shared_ptr<connection> self);
	// Ends it now: what waits comes back, and run() returns.
	void abort();

private:
	using parser = wire::request_parser<wire::string_body>;
	struct waited_lease;
	struct outgoing;

	// True when another request may follow.
	asio::awaitable<bool> serve_request();
	asio::awaitable<bool> serve_resource(request const& asked, route const& where);
	asio::awaitable<bool> serve_upload(parser& received, route const& where);
	asio::awaitable<bool> serve_playlist(request const& asked, route const& where);
	asio::awaitable<bool> serve_events(request const& asked, route const& where);
	asio::awaitable<bool> serve_stream(request const& asked, route const& where);
	asio::awaitable<bool> send_file(request const& asked, route const& where, stream_plan const& plan
		, torrent_files const& torrent, file_entry const& file);
	// The part's bytes behind what outgoing::text has; an error when they cannot be had.
	asio::awaitable<std::optional<error>> send_part(outgoing& to, byte_range part);
	// The torrent's files, once it can be read. libtorrent is not asked for anything.
	asio::awaitable<expected<std::shared_ptr<torrent_files const>>> ready_files(std::string const& id);
	asio::awaitable<expected<lease>> next_lease(reader& from, std::size_t max_bytes);

	asio::awaitable<bool> send(request const& asked, route const& where, reply answer);
	asio::awaitable<error_code> write(std::string const& text, std::span<lease::view const> views);
	asio::awaitable<void> linger();
	asio::awaitable<bool> greet(std::chrono::milliseconds within);
	// What URLs of this server begin with for who sent the request: "http://127.0.0.1:8090", with
	// the user's name and password where they are needed.
	[[nodiscard]] std::string base_url(request const& asked);

	// Feeds the parser until the header is there, or all of the message.
	asio::awaitable<error_code> read(parser& to, bool whole);
	void start_reading();
	void on_read(error_code ec, std::size_t count);
	void watch();
	void unwatch() { m_watched = false; }

	// Closes the connection when the deadline passes; every wait for a client has one.
	void expect_within(std::chrono::milliseconds time);
	void expect_nothing() { m_deadline.cancel(); }
	void close();
	void count(wire::status status) { ++m_common.served.answers[static_cast<unsigned>(status)]; }
	[[nodiscard]] bool is_over() const { return m_gone || m_aborted; }

	common& m_common;
	transport m_transport;
	asio::steady_timer m_deadline;
	std::string m_peer;           // for the log
	beast::flat_buffer m_ahead;   // what came and was not parsed yet
	std::array<char, 4096> m_chunk;  // what is being read
	event m_came;                 // bytes or the end of them
	event m_wake;                 // an answer of the engine, or the end
	bool m_reading = false;       // a read is under way
	bool m_ended = false;         // nothing more can be read
	bool m_watched = false;       // the end of what is read means that the client has gone
	bool m_gone = false;          // it has
	bool m_aborted = false;
};

} // namespace slipstream::http
