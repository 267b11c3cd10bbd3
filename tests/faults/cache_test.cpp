// Every allocation of the cache fails in turn. Each call is made on a cache like the others of its test, with its first
// allocation failing, then its second, until it needs no more: either it throws, nothing has happened, and made again it does what it
// does where memory is never short; or it has done that, but for pieces that make_room() asks the next time.
#include "cache/cache.hpp"
#include "faults/allocations.hpp"

#include <gtest/gtest.h>

#include <bitset>
#include <functional>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace slipstream::test {

namespace {

using protection = cache::protection;

constexpr int piece_blocks = 4;
constexpr int num_pieces = 24;

// A torrent, and the pieces that it was asked for.
struct listener final : evictee
{
	std::bitset<num_pieces> asked;

	bool evict(int const piece) noexcept override
	{
		asked.set(std::size_t(piece));
		return true;
	}
};

// Three torrents in a memory that is low: one is read, one has reserved pieces, of one nobody wants anything.
class crowded_cache
{
public:
	crowded_cache()
	{
		for (int t = 0; t < 3; ++t)
		{
			torrents.push_back(std::make_shared<listener>());
			ids.push_back(c.enter(torrents.back(), 1000, piece_blocks));
		}
		c.change_connections(8);
		for (int p = 0; p < 9; ++p)
			for (auto const id : ids) download(id, p);
		static_cast<void>(c.protect(ids[0], protection::reader, {2, 3, 4, 5, 6, 20}));
		static_cast<void>(c.protect(ids[1], protection::reserved, {0, 7}));
	}
	void download(std::uint64_t const id, int const piece)
	{
		for (int b = 0; b < piece_blocks; ++b) blocks.push_back(pool.acquire());
		c.verified(id, piece);
	}
	bool takes_back(std::size_t const torrent, int const piece)
	{
		bool const was = torrents[torrent]->asked.test(std::size_t(piece));
		torrents[torrent]->asked.reset(std::size_t(piece));
		return was;
	}
	// All that can be seen from outside.
	[[nodiscard]] std::string text()
	{
		std::ostringstream s;
		s << c.current_budget().text() << "; crowded " << c.crowded() << ", protectable " << c.protectable_blocks() << ", wanted "
			<< c.wanted_free_blocks() << ", prepared " << c.prepared_free_blocks() << ", lendable " << c.lendable_blocks();
		for (auto const id : ids)
		{
			s << "\ntorrent " << id << ": knows " << c.knows(id) << ", share " << c.share_blocks(id);
			for (auto const kind : {protection::reader, protection::reserved, protection::lookbehind})
			{
				s << ", granted " << c.granted_for(id, kind).blocks << ":";
				for (int const p : c.granted_pieces(id, kind)) s << " " << p;
			}
			for (int p = 0; p < num_pieces; ++p)
				s << " " << int(c.standing_of(id, p).what) << "/" << c.standing_of(id, p).distance;
		}
		for (auto const kind : {protection::reader, protection::reserved, protection::lookbehind})
			s << "\navailable " << c.available_blocks(kind);
		return s.str();
	}
	// Who is asked to go, in the end.
	[[nodiscard]] std::string text_of_asked()
	{
		pool.set_capacity(pool.used_blocks() + 1);
		c.change_capacity();
		c.make_room();
		std::string all;
		for (auto const& t : torrents) all += t->asked.to_string() + "\n";
		return all;
	}

	block_pool pool{128, 8};
	class cache c{pool, true};
	std::vector<std::shared_ptr<listener>> torrents;
	std::vector<std::uint64_t> ids;
	std::vector<unique_block> blocks;
	std::vector<int> wish; // of the call
};

struct cache_call
{
	std::string name;
	bool needs_memory = false;
	std::function<void(crowded_cache&)> does;
	bool asks_first = false;     // for pieces to go, as they are before they can stay
	std::vector<int> wish = {};  // for protect(); made before anything fails

	void ready(crowded_cache& w) const
	{
		if (asks_first) w.c.make_room();
		w.wish = wish;
	}
};
void PrintTo(cache_call const& o, std::ostream* os) { *os << o.name; }

cache_call protects(std::string name, std::size_t const torrent, protection const kind, std::vector<int> wish)
{
	bool const needs_memory = !wish.empty();
	return {std::move(name), needs_memory, [=](crowded_cache& w) {
		static_cast<void>(w.c.protect(w.ids[torrent], kind, std::exchange(w.wish, {})));
	}, false, std::move(wish)};
}

std::vector<cache_call> calls()
{
	static auto const another = std::make_shared<listener>();
	return {
		{"enter", true, [](crowded_cache& w) { static_cast<void>(w.c.enter(another, 1000, 32)); }},
		{"leave", false, [](crowded_cache& w) { w.c.leave(w.ids[1]); }},
		{"verified", true, [](crowded_cache& w) { w.c.verified(w.ids[2], 23); }},
		{"gone", false, [](crowded_cache& w) { w.c.gone(w.ids[0], 3); }},
		{"touched", false, [](crowded_cache& w) { w.c.touched(w.ids[2], 3); }},
		{"wanting", false, [](crowded_cache& w) { w.c.set_wanting(w.ids[2], false); }},
		protects("reader", 0, protection::reader, {9, 10, 11, 12, 13, 14, 15, 23}),
		protects("another_reader", 2, protection::reader, {1, 2, 3, 22}),
		protects("lookbehind", 0, protection::lookbehind, {0, 1, 2}),
		protects("nothing_reserved", 1, protection::reserved, {}),
		{"connections", false, [](crowded_cache& w) { w.c.change_connections(8); }},
		{"capacity", false, [](crowded_cache& w) {
			w.pool.set_capacity(100);
			w.c.change_capacity();
		}},
		{"make_room", true, [](crowded_cache& w) { w.c.make_room(); }},
		{"stays", false, [](crowded_cache& w) {
			for (int p = 0; p < num_pieces; ++p) if (w.takes_back(2, p)) w.c.stays(w.ids[2], p);
		}, true},
		{"stays_until_low", false, [](crowded_cache& w) {
			for (int p = 0; p < num_pieces; ++p) if (w.takes_back(2, p)) w.c.stays_until_low(w.ids[2], p);
		}, true},
	};
}

class every_allocation_of_the_cache : public testing::TestWithParam<cache_call> {};

} // namespace

TEST_P(every_allocation_of_the_cache, may_fail_and_nothing_is_lost)
{
	crowded_cache never_short;
	GetParam().ready(never_short);
	auto const before = never_short.text();
	ASSERT_TRUE(never_short.c.is_low()) << before;
	GetParam().does(never_short);
	auto const after = never_short.text();
	auto const asked = never_short.text_of_asked();
	int failures = 0;
	bool more = true;
	for (int n = 1; more && n < 200; ++n)
	{
		SCOPED_TRACE("allocation " + std::to_string(n));
		crowded_cache w;
		GetParam().ready(w);
		ASSERT_EQ(w.text(), before);
		bool threw = false;
		{
			failing_allocation const f(n);
			try { GetParam().does(w); }
			catch (std::bad_alloc const&) { threw = true; }
			more = f.failed();
			failures += more ? 1 : 0;
		}
		if (threw)
		{
			EXPECT_EQ(w.text(), before);
			w.wish = GetParam().wish;
			GetParam().does(w);
		}
		EXPECT_EQ(w.text(), after);
		EXPECT_EQ(w.text_of_asked(), asked);
		for (auto const id : w.ids) w.c.leave(id);
	}
	EXPECT_FALSE(more) << "it never came to an end";
	EXPECT_EQ(failures > 0, GetParam().needs_memory) << failures;
}

INSTANTIATE_TEST_SUITE_P(of, every_allocation_of_the_cache, testing::ValuesIn(calls())
	, [](auto const& i) { return i.param.name; });

} // namespace slipstream::test
