#include "http/connection.hpp"

#include "http/admission.hpp"
#include "http/api.hpp"
#include "http/metrics.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <sstream>

namespace slipstream::http {
namespace {

// "An origin server with a clock MUST generate a Date header field" (RFC 9110, section 6.6.1).
std::string date_now()
{
	std::time_t const now = std::time(nullptr);
	std::tm parts{};
	gmtime_r(&now, &parts);
	char text[64];
	std::size_t const length = std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
	return {text, length};
}

// The status line and the header of an answer, ready to be sent.
std::string head_text(wire::response<wire::empty_body>& head, resource const what)
{
	head.set(wire::field::server, "slipstream");
	head.set(wire::field::date, date_now());
	if (what == resource::stream)
	{
		head.set(wire::field::accept_ranges, "bytes");
		head.set(wire::field::access_control_allow_origin, "*");
		head.set(wire::field::access_control_expose_headers
			, "Accept-Ranges, Content-Length, Content-Range, ETag");
		// A file's bytes are shown as what they are said to be, and never run.
		head.set("X-Content-Type-Options", "nosniff");
	}
	std::ostringstream out;
	out << head.base();
	return out.str();
}

error error_of(error_code const ec)
{
	if (ec.category() == category()) return error(static_cast<errc>(ec.value()));
	return error(errc::torrent_failed, ec.message());
}

bool is_bodiless(wire::status const status)
{
	return status == wire::status::no_content || status == wire::status::not_modified;
}

} // namespace

connection::connection(tcp::socket socket, common& shared)
	: m_common(shared)
	, m_stream(std::move(socket))
	, m_buffer(2 * max_header_bytes)
	, m_wake(m_stream.get_executor())
{
	error_code ignored;
	tcp::socket& peer = m_stream.socket();
	tcp::endpoint const remote = peer.remote_endpoint(ignored);
	std::ostringstream name;
	name << remote;
	m_peer = name.str();
	peer.set_option(tcp::no_delay(true), ignored);
	// A client whose machine has gone says nothing: the system asks.
	peer.set_option(asio::socket_base::keep_alive(true), ignored);
	// on_readable() reads without waiting.
	peer.non_blocking(true, ignored);
	m_common.open.push_back(this);
}

connection::~connection()
{
	m_common.open.remove(this);
	m_common.room.set();
}

asio::awaitable<void> connection::run(std::shared_ptr<connection> self)
{
	// Also when an exception ends it: a watch would keep the connection alive.
	struct closer
	{
		beast::tcp_stream& stream;
		~closer() { stream.close(); }
	};
	closer const at_end{self->m_stream};
	while (!self->is_over())
	{
		bool const more = co_await self->serve_request();
		if (!more) break;
	}
	co_await self->linger();
}

void connection::abort()
{
	m_aborted = true;
	m_stream.close();
	m_wake.set();
}

asio::awaitable<bool> connection::serve_request()
{
	parser received;
	received.header_limit(max_header_bytes);
	received.body_limit(engine::max_torrent_bytes);
	error_code ec;
	m_stream.expires_after(m_common.options.idle_timeout);
	co_await wire::async_read_header(m_stream, m_buffer, received
		, asio::redirect_error(asio::use_awaitable, ec));
	m_stream.expires_never();
	request const& asked = received.get();
	if (ec)
	{
		std::optional<reply> refusal = answer_unreadable(ec);
		if (!refusal || m_aborted) co_return false;
		route const nowhere;
		co_return co_await send(asked, nowhere, std::move(*refusal));
	}

	beast::string_view const target = asked.target();
	route const where = find_route({target.data(), target.size()});
	std::optional<reply> early = answer_at_the_door(asked, where);
	if (early)
	{
		// A body that nobody asked for is not read: the connection ends instead.
		early->close = !received.is_done();
		co_return co_await send(asked, where, std::move(*early));
	}
	if (asked.method() == wire::verb::post) co_return co_await serve_upload(received, where);
	if (!received.is_done())
	{
		reply refusal = problem(wire::status::bad_request, "this method takes no body here");
		refusal.close = true;
		co_return co_await send(asked, where, std::move(refusal));
	}
	if (where.what == resource::stream) co_return co_await serve_stream(asked, where);
	if (where.what == resource::metrics)
		co_return co_await send(asked, where, answer_metrics(m_common.torrents));
	co_return co_await send(asked, where, answer_api(m_common.torrents, asked, where));
}

asio::awaitable<bool> connection::serve_upload(parser& received, route const& where)
{
	request const& asked = received.get();
	if (m_common.uploads >= m_common.options.max_uploads)
	{
		reply busy = problem(wire::status::service_unavailable, "too many torrents are being sent at once");
		busy.headers.emplace_back(wire::field::retry_after, "5");
		busy.close = !received.is_done();
		co_return co_await send(asked, where, std::move(busy));
	}
	struct place
	{
		std::size_t& taken;
		explicit place(std::size_t& count) : taken(count) { ++taken; }
		~place() { --taken; }
		place(place const&) = delete;
		place& operator=(place const&) = delete;
	};
	place const held(m_common.uploads);

	m_stream.expires_after(m_common.options.upload_timeout);
	// RFC 9110, section 10.1.1.
	if (!received.is_done() && beast::iequals(asked[wire::field::expect], "100-continue"))
	{
		std::string const go_on = "HTTP/1.1 100 Continue\r\n\r\n";
		error_code const failed = co_await write(go_on, {});
		if (failed) co_return false;
	}
	error_code ec;
	m_stream.expires_after(m_common.options.upload_timeout);
	co_await wire::async_read(m_stream, m_buffer, received
		, asio::redirect_error(asio::use_awaitable, ec));
	m_stream.expires_never();
	if (ec)
	{
		std::optional<reply> refusal = answer_unreadable(ec);
		if (!refusal || m_aborted) co_return false;
		co_return co_await send(asked, where, std::move(*refusal));
	}
	co_return co_await send(asked, where, answer_api(m_common.torrents, asked, where));
}

asio::awaitable<bool> connection::serve_stream(request const& asked, route const& where)
{
	watch();
	expected<torrent_summary> const torrent = co_await ready_torrent(where.id);
	if (is_over()) co_return false;
	if (!torrent) co_return co_await send(asked, where, problem(torrent.error()));

	auto const file = std::find_if(torrent->files.begin(), torrent->files.end()
		, [&](file_entry const& f) { return f.index == where.file_index && !f.pad; });
	if (file == torrent->files.end())
	{
		error const no_file(errc::no_such_file, "the torrent has no file of this index; GET "
			"/api/v1/torrents/" + torrent->id + " lists those it has");
		co_return co_await send(asked, where, problem(no_file));
	}

	stream_plan const plan = plan_stream(asked, torrent->id, *file);
	bool const refused = plan.status == wire::status::range_not_satisfiable
		|| plan.status == wire::status::precondition_failed;
	if (refused)
	{
		reply refusal = problem(plan.status, "the file has " + std::to_string(file->size_bytes) + " bytes");
		refusal.headers = plan.headers;
		co_return co_await send(asked, where, std::move(refusal));
	}
	co_return co_await send_file(asked, where, plan, *torrent);
}

asio::awaitable<bool> connection::send_file(request const& asked, route const& where
	, stream_plan const& plan, torrent_summary const& torrent)
{
	wire::response<wire::empty_body> head(plan.status, asked.version());
	for (auto const& [name, value] : plan.headers) head.set(name, value);
	if (!is_bodiless(plan.status)) head.content_length(static_cast<std::uint64_t>(plan.bytes.length));
	head.keep_alive(asked.keep_alive());
	std::string text = head_text(head, where.what);

	bool const body = asked.method() == wire::verb::get && plan.bytes.length > 0;
	std::unique_ptr<reader> from;
	if (body)
	{
		expected<std::unique_ptr<reader>> opened = m_common.torrents.open(torrent.id, where.file_index);
		if (!opened) co_return co_await send(asked, where, problem(opened.error()));
		from = std::move(*opened);
		expected<std::int64_t> const moved = from->seek(plan.bytes.first);
		if (!moved) co_return co_await send(asked, where, problem(moved.error()));
	}
	spdlog::debug("http: {} {} {} bytes {}+{} -> {}", m_peer, std::string(asked.method_string())
		, std::string(asked.target()), plan.bytes.first, plan.bytes.length, head.result_int());

	std::int64_t left = body ? plan.bytes.length : 0;
	do
	{
		lease bytes;
		if (left > 0)
		{
			expected<lease> next = co_await next_lease(*from
				, static_cast<std::size_t>(std::min<std::int64_t>(left, max_lease_bytes)));
			if (is_over()) co_return false;
			// The header goes with the first bytes, so that their failure still has a status.
			if (!next && !text.empty()) co_return co_await send(asked, where, problem(next.error()));
			if (!next)
			{
				spdlog::warn("http: {} {}: {} bytes before the end: {}", m_peer
					, std::string(asked.target()), left, next.error().detail);
				co_return false;
			}
			bytes = std::move(*next);
		}
		m_stream.expires_after(m_common.options.stall_timeout);
		error_code const ec = co_await write(text, bytes.views());
		m_stream.expires_never();
		if (ec || is_over()) co_return false;
		text.clear();
		left -= static_cast<std::int64_t>(bytes.size_bytes());
	} while (left > 0);
	unwatch();
	co_return head.keep_alive();
}

asio::awaitable<expected<torrent_summary>> connection::ready_torrent(std::string const& id)
{
	expected<torrent_summary> torrent = m_common.torrents.find(id);
	if (!torrent) co_return torrent;
	if (torrent->phase == torrent_phase::failed && torrent->failure) co_return *torrent->failure;
	if (torrent->phase != torrent_phase::ready)
	{
		struct answer { std::optional<error_code> ec; };
		auto const came = std::make_shared<answer>();
		m_wake.clear();
		m_common.torrents.async_wait_ready(torrent->id, asio::bind_executor(gate_executor(m_common.back)
			, [came, self = weak_from_this()](error_code const ec) {
				came->ec = ec;
				if (auto const waiting = self.lock()) waiting->m_wake.set();
			}));
		if (!is_over()) co_await m_wake.wait();
		if (!came->ec) co_return errc::cancelled;
		torrent = m_common.torrents.find(id);
		if (torrent && torrent->failure) co_return *torrent->failure;
		if (*came->ec) co_return error_of(*came->ec);
	}
	co_return torrent;
}

struct connection::waited_lease
{
	bool came = false;
	error_code ec;
	lease bytes;
};

asio::awaitable<expected<lease>> connection::next_lease(reader& from, std::size_t const max_bytes)
{
	auto const answer = std::make_shared<waited_lease>();
	m_wake.clear();
	from.async_lease(max_bytes, asio::bind_executor(gate_executor(m_common.back)
		, [answer, self = weak_from_this()](error_code const ec, lease bytes) {
			answer->came = true;
			answer->ec = ec;
			answer->bytes = std::move(bytes);
			if (auto const waiting = self.lock()) waiting->m_wake.set();
		}));
	// The end may have come before m_wake was cleared.
	if (!is_over()) co_await m_wake.wait();
	if (!answer->came) co_return errc::cancelled;
	if (answer->ec) co_return error_of(answer->ec);
	if (answer->bytes.empty() || answer->bytes.size_bytes() > max_bytes)
		co_return error(errc::torrent_failed, "the file ended before its size");
	co_return std::move(answer->bytes);
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

	unwatch();
	m_stream.expires_after(m_common.options.idle_timeout);
	error_code const ec = co_await write(text, {});
	m_stream.expires_never();
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
	co_await asio::async_write(m_stream, buffers, asio::redirect_error(asio::use_awaitable, ec));
	co_return ec;
}

// Closing while the peer still sends would reset the connection, and the reset may overtake the answer:
// so the sending side is closed first and the rest is read and dropped (RFC 9112, section 9.6).
asio::awaitable<void> connection::linger()
{
	if (is_over()) co_return;
	error_code ec;
	m_stream.socket().shutdown(tcp::socket::shutdown_send, ec);
	m_stream.expires_after(m_common.options.linger_timeout);
	while (!ec)
	{
		m_buffer.clear();
		co_await m_stream.async_read_some(m_buffer.prepare(max_header_bytes)
			, asio::redirect_error(asio::use_awaitable, ec));
	}
}

void connection::watch()
{
	m_watched = true;
	if (m_watching) return;
	m_watching = true;
	m_stream.socket().async_wait(tcp::socket::wait_read
		, [self = shared_from_this()](error_code const ec) { self->on_readable(ec); });
}

void connection::unwatch()
{
	if (!m_watched) return;
	m_watched = false;
	error_code ignored;
	if (m_watching) m_stream.socket().cancel(ignored);
}

void connection::on_readable(error_code const waited)
{
	m_watching = false;
	if (!m_watched || is_over()) return;
	if (waited == asio::error::operation_aborted)
	{
		watch();  // this was the end of an earlier watch
		return;
	}
	// The next request may come early; as much of it as the buffer takes is kept for its turn.
	std::size_t const room = std::min<std::size_t>(m_buffer.max_size() - m_buffer.size(), 4096);
	if (room == 0) return;
	error_code ec;
	std::size_t const count = m_stream.socket().read_some(m_buffer.prepare(room), ec);
	m_buffer.commit(count);
	if (!ec || ec == asio::error::would_block)
	{
		watch();
		return;
	}
	m_gone = true;
	m_stream.cancel();
	m_wake.set();
}

} // namespace slipstream::http
