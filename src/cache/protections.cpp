// A cache's protections: what of its wishes each torrent is granted, and how its pieces stand in
// the eviction order for it.
#include "cache/cache.hpp"

#include <algorithm>
#include <utility>

namespace slipstream {

// -- granting

granted cache::protect(std::uint64_t const torrent, protection const kind, std::vector<int> pieces)
{
	mutex_lock const lock(m_mutex);
	auto const i = m_members.find(torrent);
	if (i == m_members.end()) return {};
	member& m = i->second;
	bool const was_busy = m.is_counted_busy;
	if (kind == protection::reader && !pieces.empty() && !was_busy && m_crowded && !sum(nullptr, &m).holds()) return {};
	auto& wish = m.wished[std::size_t(kind)];
	if (wish == pieces) return m.given[std::size_t(kind)];
	prepare_for_wish(torrent, m, std::size_t(kind), pieces);
	wish.swap(pieces);
	grant_to(torrent, m, was_busy);
	auto const given = m.given[std::size_t(kind)];
	if (kind != protection::reader || wish.empty() || given.pieces > 0) return given;
	// Not even what is being read fits: it wishes what it did. What others had to give for this
	// wish they are granted anew.
	wish.swap(pieces);
	grant_to(torrent, m, m.is_counted_busy);
	recount();
	return given;
}

void cache::prepare_for_wish(std::uint64_t const id, member& m, std::size_t const kind, std::vector<int> const& pieces)
{
	if (pieces.empty()) return;
	auto const end = static_cast<std::size_t>(*std::max_element(pieces.begin(), pieces.end())) + 1;
	if (end > m.stands.size()) m.stands.resize(end);
	if (end > m.read.size()) m.read.resize(end);
	m_times.make_places(end);
	m_now.make_places(end);
	auto num = pieces.size();
	for (std::size_t k = 0; k < std::size(m.wished); ++k) num += k == kind ? 0 : m.wished[k].size();
	m.protected_pieces.reserve(num);
	m_before.reserve(m.protected_pieces.capacity());
	m_had.reserve(m_wishing.size() + 1);
	m_wishing.insert(id); // last: what threw before has changed nothing that anybody sees. count_wishes() takes it out again.
}

// The torrent's wish is another.
void cache::grant_to(std::uint64_t const torrent, member& m, bool const was_busy) noexcept
{
	m_is_shared_out = false;
	// It has as much of the new wish as it had of the old one, until it is granted anew.
	for (std::size_t kind = 0; kind < std::size(m.given); ++kind)
		give(m, kind, {std::min(m.given[kind].pieces, static_cast<int>(m.wished[kind].size())), m.given[kind].blocks});
	price(m);
	count_wishes(torrent, m);
	if (m.is_counted_busy != was_busy) recount();
	else grant(torrent, m, unlimited);
	stand(torrent, m);
}

void cache::give(member& m, std::size_t const kind, granted const g) noexcept
{
	m_granted_blocks[kind] += g.blocks - m.given[kind].blocks;
	m.given[kind] = g;
}

// Grants in the order of the kinds and, within one, in the order wished; stops a kind at the first
// piece that does not fit. Other torrents keep what they have: first come, first served between
// torrents. But what is being read right now (the reader's first two pieces) goes before anybody's
// lookbehind and read-ahead.
void cache::grant(std::uint64_t const id, member& m, limits const& most) noexcept
{
	auto left = protectable() - (all_granted_blocks() - m.granted_blocks());
	auto const& reads = m.wished[std::size_t(protection::reader)];
	auto const head = m.piece_blocks * std::min<std::int64_t>(pieces_at_head, std::ssize(reads));
	left += take(id, protection::lookbehind, 0, head - left);
	left += take(id, protection::reader, pieces_at_head, head - left);

	// Reserved pieces that are not here will be wanted, and then something is open. Granted without
	// room for that, they would be cut as soon as they are wanted, and granted again as soon as
	// they are not.
	auto open = m.is_counted_busy || !m_crowded ? 0 : budget::open_pieces * m.piece_blocks;
	m_times.begin();
	for (std::size_t kind = 0; kind < std::size(m.given); ++kind)
	{
		granted g;
		for (int const piece : m.wished[kind])
		{
			bool const is_new = !m_times.has(piece);
			auto const opens = kind == std::size_t(protection::reserved) && !m.is_here(piece) ? open : 0;
			if (g.pieces == most[kind] || (is_new && m.piece_blocks + opens > left)) break;
			++m_times[piece];
			left -= opens;
			open -= opens;
			if (is_new) left -= m.piece_blocks;
			g.pieces += 1;
			g.blocks += is_new ? m.piece_blocks : 0;
		}
		give(m, kind, g);
	}
	count_cut(m, m.is_cut());
}

// Takes what others were granted of a kind, farthest first, down to `keep` pieces each; answers how
// many blocks that gave.
std::int64_t cache::take(std::uint64_t const id, protection const kind, int const keep, std::int64_t const wanted) noexcept
{
	std::int64_t taken = 0;
	for (auto i = m_wishing.begin(); i != m_wishing.end() && taken < wanted; ++i)
	{
		member& o = m_members.at(*i);
		auto g = o.given[std::size_t(kind)];
		if (*i == id || g.pieces <= keep) continue;
		m_times.begin();
		for (std::size_t k = 0; k < std::size(o.given); ++k)
			for (int p = 0; p < o.given[k].pieces; ++p) ++m_times[o.wished[k][std::size_t(p)]];
		for (; taken < wanted && g.pieces > keep; --g.pieces)
			if (--m_times[o.wished[std::size_t(kind)][std::size_t(g.pieces) - 1]] == 0) taken += o.piece_blocks;
		give(o, std::size_t(kind), g);
		price(o);
		count_cut(o, o.is_cut());
		stand(*i, o);
	}
	return taken;
}

// What the granted pieces cost: each once, at the first kind that has it.
void cache::price(member& m) noexcept
{
	m_times.begin();
	for (std::size_t kind = 0; kind < std::size(m.given); ++kind)
	{
		granted g{m.given[kind].pieces, 0};
		for (int i = 0; i < g.pieces; ++i)
			if (m_times.try_set(m.wished[kind][std::size_t(i)], 1)) g.blocks += m.piece_blocks;
		give(m, kind, g);
	}
}

// Makes the order say what is granted.
void cache::stand(std::uint64_t const id, member& m) noexcept
{
	m_now.begin();
	m_before.assign(m.protected_pieces.begin(), m.protected_pieces.end());
	auto& now = m.protected_pieces;
	now.clear();
	for (auto const kind : {protection::reader, protection::reserved, protection::lookbehind})
	{
		auto const& wished = m.wished[std::size_t(kind)];
		for (int i = 0; i < m.given[std::size_t(kind)].pieces; ++i)
		{
			int const piece = wished[std::size_t(i)];
			bool const kept = kind != protection::reader || i < pieces_at_head;
			standing const s = kept ? standing{standing::kind::kept, 0} : standing{standing::kind::ahead, i};
			if (m_now.try_set(piece, s)) now.push_back(piece);
			else if (auto& as = m_now[piece]; as.what != standing::kind::kept) as = s;
		}
	}
	for (int const piece : m_before)
	{
		if (!m_now.has(piece)) stand(id, m, piece, {});
		set_read(m, piece, false);
	}
	for (int const piece : now) stand(id, m, piece, m_now[piece]);
	for (int i = 0; i < m.given[std::size_t(protection::reader)].pieces; ++i)
		set_read(m, m.wished[std::size_t(protection::reader)][std::size_t(i)], true);
}

void cache::set_read(member& m, int const piece, bool const read) noexcept
{
	if (member::is_set(m.read, piece) == read) return;
	m.read[static_cast<std::size_t>(piece)] = read;
	if (!m.is_here(piece)) m_awaited += read ? m.piece_blocks : -m.piece_blocks;
}

void cache::stand(std::uint64_t const id, member& m, int const piece, standing const s) noexcept
{
	bool const was_protected = m.is_protected(piece);
	if (std::exchange(m.stands[static_cast<std::size_t>(piece)], s) == s || !m.is_here(piece)) return;
	if (was_protected != m.is_protected(piece)) m.unprotected_blocks += was_protected ? m.piece_blocks : -m.piece_blocks;
	m_order.set_standing({id, piece}, s);
}

// What is being read first, then what each had, then the rest; each time in the order of entering.
// So nobody loses for another's read-ahead what still fits.
void cache::grant_anew() noexcept
{
	m_had.clear();
	for (auto const id : m_wishing)
	{
		member& m = m_members.at(id);
		limits before;
		for (std::size_t kind = 0; kind < before.size(); ++kind)
		{
			before[kind] = m.given[kind].pieces;
			give(m, kind, {});
		}
		m_had.emplace_back(id, before);
	}
	for (auto const& [id, before] : m_had) grant(id, m_members.at(id), {pieces_at_head, 0, 0});
	for (auto const& [id, before] : m_had)
		grant(id, m_members.at(id), {std::max(before[0], pieces_at_head), before[1], before[2]});
	for (auto const& [id, before] : m_had)
	{
		grant(id, m_members.at(id), unlimited);
		stand(id, m_members.at(id));
	}
}

// -- counting

void cache::count_cut(member& m, bool const cut) noexcept
{
	if (std::exchange(m.is_counted_cut, cut) != cut) m_num_cut += cut ? 1 : -1;
}

void cache::count_wishes(std::uint64_t const id, member& m) noexcept
{
	if (!m.wishes()) m_wishing.erase(id);
	count_busy(m, m.busy());
	count_cut(m, m.is_cut());
}

// -- what was granted

std::int64_t cache::all_granted_blocks() const
{ return m_granted_blocks[0] + m_granted_blocks[1] + m_granted_blocks[2]; }

std::int64_t cache::granted_blocks(protection const kind) const
{
	mutex_lock const lock(m_mutex);
	return m_granted_blocks[std::size_t(kind)];
}

std::int64_t cache::available_blocks(protection const kind) const
{
	mutex_lock const lock(m_mutex);
	std::int64_t total = 0;
	for (auto const id : m_wishing)
	{
		member const& m = m_members.at(id);
		auto const& wished = m.wished[std::size_t(kind)];
		total += m.piece_blocks * std::count_if(wished.begin(), wished.begin() + m.given[std::size_t(kind)].pieces
			, [&](int const piece) { return m.is_here(piece); });
	}
	return total;
}

granted cache::granted_for(std::uint64_t const torrent, protection const kind) const
{
	mutex_lock const lock(m_mutex);
	auto const i = m_members.find(torrent);
	return i == m_members.end() ? granted{} : i->second.given[std::size_t(kind)];
}

std::vector<int> cache::granted_pieces(std::uint64_t const torrent, protection const kind) const
{
	mutex_lock const lock(m_mutex);
	auto const i = m_members.find(torrent);
	if (i == m_members.end()) return {};
	auto const& wished = i->second.wished[std::size_t(kind)];
	return {wished.begin(), wished.begin() + i->second.given[std::size_t(kind)].pieces};
}

standing cache::standing_of(std::uint64_t const torrent, int const piece) const
{
	mutex_lock const lock(m_mutex);
	auto const i = m_members.find(torrent);
	if (i == m_members.end()) return {};
	return i->second.stands_at(piece);
}

} // namespace slipstream
