// The members of bench_swarm's swarm: a film on tmpfs, a session on a given disk that downloads or seeds it, and such a
// session in a process of its own.
//
// `film` owns its folder. `peer` owns its session; one thread at a time. `peer_process` has to be made before there are
// threads, since it forks; it ends with the object and with its parent. All throw std::runtime_error when something does
// not happen within two minutes. None of them measures.
#pragma once

#include <slipstream/memory_disk.hpp>

#include <libtorrent/session.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace slipstream::bench {

// A folder of its own on tmpfs, removed with the object.
class shm_folder
{
public:
	explicit shm_folder(std::string const& parent = "/dev/shm");
	~shm_folder();
	shm_folder(shm_folder const&) = delete;
	shm_folder& operator=(shm_folder const&) = delete;
	[[nodiscard]] std::string const& path() const { return m_path; }

private:
	pid_t const m_owner; // a forked child leaves it alone
	std::string m_path;
};

// Noise in pieces of 1 MiB, v1.
class film
{
public:
	explicit film(std::int64_t size_bytes);
	[[nodiscard]] std::int64_t size_bytes() const { return m_size; }
	[[nodiscard]] std::vector<char> const& torrent_file() const { return m_torrent_file; }
	[[nodiscard]] std::string const& folder() const { return m_folder.path(); }

private:
	std::int64_t const m_size;
	shm_folder m_folder;
	std::vector<char> m_torrent_file;
};

enum class role { seeds, leeches };

class peer
{
public:
	// On "ours", "mmap" or "posix". A seed believes that the folder has the film.
	peer(film const& f, std::string const& disk, std::string const& folder, role r);

	[[nodiscard]] std::uint16_t port() const { return m_session->listen_port(); }
	void connect(std::uint16_t port);
	void wait_until_whole();

private:
	std::unique_ptr<lt::session> m_session;
	lt::torrent_handle m_torrent;
};

class peer_process
{
public:
	// On libtorrent's mmap disk. Its session has begun when this returns.
	peer_process(film const& f, role r);
	~peer_process();
	peer_process(peer_process const&) = delete;
	peer_process& operator=(peer_process const&) = delete;

	[[nodiscard]] std::uint16_t port() const { return m_port; }
	// Tells a leecher whom to connect to.
	void begin(std::uint16_t port);
	void wait_until_whole();
	void end();

private:
	[[noreturn]] void run(film const& f, role r, int in, int out) const;

	shm_folder const m_folder;
	pid_t m_pid = -1;
	int m_to = -1;
	int m_from = -1;
	std::uint16_t m_port = 0;
};

} // namespace slipstream::bench
