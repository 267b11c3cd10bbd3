// The program's log: lines on stderr, by spdlog's default logger, for all layers.
#pragma once

#include "cli/arguments.hpp"

namespace slipstream::cli {

// Call once, before other threads run.
void start_log(log_level level);

} // namespace slipstream::cli
