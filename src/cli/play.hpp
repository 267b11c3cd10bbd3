// `slipstream play`: one file of one torrent, into a player, a pipe or a file.
//
// It runs in the calling thread, once a process (it takes SIGINT, SIGTERM, SIGHUP and SIGCHLD), and
// owns the engine, the server and the player while it does. What it does goes to stderr; stdout is
// the player's, or the film's.
#pragma once

#include "cli/arguments.hpp"

namespace slipstream::cli {

// Answers the exit code: 0 when the player ended well, or when all was written or whoever read the
// pipe had enough; 128 and the signal's number when one ended it. Throws std::runtime_error, with a
// sentence, for what failed.
[[nodiscard]] int play(play_settings const& settings);

} // namespace slipstream::cli
