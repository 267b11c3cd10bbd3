// `slipstream demo`: a film, a swarm of two on this machine, and every byte compared.
//
// It owns the engine, the server, the seeding session and the film's folder while it runs; main()
// calls it on the main thread. It is a show, not a benchmark.
#pragma once

#include "cli/arguments.hpp"

namespace slipstream::cli {

// Answers the exit code: 0 only when every byte that was streamed was right and none was written to a
// disk. Progress goes to stderr, what was seen to stdout. Runs in the calling thread, once a process:
// it takes SIGINT and SIGTERM, which end it cleanly.
[[nodiscard]] int demo(demo_settings const& settings);

} // namespace slipstream::cli
