// How much this process has written to disks, as the system counts it.
//
// No state; any thread. It asks the system, and watches nothing itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace slipstream::cli {

// `write_bytes` of /proc/self/io (proc(5)): bytes that this process caused to be sent to the
// storage layer, its dirtied pages of files included; bytes written to sockets and terminals are
// not. Nothing when the system does not say.
[[nodiscard]] std::optional<std::int64_t> disk_bytes_written();

// The figure in such a text.
[[nodiscard]] std::optional<std::int64_t> write_bytes_in(std::string_view io_text);

} // namespace slipstream::cli
