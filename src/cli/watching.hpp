// What is known about somebody who plays: how much lies in memory before and behind them, and how
// long that lasts.
//
// Pure functions, and a meter that belongs to one thread. Nothing here asks an engine; times are given.
#pragma once

#include <slipstream/engine.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace slipstream::cli {

// Where a file lies in its torrent, bytes; `files`: all, in order.
[[nodiscard]] std::int64_t offset_of(std::vector<file_entry> const& files, int index);

// Bytes of a file, verified, in memory and in one piece with `position_bytes`.
struct buffered
{
	std::int64_t behind_bytes = 0;
	std::int64_t ahead_bytes = 0;
};
[[nodiscard]] buffered buffered_around(std::span<piece_run const> pieces, int piece_length_bytes
	, std::int64_t file_offset_bytes, std::int64_t file_size_bytes, std::int64_t position_bytes);

// The file's reader that goes on from `last_position_bytes`: the nearest. Players open others for a
// look at the index.
[[nodiscard]] std::optional<reader_entry> nearest_reader(std::span<reader_entry const> readers, int file_index
	, std::int64_t last_position_bytes);

// How fast a player takes bytes, over the last ten seconds: for people to read. (What windows are
// made of is stream::consumption.)
class pace
{
public:
	using time_point = std::chrono::steady_clock::time_point;

	// `within_reach_bytes`: what can have been consumed since the last time. More than that, or
	// less than nothing, is a seek: what was observed before it stands, the seek does not count.
	void observe(time_point when, std::int64_t position_bytes, std::int64_t within_reach_bytes);
	// Nothing before three seconds were observed, or when nothing is consumed.
	[[nodiscard]] std::optional<double> bytes_per_s() const;

private:
	struct advance
	{
		time_point when;
		std::int64_t bytes = 0;
	};
	std::deque<advance> m_steps;  // the first only says since when
	std::int64_t m_position_bytes = 0;
};

// "12 peers  3.4 MiB/s  ahead 48 s (62.0 MiB)  behind 9.1 MiB  memory 180.3 MiB of 256.0 MiB";
// seconds where the consumption is known.
[[nodiscard]] std::string status_text(torrent_summary const& torrent, buffered const& around
	, std::optional<double> consumed_bytes_s, memory_stats const& memory);

} // namespace slipstream::cli
