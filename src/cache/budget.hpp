// The budget: the capacity as a sum in which each term names its holder.
//
//   capacity = scratch           reads that straddle two blocks are put together here
//            + arriving          2 blocks for each connection that may have sent before it heard "stop", but a
//                                quarter of the capacity at most: connections beyond that are slowed, not provided for
//            + lent              what the send buffers of peers that download from us and the leases of players hold, an
//                                eighth of the capacity: such blocks stay in use when their piece goes. Peers' reads wait
//                                beyond it (disk/lending.hpp)
//            + open pieces       what each torrent that is being downloaded has begun and cannot give up yet
//            + protected         being read, lookbehind, reserved: what protections may add up to
//
// The floor is the first four terms, and as much again as the open pieces so that something can be
// kept. Below it a torrent that does not fit cannot be streamed without stalling, and is refused
// with the sum. Its terms change with connections, with the torrents there are and their pieces'
// size, and with which of them are read or wanted. Pure arithmetic, in blocks of 16 KiB: a value,
// of nobody and no thread. It counts nothing itself.
#pragma once

#include <algorithm>
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
	std::int64_t largest_piece_blocks = 0; // of the busy ones
	std::int64_t piece_blocks = 0;      // one piece of each torrent that is read or wants anything, added up
	std::int64_t torrents = 0;
	std::int64_t busy_torrents = 0;     // of these, read or wanting anything

	[[nodiscard]] std::int64_t arriving_blocks() const noexcept
	{ return std::min(2 * connections, capacity_blocks / 4); }
	[[nodiscard]] std::int64_t lent_blocks() const noexcept { return capacity_blocks / 8; }
	[[nodiscard]] std::int64_t open_blocks() const noexcept { return open_pieces * piece_blocks; }
	// The least capacity at which the sum works out, whatever the capacity is. What is lent is an
	// eighth of it, so the others are seven eighths; or five, where arriving is a quarter.
	[[nodiscard]] std::int64_t floor_blocks() const noexcept
	{
		auto const fixed = scratch_blocks + 2 * open_blocks();
		return std::min((8 * (fixed + 2 * connections) + 6) / 7, (8 * fixed + 4) / 5);
	}
	[[nodiscard]] std::int64_t arriving_at_floor_blocks() const noexcept
	{ return std::min(2 * connections, floor_blocks() / 4); }
	// With what rounding up the floor has left.
	[[nodiscard]] std::int64_t lent_at_floor_blocks() const noexcept
	{ return floor_blocks() - scratch_blocks - arriving_at_floor_blocks() - 2 * open_blocks(); }
	[[nodiscard]] bool holds() const noexcept { return capacity_blocks >= floor_blocks(); }
	// What protections may add up to. Never negative.
	[[nodiscard]] std::int64_t protectable_blocks() const noexcept
	{
		auto const left = capacity_blocks - scratch_blocks - arriving_blocks() - lent_blocks() - open_blocks();
		return left > 0 ? left : 0;
	}
	// The sum, for people.
	[[nodiscard]] std::string text() const;
};

} // namespace slipstream
