#include "support/swarm.hpp"

#include <boost/asio/io_context.hpp>

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/magnet_uri.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/posix_disk_io.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <random>
#include <stdexcept>

namespace slipstream::test {

namespace {

namespace fs = std::filesystem;
constexpr std::chrono::seconds patience{60};

std::string noise(std::int64_t const size_bytes, std::uint32_t const seed)
{
	std::mt19937 random(seed);
	std::string bytes(static_cast<std::size_t>(size_bytes), '\0');
	for (char& c : bytes) c = static_cast<char>(random() & 0xff);
	return bytes;
}

lt::create_flags_t flags_of(torrent_kind const kind)
{
	switch (kind)
	{
		case torrent_kind::v1: return lt::create_torrent::v1_only;
		case torrent_kind::v2: return lt::create_torrent::v2_only;
		case torrent_kind::hybrid: return {};
	}
	throw std::runtime_error("no such kind of torrent");
}

lt::session_params seeding_session(seeder_options const& options)
{
	using pack = lt::settings_pack;
	pack p;
	p.set_str(pack::listen_interfaces, options.address + ":0");
	p.set_bool(pack::enable_dht, false);
	p.set_bool(pack::enable_lsd, false);
	p.set_bool(pack::enable_upnp, false);
	p.set_bool(pack::enable_natpmp, false);
	p.set_bool(pack::allow_multiple_connections_per_ip, true);
	p.set_bool(pack::close_redundant_connections, options.close_redundant_connections);
	p.set_bool(pack::disable_hash_checks, options.blind);
	p.set_int(pack::alert_mask, static_cast<int>(static_cast<std::uint32_t>(
		lt::alert_category::status | lt::alert_category::error | lt::alert_category::peer | lt::alert_category::connect)));
	p.set_int(pack::stop_tracker_timeout, 1);
	lt::session_params params(p);
	params.disk_io_constructor = lt::posix_disk_io_constructor;
	return params;
}

// Waits for an alert that `wanted` accepts.
template <typename Wanted>
void wait_for(lt::session& session, char const* const what, Wanted wanted)
{
	auto const deadline = std::chrono::steady_clock::now() + patience;
	while (std::chrono::steady_clock::now() < deadline)
	{
		session.wait_for_alert(std::chrono::seconds(1));
		std::vector<lt::alert*> alerts;
		session.pop_alerts(&alerts);
		for (lt::alert* const a : alerts)
		{
			if (lt::alert_cast<lt::torrent_error_alert>(a)) throw std::runtime_error(a->message());
			if (wanted(*a)) return;
		}
	}
	throw std::runtime_error(std::string("waited in vain for ") + what);
}

} // namespace

temporary_folder::temporary_folder()
{
	std::string pattern = (fs::temp_directory_path() / "slipstream-test-XXXXXX").string();
	if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
	m_path = pattern;
}

temporary_folder::~temporary_folder()
{
	std::error_code ec;
	fs::remove_all(m_path, ec);
}

shared_files::shared_files(std::string name, std::vector<file_spec> files, torrent_kind const kind
	, int const piece_length_bytes, std::uint32_t const seed)
	: m_name(std::move(name)), m_files(std::move(files))
{
	std::uint32_t file_seed = seed * 1000;
	for (file_spec const& f : m_files) m_contents.push_back(noise(f.size_bytes, file_seed++));
	write_files(m_folder.path(), false);

	lt::file_storage storage;
	for (file_spec const& f : m_files)
		storage.add_file(m_files.size() == 1 ? f.name : m_name + "/" + f.name, f.size_bytes);
	lt::create_torrent torrent(storage, piece_length_bytes, flags_of(kind));
	torrent.set_creator("slipstream tests");
	lt::set_piece_hashes(torrent, m_folder.path().string());
	lt::bencode(std::back_inserter(m_torrent_file), torrent.generate());

	auto const params = lt::load_torrent_buffer(m_torrent_file);
	m_hashes = params.ti->info_hashes();
	m_magnet = lt::make_magnet_uri(params);
}

void shared_files::write_files(fs::path const& folder, bool const corrupt) const
{
	for (std::size_t i = 0; i < m_files.size(); ++i)
	{
		fs::path const path = m_files.size() == 1 ? folder / m_files[i].name : folder / m_name / m_files[i].name;
		fs::create_directories(path.parent_path());
		std::string bytes = m_contents[i];
		if (corrupt) for (char& c : bytes) c = static_cast<char>(~c);
		std::ofstream out(path, std::ios::binary);
		if (!out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())))
			throw std::runtime_error("cannot write " + path.string());
	}
}

void shared_files::write_corrupt_copy(fs::path const& folder) const { write_files(folder, true); }

fs::path shared_files::write_torrent_file() const
{
	fs::path const path = m_folder.path() / "made.torrent";
	std::ofstream out(path, std::ios::binary);
	if (!out.write(m_torrent_file.data(), static_cast<std::streamsize>(m_torrent_file.size())))
		throw std::runtime_error("cannot write " + path.string());
	return path;
}

seeder::seeder(shared_files const& files, seeder_options options)
	: m_session(seeding_session(options))
{
	wait_for(m_session, "a port to listen on", [&](lt::alert const& a) {
		auto const* const up = lt::alert_cast<lt::listen_succeeded_alert>(&a);
		if (up == nullptr || up->socket_type != lt::socket_type_t::tcp) return false;
		m_endpoint = {up->address, static_cast<std::uint16_t>(up->port)};
		return true;
	});
	auto params = lt::load_torrent_buffer(files.torrent_file());
	params.save_path = (options.folder.empty() ? files.folder() : options.folder).string();
	params.flags = options.blind ? lt::torrent_flags::seed_mode : lt::torrent_flags_t{};
	m_torrent = m_session.add_torrent(params);
	// The torrent's limit: the session's does not hold for local peers.
	m_torrent.set_upload_limit(options.upload_limit_bytes_s == 0 ? -1 : options.upload_limit_bytes_s);
	wait_for(m_session, "the torrent to be seeded", [](lt::alert const& a)
		{ return lt::alert_cast<lt::torrent_checked_alert>(&a) != nullptr; });
	if (m_torrent.status().state != lt::torrent_status::seeding)
		throw std::runtime_error("the session does not seed its torrent");
}

seeder::~seeder() = default;

std::int64_t seeder::uploaded_bytes() const
{
	return m_torrent.status().total_payload_upload;
}

void seeder::look_at_alerts()
{
	std::vector<lt::alert*> alerts;
	m_session.pop_alerts(&alerts);
	for (lt::alert const* const a : alerts)
	{
		if (lt::alert_cast<lt::incoming_connection_alert>(a)) ++m_connections;
		if (lt::alert_cast<lt::peer_disconnected_alert>(a)) m_departures.push_back(a->message());
	}
}

int seeder::connections()
{
	look_at_alerts();
	return m_connections;
}

std::vector<std::string> seeder::departures()
{
	look_at_alerts();
	return m_departures;
}

int seeder::greeted_peers() const
{
	std::vector<lt::peer_info> peers;
	m_torrent.get_peer_info(peers);
	return static_cast<int>(std::count_if(peers.begin(), peers.end(), [](lt::peer_info const& p)
		{ return !(p.flags & (lt::peer_info::handshake | lt::peer_info::connecting)); }));
}

boost::asio::ip::tcp::endpoint nobody()
{
	// Bound and let go: the system does not give the port to the next one who asks for any.
	boost::asio::io_context context;
	boost::asio::ip::tcp::acceptor const acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
	return acceptor.local_endpoint();
}

} // namespace slipstream::test
