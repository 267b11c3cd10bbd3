// What the commands that run an engine have in common: how it is made, and how it ends.
//
// No state; the main thread of the program.
#pragma once

#include "cli/arguments.hpp"

#include <slipstream/engine.hpp>

#include <chrono>
#include <cstdio>
#include <string>

namespace slipstream::cli {

[[nodiscard]] engine_options options_of(swarm_settings const& settings);

// libtorrent's session cannot end while the system resolves a name for it, and a resolver without
// an answer takes its time. Nothing is on disk that could be lost, so past the limit the process
// ends without it, with `exit_code`.
void stop_within(engine& e, std::chrono::seconds limit, int exit_code);

// A line, at once.
void say(std::FILE* where, std::string const& line);

// Why a torrent cannot be read, as far as is known.
[[nodiscard]] std::string failure_of(engine const& e, std::string const& id, boost::system::error_code ec);

} // namespace slipstream::cli
