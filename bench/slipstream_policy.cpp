#include "slipstream_policy.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace slipstream::bench {

void slipstream_policy::happened(event const& e, std::set<piece_key> const& in_memory)
{
	switch (e.what)
	{
	case event::kind::open: m_readers[e.reader] = {e.at, e.pieces}; break;
	case event::kind::close: m_readers.erase(e.reader); break;
	case event::kind::read:
	case event::kind::seek: m_readers.at(e.reader).at = e.at; break;
	}
	auto now = wished(in_memory);
	for (auto const& [k, s] : m_standings) if (now.count(k) == 0) m_order.set_standing(k, {});
	for (auto const& [k, s] : now) m_order.set_standing(k, s);
	m_standings = std::move(now);
}

std::map<piece_key, standing> slipstream_policy::wished(std::set<piece_key> const& in_memory) const
{
	std::map<piece_key, standing> now;
	int left = m_capacity - 1;
	auto const grant = [&](piece_key const k, standing const s) {
		auto const i = now.find(k);
		if (i != now.end())
		{
			// Of two readers' standings the nearer counts.
			if (s.what == standing::kind::kept) i->second = s;
			return;
		}
		if (left == 0) return;
		--left;
		now.emplace(k, s);
	};

	int const ahead = std::max(2, m_capacity / 8);
	for (int distance = 0; distance < ahead; ++distance)
		for (auto const& [reader, p] : m_readers)
			if (p.at.piece + distance < p.pieces)
				grant({p.at.torrent, p.at.piece + distance}, distance < 2 ? standing{standing::kind::kept, 0}
					: standing{standing::kind::ahead, distance});

	// A gap, as a seek forward leaves one, is stepped over.
	int behind = m_capacity / 4;
	for (int distance = 1; distance <= m_capacity && behind > 0; ++distance)
		for (auto const& [reader, p] : m_readers)
		{
			piece_key const k{p.at.torrent, p.at.piece - distance};
			if (behind == 0 || k.piece < 0 || in_memory.count(k) == 0) continue;
			--behind;
			grant(k, {standing::kind::kept, 0});
		}
	return now;
}

void slipstream_policy::hit(piece_key const k) { m_order.touch(k); }

piece_key slipstream_policy::leave()
{
	auto const k = m_order.victim();
	if (!k) throw std::logic_error("everything is kept");
	m_order.erase(*k);
	return *k;
}

void slipstream_policy::inserted(piece_key const k)
{
	auto const s = m_standings.find(k);
	m_order.insert(k, s == m_standings.end() ? standing{} : s->second, 1);
}

} // namespace slipstream::bench
