#include "stream/window.hpp"

#include <algorithm>

namespace slipstream::stream {

namespace {

lt::piece_index_t piece_of(file_geometry const& file, std::int64_t const position_bytes)
{
	return lt::piece_index_t{static_cast<int>(
		(file.offset_bytes + position_bytes) / file.piece_length_bytes)};
}

} // namespace

place locate(file_geometry const& file, std::int64_t const position_bytes)
{
	std::int64_t const in_torrent = file.offset_bytes + position_bytes;
	int const offset = static_cast<int>(in_torrent % file.piece_length_bytes);
	std::int64_t const left = std::min<std::int64_t>(
		file.size_bytes - position_bytes, file.piece_length_bytes - offset);
	return {piece_of(file, position_bytes), offset, static_cast<int>(left)};
}

window window_at(file_geometry const& file, std::int64_t const position_bytes
	, std::int64_t const read_ahead_bytes)
{
	if (position_bytes >= file.size_bytes) return {};
	// Sums of a position and a read-ahead may not fit in 64 bits; differences do.
	std::int64_t const left = file.size_bytes - position_bytes;
	std::int64_t const span = std::clamp<std::int64_t>(read_ahead_bytes, 1, left);
	lt::piece_index_t const first = piece_of(file, position_bytes);
	lt::piece_index_t const file_last = piece_of(file, file.size_bytes - 1);
	lt::piece_index_t const next = std::min(lt::piece_index_t{static_cast<int>(first) + 1}, file_last);
	lt::piece_index_t const last = std::max(piece_of(file, position_bytes + span - 1), next);
	return {first, lt::piece_index_t{static_cast<int>(last) + 1}};
}

} // namespace slipstream::stream
