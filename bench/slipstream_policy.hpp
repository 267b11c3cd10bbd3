// Our policy in the simulator: the real eviction_order, told standings as readers would have them set.
//
// Of S pieces, one is left to what comes in. Each reader has a window of S/8 pieces from its position on, at least two:
// the first two are kept, the rest is read-ahead. Behind the readers, S/4 pieces that are in memory are lookbehind,
// nearest first and the readers in turn. What does not fit is cut off in that order, as the cache does.
#pragma once

#include "policies.hpp"

#include "cache/eviction_order.hpp"

#include <map>

namespace slipstream::bench {

class slipstream_policy final : public policy
{
public:
	explicit slipstream_policy(int const capacity_pieces) : m_capacity(capacity_pieces) {}

	void happened(event const& e, std::set<piece_key> const& in_memory) override;
	void hit(piece_key k) override;
	piece_key leave() override;
	void inserted(piece_key k) override;

private:
	struct place
	{
		piece_key at;
		int pieces = 0;  // of the torrent
	};

	[[nodiscard]] std::map<piece_key, standing> wished(std::set<piece_key> const& in_memory) const;

	int const m_capacity;
	std::map<int, place> m_readers;
	std::map<piece_key, standing> m_standings;  // that are not open
	eviction_order m_order;
};

} // namespace slipstream::bench
