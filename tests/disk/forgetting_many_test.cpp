// Several torrents in a memory too small for all of them: who gets what, and that nobody gets it again and again.
#include "forgetting_film.hpp"

#include <memory>
#include <string>

using namespace slipstream;
using namespace slipstream::test;

namespace {

// Counts the seconds of a session, as libtorrent sees them.
class tick_counter final : public lt::plugin
{
public:
	lt::feature_flags_t implemented_features() override { return tick_feature; }
	void on_tick() override { ++ticks; }
	std::atomic<int> ticks{0};
};

struct shared_film
{
	explicit shared_film(int const number)
		: files("film" + std::to_string(number), {{"film" + std::to_string(number), 40 * film_piece_bytes}}, torrent_kind::v1
			, film_piece_bytes, std::uint32_t(number + 1))
		, seed(files) {}
	shared_files files;
	seeder seed;
	lt::torrent_handle torrent;
};

class many_films
{
public:
	many_films(int const count, int const pieces_in_memory)
		: mine(memory_disk({.capacity_bytes = pieces_in_memory * film_piece_bytes, .evict = true}), 4)
	{
		mine.session().add_extension(clock);
		for (int i = 0; i < count; ++i)
		{
			films.push_back(std::make_unique<shared_film>(i));
			auto& f = *films.back();
			f.torrent = mine.add(f.files);
			f.torrent.connect_peer(f.seed.endpoint());
		}
	}
	[[nodiscard]] int downloaded() const
	{
		int n = 0;
		for (auto const& [piece, times] : mine.finished) n += times;
		return n;
	}
	// Runs until so many seconds have passed in which nothing came.
	bool settles(int const seconds)
	{
		int last = -1;
		int since = 0;
		return mine.run_until([&] {
			if (downloaded() != last) { last = downloaded(); since = clock->ticks; }
			return clock->ticks - since >= seconds;
		});
	}
	memory_torrent storage(int const i) { return mine.disk().torrent(films[std::size_t(i)]->files.hashes()); }

	memory_session mine;
	std::shared_ptr<tick_counter> clock = std::make_shared<tick_counter>();
	std::vector<std::unique_ptr<shared_film>> films;
};

TEST(forgetting_many, torrents_that_nobody_reads_share_the_memory_and_do_not_churn)
{
	for (int const count : {3, 12})
	{
		many_films f(count, 20);
		ASSERT_TRUE(f.settles(4)) << count;
		auto const m = f.mine.disk().stats();
		EXPECT_GT(f.downloaded(), 0) << count;
		// The first have more at first, and give it up to those that come after them; once.
		EXPECT_LE(m.pieces_evicted, 20) << count;
		EXPECT_LE(f.downloaded(), 20 + m.pieces_evicted) << count << " torrents: what came once came again";
		EXPECT_LE(m.peak_bytes, m.capacity_bytes);
		for (auto const& t : f.films)
		{
			EXPECT_TRUE(t->torrent.status().is_finished) << count << " torrents: one stalled";
			EXPECT_EQ(t->torrent.status().total_failed_bytes, 0);
		}
	}
}

TEST(forgetting_many, what_is_read_takes_its_room_from_those_that_nobody_reads)
{
	many_films f(3, 20);
	ASSERT_TRUE(f.settles(2));
	for (int at = 0; at < 36; ++at)
	{
		auto const given = f.storage(1).set_reader_pieces(pieces_of(at, at + 4));
		ASSERT_TRUE(given.has_value()) << given.error().detail;
		ASSERT_TRUE(f.mine.run_until([&] {
			auto const s = f.storage(1).state(lt::piece_index_t(at));
			return s && *s == piece_state::verified;
		})) << at;
	}
	ASSERT_TRUE(f.settles(3));
	EXPECT_LE(f.mine.disk().stats().peak_bytes, f.mine.disk().capacity_bytes());
}

} // namespace
