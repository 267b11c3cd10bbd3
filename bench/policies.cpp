#include "policies.hpp"

#include "slipstream_policy.hpp"

#include <deque>
#include <limits>
#include <list>
#include <map>
#include <random>
#include <stdexcept>
#include <utility>

namespace slipstream::bench {

namespace {

class least_recently_used final : public policy
{
public:
	void hit(piece_key const k) override { m_order.splice(m_order.end(), m_order, m_where.at(k)); }
	piece_key leave() override
	{
		auto const k = m_order.front();
		m_order.pop_front();
		m_where.erase(k);
		return k;
	}
	void inserted(piece_key const k) override { m_where[k] = m_order.insert(m_order.end(), k); }

private:
	std::list<piece_key> m_order;
	std::map<piece_key, std::list<piece_key>::iterator> m_where;
};

class first_in_first_out final : public policy
{
public:
	piece_key leave() override
	{
		auto const k = m_order.front();
		m_order.pop_front();
		return k;
	}
	void inserted(piece_key const k) override { m_order.push_back(k); }

private:
	std::deque<piece_key> m_order;
};

// FIFO in which a piece that was read since the hand last came by gets another round.
class second_chance final : public policy
{
public:
	void hit(piece_key const k) override { m_read[k] = true; }
	piece_key leave() override
	{
		while (true)
		{
			auto const k = m_order.front();
			m_order.pop_front();
			auto const r = m_read.find(k);
			if (r->second)
			{
				r->second = false;
				m_order.push_back(k);
				continue;
			}
			m_read.erase(r);
			return k;
		}
	}
	void inserted(piece_key const k) override
	{
		m_order.push_back(k);
		m_read[k] = false;
	}

private:
	std::deque<piece_key> m_order;
	std::map<piece_key, bool> m_read;
};

class at_random final : public policy
{
public:
	piece_key leave() override
	{
		auto& chosen = m_pieces[m_random() % m_pieces.size()];
		auto const k = std::exchange(chosen, m_pieces.back());
		m_pieces.pop_back();
		return k;
	}
	void inserted(piece_key const k) override { m_pieces.push_back(k); }

private:
	std::vector<piece_key> m_pieces;
	std::mt19937_64 m_random{1};
};

// Knows the trace: who is read again last, or never, leaves.
class clairvoyant final : public policy
{
public:
	explicit clairvoyant(trace const& t)
	{
		auto const reads = reads_of(t);
		m_next.resize(reads.size());
		std::map<piece_key, std::size_t> seen;
		for (std::size_t i = reads.size(); i-- > 0;)
		{
			auto const again = seen.find(reads[i]);
			m_next[i] = again == seen.end() ? std::numeric_limits<std::size_t>::max() : again->second;
			seen[reads[i]] = i;
		}
	}
	// A hit and an insertion are one read each.
	void hit(piece_key const k) override
	{
		m_order.erase({m_now, k});  // this read is what it waited for
		inserted(k);
	}
	piece_key leave() override
	{
		auto const last = std::prev(m_order.end());
		auto const k = last->second;
		m_order.erase(last);
		return k;
	}
	void inserted(piece_key const k) override { m_order.emplace(m_next[m_now++], k); }

private:
	std::vector<std::size_t> m_next;  // by read: when the piece is read again
	std::set<std::pair<std::size_t, piece_key>> m_order;
	std::size_t m_now = 0;
};

std::unique_ptr<policy> make_clairvoyant(trace const& t, int) { return std::make_unique<clairvoyant>(t); }

std::unique_ptr<policy> make_ours(trace const&, int const capacity_pieces)
{ return std::make_unique<slipstream_policy>(capacity_pieces); }

template <typename Policy>
std::unique_ptr<policy> blind(trace const&, int) { return std::make_unique<Policy>(); }

} // namespace

std::vector<contestant> contestants()
{
	return {
		{"optimum", make_clairvoyant},
		{"ours", make_ours},
		{"LRU", blind<least_recently_used>},
		{"FIFO", blind<first_in_first_out>},
		{"CLOCK", blind<second_chance>},
		{"random", blind<at_random>},
	};
}

outcome simulate(trace const& t, int const capacity_pieces, policy& p)
{
	std::set<piece_key> in_memory;
	outcome o;
	for (event const& e : t.events)
	{
		p.happened(e, in_memory);
		if (e.what != event::kind::read) continue;
		++o.reads;
		if (in_memory.count(e.at) != 0)
		{
			p.hit(e.at);
			continue;
		}
		++o.misses;
		if (in_memory.size() == std::size_t(capacity_pieces) && in_memory.erase(p.leave()) != 1)
			throw std::logic_error("a policy named a piece that is not in memory");
		in_memory.insert(e.at);
		p.inserted(e.at);
	}
	return o;
}

} // namespace slipstream::bench
