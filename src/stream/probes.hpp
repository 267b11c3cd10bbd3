// Probes: the parts of a file that players jumped to, read a little of, and left. A container's
// index is such a part: the `moov` at the end of an MP4, the Cues of a Matroska file, the idx1 of
// an AVI. Players come back to it.
//
// A value, of one file; bounded. It hears how each run of reading ended, and answers which pieces
// to keep. It looks into no file and knows no container: an index is known by how it is read. What
// is kept is the caller's decision.
#pragma once

#include "stream/window.hpp"

#include <libtorrent/units.hpp>

#include <cstdint>
#include <functional>
#include <vector>

namespace slipstream::stream {

class probes
{
public:
	// A longer run is watching.
	static constexpr std::int64_t max_run_bytes = std::int64_t{16} << 20;
	// Of too many, the one farthest from both ends of the file is dropped: indices lie near an end,
	// and where somebody looked for a scene does not matter.
	static constexpr std::size_t max_ranges = 16;

	// Somebody read [first, end) without a jump, and then left. Nothing happens for a run that is
	// empty or too long. Precondition: 0 <= first, end <= file.size_bytes.
	void left(file_geometry const& file, std::int64_t first, std::int64_t end);

	// The pieces to keep, most important first, each once: the last and the first of the file, then
	// the probed ranges, nearest to an end first. Only those that `have` says are in memory;
	// `max_pieces` at most.
	[[nodiscard]] std::vector<lt::piece_index_t> pieces(file_geometry const& file, int max_pieces
		, std::function<bool(lt::piece_index_t)> const& have) const;

private:
	struct range
	{
		std::int64_t first = 0;
		std::int64_t end = 0;
		// From the nearer end of the file.
		[[nodiscard]] std::int64_t distance(std::int64_t const size_bytes) const
		{ return first < size_bytes - end ? first : size_bytes - end; }
	};
	std::vector<range> m_ranges;  // nearest to an end first, none overlapping
};

} // namespace slipstream::stream
