// Allotment: how readers, of all torrents together, share the memory that protections may have.
//
// The rule, in this order:
//   1. Every reader has its head: what it reads now and needs next. That is all an idle reader is sure of.
//   2. What is left goes to the readers that read, equally; what one does not want, the others divide equally.
//   3. What these leave goes to the idle ones by the same rule. So an idle reader keeps all it had while nobody
//      needs the room, and goes down to its head when somebody does.
//   4. Where a reader's part beyond its head is too small for all that it wants, lookbehind may have half of it, what was
//      probed an eighth, and read-ahead the rest; what one of these does not want, the others may have.
// Two players get as much as each other, whether they share a file, a torrent or neither, and one
// that pauses costs the other its head and no more.
//
// Pure functions, in bytes. They neither protect (the cache does) nor know a piece.
#pragma once

#include <slipstream/extent.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace slipstream::stream {

// What one reader would like, in bytes, none negative.
struct appetite
{
	std::int64_t head_bytes = 0;        // the piece at its position and the next
	std::int64_t lookbehind_bytes = 0;
	std::int64_t read_ahead_bytes = 0;  // beyond the head
	std::int64_t probed_bytes = 0;
	bool idle = false;

	friend bool operator==(appetite const&, appetite const&) = default;
};

// What it gets. Nothing of it exceeds the appetite.
struct portion
{
	std::int64_t head_bytes = 0;
	std::int64_t lookbehind_bytes = 0;
	std::int64_t read_ahead_bytes = 0;
	std::int64_t probed_bytes = 0;

	[[nodiscard]] std::int64_t total_bytes() const
	{ return head_bytes + lookbehind_bytes + read_ahead_bytes + probed_bytes; }
	friend bool operator==(portion const&, portion const&) = default;
};

// One for each appetite, in their order. Together they are at most `protectable_bytes`. Where not
// even the heads fit, those that come first have theirs.
[[nodiscard]] std::vector<portion> allot(std::int64_t protectable_bytes, std::span<appetite const> appetites);

// `total` divided so that nobody has more than it wants, and nobody less than another unless it
// wants no more (max-min fair). The sum is at most `total`, and short of it by less than a byte
// each only when all wants are not met.
[[nodiscard]] std::vector<std::int64_t> divide_fairly(std::int64_t total, std::span<std::int64_t const> wants);

// What bounds the meaning of an extent.
struct circumstances
{
	std::int64_t capacity_bytes = 0;
	int readers = 1;                            // that read, over all torrents
	std::optional<std::int64_t> consumed_bytes_s;  // by this reader, if that is known
};

// Lookbehind: a share is of the capacity, divided by the readers; `automatic` is a share of a
// quarter, and a time is that as long as the reader's consumption is not known.
[[nodiscard]] std::int64_t lookbehind_bytes(extent const& e, circumstances const& c);
// Read-ahead, beyond the position: the same, but `automatic` is what the reader takes in ten
// seconds, and 64 MiB as long as that is not known; at most a quarter of the capacity, and never
// less than an eighth of it, 1..64 MiB. docs/design.md, "Windows", says why.
[[nodiscard]] std::int64_t read_ahead_bytes(extent const& e, circumstances const& c);

} // namespace slipstream::stream
