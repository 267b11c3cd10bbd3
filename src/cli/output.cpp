#include "cli/output.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace slipstream::cli {
namespace {

constexpr char const* standard_output = "-";

bool can_be_full(int const fd)
{
	struct stat s{};
	return fstat(fd, &s) == 0 && (S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode) || isatty(fd) == 1);
}

} // namespace

output::output(boost::asio::io_context& io, int const fd, bool const waits, std::string made)
	: m_to(io, fd)
	, m_waits(waits)
	, m_unfinished(std::move(made))
{}

output::output(output&& other) noexcept
	: m_to(std::move(other.m_to))
	, m_waits(other.m_waits)
	, m_unfinished(std::exchange(other.m_unfinished, {}))
{}

output::~output()
{
	if (!m_unfinished.empty()) ::unlink(m_unfinished.c_str());
}

std::string output::objection(std::string const& where)
{
	if (where == standard_output)
		return isatty(STDOUT_FILENO) == 1
			? "--output -: the standard output is a terminal; give a file, or a pipe like | mpv -" : "";
	struct stat s{};
	if (stat(where.c_str(), &s) != 0) return "";
	if (S_ISDIR(s.st_mode)) return fmt::format("--output: {} is a folder; give a file in it", where);
	if (S_ISREG(s.st_mode)) return fmt::format("--output: {} is there already; give another name, or remove it", where);
	return "";
}

expected<output> output::open(boost::asio::io_context& io, std::string const& where)
{
	if (std::string const why = objection(where); !why.empty()) return error(errc::bad_argument, why);
	// Not O_EXCL where something is: that is a pipe or a device.
	struct stat s{};
	bool const there = stat(where.c_str(), &s) == 0;
	int const fd = where == standard_output ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
		: ::open(where.c_str(), O_WRONLY | O_CLOEXEC | (there ? 0 : O_CREAT | O_EXCL), 0666);
	if (fd < 0) return error(errc::bad_argument, fmt::format("--output: {}: {}", where, std::strerror(errno)));
	return output(io, fd, can_be_full(fd), where != standard_output && !there ? where : std::string());
}

boost::asio::awaitable<boost::system::error_code> output::write(std::span<char const> bytes)
{
	using boost::system::error_code;
	bool is_full = false;  // whatever it is, and it does not block
	while (!bytes.empty())
	{
		error_code ec;
		// A pipe that has room takes so much without blocking, and others may not want it to be
		// non-blocking: that is a property of the pipe, not of our descriptor.
		if (m_waits || is_full)
		{
			co_await m_to.async_wait(boost::asio::posix::stream_descriptor::wait_write
				, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
			if (ec) co_return ec;
		}
		std::size_t const most = m_waits ? std::min<std::size_t>(bytes.size(), PIPE_BUF) : bytes.size();
		ssize_t const written = ::write(m_to.native_handle(), bytes.data(), most);
		is_full = written < 0 && errno == EAGAIN;
		if (is_full || (written < 0 && errno == EINTR)) continue;
		if (written < 0) co_return error_code(errno, boost::system::system_category());
		bytes = bytes.subspan(static_cast<std::size_t>(written));
	}
	co_return error_code();
}

} // namespace slipstream::cli
