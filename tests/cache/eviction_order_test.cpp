#include "cache/eviction_order.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

using namespace slipstream;

namespace {

constexpr standing open{};
constexpr standing kept{standing::kind::kept, 0};
constexpr standing ahead(int const distance) { return {standing::kind::ahead, distance}; }

std::vector<int> all_victims(eviction_order& order)
{
	std::vector<int> named;
	while (auto const v = order.victim())
	{
		named.push_back(v->piece);
		order.mark_leaving(*v);
	}
	return named;
}

TEST(eviction_order, spent_goes_before_idle_before_read_ahead_farthest_first_and_kept_never)
{
	eviction_order order;
	order.insert({1, 0}, kept, 1);
	order.insert({1, 1}, ahead(5), 1);
	order.insert({1, 2}, ahead(9), 1);
	order.insert({1, 3}, open, 1);
	order.insert({1, 4}, open, 1);
	order.insert({1, 5}, kept, 1);
	order.set_standing({1, 5}, open); // was read, and its lookbehind moved on
	EXPECT_EQ(all_victims(order), (std::vector{5, 3, 4, 2, 1}));
}

TEST(eviction_order, a_touched_idle_piece_goes_last_among_the_idle)
{
	eviction_order order;
	for (int i = 0; i < 3; ++i) order.insert({1, i}, open, 1);
	order.touch({1, 0});
	EXPECT_EQ(all_victims(order), (std::vector{1, 2, 0}));
}

TEST(eviction_order, a_piece_that_is_leaving_is_not_named_again_until_it_stays)
{
	eviction_order order;
	order.insert({1, 7}, open, 1);
	order.mark_leaving({1, 7});
	order.set_standing({1, 7}, kept);
	order.set_standing({1, 7}, open);
	EXPECT_FALSE(order.victim());
	order.stay({1, 7});
	EXPECT_EQ(order.victim()->piece, 7);
	order.erase({1, 7});
	EXPECT_EQ(order.size(), 0u);
}

// Or a torrent that gives up another piece in its place, and downloads that again, would do so for ever.
TEST(eviction_order, what_could_not_go_is_named_after_everything_else_that_nobody_wants)
{
	eviction_order order;
	order.insert({1, 0}, open, 1);
	order.insert({2, 0}, kept, 1);
	order.set_standing({2, 0}, open); // spent
	order.insert({3, 0}, ahead(1), 1);
	EXPECT_EQ(order.victim()->torrent, 2u);
	order.mark_leaving({2, 0});
	order.stay({2, 0});
	EXPECT_EQ(order.victim()->torrent, 1u);
	order.mark_leaving({1, 0});
	EXPECT_EQ(order.victim()->torrent, 2u);
	// Wanted since, it is spent again.
	order.set_standing({2, 0}, kept);
	order.set_standing({2, 0}, open);
	order.stay({1, 0});
	EXPECT_EQ(order.victim()->torrent, 2u);
}

TEST(eviction_order, a_torrent_leaves_with_all_its_pieces_and_others_stay)
{
	eviction_order order;
	for (int i = 0; i < 4; ++i) { order.insert({1, i}, ahead(i), 1); order.insert({2, i}, open, 1); }
	order.erase_torrent(1);
	EXPECT_EQ(order.size(), 4u);
	EXPECT_EQ(all_victims(order), (std::vector{0, 1, 2, 3}));
}

TEST(eviction_order, names_by_class_over_random_operations)
{
	for (unsigned seed = 0; seed < 100; ++seed)
	{
		std::mt19937 random(seed);
		eviction_order order;
		struct known { standing stands; bool wanted = false; bool leaving = false; };
		std::map<int, known> model;
		auto const rank = [](known const& k) {
			if (k.leaving || k.stands.what == standing::kind::kept) return 9;
			if (k.stands.what == standing::kind::ahead) return 2;
			return k.wanted ? 0 : 1;
		};
		for (int step = 0; step < 1000; ++step)
		{
			int const piece = int(random() % 40);
			standing const s = random() % 3 == 0 ? kept : random() % 2 == 0 ? open : ahead(int(random() % 20));
			bool const is_known = model.count(piece) != 0;
			auto const note = [&] { if (s.what != standing::kind::unprotected) model[piece].wanted = true; };
			switch (random() % 6)
			{
			case 0: case 1:
				order.insert({1, piece}, s, 1);
				if (!is_known) { model[piece] = {s}; note(); }
				break;
			case 2:
				order.set_standing({1, piece}, s);
				if (is_known) { if (!model[piece].leaving) note(); model[piece].stands = s; }
				break;
			case 3: order.erase({1, piece}); model.erase(piece); break;
			case 4: order.touch({1, piece}); break;
			case 5:
				if (is_known && !model[piece].leaving) { order.mark_leaving({1, piece}); model[piece].leaving = true; }
				else if (is_known)
				{
					order.stay({1, piece});
					model[piece].leaving = false;
					model[piece].wanted = model[piece].stands.what != standing::kind::unprotected;
				}
				break;
			}
			int best = 9;
			for (auto const& [p, k] : model) best = std::min(best, rank(k));
			auto const v = order.victim();
			ASSERT_EQ(v.has_value(), best < 9) << "seed " << seed << " step " << step;
			if (!v) continue;
			ASSERT_EQ(rank(model.at(v->piece)), best) << "seed " << seed << " step " << step;
			for (auto const& [p, k] : model)
			{
				ASSERT_TRUE(best != 2 || rank(k) != 2 || k.stands.distance <= model.at(v->piece).stands.distance)
					<< "seed " << seed;
			}
			ASSERT_EQ(order.size(), model.size());
		}
	}
}

} // namespace
