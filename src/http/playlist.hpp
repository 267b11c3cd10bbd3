// Playlists (M3U) of torrents: what can be played, in the order that people would give it, each
// with its subtitles.
//
// Pure functions on the files' names; any thread. Nothing is looked into.
#pragma once

#include <slipstream/engine.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::http {

// "Episode 2" before "Episode 10", whatever the case; a folder's files stay together. A strict weak
// order.
[[nodiscard]] bool natural_less(std::string_view a, std::string_view b) noexcept;

struct playlist_item
{
	file_entry const* file = nullptr;
	std::vector<file_entry const*> sides;  // subtitles and sound that belong to it
};

// The films and sounds among `files`, in natural order of their paths. To a film belong the
// subtitles and sounds that are called after it ("Film.en.srt") or lie in a folder called after it;
// to the only film of a torrent all subtitles; of these the first 64. The cost grows with the files
// as sorting them does, whatever their names: they are a stranger's. The values point into `files`.
[[nodiscard]] std::vector<playlist_item> playlist_items(std::vector<file_entry> const& files);

// `base`: what the URLs begin with, "http://127.0.0.1:8090". Torrents whose files are not known are
// left out.
[[nodiscard]] std::string playlist_text(std::span<torrent_summary const> torrents, std::string_view base);

} // namespace slipstream::http
