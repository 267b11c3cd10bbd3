// `slipstream info`: what is in a torrent, for people or as JSON.
//
// It runs in the calling thread, once a process (it takes SIGINT and SIGTERM). Of a torrent file it
// reads no more than the file; for a magnet link it runs an engine until the metadata is there.
#pragma once

#include "cli/arguments.hpp"

#include <slipstream/engine.hpp>

#include <string>
#include <vector>

namespace slipstream::cli {

// What is said.
struct torrent_info_text
{
	torrent_summary torrent;            // names, files, hashes, sizes; nothing of a session
	std::vector<std::string> trackers;  // of a magnet link: those in the link
	std::vector<std::string> web_seeds;
};

// Lines for a terminal, without control characters whatever the torrent has in it; ends with a line feed.
[[nodiscard]] std::string text_of(torrent_info_text const& info);
// One JSON object and a line feed; what is not UTF-8 is replaced.
[[nodiscard]] std::string json_of(torrent_info_text const& info);

// Answers the exit code. Throws std::runtime_error, with a sentence, for what failed.
[[nodiscard]] int info(info_settings const& settings);

} // namespace slipstream::cli
