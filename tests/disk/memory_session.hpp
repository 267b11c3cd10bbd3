// A session on a memory disk, as a program that embeds one would make it, for tests.
#pragma once

#include <slipstream/memory_disk.hpp>

#include "support/swarm.hpp"

#include <libtorrent/alert_types.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_info.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace slipstream::test {

class memory_session
{
public:
	explicit memory_session(memory_disk disk, int const connections = 20, bool const with_extension = true)
		: m_disk(std::move(disk))
	{
		using sp = lt::settings_pack;
		sp s = plain_settings();
		s.set_int(sp::connections_limit, connections);
		s.set_int(sp::alert_queue_size, 100000);
		s.set_int(sp::alert_mask, int(lt::alert_category::error | lt::alert_category::peer | lt::alert_category::connect
			| lt::alert_category::piece_progress | lt::alert_category::status));
		lt::session_params params(std::move(s));
		params.disk_io_constructor = m_disk.constructor();
		m_session = std::make_unique<lt::session>(std::move(params));
		if (with_extension) m_session->add_extension(m_disk.extension());
	}

	// Alone on loopback.
	[[nodiscard]] static lt::settings_pack plain_settings()
	{
		using sp = lt::settings_pack;
		sp s;
		for (int const off : {sp::enable_dht, sp::enable_lsd, sp::enable_upnp, sp::enable_natpmp
			// uTP's attempts time out on a busy machine; TCP's do not on loopback.
			, sp::enable_outgoing_utp, sp::enable_incoming_utp
			, sp::close_redundant_connections})
			s.set_bool(off, false);
		s.set_bool(sp::allow_multiple_connections_per_ip, true);
		s.set_str(sp::listen_interfaces, "127.0.0.1:0");
		return s;
	}

	lt::torrent_handle add(shared_files const& files, std::vector<lt::download_priority_t> priorities = {})
	{ return add(files.torrent_file(), std::move(priorities)); }
	lt::torrent_handle add(lt::span<char const> const torrent_file, std::vector<lt::download_priority_t> priorities = {})
	{
		lt::add_torrent_params p;
		p.ti = std::make_shared<lt::torrent_info>(torrent_file, lt::from_span);
		p.save_path = "/nonexistent";
		p.piece_priorities = std::move(priorities);
		p.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
		// Seeds would tell it of itself, and it would connect to that.
		p.flags |= lt::torrent_flags::disable_pex;
		return m_session->add_torrent(std::move(p));
	}

	// Runs alerts until `done`, a minute at most; answers whether it came.
	bool run_until(std::function<bool()> const& done)
	{
		auto const end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
		while (!done())
		{
			if (std::chrono::steady_clock::now() > end) return false;
			m_session->wait_for_alert(std::chrono::milliseconds(10));
			std::vector<lt::alert*> alerts;
			m_session->pop_alerts(&alerts);
			for (auto* const a : alerts) count(a);
		}
		return true;
	}

	[[nodiscard]] memory_disk& disk() { return m_disk; }
	[[nodiscard]] lt::session& session() { return *m_session; }
	void end() { m_session.reset(); }

	std::function<void(lt::alert const*)> on_alert; // sees every one
	std::map<int, int> finished; // how often each piece was
	int failed = 0;
	int bans = 0;
	std::vector<std::string> disconnects;
	std::vector<std::string> errors;

private:
	void count(lt::alert* const a)
	{
		if (on_alert) on_alert(a);
		if (auto const* f = lt::alert_cast<lt::piece_finished_alert>(a)) ++finished[static_cast<int>(f->piece_index)];
		if (lt::alert_cast<lt::hash_failed_alert>(a)) ++failed;
		if (lt::alert_cast<lt::peer_ban_alert>(a)) ++bans;
		// Without an id no hand has been shaken: of two connections between the same two one is closed then, and nobody is lost.
		auto const* const d = lt::alert_cast<lt::peer_disconnected_alert>(a);
		if (d && !d->pid.is_all_zeros()) disconnects.push_back(a->message());
		if (lt::alert_cast<lt::torrent_error_alert>(a)) errors.push_back(a->message());
		if (lt::alert_cast<lt::file_error_alert>(a)) errors.push_back(a->message());
	}

	memory_disk m_disk;
	std::unique_ptr<lt::session> m_session;
};

inline bool has(lt::torrent_handle const& torrent, int const piece)
{
	auto const pieces = torrent.status(lt::torrent_handle::query_pieces).pieces;
	return pieces.size() > piece && pieces[lt::piece_index_t(piece)];
}

inline int count_pieces(lt::torrent_handle const& torrent)
{ return torrent.status(lt::torrent_handle::query_pieces).pieces.count(); }

} // namespace slipstream::test
