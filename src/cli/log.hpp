// The program's log: lines on stderr, by spdlog's default logger, for all layers.
//
// spdlog owns the logger, for the life of the process; any thread may log. It is not what a command
// tells its user: that is said by the command, on stdout, or by progress.hpp.
#pragma once

#include "cli/arguments.hpp"

namespace slipstream::cli {

// Call once, before other threads run.
void start_log(log_level level);

} // namespace slipstream::cli
