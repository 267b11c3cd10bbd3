#include "cli/serve.hpp"

#include "cli/address.hpp"
#include "cli/auth_file.hpp"
#include "http/route.hpp"
#include "http/server.hpp"

#include <slipstream/engine.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <thread>
#include <csignal>
#include <cstdio>
#include <stdexcept>

namespace slipstream::cli {
namespace {

engine_options options_of(serve_settings const& s)
{
	engine_options o;
	o.memory.capacity_bytes = s.capacity_bytes;
	o.peer_listen = s.peer_listen;
	o.connect = s.connect;
	o.offline = s.offline;
	o.metadata_timeout = s.metadata_timeout;
	o.read_timeout = s.read_timeout;
	o.lookbehind = s.lookbehind;
	o.read_ahead = s.read_ahead;
	o.drop_idle_after = s.idle;
	return o;
}

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

// The torrents of the command line; throws at the first that cannot be had.
std::vector<added_torrent> add_all(engine& e, std::vector<std::string> const& given)
{
	std::vector<added_torrent> added;
	for (std::string const& uri : given)
	{
		expected<std::string> const id = e.add(uri);
		if (id)
		{
			added.push_back({uri, *id});
			continue;
		}
		if (!id.error().is(errc::duplicate)) throw std::runtime_error(uri + ": " + id.error().detail);
		spdlog::warn("{}: given twice", uri);
	}
	return added;
}

void say(std::FILE* const where, std::string const& line)
{
	std::fwrite(line.data(), 1, line.size(), where);
	std::fputc('\n', where);
	std::fflush(where);
}

// On the main thread, when the torrent's files are known or will not be.
void announce(engine const& e, added_torrent const& torrent, std::string const& base
	, boost::system::error_code const ec)
{
	expected<torrent_summary> const found = e.find(torrent.id);
	if (ec || !found)
	{
		if (ec == make_error_code(errc::cancelled) || ec == make_error_code(errc::no_such_torrent)) return;
		std::string why = ec ? ec.message() : found.error().detail;
		if (found && found->failure) why = found->failure->detail;
		say(stderr, fmt::format("slipstream: {}: {}", torrent.given, why));
		return;
	}
	for (file_entry const& file : found->files)
	{
		if (!file.pad) say(stdout, base + http::stream_path(found->id, file.index, file.name));
	}
}

// libtorrent's session cannot end while the system resolves a name for it, and a resolver without an answer
// takes its time. Nothing is on disk that could be lost, so past the limit the process ends without it.
void stop_within(engine& e, std::chrono::seconds const limit)
{
	std::promise<void> stopped;
	auto const done = stopped.get_future();
	std::thread stopping([&] { e.stop(); stopped.set_value(); });
	if (done.wait_for(limit) == std::future_status::timeout)
	{
		spdlog::warn("libtorrent did not stop within {} s (a name is being resolved?); leaving it", limit.count());
		std::fflush(nullptr);
		std::_Exit(0);
	}
	stopping.join();
}

} // namespace

int serve(serve_settings const& settings)
{
	std::signal(SIGPIPE, SIG_IGN);  // whoever read our stdout may go
	boost::asio::io_context main_thread(1);
	boost::asio::signal_set signals(main_thread, SIGINT, SIGTERM);

	allow_open_files();
	http::server_options server_options = server_options_of(settings);
	engine e(options_of(settings));
	std::vector<added_torrent> const torrents = add_all(e, settings.torrents);
	http::server server(e, std::move(server_options));

	bool const tls = !settings.tls_cert.empty();
	for (auto const& where : server.endpoints()) say(stdout, "listening on " + url_of(where, tls) + '/');
	std::string const base = local_url_of(server.endpoints().front(), tls);
	for (added_torrent const& torrent : torrents)
	{
		e.async_wait_ready(torrent.id, boost::asio::bind_executor(main_thread.get_executor()
			, [&e, &torrent, &base](boost::system::error_code const ec) { announce(e, torrent, base, ec); }));
	}

	signals.async_wait([&](boost::system::error_code const ec, int const signal) {
		if (ec) return;
		spdlog::info("stopping: {}", signal == SIGINT ? "SIGINT" : "SIGTERM");
		main_thread.stop();
	});
	main_thread.run();
	// From here on a second signal ends the process at once.
	boost::system::error_code ignored;
	signals.clear(ignored);
	server.stop();
	stop_within(e, std::chrono::seconds(3));
	return 0;
}

} // namespace slipstream::cli
