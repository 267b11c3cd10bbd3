#include "http/server.hpp"

#include "block/mutex.hpp"
#include "engine/address_text.hpp"
#include "http/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <stdexcept>
#include <thread>

namespace slipstream::http {
namespace {

tcp::acceptor listen_on(asio::io_context& io, tcp::endpoint const& where)
{
	tcp::acceptor acceptor(io);
	error_code ec;
	acceptor.open(where.protocol(), ec);
	if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
	// Or [::]:8090 and 0.0.0.0:8090 could not be listened on together.
	if (!ec && where.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), ec);
	if (!ec) acceptor.bind(where, ec);
	if (!ec) acceptor.listen(tcp::acceptor::max_listen_connections, ec);
	if (ec) throw std::runtime_error("cannot listen on " + endpoint_text(where) + ": " + ec.message());
	return acceptor;
}

// What ends a coroutine by exception is a fault, or memory that ran out; the others go on.
void log_end(std::exception_ptr const& failure)
{
	if (!failure) return;
	try
	{
		std::rethrow_exception(failure);
	}
	catch (std::exception const& e)
	{
		spdlog::error("http: a connection ended: {}", e.what());
	}
	catch (...)
	{
		spdlog::error("http: a connection ended");
	}
}

} // namespace

class server::impl
{
public:
	impl(engine& torrents, server_options const& options)
		: m_back(std::make_shared<gate>(m_io))
		, m_common{torrents, options, credentials(options.credentials), {}, m_back, {}, event(m_io.get_executor())}
	{
		if (options.listen.empty()) throw std::invalid_argument("no address to listen on");
		if (options.tls_certificate.empty() != options.tls_key.empty())
			throw std::invalid_argument("TLS needs a certificate and its key");
		if (!options.tls_key.empty()) m_common.tls.emplace(tls_context(options.tls_certificate, options.tls_key));
		for (tcp::endpoint const& where : m_common.options.listen)
		{
			m_acceptors.push_back(listen_on(m_io, where));
			m_endpoints.push_back(m_acceptors.back().local_endpoint());
		}
		for (tcp::acceptor& a : m_acceptors) asio::co_spawn(m_io, accept_from(a), log_end);
		m_thread = std::thread([this] { run(); });
	}

	~impl()
	{
		stop();
		m_back->close();
	}

	std::vector<tcp::endpoint> const& endpoints() const { return m_endpoints; }

	void stop() EXCLUDES(m_stop_mutex)
	{
		mutex_lock const lock(m_stop_mutex);
		if (!m_thread.joinable()) return;
		asio::post(m_io, [this] { close_all(); });
		m_thread.join();
	}

private:
	static constexpr std::size_t max_turned_away = 32;

	void run() noexcept
	{
		while (true)
		{
			try
			{
				m_io.run();
				return;
			}
			catch (std::exception const& e)
			{
				spdlog::error("http: {}", e.what());
			}
		}
	}

	void close_all()
	{
		m_stopping = true;
		m_common.room.set();
		error_code ignored;
		for (tcp::acceptor& a : m_acceptors) a.close(ignored);
		for (connection* const c : m_common.open) c->abort();
	}

	asio::awaitable<void> accept_from(tcp::acceptor& acceptor)
	{
		asio::steady_timer pause(m_io);
		while (!m_stopping)
		{
			// A few more are accepted to be told that they are too many; the others wait in the
			// system's queue.
			while (!m_stopping && m_common.open.size() >= m_common.options.max_connections + max_turned_away)
			{
				m_common.room.clear();
				co_await m_common.room.wait();
			}
			if (m_stopping) break;
			error_code ec;
			tcp::socket socket = co_await acceptor.async_accept(
				asio::redirect_error(asio::use_awaitable, ec));
			if (m_stopping) break;
			if (ec == asio::error::connection_aborted) continue;
			if (ec)
			{
				// Out of file descriptors, most likely: others must close before it is worth another try.
				spdlog::warn("http: cannot accept: {}", ec.message());
				error_code waited;
				pause.expires_after(std::chrono::milliseconds(200));
				co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, waited));
				continue;
			}
			bool const full = m_common.open.size() >= m_common.options.max_connections;
			auto client = std::make_shared<connection>(std::move(socket), m_common);
			// cppcheck-suppress accessMoved ; one of the two
			asio::co_spawn(m_io, full ? connection::turn_away(std::move(client)) : connection::run(std::move(client)), log_end);
		}
	}

	asio::io_context m_io{1};
	std::shared_ptr<gate> m_back;
	common m_common;
	std::vector<tcp::acceptor> m_acceptors;
	std::vector<tcp::endpoint> m_endpoints;
	bool m_stopping = false;  // server's thread
	mutex m_stop_mutex;  // one stop() joins
	std::thread m_thread;
};

// The public header's signature.
// cppcheck-suppress passedByValue
// NOLINTNEXTLINE(performance-unnecessary-value-param)
server::server(engine& torrents, server_options options)
	: m_impl(std::make_unique<impl>(torrents, options))
{
}

server::~server() = default;

std::vector<tcp::endpoint> server::endpoints() const { return m_impl->endpoints(); }

void server::stop() { m_impl->stop(); }

} // namespace slipstream::http
