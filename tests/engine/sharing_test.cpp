// Several readers in one memory, what they come back to, and torrents that nobody reads.
#include "engine/engine_fixture.hpp"
#include "engine/shares.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <string_view>
#include <thread>

namespace slipstream::test {
namespace {

using namespace std::chrono_literals;

constexpr int piece = 64 << 10;

// Until nothing is on its way any more.
bool comes_to_rest(engine const& e, std::string const& id)
{
	return comes_true([&] {
		auto const d = e.details(id);
		if (!d || d->readers.empty()) return false;
		reader_entry const& r = d->readers.front();
		for (piece_run const& run : d->pieces)
		{
			bool const in_window = run.first < r.end_piece && r.first_piece < run.first + run.count;
			if (in_window && run.state != piece_state::verified) return false;
		}
		return true;
	});
}

class probing : public testing::TestWithParam<torrent_kind> {};

TEST_P(probing, going_to_the_index_again_downloads_nothing)
{
	shared_files const files("film", {{"film.mp4", 16 << 20}}, GetParam(), piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}, 4 << 20));
	auto const id = add_ready(e, files);
	constexpr std::int64_t index = (16 << 20) - 200'000;
	auto const r = open(e, id, 0);
	ASSERT_TRUE(plays(*r, files, 10'000));
	ASSERT_TRUE(r->seek(index));
	ASSERT_TRUE(plays(*r, files, 200'000));
	ASSERT_TRUE(r->seek(0));
	ASSERT_TRUE(plays(*r, files, 10 << 20));
	ASSERT_TRUE(comes_to_rest(e, id));
	auto const before = e.payload().downloaded_bytes;
	ASSERT_TRUE(r->seek(index));
	ASSERT_TRUE(plays(*r, files, 200'000));
	EXPECT_EQ(e.payload().downloaded_bytes, before);
	EXPECT_LE(e.memory().stats().peak_bytes, e.memory().capacity_bytes());
}

TEST_P(probing, by_connections_of_their_own_is_remembered_as_well)
{
	shared_files const files("film", {{"film.mp4", 16 << 20}}, GetParam(), piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}, 4 << 20));
	auto const id = add_ready(e, files);
	constexpr std::int64_t index = (16 << 20) - 200'000;
	for (std::int64_t const at : {std::int64_t{0}, index})
	{
		auto const r = open(e, id, 0);
		ASSERT_TRUE(r->seek(at));
		ASSERT_TRUE(plays(*r, files, 200'000));
	}
	auto const r = open(e, id, 0);
	ASSERT_TRUE(plays(*r, files, 10 << 20));
	ASSERT_TRUE(comes_to_rest(e, id));
	auto const before = e.payload().downloaded_bytes;
	auto const again = open(e, id, 0);
	ASSERT_TRUE(again->seek(index));
	ASSERT_TRUE(plays(*again, files, 200'000));
	EXPECT_EQ(e.payload().downloaded_bytes, before);
}

INSTANTIATE_TEST_SUITE_P(kinds, probing, testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid)
	, [](auto const& p) {
		return std::string(p.param == torrent_kind::v1 ? "v1" : p.param == torrent_kind::v2 ? "v2" : "hybrid");
	});

TEST(sharing, an_idle_reader_leaves_its_part_to_those_that_read)
{
	shared_files const files("film", {{"film.mkv", 16 << 20}}, torrent_kind::v1, piece);
	seeder const s(files);
	// 4 MiB and the eighth that may be lent.
	auto options = local_engine({s.endpoint()}, (4 << 20) / 7 * 8);
	options.lookbehind = extent::bytes(4 << 20);
	options.read_ahead = extent::bytes(4 << 20);
	options.reader_idle_after = 200ms;
	engine e(options);
	auto const id = add_ready(e, files);
	auto const pauses = open(e, id, 0);
	ASSERT_TRUE(pauses->seek(12 << 20));
	ASSERT_TRUE(plays(*pauses, files, 100'000));
	auto const r = open(e, id, 0);
	std::int64_t least = 4 << 20;
	// In one answer: this one reads and has nearly all; that one is idle and has its head.
	EXPECT_TRUE(comes_true([&] {
		if (r->position_bytes() > (10 << 20)) { EXPECT_TRUE(r->seek(0)); }
		EXPECT_TRUE(plays(*r, files, 100'000));
		auto const all = e.readers();
		if (all.size() != 2) return false;
		reader_entry const& idle = all[0];
		reader_entry const& reads = all[1];
		if (!reads.idle) least = std::min(least, reads.lookbehind_bytes);
		return idle.idle && !reads.idle && idle.end_piece - idle.first_piece == 2 && idle.lookbehind_bytes == 0
			&& reads.lookbehind_bytes > (5 << 18) && reads.end_piece - reads.first_piece > 20;
	}));
	EXPECT_LT(least, 1 << 20) << "while both read they have half each";
	// It goes on at once: its head is still here.
	auto const before = e.memory().torrent(files.hashes()).has_piece(lt::piece_index_t{(12 << 20) / piece + 1});
	EXPECT_TRUE(before);
	ASSERT_TRUE(plays(*pauses, files, 1 << 20));
	EXPECT_FALSE(e.readers()[0].idle);
}

TEST(sharing, nobody_starves_on_one_film_on_two_or_beside_one_that_pauses)
{
	shared_files const one("one", {{"one.mkv", 16 << 20}}, torrent_kind::v1, piece, 1);
	shared_files const two("two", {{"two.mkv", 16 << 20}}, torrent_kind::hybrid, piece, 2);
	seeder const s1(one);
	seeder const s2(two);
	engine e(local_engine({}, 8 << 20));
	auto const a = add_ready(e, one);
	auto const b = add_ready(e, two);
	ASSERT_TRUE(e.connect(a, s1.endpoint()));
	ASSERT_TRUE(e.connect(b, s2.endpoint()));
	auto const near = open(e, a, 0);
	auto const far = open(e, a, 0);
	auto const other = open(e, b, 0);
	auto const paused = open(e, b, 0);
	ASSERT_TRUE(far->seek(8 << 20));
	ASSERT_TRUE(paused->seek(12 << 20));
	ASSERT_TRUE(plays(*paused, two, 100'000));
	for (int i = 0; i < 24; ++i)
	{
		ASSERT_TRUE(plays(*near, one, 256 << 10)) << i;
		ASSERT_TRUE(plays(*far, one, 256 << 10)) << i;
		ASSERT_TRUE(plays(*other, two, 256 << 10)) << i;
		for (reader_entry const& r : e.readers()) ASSERT_GE(r.end_piece - r.first_piece, 2) << i;
	}
	ASSERT_TRUE(plays(*paused, two, 1 << 20));
	EXPECT_LE(e.memory().stats().peak_bytes, e.memory().capacity_bytes());
	// What was played, and read-ahead of a megabyte for each; nothing was thrown away and fetched again.
	EXPECT_LE(e.payload().downloaded_bytes, 3 * (6 << 20) + (1 << 20) + 100'000 + 4 * (1 << 20) + 8 * piece + (1 << 20));
}

TEST(sharing, windows_change_while_a_film_plays)
{
	shared_files const files("film", {{"film.mkv", 8 << 20}}, torrent_kind::v1, piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}, 16 << 20));
	EXPECT_EQ(e.windows(), (window_extents{{}, extent::share(250'000)}));
	auto const r = open(e, add_ready(e, files), 0);
	ASSERT_TRUE(plays(*r, files, 1 << 20));
	EXPECT_EQ(e.readers()[0].lookbehind_bytes, 4 << 20);
	ASSERT_TRUE(e.set_windows({extent::bytes(5 * piece), extent::share(125'000)}));
	EXPECT_TRUE(comes_true([&] {
		auto const now = e.readers()[0];
		return now.lookbehind_bytes == 2 << 20 && now.end_piece - now.first_piece == 5;
	}));
	EXPECT_FALSE(e.set_windows({extent::bytes(-1), {}}));
	EXPECT_EQ(e.windows(), (window_extents{extent::bytes(5 * piece), extent::share(125'000)}));
}

TEST(sharing, seconds_are_what_a_reader_takes_once_that_is_known)
{
	shares all;
	all.set_extents(extent::time(30s), extent::time(10s));
	auto const one = all.next_number();
	constexpr std::int64_t capacity = 256 << 20;
	shares::facts f{.piece_length_bytes = 1 << 20, .size_bytes = std::int64_t{1} << 34};
	EXPECT_TRUE(all.tell(one, f));
	EXPECT_EQ(all.of(one, capacity, capacity).lookbehind_bytes, capacity / 4);
	f.consumed_bytes_s = 1'000'000;
	EXPECT_TRUE(all.tell(one, f));
	EXPECT_EQ(all.of(one, capacity, capacity).lookbehind_bytes, 30'000'000);
	EXPECT_EQ(all.of(one, capacity, capacity).read_ahead_bytes, 10'000'000);
	f.consumed_bytes_s = 1'100'000;
	EXPECT_FALSE(all.tell(one, f)) << "little changed: windows are not moved about";
	f.consumed_bytes_s = 2'000'000;
	EXPECT_TRUE(all.tell(one, f));
	EXPECT_EQ(all.of(one, capacity, capacity).lookbehind_bytes, 60'000'000);
	EXPECT_EQ(all.of(one, capacity, 42 << 20).lookbehind_bytes, (40 << 20) - 20'000'000) << "with less to protect";
	EXPECT_TRUE(all.forget(one));
	EXPECT_FALSE(all.forget(one));
	EXPECT_EQ(all.of(one, capacity, capacity), stream::portion{});
}

// A piece of 4 KiB takes a block of 16: ten seconds of film are four times as much memory.
TEST(sharing, ten_seconds_are_of_the_film_though_its_pieces_take_several_times_their_length)
{
	shares all;
	constexpr std::int64_t memory = std::int64_t{1} << 30;
	constexpr std::int64_t pace = 5'000'000;
	auto const reader = all.next_number();
	auto const ahead_with_pieces_of = [&](int const bytes)
	{
		all.tell(reader, {.piece_length_bytes = bytes, .size_bytes = std::int64_t{1} << 34, .consumed_bytes_s = pace});
		return all.of(reader, memory, memory).read_ahead_bytes;
	};
	// An eighth of memory is more than ten seconds, where a byte takes a byte.
	EXPECT_EQ(ahead_with_pieces_of(1 << 20), std::int64_t{64} << 20);
	EXPECT_NEAR(double(ahead_with_pieces_of(4096)), double(10 * pace), 4096);
}

TEST(sharing, seconds_of_a_pace_that_is_not_known_are_of_memory)
{
	shares all;
	all.set_extents(extent::time(30s), extent::time(10s));
	constexpr std::int64_t memory = std::int64_t{1} << 30;
	auto const reader = all.next_number();
	all.tell(reader, {.piece_length_bytes = 4096, .size_bytes = std::int64_t{1} << 34}); // a byte of it takes four
	auto const has = all.of(reader, memory, memory);
	EXPECT_EQ(has.lookbehind_bytes, memory / 4 / 4);
	EXPECT_EQ(has.read_ahead_bytes, (std::int64_t{128} << 20) / 2 / 4);
}

TEST(dropping, takes_a_torrent_that_nobody_reads_and_no_other)
{
	shared_files const read("read", {{"read.mkv", 1 << 20}}, torrent_kind::v1, piece, 1);
	shared_files const idle("idle", {{"idle.mkv", 1 << 20}}, torrent_kind::v1, piece, 2);
	seeder const s1(read);
	auto options = local_engine({});
	options.drop_idle_after = 1s;
	engine e(options);
	auto const a = add_ready(e, read);
	auto r = open(e, a, 0);
	ASSERT_TRUE(e.connect(a, s1.endpoint()));
	ASSERT_TRUE(plays(*r, read, 1 << 20));
	auto const b = e.add_torrent_file(idle.torrent_file()).value();
	EXPECT_TRUE(comes_true([&] { return !e.find(b); }));
	auto const gone = e.find(b);
	EXPECT_TRUE(gone.error().is(errc::no_such_torrent));
	EXPECT_NE(gone.error().detail.find("nobody had read it for 1s"), std::string::npos) << gone.error().detail;
	EXPECT_EQ(e.find(a)->use, torrent_use::used);
	EXPECT_FALSE(e.find(a)->drops_at);
	r.reset();
	EXPECT_TRUE(comes_true([&] { return !e.find(a); }));
	EXPECT_TRUE(comes_true([&] { return e.memory().stats().used_bytes == 0; }));
	EXPECT_EQ(e.payload().downloaded_bytes, 1 << 20);
	// Added again it is as any other.
	EXPECT_EQ(e.add_torrent_file(idle.torrent_file()).value(), b);
	EXPECT_EQ(e.find(b)->use, torrent_use::added);
}

TEST(dropping, is_announced_and_off_unless_it_is_asked_for)
{
	shared_files const files("film", {{"film.mkv", 1 << 20}}, torrent_kind::v1, piece);
	seeder const s(files);
	engine never(local_engine({s.endpoint()}));
	auto const there = never.find(add_ready(never, files));
	EXPECT_EQ(there->use, torrent_use::added);
	EXPECT_FALSE(there->drops_at);

	auto options = local_engine({s.endpoint()});
	options.drop_idle_after = 1h;
	engine e(options);
	auto const id = add_ready(e, files);
	auto const added = e.find(id);
	ASSERT_TRUE(added->drops_at);
	auto const left = *added->drops_at - std::chrono::system_clock::now();
	EXPECT_LE(left, 1h);
	EXPECT_GT(left, 50min);
	{
		auto const r = open(e, id, 0);
		EXPECT_EQ(e.find(id)->use, torrent_use::used);
		EXPECT_FALSE(e.find(id)->drops_at);
	}
	EXPECT_TRUE(comes_true([&] { return e.find(id)->use == torrent_use::idle; }));
	EXPECT_GE(*e.find(id)->drops_at, *added->drops_at);
	EXPECT_EQ(*e.find(id)->drops_at, *e.find(id)->drops_at);
}

TEST(dropping, is_not_of_a_magnet_link_that_somebody_waits_for)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	auto options = local_engine({});
	options.drop_idle_after = 50ms;
	engine e(options);
	auto const id = e.add_magnet(files.magnet());
	ASSERT_TRUE(id);
	auto waiting = start_wait(e, *id);
	shared_files const other("other", {{"other.mkv", 100'000}}, torrent_kind::v1, piece, 5);
	auto const later = e.add_magnet(other.magnet());
	ASSERT_TRUE(later);
	EXPECT_TRUE(comes_true([&] { return !e.find(*later); }));
	EXPECT_EQ(e.find(*id)->use, torrent_use::added);
	ASSERT_TRUE(e.remove(*id));
	EXPECT_EQ(outcome(waiting), errc::no_such_torrent);
}

TEST(dropping, gives_up_what_was_kept_for_readers_before_the_torrent)
{
	shared_files const files("film", {{"film.mkv", 16 << 20}}, torrent_kind::v1, piece);
	seeder const s(files);
	auto options = local_engine({s.endpoint()}, 4 << 20);
	options.reader_idle_after = 200ms;
	engine e(options);
	auto const id = add_ready(e, files);
	{
		auto const r = open(e, id, 0);
		ASSERT_TRUE(plays(*r, files, 4 << 20));
	}
	EXPECT_TRUE(comes_true([&] { return e.memory().stats().lookbehind_bytes == 0; }));
	EXPECT_TRUE(e.find(id));
}

TEST(files, are_told_when_a_torrent_can_be_read)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	engine e(local_engine({}));
	auto const magnet = e.add_magnet(files.magnet());
	ASSERT_TRUE(magnet);
	EXPECT_TRUE(e.files(*magnet).error().is(errc::no_metadata));
	EXPECT_TRUE(e.files("x").error().is(errc::no_such_torrent));
	ASSERT_TRUE(e.remove(*magnet));
	auto const id = add_ready(e, files);
	auto const known = e.files(id);
	ASSERT_TRUE(known);
	EXPECT_EQ((*known)->id, id);
	EXPECT_EQ((*known)->name, "film.mkv");
	EXPECT_EQ((*known)->files.at(0).size_bytes, 100'000);
	EXPECT_EQ((*e.files(id)).get(), known->get()) << "the same table, not a copy";
}

TEST(a_reader_that_fails, says_the_sum)
{
	// The floor of one film and of no more: see window.at_the_floor_itself_a_film_plays.
	shared_files const one("one", {{"one.mkv", 4 << 20}}, torrent_kind::v1, 16 * block_size_bytes, 1);
	shared_files const two("two", {{"two.mkv", 4 << 20}}, torrent_kind::v1, 16 * block_size_bytes, 2);
	seeder const s1(one);
	seeder const s2(two);
	engine e(local_engine({}, 101 * block_size_bytes));
	auto const a = add_ready(e, one);
	auto const b = add_ready(e, two);
	ASSERT_TRUE(e.connect(a, s1.endpoint()));
	auto const r1 = open(e, a, 0);
	ASSERT_TRUE(plays(*r1, one, 1 << 20));
	EXPECT_EQ(r1->failure(), "");
	auto const r2 = open(e, b, 0);
	auto waiting = start_lease(*r2);
	EXPECT_EQ(outcome(waiting), errc::no_space);
	EXPECT_NE(r2->failure().find("needed"), std::string::npos) << r2->failure();
	EXPECT_NE(r2->failure().find("open pieces"), std::string::npos) << r2->failure();
}

} // namespace
} // namespace slipstream::test
