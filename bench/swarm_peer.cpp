#include "swarm_peer.hpp"

#include "vector_disk.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/mmap_disk_io.hpp>
#include <libtorrent/posix_disk_io.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_status.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace slipstream::bench {

namespace {

constexpr std::chrono::minutes patience{2};
constexpr int piece_bytes = 1 << 20;
constexpr char const* name = "film.mkv";

lt::session_params session_on(std::string const& disk, memory_disk const& memory)
{
	using pack = lt::settings_pack;
	pack p;
	p.set_str(pack::listen_interfaces, "127.0.0.1:0");
	for (int const off : {pack::enable_dht, pack::enable_lsd, pack::enable_upnp, pack::enable_natpmp
		, pack::enable_outgoing_utp, pack::enable_incoming_utp, pack::close_redundant_connections})
		p.set_bool(off, false);
	p.set_bool(pack::allow_multiple_connections_per_ip, true);
	p.set_int(pack::out_enc_policy, pack::pe_disabled);
	p.set_int(pack::in_enc_policy, pack::pe_disabled);
	p.set_int(pack::unchoke_slots_limit, -1);
	p.set_int(pack::alert_mask, static_cast<int>(static_cast<std::uint32_t>(lt::alert_category::status | lt::alert_category::error)));
	lt::session_params params(p);
	if (disk == "ours") params.disk_io_constructor = memory.constructor();
	else if (disk == "mmap") params.disk_io_constructor = lt::mmap_disk_io_constructor;
	else if (disk == "posix") params.disk_io_constructor = lt::posix_disk_io_constructor;
	else params.disk_io_constructor = make_vector_disk;
	return params;
}

std::uint16_t read_port(int const fd)
{
	std::uint16_t port = 0;
	pollfd p{.fd = fd, .events = POLLIN, .revents = 0};
	if (::poll(&p, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) != 1
		|| ::read(fd, &port, sizeof port) != sizeof port)
		throw std::runtime_error("a process of the swarm said nothing");
	return port;
}

void write_port(int const fd, std::uint16_t const port)
{
	if (::write(fd, &port, sizeof port) != sizeof port) throw std::runtime_error("a process of the swarm has gone");
}

} // namespace

shm_folder::shm_folder(std::string const& parent)
	: m_owner(::getpid()), m_path(parent + "/slipstream-bench-XXXXXX")
{
	if (::mkdtemp(m_path.data()) == nullptr) throw std::runtime_error("no folder in " + parent);
}

shm_folder::~shm_folder()
{
	std::error_code ignored;
	if (::getpid() == m_owner) std::filesystem::remove_all(m_path, ignored);
}

film::film(std::int64_t const size_bytes)
	: m_size(size_bytes)
{
	std::ofstream out(m_folder.path() + "/" + name, std::ios::binary);
	std::mt19937_64 random(7);
	std::vector<std::uint64_t> part(piece_bytes / sizeof(std::uint64_t));
	for (std::int64_t written = 0; written < size_bytes; written += piece_bytes)
	{
		for (auto& word : part) word = random();
		out.write(reinterpret_cast<char const*>(part.data()), std::min<std::int64_t>(piece_bytes, size_bytes - written));
	}
	if (!out.flush()) throw std::runtime_error("no room for the film in /dev/shm");
	lt::file_storage files;
	files.add_file(name, size_bytes);
	lt::create_torrent torrent(files, piece_bytes, lt::create_torrent::v1_only);
	lt::set_piece_hashes(torrent, m_folder.path());
	lt::bencode(std::back_inserter(m_torrent_file), torrent.generate());
}

peer::peer(film const& f, std::string const& disk, std::string const& folder, role const r)
{
	// A quarter more than the film: what is on its way counts.
	memory_disk const memory({.capacity_bytes = f.size_bytes() + f.size_bytes() / 4, .evict = true});
	m_session = std::make_unique<lt::session>(session_on(disk, memory));
	if (disk == "ours") m_session->add_extension(memory.extension());
	auto params = lt::load_torrent_buffer(f.torrent_file());
	params.save_path = folder;
	params.flags = lt::torrent_flags::disable_pex;
	if (r == role::seeds) params.flags |= lt::torrent_flags::seed_mode;
	m_torrent = m_session->add_torrent(std::move(params));
}

void peer::connect(std::uint16_t const port)
{
	m_torrent.connect_peer({lt::make_address("127.0.0.1"), port});
}

void peer::wait_until_whole()
{
	auto const end = std::chrono::steady_clock::now() + patience;
	while (std::chrono::steady_clock::now() < end)
	{
		m_session->wait_for_alert(std::chrono::seconds(1));
		std::vector<lt::alert*> alerts;
		m_session->pop_alerts(&alerts);
		for (auto const* const a : alerts)
		{
			if (auto const* const e = lt::alert_cast<lt::torrent_error_alert>(a)) throw std::runtime_error(e->message());
			if (lt::alert_cast<lt::torrent_finished_alert>(a) && m_torrent.status().is_seeding) return;
		}
	}
	throw std::runtime_error("the film did not arrive");
}

peer_process::peer_process(film const& f, role const r)
	: m_folder(f.folder())
{
	int in[2];
	int out[2];
	if (::pipe(in) != 0 || ::pipe(out) != 0) throw std::runtime_error("no pipe");
	std::fflush(nullptr);
	m_pid = ::fork();
	if (m_pid < 0) throw std::runtime_error("cannot fork");
	if (m_pid == 0)
	{
		::close(in[1]);
		::close(out[0]);
		run(f, r, in[0], out[1]);
	}
	::close(in[0]);
	::close(out[1]);
	m_to = in[1];
	m_from = out[0];
	m_port = read_port(m_from);
}

// Each says its port when its session has begun; a leecher is then told one, and says that again when it has everything.
void peer_process::run(film const& f, role const r, int const in, int const out) const
try
{
	::prctl(PR_SET_PDEATHSIG, SIGKILL);
	peer here(f, "mmap", r == role::seeds ? f.folder() : m_folder.path(), r);
	write_port(out, here.port());
	if (r == role::seeds)
		for (;;) ::pause();
	auto const port = read_port(in);
	here.connect(port);
	here.wait_until_whole();
	write_port(out, port);
	for (;;) ::pause();
}
catch (std::exception const& e)
{
	std::fprintf(stderr, "bench_swarm: %s\n", e.what());
	::_exit(1);
}

peer_process::~peer_process()
{
	end();
	::close(m_to);
	::close(m_from);
}

void peer_process::begin(std::uint16_t const port) { write_port(m_to, port); }
void peer_process::wait_until_whole() { read_port(m_from); }

void peer_process::end()
{
	if (m_pid <= 0) return;
	::kill(m_pid, SIGKILL);
	::waitpid(std::exchange(m_pid, -1), nullptr, 0);
}

} // namespace slipstream::bench
