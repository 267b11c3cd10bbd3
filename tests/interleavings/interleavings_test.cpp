// Thousands of orders of operations and completions, each from a seed. To repeat one: SLIPSTREAM_SEED=<seed> interleavings_test;
// to try more: SLIPSTREAM_SEEDS=<how many> (`make soak` tries a million).
#include "interleavings/explorer.hpp"
#include "interleavings/forgetting_explorer.hpp"
#include "interleavings/manual_hasher.hpp"
#include "interleavings/seeds.hpp"
#include "support/stepped_disk.hpp"

#include <slipstream/memory_disk.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace slipstream::test {

namespace {

std::uint64_t from_environment(char const* const name, std::uint64_t const otherwise)
{
	char const* const text = std::getenv(name);
	return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// SLIPSTREAM_SEEDS of them, or so many.
std::uint64_t num_seeds(std::uint64_t const otherwise)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return from_environment("SLIPSTREAM_SEEDS", otherwise / 8);
#else
	return from_environment("SLIPSTREAM_SEEDS", otherwise);
#endif
}

// Runs the one seed that is chosen, or all; answers how many, or 0 when any failed. Ends at the fifth that does.
template <typename Explorer, typename Seen>
std::uint64_t explore(std::uint64_t const seeds, Seen seen)
{
	auto const chosen = from_environment("SLIPSTREAM_SEED", 0);
	std::uint64_t failures = 0;
	for (std::uint64_t seed = chosen ? chosen : 1; seed <= (chosen ? chosen : seeds) && failures < 5; ++seed)
	{
		Explorer e(seed);
		auto const failure = e.run();
		if (failure.empty()) seen(e.seen());
		else
		{
			++failures;
			ADD_FAILURE() << "SLIPSTREAM_SEED=" << seed << ", " << failure << "\nthe shortest way there:\n" << shortest_trace<Explorer>(seed);
		}
	}
	return failures > 0 ? 0 : chosen ? 1 : seeds;
}

} // namespace

TEST(interleavings, every_order_of_calls_and_completions_does_what_the_model_says)
{
	explorer::counts all;
	auto const ahead = the_workers().ahead;
	auto const seeds = explore<explorer>(num_seeds(2500), [&](explorer::counts const& n) {
		all.calls += n.calls;
		all.hashed += n.hashed;
		all.verified += n.verified;
		all.refused += n.refused;
		all.missed += n.missed;
		all.stale += n.stale;
		all.fences += n.fences;
		all.aborted += n.aborted;
	});
	auto const hashed_ahead = the_workers().ahead - ahead;
	RecordProperty("seen", "calls " + std::to_string(all.calls) + ", hashed " + std::to_string(all.hashed) + ", verified "
		+ std::to_string(all.verified) + ", refused " + std::to_string(all.refused) + ", missed " + std::to_string(all.missed)
		+ ", stale " + std::to_string(all.stale) + ", fences " + std::to_string(all.fences) + ", aborted " + std::to_string(all.aborted)
		+ ", blocks hashed ahead " + std::to_string(hashed_ahead));
	if (seeds < 100) return;
	// The runs were about something.
	for (auto const n : {all.verified, all.refused, all.missed, all.stale, all.fences, all.aborted, hashed_ahead}) EXPECT_GT(n, 0);
}

TEST(interleavings, every_order_of_forgetting_keeps_what_libtorrent_and_its_peers_were_told)
{
	using counts = forgetting_explorer::counts;
	counts all;
	static constexpr std::int64_t counts::* fields[] = {&counts::sent, &counts::cancelled, &counts::passed, &counts::began_to_go
		, &counts::gone, &counts::rechecks, &counts::lies, &counts::withheld, &counts::reads, &counts::waited, &counts::settled
		, &counts::awaited};
	auto const seeds = explore<forgetting_explorer>(num_seeds(2000), [&](counts const& n) {
		for (auto const f : fields) all.*f += n.*f;
		all.never_hashed += n.never_hashed;
	});
	RecordProperty("seen", "blocks sent " + std::to_string(all.sent) + ", cancelled " + std::to_string(all.cancelled) + ", passed "
		+ std::to_string(all.passed) + ", began to go " + std::to_string(all.began_to_go) + ", gone " + std::to_string(all.gone)
		+ ", rechecks " + std::to_string(all.rechecks) + ", lies " + std::to_string(all.lies) + ", withheld " + std::to_string(all.withheld)
		+ ", reads " + std::to_string(all.reads) + ", of these waited " + std::to_string(all.waited)
		+ ", settled " + std::to_string(all.settled) + ", reader pieces awaited " + std::to_string(all.awaited)
		+ ", pieces that libtorrent never hashes " + std::to_string(all.never_hashed));
	if (seeds < 100) return;
	for (auto const f : fields) EXPECT_GT(all.*f, 0);
}

// Everything but what waits for its hashes goes on.
TEST(a_hash_worker_that_stalls, holds_up_nothing_but_fences_and_the_end)
{
	memory_disk memory({.capacity_bytes = 4 << 20});
	stepped_disk stepped(memory.constructor());
	lt::file_storage files;
	files.set_piece_length(test::block_bytes);
	files.add_file("film", 4 * test::block_bytes);
	files.set_num_pieces(4);
	auto holder = stepped.add(files, lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa"));
	std::vector<char> const bytes(test::block_bytes, 'x');
	int written = 0;
	int read = 0;
	int hashed = 0;
	int aborted = 0;
	bool stopped = false;
	auto const write = [&](int const piece) {
		stepped.disk().async_write(holder, {lt::piece_index_t(piece), 0, test::block_bytes}, bytes.data(), nullptr
			, stepped.counted([&](lt::storage_error const& e) { written += e.ec ? 0 : 1; }), {});
	};
	auto const hash = [&](int const piece) {
		stepped.disk().async_hash(holder, lt::piece_index_t(piece), {}, lt::disk_interface::v1_hash
			, stepped.counted([&](lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const& e) { ++(e.ec ? aborted : hashed); }));
	};
	write(0);
	write(1);
	hash(0);
	the_workers().begin(); // and never finishes
	hash(1);
	stepped.disk().async_stop_torrent(holder, stepped.counted([&] { stopped = true; }));
	write(2);
	stepped.disk().async_read(holder, {lt::piece_index_t(2), 0, 100}
		, stepped.counted([&](lt::disk_buffer_holder b, lt::storage_error const& e) { read += !e.ec && b ? 1 : 0; }), {});
	stepped.deliver();
	EXPECT_EQ(written, 3);
	EXPECT_EQ(read, 1);
	EXPECT_EQ(hashed, 0);
	EXPECT_FALSE(stopped);
	auto another = stepped.add(files, lt::sha1_hash("bbbbbbbbbbbbbbbbbbbb"));
	bool other_stopped = false;
	stepped.disk().async_stop_torrent(another, stepped.counted([&] { other_stopped = true; }));
	stepped.deliver();
	EXPECT_TRUE(other_stopped) << "another torrent waits for nobody's hashes but its own";
	stepped.disk().abort(false); // returns, and cancels what has not begun
	stepped.deliver();
	EXPECT_EQ(aborted, 1);
	EXPECT_FALSE(stopped);
	the_workers().finish(0);
	stepped.run_dry();
	EXPECT_EQ(hashed, 1);
	EXPECT_TRUE(stopped);
	EXPECT_EQ(stepped.delivered(), stepped.calls());
	another.reset();
	holder.reset();
}

} // namespace slipstream::test
