// A file of a torrent as a stream of verified bytes: reads wait for what is still to come.
//
// While it is open it says what it reads (memory_torrent::set_reader_pieces, of all readers of the
// torrent together), keeps what is behind it (set_lookbehind_pieces, unless told not to), and
// raises the priorities of what it wants next; what it raised and did not get it puts back. Any
// thread; one read at a time (a second one is refused), anything else meanwhile. It shares the
// session's core and keeps no session open: after session::close() reads answer fault_closed.
#pragma once

#include <slipstream_binding/session.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace slipstream::binding {

struct reader_options
{
	// Wanted beyond the position. 0: an eighth of the capacity, 1 MiB..64 MiB.
	std::int64_t read_ahead_bytes = 0;
	// Kept behind the position. -1: a quarter of the capacity; 0: lookbehind is the application's to set.
	std::int64_t lookbehind_bytes = -1;
};

class file_reader
{
public:
	// Nothing fails here: a torrent without metadata yet, or a file that it does not have, is told
	// by the calls.
	file_reader(session const& owner, std::int64_t torrent, int file, reader_options const& options);
	~file_reader();
	file_reader(file_reader const&) = delete;
	file_reader& operator=(file_reader const&) = delete;

	// Copies between 1 and `size` bytes from the position on, and moves it; 0 at the end of the
	// file. Waits until the first is there. Errors: read_timeout (after timeout_ms, -1: never),
	// cancelled (interrupt()), closed, no_such_torrent, no_such_file, no_space, torrent_failed,
	// bad_argument (another read is under way).
	std::int64_t read(char* buffer, std::size_t size, std::int64_t timeout_ms, outcome& out);
	// Moves the position, from the file's start; beyond the end is allowed, reads there answer 0.
	// Ends a read that waits with `cancelled`. Errors: out_of_range (negative).
	void seek(std::int64_t position, outcome& out);
	[[nodiscard]] std::int64_t position() const;
	// Waits for the metadata as read does.
	std::int64_t size(std::int64_t timeout_ms, outcome& out);
	// Ends a read that waits, and all later ones, with `cancelled`.
	void interrupt();
	// As interrupt(), and what it wanted and protected is given up. Later calls answer
	// fault_closed. Idempotent.
	void close();

private:
	class impl;
	std::shared_ptr<impl> m_impl;
};

} // namespace slipstream::binding
