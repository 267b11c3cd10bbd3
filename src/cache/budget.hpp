// The budget: the capacity as a sum in which each term names its holder.
//
//   capacity = scratch           reads that straddle two blocks are put together here
//            + arriving          2 blocks for each connection that may have sent before it heard "stop"
//            + open pieces       what every crowded torrent is downloading and cannot give up yet
//            + protected         being read, lookbehind, reserved: what protections may add up to
//
// Below the floor (the first three terms, and as much again as the open pieces so that something can be kept)
// a torrent that does not fit cannot be streamed without stalling, and is refused with the sum.
// Pure arithmetic, in blocks of 16 KiB.
#pragma once

#include <cstdint>
#include <string>

namespace slipstream {

struct budget
{
	// Open pieces of one torrent: the one being read and the one behind it.
	static constexpr std::int64_t open_pieces = 2;

	std::int64_t capacity_blocks = 0;
	std::int64_t scratch_blocks = 0;
	std::int64_t connections = 0;       // allowed at once, over all sessions
	std::int64_t largest_piece_blocks = 0; // of the torrents that share the capacity
	std::int64_t torrents = 0;

	[[nodiscard]] std::int64_t arriving_blocks() const noexcept { return 2 * connections; }
	[[nodiscard]] std::int64_t open_blocks() const noexcept
	{ return open_pieces * largest_piece_blocks * (torrents > 0 ? torrents : 1); }
	[[nodiscard]] std::int64_t floor_blocks() const noexcept
	{ return scratch_blocks + arriving_blocks() + 2 * open_blocks(); }
	[[nodiscard]] bool holds() const noexcept { return capacity_blocks >= floor_blocks(); }
	// What protections may add up to. Never negative.
	[[nodiscard]] std::int64_t protectable_blocks() const noexcept
	{
		auto const left = capacity_blocks - scratch_blocks - arriving_blocks() - open_blocks();
		return left > 0 ? left : 0;
	}
	// The sum, for people.
	[[nodiscard]] std::string text() const;
};

} // namespace slipstream
