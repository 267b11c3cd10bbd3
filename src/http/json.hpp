// What the API says of the engine's state, as JSON texts that end with a line's end.
//
// Pure functions; any thread. Names that are not UTF-8 have the faulty bytes replaced.
#pragma once

#include <slipstream/engine.hpp>

#include <string>
#include <vector>

namespace slipstream::http {

enum class with_files { no, yes };

[[nodiscard]] std::string to_json(torrent_summary const& torrent);
[[nodiscard]] std::string to_json(torrent_details const& torrent);
[[nodiscard]] std::string to_json(std::vector<torrent_summary> const& torrents, with_files files = with_files::yes);
[[nodiscard]] std::string to_json(std::vector<reader_entry> const& readers);
[[nodiscard]] std::string to_json(memory_stats const& memory);
// The settings.
[[nodiscard]] std::string settings_json(std::int64_t capacity_bytes, window_extents const& windows);

} // namespace slipstream::http
