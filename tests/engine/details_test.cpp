// What an engine tells of its torrents, and pausing them.
#include "engine/engine_fixture.hpp"

#include <chrono>

namespace slipstream::test {
namespace {

constexpr int piece = 64 << 10;

// The pieces in all runs, which must follow each other without a gap.
int pieces_in(std::vector<piece_run> const& runs)
{
	int next = 0;
	for (piece_run const& run : runs)
	{
		EXPECT_EQ(run.first, next);
		EXPECT_GT(run.count, 0);
		next += run.count;
	}
	return next;
}

// Whoever looks at a torrent often, as metrics and events do, copies no names.
TEST(summaries, share_the_list_of_files)
{
	shared_files const files("folder", {{"a.bin", 100'000}, {"b.bin", 100'000}}, torrent_kind::v1, piece);
	engine e(local_engine({}));
	auto const id = add_ready(e, files);
	auto const one = e.find(id);
	ASSERT_TRUE(one);
	ASSERT_EQ(one->files.size(), 2u);
	EXPECT_EQ(&one->files.list(), &e.torrents().at(0).files.list());
	EXPECT_EQ(&one->files.list(), &(*e.files(id))->files.list());
}

TEST(details, have_peers_pieces_and_readers)
{
	shared_files const files("folder", {{"a.bin", 100'000}, {"empty.txt", 0}, {"film.mkv", 1'000'000}}, torrent_kind::v1, piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}));
	auto const id = add_ready(e, files);
	auto const before = e.details(id);
	ASSERT_TRUE(before);
	int const num_pieces = before->summary.num_pieces;
	EXPECT_EQ(before->pieces, (std::vector<piece_run>{{0, num_pieces, piece_state::absent}}));
	EXPECT_TRUE(before->readers.empty());

	auto const r = open(e, id, 2);
	ASSERT_TRUE(r->seek(300'000));
	EXPECT_EQ(read_up_to(*r, 1000).bytes, files.content(2).substr(300'000, 1000));
	auto const during = e.details(id);
	ASSERT_TRUE(during);
	EXPECT_EQ(pieces_in(during->pieces), num_pieces);
	auto const is_verified = [&](int const p) {
		for (piece_run const& run : during->pieces)
			if (run.first <= p && p < run.first + run.count) return run.state == piece_state::verified;
		return false;
	};
	EXPECT_TRUE(is_verified((100'000 + 300'000) / piece));
	ASSERT_EQ(during->peers.size(), 1u);
	EXPECT_EQ(during->peers[0].endpoint, s.endpoint());
	EXPECT_TRUE(during->peers[0].outgoing);
	EXPECT_TRUE(during->peers[0].seed);
	EXPECT_EQ(during->peers[0].progress_ppm, 1'000'000);
	ASSERT_EQ(during->readers.size(), 1u);
	reader_entry const& entry = during->readers[0];
	EXPECT_EQ(entry.torrent_id, id);
	EXPECT_EQ(entry.file_index, 2);
	EXPECT_EQ(entry.position_bytes, 301'000);
	EXPECT_EQ(entry.size_bytes, 1'000'000);
	EXPECT_LE(entry.first_piece, (100'000 + 301'000) / piece);
	EXPECT_GT(entry.end_piece, (100'000 + 301'000) / piece);
	EXPECT_FALSE(entry.waiting);
	EXPECT_EQ(e.readers().size(), 1u);

	EXPECT_TRUE(e.details(std::string(40, 'a')).error().is(errc::no_such_torrent));
	e.stop();
	EXPECT_TRUE(e.readers().empty());
	EXPECT_FALSE(e.details(id));
}

TEST(paused, a_torrent_gives_what_is_in_memory_and_fetches_the_rest_once_resumed)
{
	shared_files const files("film", {{"film.mkv", 3'000'000}}, torrent_kind::v1, piece);
	seeder const s(files);
	engine_options o = local_engine({s.endpoint()});
	o.read_ahead = extent::bytes(piece);
	engine e(std::move(o));
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	EXPECT_FALSE(read_up_to(*r, 1000).ec);

	EXPECT_EQ(*e.pause(id), id);
	EXPECT_EQ(*e.pause(id), id);
	EXPECT_TRUE(e.find(id)->paused);
	ASSERT_TRUE(r->seek(0));
	EXPECT_EQ(read_up_to(*r, 1000).bytes, files.content(0).substr(0, 1000));
	ASSERT_TRUE(r->seek(2'500'000));
	auto waiting = start_lease(*r);
	EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
	EXPECT_TRUE(e.readers().at(0).waiting);

	EXPECT_EQ(*e.resume(id), id);
	EXPECT_FALSE(e.find(id)->paused);
	EXPECT_FALSE(outcome(waiting));
	EXPECT_TRUE(e.pause(std::string(40, 'a')).error().is(errc::no_such_torrent));
	EXPECT_TRUE(e.resume("x").error().is(errc::no_such_torrent));
}

TEST(paused, a_magnet_link_gets_its_metadata_once_resumed)
{
	shared_files const files("film", {{"film.mkv", 500'000}}, torrent_kind::v1, piece);
	engine_options o = local_engine({});
	engine e(std::move(o));
	auto const id = e.add_magnet(files.magnet());
	ASSERT_TRUE(id);
	EXPECT_TRUE(e.pause(*id));
	seeder const s(files);
	ASSERT_TRUE(e.connect(*id, s.endpoint()));
	EXPECT_EQ(e.find(*id)->phase, torrent_phase::metadata);
	EXPECT_TRUE(e.resume(*id));
	EXPECT_FALSE(wait_ready(e, *id));
	auto const r = open(e, *id, 0);
	EXPECT_TRUE(read_all(*r).bytes == files.content(0));
}

} // namespace
} // namespace slipstream::test
