// The media type of a file by its name's extension, as players choose their demuxer by it.
//
// A pure function on a fixed table, any thread. It does not look into files.
#pragma once

#include <string_view>

namespace slipstream::http {

// Of "Film.MKV": "video/x-matroska". "application/octet-stream" for what is not known.
[[nodiscard]] std::string_view media_type(std::string_view file_name) noexcept;

// What a player does with a file of that name.
enum class media_kind { video, audio, subtitles, other };
[[nodiscard]] media_kind media_kind_of(std::string_view file_name) noexcept;

} // namespace slipstream::http
