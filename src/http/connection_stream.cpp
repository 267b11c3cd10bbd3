// The part of a connection that streams.
#include "http/connection.hpp"

#include "http/dlna.hpp"
#include "http/head.hpp"
#include "http/media_type.hpp"

#include <boost/asio/bind_executor.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

namespace slipstream::http {
namespace {

error error_of(error_code const ec, std::string detail = {})
{
	if (detail.empty()) detail = ec.message();
	return error(ec.category() == category() ? static_cast<errc>(ec.value()) : errc::torrent_failed, std::move(detail));
}

} // namespace

// A stream on its way: the text that goes before the next bytes of the file.
struct connection::outgoing
{
	using clock = std::chrono::steady_clock;

	explicit outgoing(traffic& t) : served(t) {}
	~outgoing() { if (from) --served.streams_open; }
	outgoing(outgoing const&) = delete;
	outgoing& operator=(outgoing const&) = delete;

	void open(std::unique_ptr<reader> r)
	{
		from = std::move(r);
		++served.streams_open;
	}
	void count_wait(clock::duration const took) const
	{
		if (took < traffic::shortest_wait) return;
		++served.waits;
		served.waited_s += std::chrono::duration<double>(took).count();
	}
	void begin(std::int64_t const at_bytes)
	{
		begun = true;
		served.first_byte.add(clock::now() - asked_at);
		if (at_bytes > 0) served.seek.add(clock::now() - asked_at);
	}

	traffic& served;
	clock::time_point const asked_at = clock::now();
	std::unique_ptr<reader> from;
	std::string text;
	wire::status status = wire::status::ok;
	bool begun = false;  // the header has been sent: no status can be told any more
};

namespace {

// Bytes that were asked for, and then are on their way. Counted from when they are asked for: what
// many wait for may come to all of them at once.
struct lent
{
	lent(traffic& t, std::size_t const most) : served(t), bytes(static_cast<std::int64_t>(most)) { served.lent_bytes += bytes; }
	~lent() { served.lent_bytes -= bytes; }
	lent(lent const&) = delete;
	lent& operator=(lent const&) = delete;
	void came(std::size_t const size)
	{
		served.lent_bytes -= bytes - static_cast<std::int64_t>(size);
		bytes = static_cast<std::int64_t>(size);
	}

	traffic& served;
	std::int64_t bytes;
};

} // namespace

asio::awaitable<bool> connection::serve_stream(request const& asked, route const& where)
{
	watch();
	expected<std::shared_ptr<torrent_files const>> const ready = co_await ready_files(where.id);
	if (is_over()) co_return false;
	if (!ready) co_return co_await send(asked, where, problem(ready.error()));
	std::shared_ptr<torrent_files const> const& torrent = *ready;

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
	co_return co_await send_file(asked, where, plan, *torrent, *file);
}

asio::awaitable<bool> connection::send_file(request const& asked, route const& where
	, stream_plan const& plan, torrent_files const& torrent, file_entry const& file)
{
	wire::response<wire::empty_body> head(plan.status, asked.version());
	for (auto const& [name, value] : plan.headers) head.set(name, value);
	for (auto const& [name, value] : dlna_headers(asked, media_type(file.name))) head.set(name, value);
	// The tag is of the right bytes; a cache that kept wrong ones under it would give them again.
	if (m_common.options.early) head.set(wire::field::cache_control, "no-store");
	if (!is_bodiless(plan.status)) head.content_length(static_cast<std::uint64_t>(plan.length_bytes()));
	head.keep_alive(asked.keep_alive());
	outgoing to(m_common.served);
	to.text = head_text(head, where.what);
	to.status = plan.status;

	bool const body = asked.method() == wire::verb::get && plan.length_bytes() > 0;
	if (body)
	{
		expected<std::unique_ptr<reader>> opened = m_common.torrents.open(torrent.id, where.file_index);
		if (!opened) co_return co_await send(asked, where, problem(opened.error()));
		to.open(std::move(*opened));
	}
	spdlog::debug("http: {} {} {} -> {}, {} bytes", m_peer, std::string(asked.method_string())
		, std::string(asked.target()), head.result_int(), body ? plan.length_bytes() : 0);

	for (std::size_t i = 0; body && i < plan.parts.size(); ++i)
	{
		to.text += plan.parts[i].before;
		std::optional<error> const failed = co_await send_part(to, plan.parts[i].bytes);
		if (is_over()) co_return false;
		// The header goes with the first bytes, so that their failure still has a status.
		if (failed && !to.begun) co_return co_await send(asked, where, problem(*failed));
		if (failed)
		{
			auto const level = failed->is(errc::cancelled) ? spdlog::level::debug : spdlog::level::warn;
			spdlog::log(level, "http: {} {}: cut short: {}", m_peer, std::string(asked.target()), failed->detail);
			co_return false;
		}
	}
	if (body) to.text += plan.closing;
	if (!to.begun) count(plan.status);
	if (!to.text.empty())
	{
		expect_within(m_common.options.stall_timeout);
		error_code const ec = co_await write(to.text, {});
		expect_nothing();
		if (ec || is_over()) co_return false;
	}
	unwatch();
	co_return head.keep_alive();
}

asio::awaitable<std::optional<error>> connection::send_part(outgoing& to, byte_range const part)
{
	expected<std::int64_t> const moved = to.from->seek(part.first);
	if (!moved) co_return moved.error();
	for (std::int64_t left = part.length; left > 0;)
	{
		auto const limit = lease_limit(m_common.torrents.memory().capacity_bytes(), to.served.lent_bytes, max_lease_bytes);
		auto const since = outgoing::clock::now();
		auto const most = static_cast<std::size_t>(std::min<std::int64_t>(left, static_cast<std::int64_t>(limit)));
		lent held(to.served, most);
		expected<lease> bytes = to.from->take(most);
		if (bytes->empty()) bytes = co_await next_lease(*to.from, most);
		to.count_wait(outgoing::clock::now() - since);
		if (!bytes) co_return bytes.error();
		if (is_over()) co_return error(errc::cancelled);
		if (!to.begun)
		{
			to.begin(part.first);
			count(to.status);
		}
		held.came(bytes->size_bytes());
		expect_within(m_common.options.stall_timeout);
		error_code const ec = co_await write(to.text, bytes->views());
		expect_nothing();
		if (ec) co_return error(errc::cancelled, "the client took no more: " + ec.message());
		to.text.clear();
		left -= held.bytes;
		to.served.streamed_bytes += held.bytes;
	}
	co_return std::nullopt;
}

asio::awaitable<expected<std::shared_ptr<torrent_files const>>> connection::ready_files(std::string const& id)
{
	auto files = m_common.torrents.files(id);
	if (files || !files.error().is(errc::no_metadata)) co_return files;
	struct answer { std::optional<error_code> ec; };
	auto const came = std::make_shared<answer>();
	m_wake.clear();
	m_common.torrents.async_wait_ready(id, asio::bind_executor(gate_executor(m_common.back)
		, [came, self = weak_from_this()](error_code const ec) {
			came->ec = ec;
			if (auto const waiting = self.lock()) waiting->m_wake.set();
		}));
	if (!is_over()) co_await m_wake.wait();
	if (!came->ec) co_return errc::cancelled;
	files = m_common.torrents.files(id);
	if (*came->ec && (files || files.error().is(errc::no_metadata))) co_return error_of(*came->ec);
	co_return files;
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
	// The sum of what would be needed, for one.
	if (answer->ec) co_return error_of(answer->ec, from.failure());
	if (answer->bytes.empty() || answer->bytes.size_bytes() > max_bytes)
		co_return error(errc::torrent_failed, "the file ended before its size");
	co_return std::move(answer->bytes);
}

} // namespace slipstream::http
