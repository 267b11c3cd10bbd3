// A swarm for tests: torrents made of real files in a temporary folder, and libtorrent sessions on
// loopback that seed them with libtorrent's own disk. Nothing of Slipstream is in here.
//
// Every object cleans up after itself. Calls throw std::runtime_error when something does not happen
// within a minute; one thread at a time each.
#pragma once

#include <libtorrent/info_hash.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace slipstream::test {

class temporary_folder
{
public:
	temporary_folder();
	~temporary_folder();
	temporary_folder(temporary_folder const&) = delete;
	temporary_folder& operator=(temporary_folder const&) = delete;
	[[nodiscard]] std::filesystem::path const& path() const { return m_path; }

private:
	std::filesystem::path m_path;
};

enum class torrent_kind { v1, v2, hybrid };

struct file_spec
{
	std::string name;
	std::int64_t size_bytes = 0;
};

// Files with reproducible noise in them and the torrent of them, made by lt::create_torrent.
class shared_files
{
public:
	// One file makes a single-file torrent called after it; several lie in a folder called `name`.
	shared_files(std::string name, std::vector<file_spec> files, torrent_kind kind
		, int piece_length_bytes, std::uint32_t seed = 1);

	[[nodiscard]] std::vector<char> const& torrent_file() const { return m_torrent_file; }
	[[nodiscard]] std::string const& magnet() const { return m_magnet; }
	[[nodiscard]] lt::info_hash_t const& hashes() const { return m_hashes; }
	// What a session that shares them has for a save path.
	[[nodiscard]] std::filesystem::path const& folder() const { return m_folder.path(); }
	[[nodiscard]] std::string const& content(std::size_t file) const { return m_contents.at(file); }
	// Writes the torrent file to the folder.
	[[nodiscard]] std::filesystem::path write_torrent_file() const;
	// Another copy of the files in which every byte is wrong.
	void write_corrupt_copy(std::filesystem::path const& folder) const;

private:
	void write_files(std::filesystem::path const& folder, bool corrupt) const;

	temporary_folder m_folder;
	std::string m_name;
	std::vector<file_spec> m_files;
	std::vector<std::string> m_contents;
	std::vector<char> m_torrent_file;
	std::string m_magnet;
	lt::info_hash_t m_hashes;
};

struct seeder_options
{
	// Where the files are; empty: where shared_files put them.
	std::filesystem::path folder;
	// Believes that the files are right, and sends them unchecked.
	bool blind = false;
	// Bytes a second, 0: as fast as it can.
	int upload_limit_bytes_s = 0;
	// The session does what sessions do by default with peers that have no use for it.
	bool close_redundant_connections = true;
	// Of 127.0.0.0/8: peers that share an address also share the blame for what one of them sends.
	std::string address = "127.0.0.1";
};

// A session that seeds one torrent on loopback, any port.
class seeder
{
public:
	explicit seeder(shared_files const& files, seeder_options options = {});
	~seeder();
	seeder(seeder const&) = delete;
	seeder& operator=(seeder const&) = delete;

	[[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return m_endpoint; }
	[[nodiscard]] std::int64_t uploaded_bytes() const;
	// How often a peer connected, so far.
	[[nodiscard]] int connections();
	// Why each peer left that did, so far.
	[[nodiscard]] std::vector<std::string> departures();
	// How many peers are connected and past the handshake.
	[[nodiscard]] int greeted_peers() const;
	[[nodiscard]] lt::torrent_handle const& torrent() const { return m_torrent; }

private:
	void look_at_alerts();

	lt::session m_session;
	lt::torrent_handle m_torrent;
	boost::asio::ip::tcp::endpoint m_endpoint;
	int m_connections = 0;
	std::vector<std::string> m_departures;
};

// An address of this machine at which nobody listens.
[[nodiscard]] boost::asio::ip::tcp::endpoint nobody();

} // namespace slipstream::test
