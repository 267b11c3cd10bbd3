#include "soak/seeding_process.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/posix_disk_io.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_flags.hpp>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace slipstream::soak {

namespace {

lt::session_params quiet_session()
{
	using pack = lt::settings_pack;
	pack p;
	p.set_str(pack::listen_interfaces, "127.0.0.1:0");
	for (int const off : {pack::enable_dht, pack::enable_lsd, pack::enable_upnp, pack::enable_natpmp}) p.set_bool(off, false);
	p.set_bool(pack::allow_multiple_connections_per_ip, true);
	p.set_bool(pack::close_redundant_connections, false);
	p.set_int(pack::unchoke_slots_limit, -1);
	p.set_int(pack::alert_mask, static_cast<int>(static_cast<std::uint32_t>(lt::alert_category::status)));
	lt::session_params params(p);
	params.disk_io_constructor = lt::posix_disk_io_constructor;
	return params;
}

std::uint16_t listening_port(lt::session& session)
{
	for (;;)
	{
		session.wait_for_alert(std::chrono::seconds(60));
		std::vector<lt::alert*> alerts;
		session.pop_alerts(&alerts);
		for (lt::alert* const a : alerts)
			if (auto const* const up = lt::alert_cast<lt::listen_succeeded_alert>(a); up && up->socket_type == lt::socket_type_t::tcp)
				return static_cast<std::uint16_t>(up->port);
		if (alerts.empty()) throw std::runtime_error("the seeding session does not listen");
	}
}

[[noreturn]] void seed(std::vector<noise_film> const& films, std::filesystem::path const& folder, int const answer)
try
{
	::prctl(PR_SET_PDEATHSIG, SIGKILL);
	lt::session session(quiet_session());
	for (noise_film const& film : films)
	{
		auto params = lt::load_torrent_buffer(film.torrent_file());
		params.save_path = folder.string();
		params.flags = lt::torrent_flags::seed_mode;
		session.add_torrent(std::move(params));
	}
	std::uint16_t const port = listening_port(session);
	if (::write(answer, &port, sizeof port) != sizeof port) ::_exit(1);
	for (;;) ::pause();
}
catch (std::exception const& e)
{
	std::fprintf(stderr, "soak: the seeding process: %s\n", e.what());
	::_exit(1);
}

} // namespace

seeding_process::seeding_process(std::vector<noise_film> const& films, std::filesystem::path const& folder)
{
	int ends[2];
	if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
	m_pid = ::fork();
	if (m_pid == 0)
	{
		::close(ends[0]);
		seed(films, folder, ends[1]);
	}
	::close(ends[1]);
	std::uint16_t port = 0;
	auto const got = m_pid < 0 ? -1 : ::read(ends[0], &port, sizeof port);
	::close(ends[0]);
	if (got != sizeof port) throw std::runtime_error("no seeding process");
	m_endpoint = {boost::asio::ip::address_v4::loopback(), port};
}

seeding_process::~seeding_process()
{
	if (m_pid <= 0) return;
	::kill(m_pid, SIGKILL);
	::waitpid(m_pid, nullptr, 0);
}

} // namespace slipstream::soak
