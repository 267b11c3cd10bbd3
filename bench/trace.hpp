// Access traces: what readers of torrents did, as text that people can read and write.
//
//   # a comment
//   open <reader> <torrent> <pieces>   a reader, at the start of a torrent of so many pieces
//   <reader> <piece>                   it reads the piece; repeated reads of one piece are one line
//   seek <reader> <piece>              it goes there; the read follows
//   close <reader>
//
// Numbers are small and not negative; a reader's number may be used again after its close. Values; any thread.
#pragma once

#include "cache/eviction_order.hpp"

#include <string>
#include <vector>

namespace slipstream::bench {

struct event
{
	enum class kind { open, read, seek, close } what = kind::read;
	int reader = 0;
	piece_key at;    // the torrent always; the piece for read and seek
	int pieces = 0;  // of the torrent; for open
};

struct trace
{
	std::string name;
	std::vector<event> events;
};

// Throws std::runtime_error, with the name and the line, for what is not a trace: unknown words, numbers out of range,
// a reader that is not open or opened twice.
[[nodiscard]] trace parse_trace(std::string name, std::string const& text);
[[nodiscard]] std::string trace_text(trace const& t, std::string const& comment);

// The pieces read, in order.
[[nodiscard]] std::vector<piece_key> reads_of(trace const& t);

} // namespace slipstream::bench
