// How --help looks: CLI11's, with lines that fit a terminal and whole command lines.
//
// No state; used by parse_arguments. What is said of each flag is said where the flag is.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace slipstream::cli {

[[nodiscard]] std::shared_ptr<CLI::Formatter> help_format();

// Breaks at blanks, so that no line is longer than `columns` (unless a word is).
[[nodiscard]] std::string wrapped(std::string const& text, std::size_t columns);

} // namespace slipstream::cli
