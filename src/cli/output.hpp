// Where `slipstream play --output` writes: a file, a pipe, the standard output.
//
// Owned by the command, on its io_context and thread. A pipe that is full is waited for without
// blocking the thread; a file's disk is not waited for, since the system takes the bytes.
#pragma once

#include <slipstream/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <span>
#include <string>

namespace slipstream::cli {

class output
{
public:
	// "-": the standard output, which must not be a terminal; else a path where nothing is yet, or
	// a pipe or device (a pipe is opened when somebody reads it). Errors: bad_argument, with the
	// path and the reason.
	[[nodiscard]] static expected<output> open(boost::asio::io_context& io, std::string const& where);
	// What open() would say without making or opening anything.
	[[nodiscard]] static std::string objection(std::string const& where);

	output(output&& other) noexcept;
	output& operator=(output&&) = delete;
	// Removes the file when it was made here and is not whole: its name would promise a film.
	~output();

	// All was written.
	void finish() { m_unfinished.clear(); }
	// Writes all of it. The system's error: broken_pipe when whoever read a pipe has gone.
	[[nodiscard]] boost::asio::awaitable<boost::system::error_code> write(std::span<char const> bytes);

private:
	output(boost::asio::io_context& io, int fd, bool waits, std::string made);

	boost::asio::posix::stream_descriptor m_to;
	bool m_waits = false;      // a pipe, a socket or the like: it can be full
	std::string m_unfinished;  // the path of a file that was made; empty: none, or it is whole
};

} // namespace slipstream::cli
