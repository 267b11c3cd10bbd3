// What does a block cost? The pool alone, one thread and two, beside malloc.
//
//   bench_pool
//
// CPU, in ns a block, the best of seven turns (the machine is shared, and nothing makes this work faster than it is). Prints the table's
// lines; none of them is a goal.
#include "measure.hpp"

#include "block/block_pool.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

namespace {

using namespace slipstream;
using namespace slipstream::bench;

// CPU of this thread, ns for each of `count`.
template <typename Work>
double best(int const count, Work const& work)
{
	double least = std::numeric_limits<double>::max();
	for (int turn = 0; turn < 7; ++turn)
	{
		auto const start = moment::now();
		work();
		least = std::min(least, (moment::now() - start).thread_cpu / count * 1e9);
	}
	return least;
}

void say(char const* const work, double const ns) { print({"", std::string(work) + ", ns", number(ns), "", "", "", "", "", true}); }

constexpr int blocks = 4000;

} // namespace

int main()
{
	block_pool pool(2 * blocks + 1, 1);
	std::vector<block_ref> held;
	held.reserve(blocks);
	std::vector<char> const source(block_bytes, 'x');
	auto const fill = [&](bool const copy) {
		for (int i = 0; i < blocks; ++i)
		{
			auto b = pool.acquire();
			if (copy) std::memcpy(b.bytes(), source.data(), block_bytes);
			held.push_back(std::move(b).freeze());
		}
	};
	// One stays, so that no region goes back to the system between turns.
	fill(true);
	held.resize(1);

	say("pool: acquire and release, last in first out", best(blocks, [&] {
		for (int i = 0; i < blocks; ++i) static_cast<void>(pool.acquire());
	}));
	say("malloc and free of 16 KiB, last in first out", best(blocks, [&] {
		for (int i = 0; i < blocks; ++i)
		{
			void* volatile p = std::malloc(block_bytes);
			std::free(p);
		}
	}));
	say("pool: share and drop the share", best(blocks, [&] {
		for (int i = 0; i < blocks; ++i) { auto const share = held.front(); static_cast<void>(share); }
	}));
	say("pool: 62 MiB of blocks acquired and released, mapped anew", best(blocks, [&] { fill(false); held.resize(1); }));
	say("pool: the same, each filled", best(blocks, [&] { fill(true); held.resize(1); }));
	held.clear();
	std::vector<unique_block> mine;
	for (int i = 0; i < blocks; ++i) mine.push_back(pool.acquire());
	auto const copy = [&] { for (auto const& b : mine) std::memcpy(b.bytes(), source.data(), block_bytes); };
	copy();
	say("copy into a block that was touched", best(blocks, copy));
	mine.clear();

	// Two threads at once: the lock they share.
	std::vector<double> ns(2);
	std::vector<std::thread> threads;
	for (auto& figure : ns)
		threads.emplace_back([&] {
			figure = best(blocks, [&] { for (int i = 0; i < blocks; ++i) static_cast<void>(pool.acquire()); });
		});
	for (auto& t : threads) t.join();
	say("pool: acquire and release, two threads", std::max(ns[0], ns[1]));
	return 0;
}
