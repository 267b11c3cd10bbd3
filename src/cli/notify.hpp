// What systemd is told of a service of Type=notify: sd_notify's protocol, a datagram to the socket
// that NOTIFY_SOCKET names. sd_notify(3) documents it as stable and gives it as code to be copied,
// so that no library has to be linked for twenty lines. Without NOTIFY_SOCKET nothing is done. The
// main thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace slipstream::cli {

// "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..."; what cannot be sent is logged.
void notify_service_manager(std::string_view state);

// How often WATCHDOG=1 has to be sent at least, where the unit has WatchdogSec= and means this process.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();

} // namespace slipstream::cli
