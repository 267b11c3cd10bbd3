// What is behind a reader: a position in a file, at most one lease that is waited for, its timer.
//
// Shared by the public reader and the torrent it reads, which it knows weakly. All but the constants and
// the position's copy lives on the engine's thread; the public reader's calls are carried there. It wakes
// when its torrent says that a piece changed, and looks in the memory disk itself: the store is the
// truth, the event only the wake-up. It does not decide what is fetched; it only tells its window.
#pragma once

#include "engine/engine_loop.hpp"
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

	impl(std::shared_ptr<engine_loop> loop, std::weak_ptr<torrent_entry> torrent
		, stream::file_geometry file, std::int64_t read_ahead_bytes, std::chrono::milliseconds timeout);

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

	// Empty until the first read or seek: a reader that is opened and then sent elsewhere costs nothing.
	// Otherwise at least the piece of the position and the next.
	[[nodiscard]] stream::window window(std::int64_t read_ahead_bytes) const;
	[[nodiscard]] stream::file_geometry const& file() const { return m_file; }
	[[nodiscard]] bool waits() const { return m_waiting.has_value(); }
	void piece_changed(lt::piece_index_t piece);
	// Ends a wait.
	void fail(errc e);
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
	[[nodiscard]] waiting stop_waiting();

	std::shared_ptr<engine_loop> const m_loop;
	std::weak_ptr<torrent_entry> const m_torrent;
	stream::file_geometry const m_file;
	std::int64_t const m_read_ahead_bytes; // when it was opened: to see when it has moved on
	std::chrono::milliseconds const m_timeout;

	std::atomic<std::int64_t> m_position_bytes{0};  // written on the engine's thread alone

	boost::asio::steady_timer m_timer;
	std::optional<waiting> m_waiting;
	std::optional<errc> m_gone;
	bool m_active = false;  // read or sought: has a window
};

} // namespace slipstream
