#include "stream/probes.hpp"

#include <algorithm>
#include <unordered_set>

namespace slipstream::stream {

void probes::left(file_geometry const& file, std::int64_t const first, std::int64_t const end)
{
	if (first >= end || end - first > max_run_bytes) return;
	range joined{first, end};
	std::erase_if(m_ranges, [&](range const& r) {
		// A player reads an index in several runs. But runs that follow each other for long are
		// watching by bits.
		bool const joins = r.first <= joined.end && joined.first <= r.end
			&& std::max(r.end, joined.end) - std::min(r.first, joined.first) <= max_run_bytes;
		if (joins) joined = {std::min(r.first, joined.first), std::max(r.end, joined.end)};
		// What overlaps and cannot be joined is replaced.
		return joins || (r.first < joined.end && joined.first < r.end);
	});
	m_ranges.push_back(joined);
	std::stable_sort(m_ranges.begin(), m_ranges.end()
		, [&](range const& a, range const& b) { return a.distance(file.size_bytes) < b.distance(file.size_bytes); });
	if (m_ranges.size() > max_ranges) m_ranges.pop_back();
}

std::vector<lt::piece_index_t> probes::pieces(file_geometry const& file, int const max_pieces
	, std::function<bool(lt::piece_index_t)> const& have) const
{
	std::vector<lt::piece_index_t> kept;
	if (file.size_bytes <= 0) return kept;
	std::unordered_set<int> seen;
	auto const keep = [&](lt::piece_index_t const p) {
		if (static_cast<int>(kept.size()) < max_pieces && seen.insert(static_cast<int>(p)).second && have(p)) kept.push_back(p);
	};
	keep(locate(file, file.size_bytes - 1).piece);
	keep(locate(file, 0).piece);
	for (range const& r : m_ranges)
		for (auto p = locate(file, r.first).piece; p <= locate(file, r.end - 1).piece; ++p) keep(p);
	return kept;
}

} // namespace slipstream::stream
