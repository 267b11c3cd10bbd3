#include "engine/alert_pump.hpp"

#include "engine/address_text.hpp"
#include "engine/core.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <libtorrent/alert_types.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/torrent_status.hpp>

#include <vector>

namespace slipstream {

namespace {

// Of an alert that tells both.
template <typename Alert>
boost::asio::ip::tcp::endpoint endpoint_of(Alert const& a) { return {a.address, static_cast<std::uint16_t>(a.port)}; }

std::string stopped_because(lt::error_code const& ec)
{
	return fmt::format("libtorrent stopped the torrent: {}", ec.message());
}

// What the disk's extension undoes (disk/extension.cpp, torrent_part::on_pause): the alert comes
// all the same, and the torrent's status has no error any more by then.
bool is_undone(lt::torrent_error_alert const& alert)
{
	if (alert.error != lt::errors::torrent_inconsistent_hashes) return false;
	try { return !alert.handle.status({}).errc; }
	catch (lt::system_error const&) { return true; } // it has left: nothing to fail
}

} // namespace

void alert_pump::pump()
{
	if (!m_core.running()) return;
	std::vector<lt::alert*> alerts;
	m_core.session().pop_alerts(&alerts);
	for (lt::alert const* const alert : alerts)
	{
		spdlog::debug("libtorrent: {}", alert->message());
		if (dynamic_cast<lt::torrent_alert const*>(alert) != nullptr) handle_torrent(*alert);
		else handle_session(*alert);
	}
}

void alert_pump::handle_torrent(lt::alert const& alert)
{
	auto const torrent = m_core.entry_of(static_cast<lt::torrent_alert const&>(alert).handle);
	if (!torrent) return;
	if (lt::alert_cast<lt::metadata_received_alert>(&alert))
		torrent->metadata_arrived();
	else if (lt::alert_cast<lt::torrent_checked_alert>(&alert))
		torrent->checked();
	else if (auto const* const s = lt::alert_cast<lt::state_changed_alert>(&alert))
	{
		if (s->state == lt::torrent_status::checking_files) torrent->checking();
	}
	else if (auto const* const e = lt::alert_cast<lt::torrent_error_alert>(&alert))
	{
		if (!is_undone(*e)) torrent->fail(errc::torrent_failed, stopped_because(e->error));
	}
	else if (auto const* const r = lt::alert_cast<lt::save_resume_data_alert>(&alert))
		torrent->resume_data_saved(r->params);
	else if (lt::alert_cast<lt::save_resume_data_failed_alert>(&alert))
		torrent->resume_data_failed();
	else if (auto const* const f = lt::alert_cast<lt::file_error_alert>(&alert))
	{
		if (f->error == boost::system::errc::no_space_on_device) torrent->out_of_space(f->message());
	}
}

void alert_pump::handle_session(lt::alert const& alert)
{
	if (auto const* const up = lt::alert_cast<lt::listen_succeeded_alert>(&alert))
	{
		if (up->socket_type != lt::socket_type_t::tcp) return;
		spdlog::info("peers can connect to {}", endpoint_text(endpoint_of(*up)));
		m_core.listening_on(endpoint_of(*up));
	}
	else if (auto const* const down = lt::alert_cast<lt::listen_failed_alert>(&alert))
	{
		std::string const what = fmt::format("{}: {}", endpoint_text(endpoint_of(*down))
			, down->error.message());
		spdlog::warn("peers cannot connect to {}", what);
		if (m_listen_failures.find(what) == std::string::npos)
			m_listen_failures += (m_listen_failures.empty() ? "" : ", ") + what;
	}
	else if (lt::alert_cast<lt::alerts_dropped_alert>(&alert))
	{
		ask_every_torrent();
	}
}

void alert_pump::ask_every_torrent()
{
	spdlog::warn("libtorrent dropped alerts; asking every torrent for its state");
	// A copy: what a torrent is told may be the last that is heard of it.
	for (auto const torrents = m_core.entries(); auto const& torrent : torrents)
	{
		try
		{
			lt::torrent_status const status = torrent->handle().status(lt::status_flags_t{});
			if (status.has_metadata) torrent->metadata_arrived();
			if (status.state == lt::torrent_status::checking_files) torrent->checking();
			if (status.errc)
				torrent->fail(errc::torrent_failed, stopped_because(status.errc));
			else if (status.has_metadata && status.state != lt::torrent_status::checking_files
				&& status.state != lt::torrent_status::checking_resume_data)
				torrent->checked();
		}
		catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", torrent->id(), e.what()); }
	}
}

} // namespace slipstream
