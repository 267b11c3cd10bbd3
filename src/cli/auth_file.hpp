// Users and passwords in a file: USER:PASSWORD on each line; empty lines and those that begin with
// '#' are passed over.
//
// Reads once, at the start of the program; any thread.
#pragma once

#include <string>
#include <vector>

namespace slipstream::cli {

// Throws std::runtime_error, with the file and the line's number but never its text, when the file
// cannot be read, has something else in it, or has nobody in it.
[[nodiscard]] std::vector<std::string> read_auth_file(std::string const& path);

} // namespace slipstream::cli
