// A cache with a pool of 128 blocks, and torrents that do what it asks when they are told to. Each test has its own; one thread.
#pragma once

#include "cache/cache.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

namespace slipstream::test {

inline std::vector<int> pieces(int const first, int const count)
{
	std::vector<int> all(static_cast<std::size_t>(count));
	std::iota(all.begin(), all.end(), first);
	return all;
}

// A torrent of pieces of 4 blocks that gives up what it is asked to, when told to.
struct fake_evictee final : evictee
{
	block_pool& pool;
	class cache& owner;
	std::uint64_t id = 0;
	bool listens = true;
	std::vector<int> asked;
	std::vector<int> refused; // what it was asked while it did not listen
	std::map<int, std::vector<unique_block>> pieces;

	fake_evictee(block_pool& p, class cache& c) : pool(p), owner(c) {}
	bool evict(int const piece) noexcept override
	{
		(listens ? asked : refused).push_back(piece);
		return listens;
	}
	// So many blocks of the piece are here then.
	bool write(int const piece, int const blocks)
	{
		auto& here = pieces[piece];
		while (int(here.size()) < blocks)
		{
			auto b = pool.acquire();
			if (!b) return false;
			here.push_back(std::move(b));
		}
		return true;
	}
	bool download(int const piece)
	{
		if (!write(piece, 4))
		{
			pieces.erase(piece);
			return false;
		}
		owner.verified(id, piece);
		return true;
	}
	void give_up()
	{
		for (int const p : std::exchange(asked, {})) { pieces.erase(p); owner.gone(id, p); }
	}
};

struct cache_fixture : ::testing::Test
{
	block_pool pool{128, 8};
	class cache c{pool, true};
	std::shared_ptr<fake_evictee> enter(std::int64_t const total = 1000)
	{
		auto t = std::make_shared<fake_evictee>(pool, c);
		t->id = c.enter(t, total, 4);
		return t;
	}
};

} // namespace slipstream::test
