// The alert pump: takes libtorrent's alerts off its queue and hands what they say to the torrents.
//
// Owned by the core; runs on the engine's thread, woken by libtorrent's notification, never by a clock.
// Alerts tell of torrents: metadata, checking, errors, listening. That a piece is verified does not come
// this way: libtorrent drops alerts when its queue is full, and after such a drop the torrents' states
// are asked for anew.
#pragma once

#include <memory>
#include <string>

namespace libtorrent { struct alert; }
namespace lt = libtorrent;

namespace slipstream {

class core;

class alert_pump
{
public:
	explicit alert_pump(core& c) : m_core(c) {}

	// Handles every alert there is.
	void pump();
	// Why addresses could not be listened on, so far; for people.
	[[nodiscard]] std::string const& listen_failures() const { return m_listen_failures; }

private:
	void handle_torrent(lt::alert const& alert);
	void handle_session(lt::alert const& alert);
	void ask_every_torrent();

	core& m_core;
	std::string m_listen_failures;
};

} // namespace slipstream
