// A libtorrent session on a memory disk, for other languages.
//
// `session` owns one lt::session, which ends with close() or with it. Any function may be called
// from any thread, at any time: after close() each answers fault_closed, and close() waits for the
// calls that are under way (those that wait for something end with fault_closed at once). Torrents
// have numbers, which a session never uses twice; one that was removed answers no_such_torrent. It
// is libtorrent's session with all of its settings, and not slipstream::engine, which has a policy
// of its own.
#pragma once

#include <slipstream_binding/memory.hpp>
#include <slipstream_binding/outcome.hpp>
#include <slipstream_binding/records.hpp>
#include <slipstream_binding/settings.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace libtorrent { struct session_params; struct add_torrent_params; struct info_hash_t; }

namespace slipstream::binding {

class session_core;  // bindings/cpp

// What a session starts with. A value, one thread at a time.
class session_params
{
public:
	session_params();
	~session_params();
#ifndef SWIG
	session_params(session_params const&);
	session_params& operator=(session_params const&) = delete;
	[[nodiscard]] libtorrent::session_params const& params() const { return *m_params; }
#endif
	// All of it, of what session::state gave. Errors: libtorrent (not a state; nothing changes).
	void restore(bytes const& state, outcome& out);
	void set_settings(settings const& pack);
	[[nodiscard]] settings get_settings() const;

private:
	std::unique_ptr<libtorrent::session_params> m_params;
};

// A torrent to add. A value, one thread at a time.
class add_params
{
public:
	add_params();
	~add_params();
#ifndef SWIG
	add_params(add_params const&);
	add_params& operator=(add_params const&) = delete;
	[[nodiscard]] libtorrent::add_torrent_params const& params() const { return *m_params; }
#endif
	// Each says what the torrent is, and replaces all that was set before. Errors: bad_magnet,
	// bad_torrent, too_large.
	void from_magnet(std::string const& uri, outcome& out);
	void from_torrent_file(bytes const& content, outcome& out);
	void from_resume_data(bytes const& data, outcome& out);
	// Raw: 20 bytes or none, 32 bytes or none. Errors: bad_argument.
	void from_info_hash(bytes const& v1, bytes const& v2, outcome& out);
	// Metadata for what is there already: keeps the rest. Errors: bad_torrent, of another torrent
	// too; too_large.
	void add_metadata(bytes const& torrent_file, outcome& out);

	[[nodiscard]] bytes v1_hash() const;
	[[nodiscard]] bytes v2_hash() const;
	[[nodiscard]] std::string name() const;
	void set_name(std::string const& name);
	void set_save_path(std::string const& path);
	[[nodiscard]] std::uint64_t flags() const;
	void set_flags(std::uint64_t flags);
	void add_tracker(std::string const& url, int tier);
	// ADDR:PORT, IPv6 in brackets. Errors: bad_argument.
	void add_peer(std::string const& endpoint, outcome& out);
	void add_url_seed(std::string const& url);
	// 0 to 7 each. Errors: bad_argument.
	void set_file_priorities(std::vector<int> const& priorities, outcome& out);
	void set_piece_priorities(std::vector<int> const& priorities, outcome& out);
	// Bytes a second, connections; -1: no limit.
	void set_limits(int upload, int download, int uploads, int connections);

private:
	std::unique_ptr<libtorrent::add_torrent_params> m_params;
};

// Something to wait with: stop() ends the wait, now or when it begins. Any thread.
class stopper
{
public:
	stopper() = default;  // is stopped
	void stop() const;
#ifndef SWIG
	explicit stopper(std::shared_ptr<session_core> core);
	[[nodiscard]] bool stopped() const;
	struct state;
#endif

private:
	std::shared_ptr<state> m_state;
};

class session
{
public:
	// Errors: bad_argument, libtorrent; the object is then closed. flags: 1 libtorrent's plugins
	// (ut_metadata, ut_pex, smart_ban), 2 DHT, local discovery, UPnP and NAT-PMP as the settings
	// say (without it: off), 4 paused.
	session(session_params const& params, memory const& disk, int flags, outcome& out);
	~session();
#ifndef SWIG
	session(session const&) = delete;
	session& operator=(session const&) = delete;
	[[nodiscard]] std::shared_ptr<session_core> const& core() const { return m_core; }
#endif
	// Ends the session; returns when libtorrent's threads have ended. Idempotent.
	void close() const;
	[[nodiscard]] bool closed() const;

	// -- torrents. Each may fail with fault_closed.
	// Answers the torrent's number. Errors: duplicate, bad_torrent, libtorrent.
	std::int64_t add_torrent(add_params const& params, outcome& out) const;
	// The memory of its pieces is given back, and all that waits for it ends with no_such_torrent.
	// Errors: no_such_torrent.
	void remove_torrent(std::int64_t torrent, outcome& out) const;
	// Errors: no_such_torrent.
	[[nodiscard]] std::int64_t find_torrent(bytes const& v1, bytes const& v2, outcome& out) const;
	[[nodiscard]] std::vector<std::int64_t> torrents(outcome& out) const;

	// -- the session
	[[nodiscard]] int listen_port(outcome& out) const;
	[[nodiscard]] bool is_listening(outcome& out) const;
	void apply_settings(settings const& pack, outcome& out) const;
	[[nodiscard]] settings get_settings(outcome& out) const;
	void pause(outcome& out) const;
	void resume(outcome& out) const;
	[[nodiscard]] bool is_paused(outcome& out) const;
	void add_dht_node(std::string const& host, int port, outcome& out) const;
	[[nodiscard]] bytes state(outcome& out) const;

	// -- alerts
	void post_torrent_updates(outcome& out) const;
	void post_session_stats(outcome& out) const;
	void post_dht_stats(outcome& out) const;
	[[nodiscard]] alert_batch pop_alerts(outcome& out) const;
	[[nodiscard]] stopper make_stopper() const;
	// Waits until there are alerts: true. False when `timeout_ms` (-1: for ever) has passed or the
	// stopper was stopped.
	[[nodiscard]] bool wait_for_alerts(stopper const& until, std::int64_t timeout_ms, outcome& out) const;
	// The names of a session_stats alert's counters, in their order. Gauges and counters.
	[[nodiscard]] static std::vector<std::string> stats_metrics();

	// -- one torrent. Errors: no_such_torrent, and what is said.
	[[nodiscard]] torrent_record status(std::int64_t torrent, bool with_pieces, outcome& out) const;
	[[nodiscard]] bool is_valid(std::int64_t torrent) const;
	[[nodiscard]] bytes v1_hash(std::int64_t torrent, outcome& out) const;
	[[nodiscard]] bytes v2_hash(std::int64_t torrent, outcome& out) const;
	// Errors: no_metadata.
	[[nodiscard]] std::vector<file_record> files(std::int64_t torrent, outcome& out) const;
	[[nodiscard]] int piece_length(std::int64_t torrent, outcome& out) const;
	// Errors: no_metadata, also while the hashes of a v2 torrent's pieces are still to come (a link
	// does not bring them).
	[[nodiscard]] bytes torrent_file(std::int64_t torrent, outcome& out) const;
	// The number of its storage in the session's memory. Errors: no_such_torrent, also before the
	// storage is there.
	[[nodiscard]] std::int64_t storage(std::int64_t torrent, outcome& out) const;
	// Errors: bad_argument (not 0..7), no_such_file, no_such_piece, no_metadata.
	void set_file_priority(std::int64_t torrent, int file, int priority, outcome& out) const;
	void set_file_priorities(std::int64_t torrent, std::vector<int> const& priorities, outcome& out) const;
	[[nodiscard]] std::vector<int> piece_priorities(std::int64_t torrent, outcome& out) const;
	void set_piece_priority(std::int64_t torrent, int piece, int priority, outcome& out) const;
	void set_piece_priorities(std::int64_t torrent, std::vector<int> const& priorities, outcome& out) const;
	void set_piece_deadline(std::int64_t torrent, int piece, int deadline_ms, outcome& out) const;
	void reset_piece_deadline(std::int64_t torrent, int piece, outcome& out) const;
	void clear_piece_deadlines(std::int64_t torrent, outcome& out) const;
	[[nodiscard]] bool have_piece(std::int64_t torrent, int piece, outcome& out) const;
	[[nodiscard]] std::vector<tracker_record> trackers(std::int64_t torrent, outcome& out) const;
	void add_tracker(std::int64_t torrent, std::string const& url, int tier, outcome& out) const;
	[[nodiscard]] std::vector<peer_record> peers(std::int64_t torrent, outcome& out) const;
	[[nodiscard]] std::uint64_t flags(std::int64_t torrent, outcome& out) const;
	void set_flags(std::int64_t torrent, std::uint64_t flags, std::uint64_t mask, outcome& out) const;
	void pause_torrent(std::int64_t torrent, bool graceful, outcome& out) const;
	void resume_torrent(std::int64_t torrent, outcome& out) const;
	void force_reannounce(std::int64_t torrent, outcome& out) const;
	void force_dht_announce(std::int64_t torrent, outcome& out) const;
	void force_recheck(std::int64_t torrent, outcome& out) const;
	void set_limits(std::int64_t torrent, int upload, int download, int uploads, int connections, outcome& out) const;
	// ADDR:PORT, IPv6 in brackets. Errors: bad_argument.
	void connect_peer(std::int64_t torrent, std::string const& endpoint, outcome& out) const;
	// Posts a save_resume_data (or ..._failed) alert.
	void save_resume_data(std::int64_t torrent, outcome& out) const;
	// Has it saved and waits for it. The priorities in it are the application's. Errors: cancelled
	// (stopped), read_timeout.
	[[nodiscard]] bytes resume_data(std::int64_t torrent, stopper const& until, std::int64_t timeout_ms, outcome& out) const;
	// Waits until the metadata is known and the torrent's storage is there. Errors: cancelled
	// (stopped), metadata_timeout, torrent_failed.
	void wait_ready(std::int64_t torrent, stopper const& until, std::int64_t timeout_ms, outcome& out) const;

private:
	std::shared_ptr<session_core> m_core;
};

} // namespace slipstream::binding
