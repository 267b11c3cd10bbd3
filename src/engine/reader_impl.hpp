// What is behind a reader: a position in a file, at most one lease that is waited for, its timer.
//
// Shared by the public reader and the torrent it reads, which it knows weakly. What is waited for,
// and what is wanted, is the engine's thread's; the public reader's calls are carried there. But
// what is in memory already is taken in the caller's thread (take(), seek_here()): a player that
// reads what is there costs no turn of another thread, which is told afterwards how far the reader
// got, once for many takes. It wakes when its torrent says that a piece changed, and looks in the
// memory disk itself: the store is the truth, the event only the wake-up. It does not decide what
// is fetched; it only tells its window.
//
// Who may write the position: the caller's thread while no lease is waited for (m_pending is 0),
// the engine's else. What the torrent sees of it, the window, changes on the engine's thread alone,
// when that follows.
#pragma once

#include "engine/engine_loop.hpp"
#include "stream/allotment.hpp"
#include "stream/consumption.hpp"
#include "stream/window.hpp"

#include <slipstream/engine.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace slipstream {

class torrent_entry;

class reader::impl : public std::enable_shared_from_this<reader::impl>
{
public:
	using handler = std::function<void(boost::system::error_code, lease)>;

	using clock = std::chrono::steady_clock;

	// `number` is its own among all readers of the engine. The hashes are the torrent's.
	impl(std::shared_ptr<engine_loop> loop, std::weak_ptr<torrent_entry> torrent, memory_disk disk, lt::info_hash_t const& hashes
		, stream::file_geometry file, std::uint64_t number, std::chrono::milliseconds timeout);

	// Any thread.
	[[nodiscard]] engine_loop& loop() { return *m_loop; }
	[[nodiscard]] std::int64_t size_bytes() const { return m_file.size_bytes; }
	[[nodiscard]] std::int64_t position_bytes() const { return m_position_bytes.load(); }

	// The caller's thread.
	// Begins a lease that may wait; complete() on the engine's thread ends it.
	void start(std::size_t max_bytes, handler done);
	// What is in memory at the position, verified, up to max_bytes; nothing when that is nothing,
	// at the end of the file, and where start() would have something to say.
	[[nodiscard]] lease take(std::size_t max_bytes);
	// A seek. Nothing while a lease is waited for: that is the engine's thread's to end.
	[[nodiscard]] std::optional<expected<std::int64_t>> seek_here(std::int64_t position_bytes);

	// The engine's thread, all that follows.
	[[nodiscard]] expected<std::int64_t> seek(std::int64_t position_bytes);
	void cancel();
	// The public reader is gone: gives up its window.
	void close();

	[[nodiscard]] std::uint64_t number() const { return m_number; }
	// Empty until the first read or seek: a reader that is opened and then sent elsewhere costs nothing.
	// Otherwise at least the piece of the position and the next.
	[[nodiscard]] stream::window window() const;
	// What it may have protected from now on; nothing but its head before it is told.
	void allot(stream::portion const& p) { m_portion = p; }
	[[nodiscard]] stream::portion const& portion() const { return m_portion; }
	[[nodiscard]] stream::file_geometry const& file() const { return m_file; }
	[[nodiscard]] stream::consumption& consumed() { return m_consumed; }
	// When it will have been idle for so long, if it does nothing until then. Nothing while it
	// waits for bytes.
	[[nodiscard]] std::optional<clock::time_point> unread_for(clock::duration time) const;
	void set_idle(bool idle) { m_idle.store(idle); }
	[[nodiscard]] bool idle() const { return m_idle.load(); }
	[[nodiscard]] std::string const& failure() const { return m_failure; }
	[[nodiscard]] bool waits() const { return m_waiting.has_value(); }
	void piece_changed(lt::piece_index_t piece);
	// Ends a wait.
	void fail(error const& why);
	// Ends a wait, and whatever is asked from now on.
	void torrent_gone(errc why);

private:
	struct waiting
	{
		std::size_t max_bytes = 0;
		handler done;
	};
	void begin(std::size_t max_bytes, handler done);
	// Completes with bytes when there are any at the position, or with an error that no wait can mend;
	// answers whether it did.
	bool try_complete(std::size_t max_bytes, handler const& done);
	// Any thread that `view`, expected<lease>(stream::place const&, int length), may be called on.
	template <typename View>
	[[nodiscard]] expected<lease> gather(View view, std::size_t max_bytes) const;
	void wait(std::size_t max_bytes, handler done);
	void move_to(std::int64_t position_bytes);
	void end_run(std::int64_t at_bytes);
	[[nodiscard]] std::optional<error> check(std::int64_t position_bytes) const;
	// The caller's thread: has the engine's account() and follow().
	void tell();
	// Adds what was taken to the consumption.
	void account();
	// Tells the torrent when the window is another than it was last told.
	void follow();
	void jumped(std::int64_t from_bytes, std::int64_t to_bytes);
	void complete(handler const& done, error const& why);
	[[nodiscard]] waiting stop_waiting();

	std::shared_ptr<engine_loop> const m_loop;
	std::weak_ptr<torrent_entry> const m_torrent;
	memory_disk const m_disk;
	lt::info_hash_t const m_hashes;
	stream::file_geometry const m_file;
	std::uint64_t const m_number;
	std::chrono::milliseconds const m_timeout;

	// Any thread.
	std::atomic<std::int64_t> m_position_bytes{0};
	std::atomic<int> m_pending{0};                  // leases that were begun and have not completed
	std::atomic<std::int64_t> m_untold_bytes{0};    // taken, and not accounted for yet
	std::atomic<clock::rep> m_last_read{clock::now().time_since_epoch().count()};
	std::atomic<bool> m_idle{false};                // as its torrent was last told
	std::atomic<std::optional<errc>> m_gone;        // its torrent, and why

	// The caller's thread.
	memory_torrent m_memory;                        // found again when it was not there, or has gone
	std::optional<clock::time_point> m_told;        // when the engine's thread was last told of takes

	// The engine's thread.
	boost::asio::steady_timer m_timer;
	std::optional<waiting> m_waiting;
	std::string m_failure;  // of the last lease that failed
	bool m_active = false;  // read or sought: has a window
	stream::portion m_portion;
	stream::consumption m_consumed;
	// Where it is, for its torrent: the position itself moves at any time, and a torrent looks at
	// all of its readers more than once in an update.
	std::int64_t m_followed_bytes = 0;
	stream::window m_window;             // as its torrent was last told
	std::int64_t m_run_began_bytes = 0;  // where it jumped to last
};

} // namespace slipstream
