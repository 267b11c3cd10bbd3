// Which file of a torrent is meant: by number, by name, or none given.
//
// Pure functions; any thread.
#pragma once

#include <slipstream/engine.hpp>

#include <string_view>
#include <vector>

namespace slipstream::cli {

// A film or a sound, by its name.
[[nodiscard]] bool is_playable(file_entry const& file);

// `wanted`: a file's index; or a path or name as it is; or a part of one path, in either case (of
// ASCII). Empty: the largest film, or else the largest sound. Errors: no_such_file, with a sentence
// that says what there is.
[[nodiscard]] expected<file_entry> choose_file(std::vector<file_entry> const& files, std::string_view wanted);

} // namespace slipstream::cli
