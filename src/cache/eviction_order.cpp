#include "cache/eviction_order.hpp"

#include <iterator>

namespace slipstream {

void eviction_order::take_out(piece_key const key, entry& e)
{
	switch (e.where)
	{
	case place::spent: m_spent.erase(e.position); break;
	case place::idle: m_idle.erase(e.position); break;
	case place::ahead: m_ahead.erase({e.stands.distance, key}); break;
	case place::kept: case place::leaving: break;
	}
}

void eviction_order::put_in(piece_key const key, entry& e)
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
		m_ahead.emplace(e.stands.distance, key);
		return;
	case standing::kind::unprotected:
	{
		auto& list = e.was_wanted ? m_spent : m_idle;
		e.where = e.was_wanted ? place::spent : place::idle;
		e.position = list.insert(list.end(), key);
	}
	}
}

void eviction_order::insert(piece_key const key, standing const s)
{
	auto const [i, is_new] = m_entries.try_emplace(key);
	if (!is_new) return;
	i->second.stands = s;
	put_in(key, i->second);
}

void eviction_order::erase(piece_key const key)
{
	auto const i = m_entries.find(key);
	if (i == m_entries.end()) return;
	take_out(key, i->second);
	m_entries.erase(i);
}

void eviction_order::erase_torrent(std::uint64_t const torrent)
{
	auto i = m_entries.lower_bound({torrent, 0});
	while (i != m_entries.end() && i->first.torrent == torrent)
	{
		take_out(i->first, i->second);
		i = m_entries.erase(i);
	}
}

void eviction_order::touch(piece_key const key)
{
	auto const i = m_entries.find(key);
	if (i == m_entries.end() || i->second.where != place::idle) return;
	m_idle.splice(m_idle.end(), m_idle, i->second.position);
}

void eviction_order::set_standing(piece_key const key, standing const s)
{
	auto const i = m_entries.find(key);
	if (i == m_entries.end() || i->second.stands == s) return;
	entry& e = i->second;
	if (e.where == place::leaving)
	{
		e.stands = s;
		return;
	}
	take_out(key, e);
	e.stands = s;
	put_in(key, e);
}

std::optional<piece_key> eviction_order::victim() const
{
	if (auto const spent = spent_victim()) return spent;
	if (!m_idle.empty()) return m_idle.front();
	if (!m_ahead.empty()) return std::prev(m_ahead.end())->second;
	return std::nullopt;
}

std::optional<piece_key> eviction_order::spent_victim() const
{
	if (m_spent.empty()) return std::nullopt;
	return m_spent.front();
}

void eviction_order::mark_leaving(piece_key const key)
{
	auto const i = m_entries.find(key);
	if (i == m_entries.end()) return;
	take_out(key, i->second);
	i->second.where = place::leaving;
}

void eviction_order::stay(piece_key const key)
{
	auto const i = m_entries.find(key);
	if (i == m_entries.end() || i->second.where != place::leaving) return;
	// As one of the spent it would be named again before all that is idle, however often it stays.
	i->second.was_wanted = false;
	put_in(key, i->second);
}

} // namespace slipstream
