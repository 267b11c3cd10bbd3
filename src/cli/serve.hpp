// `slipstream serve`: an engine and an HTTP server, until a signal ends it.
//
// It owns both while it runs, and the folder of --state-dir; main() calls it on the main thread,
// where signals and what is remembered are handled, and everything else has threads of its own.
// What it serves, and how, is http/server.hpp's.
#pragma once

#include "cli/arguments.hpp"

namespace slipstream::cli {

// Answers the exit code. Stream URLs go to stdout, what is wrong to stderr. Runs in the calling thread,
// once a process: it takes SIGINT and SIGTERM.
[[nodiscard]] int serve(serve_settings const& settings);

} // namespace slipstream::cli
