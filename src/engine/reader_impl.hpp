// What is behind a reader: a position in a file, at most one lease that is waited for, its timer.
//
// Shared by the public reader and the torrent it reads, which it knows weakly. All but the constants and
// the position's copy lives on the engine's thread; the public reader's calls are carried there. It wakes
// when its torrent says that a piece changed, and looks in the memory disk itself: the store is the
// truth, the event only the wake-up. It does not decide what is fetched; it only tells its window.
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

	// `number` is its own among all readers of the engine.
	impl(std::shared_ptr<engine_loop> loop, std::weak_ptr<torrent_entry> torrent
		, stream::file_geometry file, std::uint64_t number, std::chrono::milliseconds timeout);

	// Any thread.
	[[nodiscard]] engine_loop& loop() { return *m_loop; }
	[[nodiscard]] std::int64_t size_bytes() const { return m_file.size_bytes; }
	[[nodiscard]] std::int64_t position_bytes() const { return m_position_bytes.load(); }

	// The engine's thread, all that follows.
	void begin(std::size_t max_bytes, handler done);
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
	// When it will have been idle for so long, if it does nothing until then. Nothing while it waits for bytes.
	[[nodiscard]] std::optional<clock::time_point> unread_for(clock::duration time) const;
	void set_idle(bool idle) { m_idle = idle; }
	[[nodiscard]] bool idle() const { return m_idle; }
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
	// Completes with bytes when there are any at the position, or with an error that no wait can mend;
	// answers whether it did.
	bool try_complete(std::size_t max_bytes, handler const& done);
	[[nodiscard]] expected<lease> gather(torrent_entry& torrent, std::size_t max_bytes) const;
	void wait(std::size_t max_bytes, handler done);
	void move_to(std::int64_t position_bytes);
	void end_run();
	void complete(handler const& done, error const& why);
	[[nodiscard]] waiting stop_waiting();

	std::shared_ptr<engine_loop> const m_loop;
	std::weak_ptr<torrent_entry> const m_torrent;
	stream::file_geometry const m_file;
	std::uint64_t const m_number;
	std::chrono::milliseconds const m_timeout;

	std::atomic<std::int64_t> m_position_bytes{0};  // written on the engine's thread alone

	boost::asio::steady_timer m_timer;
	std::optional<waiting> m_waiting;
	std::optional<errc> m_gone;
	std::string m_failure;  // of the last lease that failed
	bool m_active = false;  // read or sought: has a window
	bool m_idle = false;    // as its torrent was last told
	stream::portion m_portion;
	stream::consumption m_consumed;
	clock::time_point m_last_read = clock::now();
	std::int64_t m_run_began_bytes = 0;  // where it jumped to last
};

} // namespace slipstream
