// One torrent of an engine: its libtorrent handle, its phase, who waits for it, who reads it, and what
// libtorrent has been told to fetch.
//
// Owned by the engine's core; readers know it weakly. Everything here runs on the engine's thread.
// It steers priorities and deadlines, tells the memory disk what to protect, and asks it for bytes;
// it neither finds peers, nor decides what leaves memory.
//
// Phases, and who moves them:
//   metadata -> checking   metadata_arrived(), from libtorrent's alert (torrent files start here)
//   checking -> ready      checked(), from libtorrent's alert
//   metadata -> failed     the metadata timer; metadata that comes later still moves it on to checking
//   any      -> failed     fail(), when libtorrent stopped the torrent
// and after removed() it is of no use to anybody.
#pragma once

#include "engine/readable_torrents.hpp"
#include "engine/shares.hpp"
#include "stream/demand.hpp"
#include "stream/life.hpp"
#include "stream/probes.hpp"
#include "stream/protection.hpp"
#include "stream/window.hpp"

#include <slipstream/engine.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace slipstream {

class torrent_entry;

// What the torrents of one engine share. Owned by the core, outlives its torrents; engine's thread,
// but for `readable`, `disk`, the time-outs and the readers' numbers, which any thread may use.
struct torrent_environment
{
	boost::asio::io_context& context;
	memory_disk disk;
	engine_options options;
	shares reader_shares{};
	readable_torrents readable{};
	early_totals early{};
	std::function<void()> count_peers_again{};  // has libtorrent find out anew which peers it may connect to
	// Has the other torrents look what their readers may have now.
	std::function<void(torrent_entry const*)> shares_changed{};
	// Has the other torrents tell the disk now what they were going to tell it soon; answers
	// whether one was.
	std::function<bool(torrent_entry const*)> settle_others{};
	// Removes the torrent of this id, because nobody reads it.
	std::function<void(std::string const&)> drop{};

	// Tells who uses the engine that its torrents are others, or other than they were.
	void changed() const { if (options.on_change) options.on_change(); }
};

class torrent_entry : public std::enable_shared_from_this<torrent_entry>
{
public:
	using ready_handler = std::function<void(boost::system::error_code)>;
	using clock = std::chrono::steady_clock;
	using resume_data_handler = std::function<void(boost::system::error_code, std::vector<char>)>;

	// `params` is what the handle was added with.
	torrent_entry(torrent_environment& environment, lt::torrent_handle handle
		, lt::add_torrent_params const& params);
	// Names the peers to connect to and, when there is no metadata yet, starts to wait for it.
	void start();

	[[nodiscard]] std::string const& id() const { return m_id; }
	[[nodiscard]] lt::torrent_handle const& handle() const { return m_handle; }
	[[nodiscard]] lt::info_hash_t const& hashes() const { return m_hashes; }
	[[nodiscard]] torrent_summary summary() const;
	[[nodiscard]] payload_totals payload() const;
	// For people, and not often: they look at every piece and ask libtorrent's thread for its peers.
	[[nodiscard]] torrent_details details() const;
	[[nodiscard]] std::vector<reader_entry> reader_entries() const;
	void set_paused(bool paused);

	// What libtorrent tells.
	void metadata_arrived();
	// Data that is there is about to be hashed, which waits while a torrent is paused.
	void checking() { resume(); }
	void checked();
	void fail(errc e, std::string detail);
	void out_of_space(std::string const& detail);
	void resume_data_saved(lt::add_torrent_params params);
	void resume_data_failed();
	void piece_verified(lt::piece_index_t piece);
	void piece_gone(lt::piece_index_t piece);
	void block_written(lt::piece_index_t piece);
	void piece_failed(lt::piece_index_t piece);

	// Completes everything that waits with `why`. The handle is the core's to remove.
	void removed(errc why);

	// Called once, with no error when the torrent can be read. Never from inside the call's stack frame
	// when it has to wait; at once when it has not.
	void wait_ready(ready_handler done);
	[[nodiscard]] expected<std::shared_ptr<torrent_files const>> files() const;
	// Called once, never from inside the call's stack frame unless it fails at once.
	void save_resume_data(resume_data_handler done);
	[[nodiscard]] expected<stream::file_geometry> file(int index) const;
	[[nodiscard]] bool is_removed() const { return m_removed; }
	void connect(boost::asio::ip::tcp::endpoint const& peer);

	// For readers.
	void attach(std::shared_ptr<reader::impl> r);
	void detach(reader::impl& r);
	// Some reader's window moved: libtorrent is told the difference soon, once for many moves; or,
	// when somebody waits, next.
	void demand_changed();
	void demand_is_urgent();
	// The same at once, if it was going to be told; answers whether it was.
	bool settle();
	// A reader read [first, end) of the file without a jump, and went elsewhere.
	void left(stream::file_geometry const& file, std::int64_t first, std::int64_t end);
	// Other readers came, went, or became idle.
	void shares_changed();
	// A reader begins to wait for bytes that are not here. An error when waiting is in vain.
	[[nodiscard]] std::optional<error> prepare_to_wait();
	// Finds the storage again when it was not there yet, or was replaced.
	[[nodiscard]] memory_torrent const& memory() const;
	// Verified bytes; with engine_options::early others, too, which are counted.
	[[nodiscard]] expected<lease> view(stream::place const& at, int length);

private:
	void use_metadata(std::shared_ptr<lt::torrent_info const> metadata);
	void metadata_timed_out();
	void resume();               // unless it was paused
	void answer_waiting(boost::system::error_code ec);
	void update_demand();
	// What is read by somebody, tells the shares about it, and the readers what they may have.
	void share_memory();
	void note_idle_readers();
	// The probed pieces that may be kept, of the files that are read.
	[[nodiscard]] std::vector<lt::piece_index_t> probed_pieces() const;
	// Has the disk keep what the windows show and what is behind them. Answers the pieces that may
	// be wanted.
	[[nodiscard]] expected<std::unordered_set<int>> protect(std::span<stream::window const> windows);
	void stop_protecting();
	// Its users came or went: says when it has been without for long enough. Then age() takes its
	// memory's protection, and has it dropped.
	void live_on();
	void age();
	// With engine_options::early: has the disk tell when the blocks come that readers wait for.
	void await_blocks();
	void look_for_peers();
	void apply(stream::demand_changes const& changes);
	[[nodiscard]] bool requests_in_flight() const;
	[[nodiscard]] std::vector<reader::impl*> active_readers() const;

	torrent_environment& m_environment;
	lt::torrent_handle m_handle;
	std::string const m_id;
	lt::info_hash_t m_hashes;
	std::string m_name;
	torrent_phase m_phase = torrent_phase::metadata;
	std::optional<error> m_failure;
	std::shared_ptr<lt::torrent_info const> m_metadata;
	std::shared_ptr<torrent_files const> m_files;  // null until the metadata is known
	mutable memory_torrent m_memory;

	boost::asio::steady_timer m_metadata_timer;
	std::vector<ready_handler> m_waiting;
	std::vector<resume_data_handler> m_saving;  // until libtorrent answers
	std::vector<std::shared_ptr<reader::impl>> m_readers;
	stream::demand m_demand;
	std::map<lt::piece_index_t, std::int64_t> m_lent_early;  // bytes of pieces that are not known to be right or wrong
	// What is remembered of a file, by its offset in the torrent: its readers come and go.
	struct file_history
	{
		stream::probes probed;
		std::optional<std::int64_t> consumed_bytes_s;
		std::vector<lt::piece_index_t> probed_here{};  // in memory, as of the last update
		int readers = 0;                               // with a window, likewise
	};
	std::map<std::int64_t, file_history> m_histories;
	stream::life m_life;
	boost::asio::steady_timer m_life_timer;
	boost::asio::steady_timer m_idle_timer;
	boost::asio::steady_timer m_update_timer;
	std::optional<clock::time_point> m_idle_timer_at;  // when it is set for
	std::optional<std::chrono::system_clock::time_point> m_drops_at;
	bool m_was_waited_for = false;
	bool m_removed = false;
	bool m_keeping = false;      // lookbehind is set, maybe from when there were readers
	bool m_update_posted = false;
	bool m_update_timed = false;
	clock::time_point m_updated{};  // last
	bool m_paused = false;       // by who uses the engine
	bool m_protecting = false;   // reader pieces are set
	// By a check, the first or one by which memory shrinks (docs/design.md, "Forgetting"), since
	// they were looked for.
	bool m_lost_peers = false;
	bool m_upload_mode = false;  // libtorrent stopped downloading after a write was refused
};

} // namespace slipstream
