#include "http/connection.hpp"

#include "engine/address_text.hpp"
#include "http/door.hpp"
#include "http/api.hpp"
#include "http/authority.hpp"
#include "http/head.hpp"
#include "http/metrics.hpp"
#include "http/openapi.hpp"
#include "http/page.hpp"
#include "http/playlist.hpp"

#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>


#include <cstring>

namespace slipstream::http {
namespace {

// Also when an exception ends a connection: what it waits for would keep it alive.
template <typename F>
struct at_end
{
	F f;
	~at_end() { f(); }
};
template <typename F>
at_end(F) -> at_end<F>;

} // namespace

connection::connection(tcp::socket socket, common& shared)
	: m_common(shared)
	, m_transport(std::move(socket), shared.tls ? &*shared.tls : nullptr)
	, m_deadline(m_transport.get_executor())
	, m_ahead(2 * max_ahead_bytes)
	, m_came(m_transport.get_executor())
	, m_wake(m_transport.get_executor())
{
	error_code ignored;
	m_peer = endpoint_text(m_transport.socket().remote_endpoint(ignored));
	m_transport.socket().set_option(tcp::no_delay(true), ignored);
	m_transport.limit_unsent(max_lease_bytes);  // or the reader is megabytes ahead of its player
	// A client whose machine has gone says nothing: the system asks.
	m_transport.socket().set_option(asio::socket_base::keep_alive(true), ignored);
	m_common.open.push_back(this);
	++m_common.served.connections_open;
}

connection::~connection()
{
	m_common.open.remove(this);
	--m_common.served.connections_open;
	m_common.room.set();
}

asio::awaitable<void> connection::run(std::shared_ptr<connection> self)
{
	at_end const closing{[&] { self->close(); }};
	bool const greeted = co_await self->greet(self->m_common.options.idle_timeout);
	while (greeted && !self->is_over())
	{
		bool const more = co_await self->serve_request();
		if (!more) break;
	}
	if (greeted) co_await self->linger();
}

asio::awaitable<void> connection::turn_away(std::shared_ptr<connection> self)
{
	at_end const closing{[&] { self->close(); }};
	bool const greeted = co_await self->greet(self->m_common.options.linger_timeout);
	if (!greeted) co_return;
	reply full = problem(wire::status::service_unavailable, "this server has as many connections as it may have");
	full.headers.emplace_back(wire::field::retry_after, "5");
	full.close = true;
	request const nobody;
	route const nowhere;
	static_cast<void>(co_await self->send(nobody, nowhere, std::move(full)));
	co_await self->linger();
}

void connection::abort()
{
	m_aborted = true;
	close();
	m_wake.set();
}

void connection::close()
{
	m_transport.close();
	m_deadline.cancel();
}

void connection::expect_within(std::chrono::milliseconds const time)
{
	m_deadline.expires_after(time);
	m_deadline.async_wait([self = weak_from_this()](error_code const ec) {
		auto const late = self.lock();
		// A timer that ran out while it was set anew belongs to what came in time.
		if (late && !ec && late->m_deadline.expiry() <= asio::steady_timer::clock_type::now()) late->close();
	});
}

asio::awaitable<bool> connection::serve_request()
{
	parser received;
	received.header_limit(max_header_bytes);
	received.body_limit(engine::max_torrent_bytes);
	expect_within(m_common.options.idle_timeout);
	error_code const ec = co_await read(received, false);
	expect_nothing();
	request const& asked = received.get();
	if (ec)
	{
		std::optional<reply> refusal = answer_unreadable(ec);
		if (!refusal || m_aborted) co_return false;
		route const nowhere;
		co_return co_await send(asked, nowhere, std::move(*refusal));
	}

	route const where = find_route(view(asked.target()));
	std::optional<reply> early = answer_at_the_door(asked, where, m_common.options, m_common.admitted);
	if (early)
	{
		// A body that nobody asked for is not read: the connection ends instead.
		early->close = !received.is_done();
		co_return co_await send(asked, where, std::move(*early));
	}
	bool const takes_body = asked.method() == wire::verb::post || asked.method() == wire::verb::patch;
	if (takes_body) co_return co_await serve_upload(received, where);
	if (!received.is_done())
	{
		reply refusal = problem(wire::status::bad_request, "this method takes no body here");
		refusal.close = true;
		co_return co_await send(asked, where, std::move(refusal));
	}
	co_return co_await serve_resource(asked, where);
}

asio::awaitable<bool> connection::serve_resource(request const& asked, route const& where)
{
	switch (where.what)
	{
		case resource::events: co_return co_await serve_events(asked, where);
		case resource::stream: co_return co_await serve_stream(asked, where);
		case resource::playlist:
		case resource::playlists: co_return co_await serve_playlist(asked, where);
		case resource::metrics: co_return co_await send(asked, where, answer_metrics(m_common.torrents, m_common.served));
		case resource::page:
		case resource::page_style:
		case resource::page_script: co_return co_await send(asked, where, answer_page(where.what));
		case resource::openapi:
		{
			reply description;
			description.content_type = "application/yaml";
			description.body = openapi_text();
			co_return co_await send(asked, where, std::move(description));
		}
		default: co_return co_await send(asked, where, answer_api(m_common.torrents, asked, where));
	}
}

asio::awaitable<bool> connection::serve_upload(parser& received, route const& where)
{
	request const& asked = received.get();
	bool const is_torrent = where.what == resource::torrents;
	if (is_torrent && m_common.uploads >= m_common.options.max_uploads)
	{
		reply busy = problem(wire::status::service_unavailable, "too many torrents are being sent at once");
		busy.headers.emplace_back(wire::field::retry_after, "5");
		busy.close = !received.is_done();
		co_return co_await send(asked, where, std::move(busy));
	}
	if (!is_torrent)
	{
		received.body_limit(max_json_bytes);  // of what does not say its length
		if (received.content_length().value_or(0) > max_json_bytes)
		{
			reply refusal = problem(wire::status::payload_too_large
				, "the body may have at most " + std::to_string(max_json_bytes) + " bytes here");
			refusal.close = true;
			co_return co_await send(asked, where, std::move(refusal));
		}
	}
	std::size_t const counted = is_torrent ? 1 : 0;
	m_common.uploads += counted;
	at_end const left{[this, counted] { m_common.uploads -= counted; }};

	expect_within(m_common.options.upload_timeout);
	// RFC 9110, section 10.1.1.
	if (!received.is_done() && beast::iequals(asked[wire::field::expect], "100-continue"))
	{
		std::string const go_on = "HTTP/1.1 100 Continue\r\n\r\n";
		error_code const failed = co_await write(go_on, {});
		if (failed) co_return false;
	}
	error_code const ec = co_await read(received, true);
	expect_nothing();
	if (ec)
	{
		std::optional<reply> refusal = answer_unreadable(ec);
		if (!refusal || m_aborted) co_return false;
		co_return co_await send(asked, where, std::move(*refusal));
	}
	co_return co_await send(asked, where, answer_api(m_common.torrents, asked, where));
}

asio::awaitable<bool> connection::serve_playlist(request const& asked, route const& where)
{
	std::vector<torrent_summary> torrents;
	if (where.what == resource::playlists)
	{
		torrents = m_common.torrents.torrents();
	}
	else
	{
		watch();
		expected<std::shared_ptr<torrent_files const>> const ready = co_await ready_files(where.id);
		if (is_over()) co_return false;
		expected<torrent_summary> found = ready ? m_common.torrents.find(where.id) : expected<torrent_summary>(ready.error());
		if (!found) co_return co_await send(asked, where, problem(found.error()));
		torrents.push_back(std::move(*found));
	}
	reply list;
	list.content_type = "audio/x-mpegurl";
	list.body = playlist_text(torrents, base_url(asked));
	co_return co_await send(asked, where, std::move(list));
}

std::string connection::base_url(request const& asked)
{
	std::string base = m_transport.secure() ? "https://" : "http://";
	// Players do not pass on what they were asked for with a playlist to what is in it.
	if (auto const user = m_common.admitted.needed() ? basic_credentials(view(asked[wire::field::authorization])) : std::nullopt)
	{
		std::size_t const colon = user->find(':');
		base += percent_encoded(user->substr(0, colon)) + ':' + percent_encoded(user->substr(colon + 1)) + '@';
	}
	std::string_view const host = requested_authority(asked);
	if (!host.empty()) return base.append(host);
	error_code ignored;
	return base + endpoint_text(m_transport.socket().local_endpoint(ignored));
}

asio::awaitable<bool> connection::send(request const& asked, route const& where, reply answer)
{
	unsigned const version = asked.version() == 10 ? 10u : 11u;
	wire::response<wire::empty_body> head(answer.status, version);
	for (auto const& [name, value] : answer.headers) head.set(name, value);
	if (!answer.content_type.empty()) head.set(wire::field::content_type, answer.content_type);
	if (!is_bodiless(answer.status)) head.content_length(answer.body.size());
	head.keep_alive(asked.keep_alive() && !answer.close);
	std::string text = head_text(head, where.what);
	if (asked.method() != wire::verb::head) text += answer.body;
	spdlog::debug("http: {} {} {} -> {}", m_peer, std::string(asked.method_string())
		, std::string(asked.target()), head.result_int());

	count(answer.status);
	unwatch();
	expect_within(m_common.options.idle_timeout);
	error_code const ec = co_await write(text, {});
	expect_nothing();
	co_return !ec && head.keep_alive();
}

// One gathered write: the views are sent from where they are.
asio::awaitable<error_code> connection::write(std::string const& text
	, std::span<lease::view const> const views)
{
	std::vector<asio::const_buffer> buffers;
	buffers.reserve(views.size() + 1);
	if (!text.empty()) buffers.emplace_back(text.data(), text.size());
	for (lease::view const v : views) buffers.emplace_back(v.data(), v.size());
	error_code ec;
	co_await asio::async_write(m_transport, buffers, asio::redirect_error(asio::use_awaitable, ec));
	co_return ec;
}

asio::awaitable<bool> connection::greet(std::chrono::milliseconds const within)
{
	if (!m_transport.secure()) co_return true;
	expect_within(within);
	error_code const ec = co_await m_transport.handshake();
	expect_nothing();
	if (ec) spdlog::debug("http: {}: no TLS: {}", m_peer, ec.message());
	co_return !ec;
}

// Closing while the peer still sends would reset the connection, and the reset may overtake the answer:
// so the sending side is closed first and the rest is read and dropped (RFC 9112, section 9.6).
asio::awaitable<void> connection::linger()
{
	if (is_over()) co_return;
	expect_within(m_common.options.linger_timeout);
	if (m_transport.secure())
	{
		// It reads, too: the read that is under way has to come back first.
		error_code ignored;
		m_transport.socket().cancel(ignored);
		while (m_reading)
		{
			m_came.clear();
			co_await m_came.wait();
		}
		m_ended = false;
	}
	error_code ec = co_await m_transport.shutdown();
	if (m_transport.secure()) m_transport.socket().shutdown(tcp::socket::shutdown_send, ec);
	if (ec || m_transport.secure()) co_return;
	while (!m_ended)
	{
		m_ahead.clear();
		m_came.clear();
		start_reading();
		co_await m_came.wait();
	}
}

asio::awaitable<error_code> connection::read(parser& to, bool const whole)
{
	to.eager(whole);
	while (!(whole ? to.is_done() : to.is_header_done()))
	{
		error_code ec;
		std::size_t used = 0;
		if (m_ahead.size() > 0)
		{
			used = to.put(m_ahead.data(), ec);
			m_ahead.consume(used);
			if (ec && ec != wire::error::need_more) co_return ec;
			if (ec && m_ahead.size() >= max_ahead_bytes) co_return wire::error::buffer_overflow;
		}
		if (used > 0 && !ec) continue;
		m_came.clear();
		if (!m_ended) start_reading();
		if (!m_ended) co_await m_came.wait();
		if (m_ended && m_ahead.size() == 0)
			co_return to.got_some() ? wire::error::partial_message : wire::error::end_of_stream;
		if (m_ended && ec == wire::error::need_more) co_return wire::error::partial_message;
	}
	co_return error_code{};
}

void connection::start_reading()
{
	if (m_reading || m_ended) return;
	m_reading = true;
	m_transport.async_read_some(asio::buffer(m_chunk), [self = shared_from_this()](error_code const ec
		, std::size_t const count) { self->on_read(ec, count); });
}

void connection::on_read(error_code const ec, std::size_t const count)
{
	m_reading = false;
	if (count > 0)
	{
		std::memcpy(m_ahead.prepare(count).data(), m_chunk.data(), count);
		m_ahead.commit(count);
	}
	bool const too_far_ahead = m_watched && m_ahead.size() > max_ahead_bytes;
	if (ec) m_ended = true;
	m_came.set();
	if (!m_watched) return;
	if (!ec && !too_far_ahead) return start_reading();
	m_gone = true;
	close();
	m_wake.set();
}

void connection::watch()
{
	m_watched = true;
	m_gone = m_gone || m_ended;
	start_reading();
}

} // namespace slipstream::http
