#include "cli/serve.hpp"

#include "cli/address.hpp"
#include "cli/auth_file.hpp"
#include "cli/keeper.hpp"
#include "cli/notify.hpp"
#include "cli/state_dir.hpp"
#include "cli/swarm.hpp"
#include "http/route.hpp"
#include "http/server.hpp"

#include <slipstream/engine.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <utility>

namespace slipstream::cli {
namespace {

http::server_options server_options_of(serve_settings const& s)
{
	http::server_options o;
	o.listen = s.listen;
	o.host_names = s.host_names;
	if (!s.auth_file.empty()) o.credentials = read_auth_file(s.auth_file);
	if (!s.auth.empty()) o.credentials.push_back(s.auth);
	o.tls_certificate = s.tls_cert;
	o.tls_key = s.tls_key;
	o.stall_timeout = s.stall_timeout;
	o.early = s.early;
	return o;
}

// Clients and peers take one descriptor each; the usual limit of 1024 is for programs that use select().
void allow_open_files()
{
	rlimit limit{};
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

struct added_torrent
{
	std::string given;  // what the user wrote
	std::string id;
};

// Adds the torrents of the command line to those that are there; throws at the first that cannot be had.
void add_all(engine& e, std::vector<std::string> const& given, std::vector<added_torrent>& torrents)
{
	std::size_t const remembered = torrents.size();
	for (std::string const& uri : given)
	{
		expected<std::string> const id = e.add(uri);
		if (id)
		{
			torrents.push_back({uri, *id});
			continue;
		}
		if (!id.error().is(errc::duplicate)) throw std::runtime_error(uri + ": " + id.error().detail);
		auto const before = std::find_if(torrents.begin(), torrents.end()
			, [&](added_torrent const& t) { return t.id == id.error().detail; });
		if (before - torrents.begin() >= static_cast<std::ptrdiff_t>(remembered)) spdlog::warn("{}: given twice", uri);
	}
}

// What --state-dir keeps from run to run; without it, nothing. Main thread.
class memory_of_runs
{
public:
	explicit memory_of_runs(boost::asio::io_context& io) : m_io(io) {}

	// Reads what an engine is to begin with.
	void open(std::string const& path, engine_options& options)
	{
		m_dir.emplace(path);
		m_found = m_dir->load();
		for (std::string const& what : m_found.complaints) spdlog::warn("{}", what);
		options.session_state = usable_session(std::move(m_found.session), *m_dir);
		// On the engine's thread. Many changes are looked at once.
		options.on_change = [this] {
			if (!m_look_posted.exchange(true)) boost::asio::post(m_io, [this] { look(); });
		};
	}

	[[nodiscard]] std::vector<added_torrent> restore(engine& e)
	{
		std::vector<added_torrent> torrents;
		if (!m_dir) return torrents;
		m_keeper.emplace(m_io, e, *m_dir);
		for (std::string const& id : m_keeper->restore(std::exchange(m_found.torrents, {}))) torrents.push_back({"torrent " + id, id});
		return torrents;
	}

	void finish()
	{
		if (m_keeper) m_keeper->finish(std::chrono::seconds(5));
	}

private:
	void look()
	{
		m_look_posted = false;
		if (m_keeper) m_keeper->look();
	}

	boost::asio::io_context& m_io;
	std::optional<state_dir> m_dir;
	state_dir::contents m_found;
	std::optional<keeper> m_keeper;
	std::atomic<bool> m_look_posted = false;
};

// The engine's thread answers, or else the service manager hears nothing and does what its unit says.
void feed_watchdog(boost::asio::steady_timer& timer, engine& e)
{
	auto const interval = watchdog_interval();
	if (!interval) return;
	static_cast<void>(e.peer_endpoints());
	notify_service_manager("WATCHDOG=1");
	timer.expires_after(*interval / 2);
	timer.async_wait([&](boost::system::error_code const ec) { if (!ec) feed_watchdog(timer, e); });
}

// On the main thread, when the torrent's files are known or will not be.
void announce(engine const& e, added_torrent const& torrent, std::string const& base
	, boost::system::error_code const ec)
{
	expected<torrent_summary> const found = e.find(torrent.id);
	if (ec || !found)
	{
		if (ec == make_error_code(errc::cancelled) || ec == make_error_code(errc::no_such_torrent)) return;
		say(stderr, fmt::format("slipstream: {}: {}", torrent.given, failure_of(e, torrent.id, ec)));
		return;
	}
	for (file_entry const& file : found->files)
	{
		if (!file.pad) say(stdout, base + http::stream_path(found->id, file.index, file.name));
	}
}

} // namespace

int serve(serve_settings const& settings)
{
	std::signal(SIGPIPE, SIG_IGN);  // whoever read our stdout may go
	boost::asio::io_context main_thread(1);
	boost::asio::signal_set signals(main_thread, SIGINT, SIGTERM);
	boost::asio::steady_timer watchdog(main_thread);

	allow_open_files();
	http::server_options server_options = server_options_of(settings);
	engine_options engine_options = options_of(settings);
	engine_options.drop_idle_after = settings.idle;
	memory_of_runs memory(main_thread);
	if (!settings.state_dir.empty()) memory.open(settings.state_dir, engine_options);
	engine e(std::move(engine_options));
	std::vector<added_torrent> torrents = memory.restore(e);
	add_all(e, settings.torrents, torrents);
	http::server server(e, std::move(server_options));

	bool const tls = !settings.tls_cert.empty();
	for (auto const& where : server.endpoints()) say(stdout, "listening on " + url_of(where, tls) + '/');
	std::string const base = local_url_of(server.endpoints().front(), tls);
	for (added_torrent const& torrent : torrents)
	{
		e.async_wait_ready(torrent.id, boost::asio::bind_executor(main_thread.get_executor()
			, [&e, &torrent, &base](boost::system::error_code const ec) { announce(e, torrent, base, ec); }));
	}
	notify_service_manager("READY=1");
	feed_watchdog(watchdog, e);

	signals.async_wait([&](boost::system::error_code const ec, int const signal) {
		if (ec) return;
		spdlog::info("stopping: {}", signal == SIGINT ? "SIGINT" : "SIGTERM");
		main_thread.stop();
	});
	main_thread.run();
	notify_service_manager("STOPPING=1");
	// From here on a second signal ends the process at once.
	boost::system::error_code ignored;
	signals.clear(ignored);
	server.stop();
	memory.finish();
	stop_within(e, std::chrono::seconds(3), 0);
	return 0;
}

} // namespace slipstream::cli
