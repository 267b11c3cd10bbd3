#include "cache/eviction_order.hpp"

namespace slipstream {

eviction_order::entry* eviction_order::find(piece_key const key) noexcept
{
	auto const i = m_entries.find(key);
	return i == m_entries.end() ? nullptr : &i->second;
}

void eviction_order::take_out(entry& e) noexcept
{
	switch (e.where)
	{
	case place::spent: m_spent.erase(m_spent.iterator_to(e)); break;
	case place::idle: m_idle.erase(m_idle.iterator_to(e)); break;
	case place::ahead: m_ahead.erase(m_ahead.iterator_to(e)); break;
	case place::leaving: m_leaving_blocks -= e.blocks; break;
	case place::kept: break;
	}
}

void eviction_order::put_in(entry& e) noexcept
{
	switch (e.stands.what)
	{
	case standing::kind::kept:
		e.where = place::kept;
		e.was_wanted = true;
		return;
	case standing::kind::ahead:
		e.where = place::ahead;
		e.was_wanted = true;
		m_ahead.insert(e);
		return;
	case standing::kind::unprotected:
		e.where = e.was_wanted ? place::spent : place::idle;
		(e.was_wanted ? m_spent : m_idle).push_back(e);
	}
}

void eviction_order::set_until_low(entry& e, bool const is) noexcept
{
	if (e.is_until_low == is) return;
	e.is_until_low = is;
	m_until_low_blocks += is ? e.blocks : -e.blocks;
}

void eviction_order::insert(piece_key const key, standing const s, int const blocks)
{
	auto const [i, is_new] = m_entries.try_emplace(key);
	if (!is_new) return;
	entry& e = i->second;
	e.key = key;
	e.blocks = blocks;
	e.stands = s;
	m_blocks += blocks;
	put_in(e);
}

eviction_order::entries::iterator eviction_order::erase(entries::iterator const i) noexcept
{
	set_until_low(i->second, false);
	take_out(i->second);
	m_blocks -= i->second.blocks;
	return m_entries.erase(i);
}

void eviction_order::erase(piece_key const key) noexcept
{
	if (auto const i = m_entries.find(key); i != m_entries.end()) erase(i);
}

void eviction_order::erase_torrent(std::uint64_t const torrent) noexcept
{
	auto i = m_entries.lower_bound({torrent, 0});
	while (i != m_entries.end() && i->first.torrent == torrent) i = erase(i);
}

void eviction_order::touch(piece_key const key) noexcept
{
	auto* const e = find(key);
	if (e == nullptr || e->where != place::idle) return;
	m_idle.splice(m_idle.end(), m_idle, m_idle.iterator_to(*e));
}

void eviction_order::set_standing(piece_key const key, standing const s) noexcept
{
	auto* const e = find(key);
	if (e == nullptr || e->stands == s) return;
	if (s.what != standing::kind::unprotected) set_until_low(*e, false);
	if (e->where == place::leaving)
	{
		e->stands = s;
		return;
	}
	take_out(*e);
	e->stands = s;
	put_in(*e);
}

std::optional<piece_key> eviction_order::victim() const noexcept
{
	if (auto const spent = spent_victim()) return spent;
	if (!m_idle.empty()) return m_idle.front().key;
	if (!m_ahead.empty()) return m_ahead.rbegin()->key;
	return std::nullopt;
}

std::optional<piece_key> eviction_order::spent_victim() const noexcept
{
	if (m_spent.empty()) return std::nullopt;
	return m_spent.front().key;
}

void eviction_order::mark_leaving(piece_key const key) noexcept
{
	auto* const e = find(key);
	if (e == nullptr || e->where == place::leaving) return;
	set_until_low(*e, false);
	take_out(*e);
	e->where = place::leaving;
	m_leaving_blocks += e->blocks;
}

void eviction_order::stay(piece_key const key) noexcept
{
	auto* const e = find(key);
	if (e == nullptr || e->where != place::leaving) return;
	take_out(*e);
	// As one of the spent it would be named again before all that is idle, however often it stays.
	e->was_wanted = false;
	put_in(*e);
}

void eviction_order::stay_until_low(piece_key const key) noexcept
{
	auto* const e = find(key);
	if (e == nullptr || e->where != place::leaving) return;
	stay(key);
	set_until_low(*e, e->where == place::idle);
}

} // namespace slipstream
