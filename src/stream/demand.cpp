#include "stream/demand.hpp"

#include <algorithm>
#include <unordered_set>

namespace slipstream::stream {

namespace {

// Deadlines are an order more than a time: libtorrent asks for earlier ones first, and for all of them
// that fall within its own horizon (a second and the time a piece usually takes).
constexpr int deadline_step_ms = 50;

// Beyond the urgent pieces a window is cut in six bands of falling priority, 6..1: within one priority
// libtorrent picks rarest first, so more bands than one are what keeps it near the reader.
lt::download_priority_t band(int const rank_after_urgent, int const count)
{
	int const below_top = static_cast<std::uint8_t>(lt::top_priority) - 1;
	int const step = static_cast<int>(std::int64_t{rank_after_urgent} * below_top / count);
	return lt::download_priority_t(static_cast<std::uint8_t>(below_top - step));
}

// One window's missing pieces, with the priorities they have in that window.
std::vector<wanted_piece> missing_of(window const& w, int const urgent_pieces
	, std::function<bool(lt::piece_index_t)> const& have)
{
	std::vector<wanted_piece> missing;
	for (lt::piece_index_t p = w.first; p < w.end; ++p)
		if (!have(p)) missing.push_back({p, lt::top_priority, true});
	int const count = static_cast<int>(missing.size());
	for (int i = urgent_pieces; i < count; ++i)
	{
		auto& m = missing[static_cast<std::size_t>(i)];
		m.priority = band(i - urgent_pieces, count - urgent_pieces);
		m.urgent = false;
	}
	return missing;
}

// The windows' lists merged by rank, each piece once. Where windows overlap, a piece comes at its
// smallest rank; that is also its highest priority among windows of one length, and near enough
// otherwise.
std::vector<wanted_piece> merge(std::span<std::vector<wanted_piece> const> const lists)
{
	std::size_t longest = 0;
	for (auto const& list : lists) longest = std::max(longest, list.size());
	std::vector<wanted_piece> merged;
	std::unordered_set<int> seen;
	for (std::size_t i = 0; i < longest; ++i)
		for (auto const& list : lists)
			if (i < list.size() && seen.insert(static_cast<int>(list[i].piece)).second)
				merged.push_back(list[i]);
	return merged;
}

} // namespace

std::vector<wanted_piece> demand::choose(std::span<window const> const windows, int const urgent_pieces
	, predicate const& have, predicate const& may_want) const
{
	std::vector<std::vector<wanted_piece>> lists;
	for (window const& w : windows) lists.push_back(missing_of(w, std::max(urgent_pieces, 1), have));
	std::vector<wanted_piece> wanted = merge(lists);
	std::erase_if(wanted, [&](wanted_piece const& w) {
		bool const at_a_position = std::any_of(windows.begin(), windows.end()
			, [&](window const& x) { return x.first == w.piece; });
		return !at_a_position && !may_want(w.piece);
	});
	return wanted;
}

demand_changes demand::replace(std::span<wanted_piece const> const wanted, bool const with_deadlines
	, predicate const& have)
{
	demand_changes changes;
	std::map<lt::piece_index_t, told> next;
	int deadline_ms = 0;
	for (wanted_piece const& w : wanted)
	{
		auto const before = m_told.find(w.piece);
		bool const had_deadline = before != m_told.end() && before->second.has_deadline;
		bool const has_deadline = w.urgent && (had_deadline || with_deadlines);
		next.emplace(w.piece, told{w.priority, has_deadline, false});
		if (has_deadline && !had_deadline) changes.deadlines_set.emplace_back(w.piece, deadline_ms);
		if (has_deadline) deadline_ms += deadline_step_ms;
		if (had_deadline && !has_deadline) changes.deadlines_reset.push_back(w.piece);
		// What loses its deadline has a new priority too: the top one goes with deadlines alone.
		if (before == m_told.end() || before->second.priority != w.priority)
			changes.priorities.emplace_back(w.piece, w.priority);
	}
	for (auto const& [piece, was] : m_told)
	{
		if (next.contains(piece)) continue;
		if (have(piece))
		{
			// Its deadline ended when it came.
			next.emplace(piece, told{was.priority, false, true});
			continue;
		}
		if (was.has_deadline) changes.deadlines_reset.push_back(piece);
		changes.priorities.emplace_back(piece, lt::dont_download);
	}
	m_told = std::move(next);
	return changes;
}

bool demand::wants_anything() const
{
	return std::any_of(m_told.begin(), m_told.end(), [](auto const& t) { return !t.second.has_come; });
}

} // namespace slipstream::stream
