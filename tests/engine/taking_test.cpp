// Readers take what is in memory in the calling thread; the engine hears of it afterwards.
#include "engine/engine_fixture.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace slipstream::test {
namespace {

constexpr int piece = 64 << 10;
constexpr std::int64_t film_bytes = 20 * piece + 777;

struct taking : testing::Test
{
	shared_files files{"film", {{"film.mkv", film_bytes}}, torrent_kind::v1, piece};
	seeder seed{files};

	static std::string text(lease const& l)
	{
		std::string all;
		for (auto const v : l.views()) all.append(v.data(), v.size());
		return all;
	}
	// With all of the film in memory.
	std::string fill(engine& e) const
	{
		auto const id = add_ready(e, files);
		EXPECT_EQ(read_all(*open(e, id, 0)).bytes.size(), std::size_t(film_bytes));
		return id;
	}
};

TEST_F(taking, what_is_in_memory_comes_at_once_and_in_order)
{
	engine e(local_engine({seed.endpoint()}));
	auto const r = open(e, fill(e), 0);
	std::string got;
	for (lease l = r->take(100'000); !l.empty(); l = r->take(100'000))
	{
		EXPECT_LE(l.size_bytes(), 100'000u);
		got += text(l);
		EXPECT_EQ(r->position_bytes(), std::int64_t(got.size()));
	}
	EXPECT_TRUE(got == files.content(0));
	EXPECT_TRUE(r->take(1).empty()) << "beyond the end of the file";
	ASSERT_TRUE(r->seek(5 * piece - 10));
	EXPECT_EQ(text(r->take(20)), files.content(0).substr(5 * piece - 10, 20)) << "across two pieces";
}

TEST_F(taking, nothing_comes_that_is_not_there)
{
	engine e(local_engine({}));
	auto const r = open(e, add_ready(e, files), 0);
	EXPECT_TRUE(r->take(1000).empty());
	EXPECT_EQ(r->position_bytes(), 0);
}

TEST_F(taking, nothing_comes_while_a_lease_is_waited_for_and_it_goes_on_afterwards)
{
	engine e(local_engine({}));
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	auto waiting = start_lease(*r);
	EXPECT_TRUE(r->take(1000).empty());
	r->cancel();
	EXPECT_EQ(outcome(waiting), errc::cancelled);
	ASSERT_TRUE(e.connect(id, seed.endpoint()));
	EXPECT_TRUE(read_all(*r).bytes == files.content(0));
	ASSERT_TRUE(r->seek(0));
	EXPECT_FALSE(r->take(1000).empty());
}

TEST_F(taking, a_seek_ends_a_lease_that_is_waited_for)
{
	engine e(local_engine({}));
	auto const r = open(e, add_ready(e, files), 0);
	auto waiting = start_lease(*r);
	ASSERT_TRUE(r->seek(3 * piece));
	EXPECT_EQ(outcome(waiting), errc::cancelled);
	EXPECT_EQ(r->position_bytes(), 3 * piece);
	EXPECT_TRUE(r->seek(film_bytes));
	EXPECT_FALSE(r->seek(film_bytes + 1));
	EXPECT_FALSE(r->seek(-1));
	EXPECT_EQ(r->position_bytes(), film_bytes);
}

TEST_F(taking, the_engine_hears_where_the_reader_is)
{
	engine e(local_engine({seed.endpoint()}));
	auto const r = open(e, fill(e), 0);
	auto const window = [&] {
		auto const all = e.readers();
		return all.empty() ? std::pair(-1, -1) : std::pair(all[0].first_piece, all[0].end_piece);
	};
	EXPECT_EQ(window().first, window().second) << "it was opened, and read nothing";
	ASSERT_FALSE(r->take(10).empty());
	EXPECT_EQ(window().first, 0);
	while (r->position_bytes() < 7 * piece) ASSERT_FALSE(r->take(piece).empty());
	EXPECT_EQ(window().first, 7);
	ASSERT_TRUE(r->seek(12 * piece));
	EXPECT_EQ(window().first, 12);
}

TEST_F(taking, nothing_comes_of_a_torrent_that_was_removed)
{
	engine e(local_engine({seed.endpoint()}));
	auto const id = fill(e);
	auto const r = open(e, id, 0);
	ASSERT_FALSE(r->take(1000).empty());
	ASSERT_TRUE(e.remove(id));
	EXPECT_TRUE(r->take(1000).empty());
	EXPECT_EQ(read_up_to(*r, 1000).ec, errc::no_such_torrent);
	EXPECT_FALSE(r->seek(0));
	EXPECT_TRUE(e.files(id).error().is(errc::no_such_torrent));
	EXPECT_TRUE(e.open(id, 0).error().is(errc::no_such_torrent));
}

TEST_F(taking, files_that_there_are_not_are_refused)
{
	engine e(local_engine({seed.endpoint()}));
	auto const id = add_ready(e, files);
	EXPECT_TRUE(e.open(id, 1).error().is(errc::no_such_file));
	EXPECT_TRUE(e.open(id, -1).error().is(errc::no_such_file));
	EXPECT_TRUE(e.open("nonsense", 0).error().is(errc::no_such_torrent));
	std::string shout = id;
	for (char& c : shout) c = static_cast<char>(std::toupper(c));
	EXPECT_TRUE(e.open(shout, 0));
}

// What a thread holds of a torrent is right, or it is told that there is none.
TEST_F(taking, torrents_come_and_go_and_memory_shrinks_while_many_take)
{
	engine e(local_engine({seed.endpoint()}, 8 << 20));
	auto const id = fill(e);
	std::atomic<bool> over = false;
	std::atomic<int> wrong = 0;
	std::atomic<int> taken = 0;
	std::vector<std::thread> takers;
	for (int n = 0; n < 3; ++n)
		takers.emplace_back([&, n] {
			for (int i = n; !over; ++i)
			{
				auto opened = e.open(id, 0);
				if (!opened) continue;
				auto& r = **opened;
				auto const from = std::int64_t(i * 7919) % film_bytes;
				if (!r.seek(from)) continue;
				auto const got = text(r.take(50'000));
				taken += got.empty() ? 0 : 1;
				if (got != files.content(0).substr(std::size_t(from), got.size())) ++wrong;
			}
		});
	memory_disk memory = e.memory();
	for (int round = 0; round < 10; ++round)
	{
		EXPECT_TRUE(memory.set_capacity_bytes(round % 2 == 0 ? 4 << 20 : 8 << 20));
		EXPECT_TRUE(e.remove(id));
		fill(e);
	}
	over = true;
	for (auto& t : takers) t.join();
	EXPECT_EQ(wrong, 0);
	EXPECT_GT(taken, 0);
}

TEST_F(taking, an_engine_that_stops_meanwhile_is_no_harm)
{
	engine e(local_engine({seed.endpoint()}));
	auto const id = fill(e);
	std::atomic<bool> over = false;
	auto const r = open(e, id, 0);
	std::thread taker([&] {
		while (!over)
		{
			while (!r->take(30'000).empty()) {}
			static_cast<void>(r->seek(0));
			static_cast<void>(e.open(id, 0));
		}
	});
	e.stop();
	over = true;
	taker.join();
	EXPECT_TRUE(e.open(id, 0).error().is(errc::cancelled));
	EXPECT_TRUE(e.files(id).error().is(errc::cancelled));
}

} // namespace
} // namespace slipstream::test
