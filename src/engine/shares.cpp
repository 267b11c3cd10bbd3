#include "engine/shares.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

namespace slipstream {

namespace {

// Less than an eighth up or down.
bool near(std::optional<std::int64_t> const& a, std::optional<std::int64_t> const& b)
{
	if (!a || !b) return a == b;
	return std::abs(*a - *b) <= *b / 8;
}

stream::appetite appetite_of(shares::facts const& f, extent const& lookbehind, extent const& read_ahead
	, stream::circumstances const& c)
{
	auto const pieces = f.size_bytes / f.piece_length_bytes + 2; // at most, where it begins and ends inside one
	stream::appetite a;
	a.head_bytes = std::int64_t{f.piece_length_bytes} * std::min<std::int64_t>(2, pieces);
	a.lookbehind_bytes = std::min(stream::lookbehind_bytes(lookbehind, c), f.size_bytes);
	a.read_ahead_bytes = std::min(stream::read_ahead_bytes(read_ahead, c), f.size_bytes);
	a.probed_bytes = f.probed_bytes;
	a.idle = f.idle;
	return a;
}

} // namespace

bool shares::tell(std::uint64_t const reader, facts const& f)
{
	auto const [at, is_new] = m_members.try_emplace(reader, member{f, {}});
	facts& was = at->second.is;
	facts now = f;
	if (!is_new && near(f.consumed_bytes_s, was.consumed_bytes_s)) now.consumed_bytes_s = was.consumed_bytes_s;
	if (!is_new && now == was) return false;
	was = now;
	m_changed = true;
	return true;
}

bool shares::forget(std::uint64_t const reader)
{
	if (m_members.erase(reader) == 0) return false;
	m_changed = true;
	return true;
}

void shares::set_extents(extent const& lookbehind, extent const& read_ahead)
{
	m_lookbehind = lookbehind;
	m_read_ahead = read_ahead;
	m_changed = true;
}

stream::portion shares::of(std::uint64_t const reader, std::int64_t const capacity_bytes, std::int64_t const protectable_bytes)
{
	bool const others = std::exchange(m_capacity_bytes, capacity_bytes) != capacity_bytes;
	bool const more = std::exchange(m_protectable_bytes, protectable_bytes) != protectable_bytes;
	if (std::exchange(m_changed, false) || others || more) share_out();
	auto const found = m_members.find(reader);
	return found == m_members.end() ? stream::portion{} : found->second.has;
}

void shares::share_out()
{
	auto const reading = std::count_if(m_members.begin(), m_members.end(), [](auto const& m) { return !m.second.is.idle; });
	std::vector<stream::appetite> appetites;
	for (auto const& [number, m] : m_members)
		appetites.push_back(appetite_of(m.is, m_lookbehind, m_read_ahead
			, {m_capacity_bytes, static_cast<int>(reading), m.is.consumed_bytes_s}));
	auto const portions = stream::allot(m_protectable_bytes, appetites);
	auto portion = portions.begin();
	for (auto& [number, m] : m_members) m.has = *portion++;
}

} // namespace slipstream
