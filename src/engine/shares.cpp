#include "engine/shares.hpp"

#include <slipstream/memory_disk.hpp>

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

// What a piece takes in memory: whole blocks. Pieces smaller than one, which v1 allows, take
// several times their length.
std::int64_t price_of(int const piece_length_bytes)
{
	return (std::int64_t{piece_length_bytes} + block_size_bytes - 1) / block_size_bytes * block_size_bytes;
}

// Whether so much of it is of the memory, whatever it is filled with, and not of the file. A time
// without a pace is as an automatic one.
bool is_of_memory(extent const& e, stream::circumstances const& c)
{
	return e.in == extent::unit::automatic || e.in == extent::unit::share
		|| (e.in == extent::unit::time && !c.consumed_bytes_s);
}

stream::appetite appetite_of(shares::facts const& f, extent const& lookbehind, extent const& read_ahead
	, stream::circumstances const& c)
{
	auto const pieces = f.size_bytes / f.piece_length_bytes + 2; // at most, where it begins and ends inside one
	stream::appetite a;
	auto const price = price_of(f.piece_length_bytes);
	// By pieces: the file's bytes times the price alone may be more than there are numbers for.
	auto const in_memory = [&](std::int64_t const bytes)
		{ return bytes / f.piece_length_bytes * price + bytes % f.piece_length_bytes * price / f.piece_length_bytes; };
	auto const wanted = [&](extent const& e, std::int64_t const bytes)
		{ return std::min(is_of_memory(e, c) ? bytes : in_memory(bytes), in_memory(f.size_bytes)); };
	a.head_bytes = price * std::min<std::int64_t>(2, pieces);
	a.lookbehind_bytes = wanted(lookbehind, stream::lookbehind_bytes(lookbehind, c));
	// Automatic read-ahead is of memory, but a pace is of the file.
	auto ahead = c;
	if (read_ahead.in == extent::unit::automatic && c.consumed_bytes_s) ahead.consumed_bytes_s = in_memory(*c.consumed_bytes_s);
	a.read_ahead_bytes = wanted(read_ahead, stream::read_ahead_bytes(read_ahead, ahead));
	a.probed_bytes = in_memory(f.probed_bytes);
	a.idle = f.idle;
	return a;
}

stream::portion of_the_file(stream::portion p, int const piece_length_bytes)
{
	auto const price = price_of(piece_length_bytes);
	for (auto* const bytes : {&p.head_bytes, &p.lookbehind_bytes, &p.read_ahead_bytes, &p.probed_bytes})
		*bytes = *bytes / price * piece_length_bytes + *bytes % price * piece_length_bytes / price;
	return p;
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
	appetites.reserve(m_members.size());
	for (auto const& [number, m] : m_members)
		appetites.push_back(appetite_of(m.is, m_lookbehind, m_read_ahead
			, {m_capacity_bytes, static_cast<int>(reading), m.is.consumed_bytes_s}));
	auto const portions = stream::allot(m_protectable_bytes, appetites);
	auto portion = portions.begin();
	for (auto& [number, m] : m_members) m.has = of_the_file(*portion++, m.is.piece_length_bytes);
}

} // namespace slipstream
