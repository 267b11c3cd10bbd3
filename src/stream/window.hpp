// Windows: which pieces a reader at a position looks at.
//
// Pure arithmetic over a file's place in its torrent: no state, no clock, no thread of its own, nothing
// that can fail. It does not decide how urgent a piece is (demand.hpp) nor what stays in memory.
#pragma once

#include <libtorrent/units.hpp>

#include <cstdint>

namespace slipstream::stream {

// Where a file lies in its torrent.
struct file_geometry
{
	std::int64_t offset_bytes = 0;  // of its first byte, from the torrent's start
	std::int64_t size_bytes = 0;
	int piece_length_bytes = 1;     // of every piece but perhaps the last, > 0
};

// One byte of a file, in the torrent's own terms.
struct place
{
	lt::piece_index_t piece{0};
	int offset_bytes = 0;           // inside the piece
	int left_bytes = 0;             // of the file in this piece, from there on; > 0
};

// Pieces [first, end), in the order a reader needs them.
struct window
{
	lt::piece_index_t first{0};
	lt::piece_index_t end{0};

	[[nodiscard]] int size() const { return static_cast<int>(end) - static_cast<int>(first); }
	[[nodiscard]] bool empty() const { return first == end; }
	[[nodiscard]] bool contains(lt::piece_index_t const p) const { return first <= p && p < end; }
	friend bool operator==(window const&, window const&) = default;
};

// Precondition: 0 <= position_bytes < file.size_bytes.
[[nodiscard]] place locate(file_geometry const& file, std::int64_t position_bytes);

// The pieces that hold [position, position + read_ahead) of the file, cut at its end; at least the piece
// of the position and the next one of the file. Empty at the end of the file and for an empty file.
// Preconditions: position_bytes >= 0, read_ahead_bytes >= 0.
[[nodiscard]] window window_at(file_geometry const& file, std::int64_t position_bytes
	, std::int64_t read_ahead_bytes);

} // namespace slipstream::stream
