// A cache with a pool of 128 blocks, and torrents that do what it asks when they are told to. Each test has its own; one thread.
#pragma once

#include "cache/cache.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace slipstream::test {

// A torrent of pieces of 4 blocks that gives up what it is asked to, when told to.
struct fake_torrent final : evictee
{
	block_pool& pool;
	class cache& owner;
	std::uint64_t id = 0;
	bool listens = true;
	std::vector<int> asked;
	std::map<int, std::vector<unique_block>> pieces;

	fake_torrent(block_pool& p, class cache& c) : pool(p), owner(c) {}
	bool evict(int const piece) noexcept override
	{
		if (listens) asked.push_back(piece);
		return listens;
	}
	bool download(int const piece)
	{
		std::vector<unique_block> blocks;
		for (int i = 0; i < 4; ++i)
		{
			auto b = pool.acquire();
			if (!b) return false;
			blocks.push_back(std::move(b));
		}
		pieces[piece] = std::move(blocks);
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
	std::shared_ptr<fake_torrent> enter(std::int64_t const total = 1000)
	{
		auto t = std::make_shared<fake_torrent>(pool, c);
		t->id = c.enter(t, total, 4);
		return t;
	}
};

} // namespace slipstream::test
