#include "cli/notify.hpp"

#include <spdlog/spdlog.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace slipstream::cli {
namespace {

std::optional<std::int64_t> number_in(char const* const variable)
{
	char const* const text = std::getenv(variable);
	if (text == nullptr) return std::nullopt;
	std::int64_t number = 0;
	char const* const end = text + std::strlen(text);
	auto const [after, failure] = std::from_chars(text, end, number);
	if (failure != std::errc{} || after != end) return std::nullopt;
	return number;
}

} // namespace

void notify_service_manager(std::string_view const state)
{
	char const* const where = std::getenv("NOTIFY_SOCKET");
	if (where == nullptr || *where == '\0') return;
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	std::string path = where;
	if ((path[0] != '/' && path[0] != '@') || path.size() >= sizeof(address.sun_path))
		return spdlog::warn("NOTIFY_SOCKET is neither a path nor an abstract name: {}", path);
	if (path[0] == '@') path[0] = '\0';  // abstract (unix(7))
	std::copy(path.begin(), path.end(), address.sun_path);
	auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
	int const to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	// One datagram: it goes whole or not at all.
	if (to < 0 || sendto(to, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size) < 0)
		spdlog::warn("the service manager at {} cannot be told {}: {}", where, state, std::strerror(errno));
	if (to >= 0) close(to);
}

std::optional<std::chrono::microseconds> watchdog_interval()
{
	auto const interval = number_in("WATCHDOG_USEC");
	auto const process = number_in("WATCHDOG_PID");
	if (!interval || *interval <= 0 || (process && *process != getpid())) return std::nullopt;
	return std::chrono::microseconds(*interval);
}

} // namespace slipstream::cli
