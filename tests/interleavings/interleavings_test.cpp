// Thousands of orders of operations and completions, each from a seed. To repeat one: SLIPSTREAM_SEED=<seed> interleavings_test;
// to try more: SLIPSTREAM_SEEDS=<how many> (`make stress` tries a million).
#include "interleavings/explorer.hpp"
#include "interleavings/manual_hasher.hpp"
#include "support/stepped_disk.hpp"

#include <slipstream/memory_disk.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace slipstream::test {

namespace {

std::uint64_t from_environment(char const* const name, std::uint64_t const otherwise)
{
	char const* const text = std::getenv(name);
	return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

} // namespace

TEST(interleavings, every_order_of_calls_and_completions_does_what_the_model_says)
{
	auto const chosen = from_environment("SLIPSTREAM_SEED", 0);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	auto const seeds = from_environment("SLIPSTREAM_SEEDS", 300);
#else
	auto const seeds = from_environment("SLIPSTREAM_SEEDS", 2500);
#endif
	explorer::counts all;
	for (std::uint64_t seed = chosen ? chosen : 1; seed <= (chosen ? chosen : seeds); ++seed)
	{
		explorer e(seed);
		auto const failure = e.run();
		ASSERT_TRUE(failure.empty()) << "SLIPSTREAM_SEED=" << seed << ", " << failure << "\nthe shortest way there:\n" << shortest_trace(seed);
		all.calls += e.seen().calls;
		all.hashed += e.seen().hashed;
		all.verified += e.seen().verified;
		all.refused += e.seen().refused;
		all.missed += e.seen().missed;
		all.stale += e.seen().stale;
		all.fences += e.seen().fences;
		all.aborted += e.seen().aborted;
	}
	RecordProperty("seen", "calls " + std::to_string(all.calls) + ", hashed " + std::to_string(all.hashed) + ", verified "
		+ std::to_string(all.verified) + ", refused " + std::to_string(all.refused) + ", missed " + std::to_string(all.missed)
		+ ", stale " + std::to_string(all.stale) + ", fences " + std::to_string(all.fences) + ", aborted " + std::to_string(all.aborted));
	if (chosen || seeds < 100) return;
	// The runs were about something.
	for (auto const n : {all.verified, all.refused, all.missed, all.stale, all.fences, all.aborted}) EXPECT_GT(n, 0);
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
