// The part of a connection that sends live state as server-sent events (HTML Living Standard,
// section 9.2).
#include "http/connection.hpp"

#include "http/head.hpp"
#include "http/json.hpp"

namespace slipstream::http {
namespace {

// What was last said of one part of the state.
struct topic
{
	char const* name;
	std::string said;

	// The event when there is news; the JSON ends with the line.
	std::string news(std::string now)
	{
		if (now == said) return {};
		said = std::move(now);
		return "event: " + std::string(name) + "\ndata: " + said + '\n';
	}
};

constexpr std::chrono::seconds longest_silence(15);

} // namespace

asio::awaitable<bool> connection::serve_events(request const& asked, route const& where)
{
	if (m_common.listeners >= max_listeners)
	{
		reply full = problem(wire::status::service_unavailable, "as many clients listen to events as may");
		full.headers.emplace_back(wire::field::retry_after, "5");
		co_return co_await send(asked, where, std::move(full));
	}
	struct place
	{
		std::size_t& taken;
		explicit place(std::size_t& count) : taken(count) { ++taken; }
		~place() { --taken; }
		place(place const&) = delete;
		place& operator=(place const&) = delete;
	};
	place const held(m_common.listeners);

	watch();
	wire::response<wire::empty_body> head(wire::status::ok, asked.version());
	head.set(wire::field::content_type, "text/event-stream");
	head.set(wire::field::cache_control, "no-store");
	// Its length is not known; its end is the connection's.
	head.keep_alive(false);
	std::string text = head_text(head, where.what);
	count(head.result());
	topic torrents{"torrents", {}}, readers{"readers", {}}, memory{"memory", {}};
	asio::steady_timer tick(m_transport.get_executor());
	auto silent_since = asio::steady_timer::clock_type::now();
	while (!is_over())
	{
		text += torrents.news(to_json(m_common.torrents.torrents(), with_files::no));
		text += readers.news(to_json(m_common.torrents.readers()));
		text += memory.news(to_json(m_common.torrents.memory().stats()));
		auto const now = asio::steady_timer::clock_type::now();
		if (text.empty() && now - silent_since >= longest_silence) text = ":\n\n";
		if (!text.empty())
		{
			silent_since = now;
			expect_within(m_common.options.idle_timeout);
			error_code const ec = co_await write(text, {});
			expect_nothing();
			if (ec) co_return false;
			text.clear();
		}
		m_wake.clear();
		tick.expires_after(m_common.options.event_interval);
		tick.async_wait([self = weak_from_this()](error_code const ec) {
			if (auto const due = self.lock(); due && !ec) due->m_wake.set();
		});
		// The end may have come before m_wake was cleared.
		if (!is_over()) co_await m_wake.wait();
	}
	co_return false;
}

} // namespace slipstream::http
