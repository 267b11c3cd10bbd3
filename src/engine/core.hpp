// What an engine is made of, on its own thread: the libtorrent session, and the torrents in it.
//
// Made and owned by the engine, used on the engine's thread alone (the loop's), but for readable()
// and what opens its torrents, and for the destructor, which runs when that thread has ended.
// Posted work knows it weakly. It is the only place that adds to, or removes from, the session;
// what a torrent does with its handle is in torrent_entry.
#pragma once

#include "engine/engine_loop.hpp"
#include "engine/torrent_entry.hpp"

#include <slipstream/engine.hpp>

#include <libtorrent/session.hpp>

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream {

class alert_pump;
class piece_wakeup;

class core : public std::enable_shared_from_this<core>
{
public:
	core(std::shared_ptr<engine_loop> loop, memory_disk disk, engine_options options);
	~core();

	// Any thread, both.
	[[nodiscard]] std::shared_ptr<readable_torrent const> readable(std::string_view id) const
	{ return m_environment.readable.find(id); }
	// A reader of a file that the torrent has. It is attached to the torrent, or told that this has
	// gone, in its turn; null when the engine has stopped.
	[[nodiscard]] std::shared_ptr<reader::impl> open(readable_torrent const& torrent, stream::file_geometry const& file);

	// Starts the session. Throws std::runtime_error when nothing can be listened on.
	void start();
	// Answers everything that waits with `cancelled` and aborts the session. What is left to destroy, and
	// may block until libtorrent is done, is the value. Later calls find no torrents.
	[[nodiscard]] lt::session_proxy shut_down();

	[[nodiscard]] expected<std::string> add(lt::add_torrent_params params, bool paused = false);
	[[nodiscard]] expected<std::string> remove(std::string_view id);
	[[nodiscard]] expected<std::shared_ptr<torrent_entry>> find(std::string_view id) const;
	[[nodiscard]] std::vector<torrent_summary> torrents() const;
	[[nodiscard]] payload_totals payload() const;
	[[nodiscard]] early_totals early() const { return m_environment.early; }
	[[nodiscard]] window_extents windows() const
	{ return {m_environment.options.read_ahead, m_environment.options.lookbehind}; }
	void set_windows(window_extents const& extents);
	// Errors: as torrent_entry::file().
	[[nodiscard]] expected<std::shared_ptr<reader::impl>> open(std::string_view id, int file_index);
	[[nodiscard]] std::vector<char> session_state() const;
	[[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> const& endpoints() const
	{ return m_endpoints; }

	// For the alert pump and the pieces' wake-up.
	[[nodiscard]] lt::session& session() { return *m_session; }
	[[nodiscard]] bool running() const { return m_session != nullptr; }
	[[nodiscard]] std::shared_ptr<torrent_entry> entry_of(lt::torrent_handle const& handle) const;
	[[nodiscard]] std::shared_ptr<torrent_entry> entry_of(lt::info_hash_t const& hashes) const;
	[[nodiscard]] std::vector<std::shared_ptr<torrent_entry>> const& entries() const
	{ return m_torrents; }
	void piece_verified(lt::info_hash_t const& torrent, lt::piece_index_t piece);
	void piece_gone(lt::info_hash_t const& torrent, lt::piece_index_t piece);
	void block_written(lt::info_hash_t const& torrent, lt::piece_index_t piece);
	void piece_failed(lt::info_hash_t const& torrent, lt::piece_index_t piece);
	void capacity_changed();
	void listening_on(boost::asio::ip::tcp::endpoint const& endpoint);

private:
	// Any thread.
	[[nodiscard]] std::shared_ptr<reader::impl> make_reader(std::weak_ptr<torrent_entry> torrent, lt::info_hash_t const& hashes
		, stream::file_geometry const& file);
	void make_offline(lt::add_torrent_params& params) const;
	void count_peers_again();
	// Nobody has read it for as long as the options allow.
	void drop(std::string const& id);
	[[nodiscard]] error duplicate_of(lt::info_hash_t const& hashes) const;

	std::shared_ptr<engine_loop> const m_loop;
	torrent_environment m_environment;
	std::shared_ptr<piece_wakeup> m_wakeup;
	std::unique_ptr<alert_pump> m_alerts;
	std::unique_ptr<lt::session> m_session;
	std::vector<std::shared_ptr<torrent_entry>> m_torrents;
	std::deque<std::string> m_dropped; // the ids of the last ones, for who asks for them
	std::vector<boost::asio::ip::tcp::endpoint> m_endpoints;
	bool m_one_failure_more = false;   // see torrent_entry::look_for_peers
	payload_totals m_removed_payload;  // of torrents that are gone
};

} // namespace slipstream
