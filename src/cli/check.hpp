// `slipstream check`: the range conformance suite against a server, as a table.
//
// It runs in the calling thread and starts nothing of Slipstream's.
#pragma once

#include "cli/arguments.hpp"

namespace slipstream::cli {

// Answers the exit code: 0 when nothing that players need failed. Throws std::invalid_argument for
// what is no URL.
[[nodiscard]] int check(check_settings const& settings);

} // namespace slipstream::cli
