// One libtorrent session of the bindings, and who may use it when.
//
// Shared by a session and its readers and stoppers; the session closes it. The lt::session inside
// ends with close(): calls that are under way are let finish, none begins any more, and what waits
// is woken. Torrents are known by numbers, which are never used twice; an entry outlives its
// torrent, so that alerts about it still carry its number.
//
// Threads: any, except where said. The core's own mutex and each wait_point's are held for
// look-ups, never together and never across a call of libtorrent; `popping` and hashes_mutex are
// held across such calls, storage_mutex across the memory's; libtorrent's thread takes none of
// them.
#pragma once

#include "guard.hpp"

#include <slipstream/memory_disk.hpp>
#include <slipstream_binding/session.hpp>

#include <libtorrent/session.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace slipstream::binding {

class torrent_demand;

// Somebody waits for something to change, and looks again after each change.
class wait_point
{
public:
	using deadline = std::optional<std::chrono::steady_clock::time_point>;

	// What has been seen; to be taken before looking.
	[[nodiscard]] std::uint64_t seen() const
	{
		std::scoped_lock const l(m_mutex);
		return m_changes;
	}
	void wake()
	{
		{
			std::scoped_lock const l(m_mutex);
			++m_changes;
		}
		m_changed.notify_all();
	}
	// False when nothing changed before the deadline.
	[[nodiscard]] bool wait(std::uint64_t const seen, deadline const& until)
	{
		std::unique_lock l(m_mutex);
		auto const changed = [&] { return m_changes != seen; };
		if (until) return m_changed.wait_until(l, *until, changed);
		m_changed.wait(l, changed);
		return true;
	}

private:
	mutable std::mutex m_mutex;
	std::condition_variable m_changed;
	std::uint64_t m_changes = 0;
};

[[nodiscard]] wait_point::deadline deadline_in(std::int64_t timeout_ms);

// A torrent of the session, or one that was.
struct torrent_entry
{
	torrent_entry(std::int64_t n, lt::torrent_handle h);
	~torrent_entry();

	std::int64_t const number;
	lt::torrent_handle const handle;
	wait_point changed;                   // pieces came or went, it was checked, stopped, removed; resume data came
	std::atomic<bool> removed{false};
	std::unique_ptr<torrent_demand> const demand;  // what its readers want

	// Its hashes, kept for alerts that come when it is gone, and asked for again when its metadata came.
	std::mutex hashes_mutex;
	lt::info_hash_t hashes;

	// Looked up once it is there.
	std::mutex storage_mutex;
	memory_torrent storage;

	// The newest resume data, for those who wait for it.
	std::mutex resume_mutex;
	std::uint64_t resume_count = 0;       // how often it was saved, or could not be
	bytes resume_data;
	std::string resume_error;
};

struct stopper::state
{
	std::weak_ptr<session_core> core;
	std::atomic<bool> stopped{false};
};

class session_core final : public memory_events, public std::enable_shared_from_this<session_core>
{
public:
	static std::shared_ptr<session_core> start(lt::session_params params, memory disk, int flags);
	~session_core() override;

	// A call's use of the session: while it lives the session does. Not to be kept while waiting.
	class use
	{
	public:
		explicit use(session_core& core);  // fails with fault_closed
		~use();
		use(use const&) = delete;
		use& operator=(use const&) = delete;
		[[nodiscard]] lt::session& operator*() const { return *m_core.m_session; }
		[[nodiscard]] lt::session* operator->() const { return m_core.m_session.get(); }
	private:
		session_core& m_core;
	};

	void close();
	[[nodiscard]] bool closed() const;
	[[nodiscard]] memory const& disk() const { return m_disk; }
	// The storage of this session's torrent: another session on the same memory may have the same
	// torrent.
	[[nodiscard]] memory_torrent storage(torrent_entry& torrent) const;

	// The entry of a torrent, new where there was none. The network thread's as well.
	std::shared_ptr<torrent_entry> enter(lt::torrent_handle const& handle);
	// Fails with fault_no_such_torrent.
	[[nodiscard]] std::shared_ptr<torrent_entry> entry(std::int64_t torrent) const;
	void wake_all();

	wait_point alerts;
	std::mutex popping;  // popping alerts and copying them is one step

	void piece_verified(lt::info_hash_t const& torrent, lt::piece_index_t piece) override;
	void piece_gone(lt::info_hash_t const& torrent, lt::piece_index_t piece) override;

private:
	explicit session_core(memory disk) : m_disk(std::move(disk)) {}
	[[nodiscard]] std::vector<std::shared_ptr<torrent_entry>> entries() const;
	void prune();

	memory const m_disk;
	std::unique_ptr<lt::session> m_session;  // changes under m_mutex, with no user

	mutable std::mutex m_mutex;
	std::condition_variable m_idle;
	int m_users = 0;
	bool m_closing = false;
	bool m_ended = false;
	std::map<lt::torrent_handle, std::shared_ptr<torrent_entry>> m_by_handle;
	std::map<std::int64_t, std::shared_ptr<torrent_entry>> m_by_number;
	std::int64_t m_last = 0;
};

// An alert, copied. The network thread has no part in it.
[[nodiscard]] alert_record record_of(lt::alert const& alert, session_core& core);
[[nodiscard]] torrent_record record_of(lt::torrent_status const& status, std::int64_t number);

// ADDR:PORT, IPv6 in brackets. Fails with fault_bad_argument.
[[nodiscard]] lt::tcp::endpoint parse_endpoint(std::string const& text);
[[nodiscard]] std::string text_of(lt::tcp::endpoint const& endpoint);
[[nodiscard]] std::vector<lt::download_priority_t> parse_priorities(std::vector<int> const& priorities);

} // namespace slipstream::binding
