// Films larger than the memory: what is wanted comes, and comes again; what was just played is still there.
#include "engine/engine_fixture.hpp"
#include "hostile/scripted_peer.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace slipstream::test {
namespace {

constexpr int piece = 64 << 10;

std::string name_of(testing::TestParamInfo<torrent_kind> const& info)
{
	return info.param == torrent_kind::v1 ? "v1" : info.param == torrent_kind::v2 ? "v2" : "hybrid";
}

// For a test that fails.
std::string described(engine& e, shared_files const& files)
{
	auto const m = e.memory().stats();
	auto const memory = e.memory().torrent(files.hashes());
	std::string text = "\n";
	for (int p = 0; p < *memory.num_pieces(); ++p) text += "apcv"[int(*memory.state(lt::piece_index_t(p)))];
	auto const t = e.torrents().front();
	return text + "\npeers " + std::to_string(t.peers) + " rate " + std::to_string(t.download_rate_bytes_s) + " used "
		+ std::to_string(m.used_bytes) + " evicted " + std::to_string(m.pieces_evicted) + " forgotten " + std::to_string(m.pieces_forgotten)
		+ " refused " + std::to_string(m.writes_refused) + " phase " + std::to_string(int(t.phase));
}

class windows : public testing::TestWithParam<torrent_kind> {};

TEST_P(windows, a_film_eight_times_the_memory_plays_twice)
{
	shared_files const files("film", {{"film.mkv", (32 << 20) + 12'345}}, GetParam(), piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}, 4 << 20));
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	auto const all = static_cast<std::size_t>(r->size_bytes());
	ASSERT_TRUE(plays(*r, files, all));
	ASSERT_TRUE(r->seek(0));
	ASSERT_TRUE(plays(*r, files, all));
	auto const m = e.memory().stats();
	EXPECT_LE(m.peak_bytes, m.capacity_bytes);
	EXPECT_GT(m.pieces_evicted, 2 * 28 * 16);
	EXPECT_LE(m.pieces_verified, 2 * 513 + 64) << "pieces were downloaded that nobody read";
	EXPECT_EQ(e.find(id)->phase, torrent_phase::ready);
}

TEST_P(windows, seeking_back_inside_lookbehind_downloads_nothing)
{
	shared_files const files("film", {{"film.mkv", 16 << 20}}, GetParam(), piece);
	seeder const s(files);
	auto options = local_engine({s.endpoint()}, 4 << 20);
	options.lookbehind = extent::bytes(1 << 20);
	options.read_ahead = extent::bytes(512 << 10);
	engine e(options);
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	ASSERT_TRUE(plays(*r, files, 8 << 20));
	auto const memory = e.memory().torrent(files.hashes());
	// The read-ahead comes, then nothing more.
	auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
	auto const ahead = [&] {
		for (int p = 8 * 16; p < 8 * 16 + 8; ++p)
			if (!memory.has_piece(lt::piece_index_t{p})) return false;
		return true;
	};
	while (!ahead() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
	ASSERT_TRUE(ahead());
	auto const lookbehind = memory.lookbehind();
	// And the first piece of the film.
	EXPECT_EQ(lookbehind.protected_bytes, (1 << 20) + piece);
	EXPECT_EQ(lookbehind.available_bytes, (1 << 20) + piece);
	for (int p = 8 * 16 - 16; p < 8 * 16; ++p) EXPECT_TRUE(memory.is_lookbehind_available(lt::piece_index_t{p})) << p;

	auto const before = e.payload().downloaded_bytes;
	ASSERT_TRUE(r->seek(7 << 20));
	ASSERT_TRUE(plays(*r, files, 1 << 20));
	EXPECT_EQ(e.payload().downloaded_bytes, before);
	// The same by a new reader when the old one has gone, as a player that seeks over HTTP does it.
	{ auto const gone = open(e, id, 0); }
	auto const again = open(e, id, 0);
	ASSERT_TRUE(again->seek(7 << 20));
	ASSERT_TRUE(plays(*again, files, 1 << 20));
	EXPECT_EQ(e.payload().downloaded_bytes, before);
}

TEST_P(windows, two_films_share_one_memory)
{
	shared_files const one("one", {{"one.mkv", 12 << 20}}, GetParam(), piece, 1);
	shared_files const two("two", {{"two.mkv", 12 << 20}}, GetParam(), 2 * piece, 2);
	seeder const s1(one);
	seeder const s2(two);
	engine e(local_engine({}, 4 << 20));
	auto const a = add_ready(e, one);
	auto const b = add_ready(e, two);
	ASSERT_TRUE(e.connect(a, s1.endpoint()));
	ASSERT_TRUE(e.connect(b, s2.endpoint()));
	auto const r1 = open(e, a, 0);
	auto const r2 = open(e, b, 0);
	for (int i = 0; i < 12; ++i)
	{
		ASSERT_TRUE(plays(*r1, one, 1 << 20)) << i;
		ASSERT_TRUE(plays(*r2, two, 1 << 20)) << i;
	}
	EXPECT_LE(e.memory().stats().peak_bytes, e.memory().capacity_bytes());
}

INSTANTIATE_TEST_SUITE_P(kinds, windows, testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid), name_of);

TEST(window, jumping_about_a_film_gets_right_bytes_everywhere)
{
	shared_files const files("film", {{"film.mkv", 24 << 20}}, torrent_kind::hybrid, piece);
	seeder const s(files);
	seeder const t(files);
	engine e(local_engine({s.endpoint(), t.endpoint()}, 2 << 20));
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	for (int i = 0; i < 60; ++i)
	{
		ASSERT_TRUE(r->seek((i * 7919L * 1013) % (23 << 20)));
		ASSERT_TRUE(plays(*r, files, 200'000)) << i;
	}
	EXPECT_LE(e.memory().stats().peak_bytes, e.memory().capacity_bytes());
}

TEST(window, at_the_floor_itself_a_film_plays)
{
	// 8 connections at least; scratch 8, pieces of 4 blocks: 8 + 16 + 16 = 40 blocks and what is lent, below the least capacity
	// there is. So pieces of 16 blocks: 8 + 2 * 8 + 4 * 16 = 88 blocks are seven eighths.
	constexpr int floor_blocks = 101;
	shared_files const files("film", {{"film.mkv", 12 << 20}}, torrent_kind::v1, 16 * block_size_bytes);
	std::vector<std::unique_ptr<seeder>> seeds;
	std::vector<boost::asio::ip::tcp::endpoint> peers;
	for (int i = 0; i < 8; ++i)
	{
		seeds.push_back(std::make_unique<seeder>(files));
		peers.push_back(seeds.back()->endpoint());
	}
	{
		engine below(local_engine(peers, (floor_blocks - 1) * block_size_bytes));
		auto const id = below.add_torrent_file(files.torrent_file());
		ASSERT_TRUE(id);
		EXPECT_EQ(wait_ready(below, *id), errc::no_space);
	}
	engine e(local_engine(peers, floor_blocks * block_size_bytes));
	auto const r = open(e, add_ready(e, files), 0);
	ASSERT_TRUE(plays(*r, files, 12 << 20));
	EXPECT_LE(e.memory().stats().peak_bytes, e.memory().capacity_bytes());
}

TEST(window, the_capacity_changes_between_two_parts_of_a_film)
{
	shared_files const files("film", {{"film.mkv", 24 << 20}}, torrent_kind::v1, piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}, 4 << 20));
	auto const id = add_ready(e, files);
	auto memory = e.memory();
	for (int const mib : {4, 8, 64})
	{
		auto const set = memory.set_capacity_bytes(std::int64_t{mib} << 20);
		ASSERT_TRUE(set) << set.error().detail;
		auto const r = open(e, id, 0);
		ASSERT_TRUE(r->seek(std::int64_t{mib} << 18));
		ASSERT_TRUE(plays(*r, files, 4 << 20)) << mib << " MiB" << described(e, files);
		EXPECT_LE(memory.stats().used_bytes, memory.capacity_bytes()) << mib;
	}
	EXPECT_FALSE(memory.set_capacity_bytes(1000));
	EXPECT_EQ(memory.capacity_bytes(), 64 << 20);
}

TEST(window, the_capacity_changes_while_a_film_plays)
{
	shared_files const files("film", {{"film.mkv", 24 << 20}}, torrent_kind::hybrid, piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}, 16 << 20));
	auto const r = open(e, add_ready(e, files), 0);
	auto memory = e.memory();
	for (int const mib : {16, 4, 8, 2, 16, 3})
	{
		auto const set = memory.set_capacity_bytes(std::int64_t{mib} << 20);
		ASSERT_TRUE(set) << set.error().detail;
		ASSERT_TRUE(plays(*r, files, 4 << 20)) << mib << " MiB" << described(e, files);
	}
	// Pieces go one by one, and what was played may all have been there before the first went.
	auto const end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
	while (memory.stats().used_bytes > memory.capacity_bytes() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
	EXPECT_LE(memory.stats().used_bytes, memory.capacity_bytes());
}

// From the first piece on, and always: as libtorrent counts them it may have none for as long as they can be forgotten.
TEST(window, what_is_asked_of_a_peer_first_is_what_the_reader_waits_for)
{
	shared_files const files("film", {{"film.mkv", 16 << 20}}, torrent_kind::v1, piece);
	engine e(local_engine({}));
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	constexpr int position = 100;
	ASSERT_TRUE(r->seek(position * piece));
	auto waiting = start_lease(*r);
	auto const wants_many = [&] { return e.readers().at(0).end_piece > position + 64; };
	auto const soon = std::chrono::steady_clock::now() + std::chrono::seconds(60);
	while (!wants_many() && std::chrono::steady_clock::now() < soon) std::this_thread::yield();
	ASSERT_TRUE(wants_many());

	std::mutex guards;
	std::vector<int> asked;
	peer_script records;
	records.seeds = true;
	records.withholds = [&](wire::block const& b) {
		std::lock_guard const lock(guards);
		asked.push_back(b.piece);
		return true;
	};
	// Each is asked for a few blocks until it sends some.
	std::vector<std::unique_ptr<scripted_peer>> peers;
	for (char const* const address : {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"})
		peers.push_back(std::make_unique<scripted_peer>(files, records, address, e.peer_endpoints().front()));
	auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
	std::vector<int> first;
	while (first.size() < 16 && std::chrono::steady_clock::now() < deadline)
	{
		std::this_thread::yield();
		std::lock_guard const lock(guards);
		first = asked;
	}
	ASSERT_GE(first.size(), 16u);
	// The 16 that are urgent.
	EXPECT_THAT(first, testing::Each(testing::AllOf(testing::Ge(position), testing::Lt(position + 16))));
	r->cancel();
	EXPECT_EQ(outcome(waiting), errc::cancelled);
}

// A player that seeks closes one connection and opens the next: its windows stay as long as they were.
TEST(window, a_new_reader_of_a_file_is_supposed_to_take_what_the_last_one_was_seen_to_take)
{
	shared_files const files("folder", {{"a.mkv", 1 << 20}, {"b.mkv", 1 << 20}}, torrent_kind::v1, piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}));
	auto const id = add_ready(e, files);
	auto const pace = [&] { return e.readers().at(0).consumed_bytes_s; };
	auto r = open(e, id, 0);
	EXPECT_FALSE(pace());
	// A pace is told after five seconds of reading.
	ASSERT_TRUE(comes_true([&] { return read_up_to(*r, 16).bytes.size() == 16 && pace().has_value(); }));
	auto const seen = *pace();
	r.reset();
	r = open(e, id, 1);
	EXPECT_FALSE(pace()) << "it is another file";
	r.reset();
	r = open(e, id, 0);
	EXPECT_EQ(pace(), seen);
}

// A piece of 4 KiB takes a whole block: of the memory, four times what it is of the film.
TEST(window, pieces_smaller_than_a_block_are_counted_by_what_they_take)
{
	shared_files const files("film", {{"film.mkv", 3 << 20}}, torrent_kind::v1, 4 << 10);
	seeder const s(files);
	auto options = local_engine({s.endpoint()}, 4 << 20);  // of the 12 MiB that the film takes
	options.lookbehind = extent::bytes(128 << 10);
	engine e(options);
	auto const r = open(e, add_ready(e, files), 0);
	for (int i = 0; i < 3; ++i)
	{
		ASSERT_TRUE(plays(*r, files, 1 << 20)) << i << described(e, files);
		auto const shown = e.readers().at(0);
		// Read-ahead is 1 MiB of the memory here, which is 64 blocks; and the head.
		EXPECT_LE(shown.end_piece - shown.first_piece, (1 << 20) / block_size_bytes + 2);
		EXPECT_EQ(shown.lookbehind_bytes, 128 << 10);
	}
	EXPECT_LE(e.memory().stats().peak_bytes, e.memory().capacity_bytes());
}

} // namespace
} // namespace slipstream::test
