#include "cli/seeder.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_info.hpp>

#include <chrono>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace slipstream::cli {
namespace {

lt::session_params quiet_session()
{
	lt::settings_pack s;
	s.set_str(lt::settings_pack::listen_interfaces, "127.0.0.1:0");
	s.set_bool(lt::settings_pack::enable_dht, false);
	s.set_bool(lt::settings_pack::enable_lsd, false);
	s.set_bool(lt::settings_pack::enable_upnp, false);
	s.set_bool(lt::settings_pack::enable_natpmp, false);
	s.set_int(lt::settings_pack::unchoke_slots_limit, -1);
	s.set_int(lt::settings_pack::alert_mask, lt::alert_category::status | lt::alert_category::error);
	return lt::session_params(s);
}

// Port 0 became a port: libtorrent says which.
boost::asio::ip::tcp::endpoint listening_endpoint(lt::session& session)
{
	auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
	while (std::chrono::steady_clock::now() < deadline)
	{
		session.wait_for_alert(deadline - std::chrono::steady_clock::now());
		std::vector<lt::alert*> alerts;
		session.pop_alerts(&alerts);
		for (lt::alert* const a : alerts)
		{
			auto const* const succeeded = lt::alert_cast<lt::listen_succeeded_alert>(a);
			if (succeeded && succeeded->socket_type == lt::socket_type_t::tcp)
				return {succeeded->address, static_cast<std::uint16_t>(succeeded->port)};
			if (auto const* const failed = lt::alert_cast<lt::listen_failed_alert>(a))
				throw std::runtime_error("the seeding session: " + failed->message());
		}
	}
	throw std::runtime_error("the seeding session does not listen");
}

} // namespace

expected<std::vector<char>> make_torrent(std::filesystem::path const& file
	, std::function<void(int, int)> const& progress)
{
	lt::file_storage files;
	lt::add_files(files, file.string());
	if (files.num_files() != 1 || files.total_size() == 0)
		return error(errc::bad_torrent, "'" + file.string() + "' is not a file with anything in it");
	lt::create_torrent torrent(files);
	lt::error_code ec;
	lt::set_piece_hashes(torrent, file.parent_path().string(), [&](lt::piece_index_t const piece) {
		progress(static_cast<int>(piece) + 1, torrent.num_pieces());
	}, ec);
	if (ec) return error(errc::bad_torrent, "'" + file.string() + "': " + ec.message());
	torrent.set_creator("slipstream demo");
	std::vector<char> bytes;
	lt::bencode(std::back_inserter(bytes), torrent.generate());
	return bytes;
}

seeder::seeder(std::vector<char> const& torrent, std::filesystem::path const& file)
	: m_session(quiet_session())
	, m_endpoint(listening_endpoint(m_session))
{
	lt::add_torrent_params params;
	params.ti = std::make_shared<lt::torrent_info>(torrent, lt::from_span);
	params.save_path = file.parent_path().string();
	// The hashes were made from the file a moment ago.
	params.flags = lt::torrent_flags::seed_mode;
	m_session.add_torrent(std::move(params));
}

} // namespace slipstream::cli
