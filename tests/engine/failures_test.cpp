// What goes wrong, and what the engine's callers hear of it.
#include "engine/engine_fixture.hpp"

#include <gmock/gmock.h>

#include <chrono>

namespace slipstream::test {
namespace {

constexpr int piece = 64 << 10;
using namespace std::chrono_literals;

TEST(failures, a_magnet_nobody_answers_times_out)
{
	auto options = local_engine({nobody()});
	options.metadata_timeout = 200ms;
	engine e(options);
	auto const id = e.add("magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=film");
	ASSERT_TRUE(id);
	EXPECT_EQ(wait_ready(e, *id), errc::metadata_timeout);
	auto const summary = e.find(*id);
	ASSERT_TRUE(summary);
	EXPECT_EQ(summary->phase, torrent_phase::failed);
	ASSERT_TRUE(summary->failure);
	EXPECT_NE(summary->failure->detail.find("200 ms"), std::string::npos);
	EXPECT_EQ(summary->name, "film");
	EXPECT_EQ(wait_ready(e, *id), errc::metadata_timeout);
	auto const r = e.open(*id, 0);
	ASSERT_FALSE(r);
	EXPECT_TRUE(r.error().is(errc::no_metadata));
}

TEST(failures, metadata_that_comes_late_still_counts)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	auto options = local_engine({});
	options.metadata_timeout = 100ms;
	engine e(options);
	auto const id = e.add(files.magnet());
	ASSERT_TRUE(id);
	ASSERT_EQ(wait_ready(e, *id), errc::metadata_timeout);
	seeder const s(files);
	ASSERT_TRUE(e.connect(*id, s.endpoint()));
	// Polls, as a user would: the wait was answered already.
	auto const deadline = std::chrono::steady_clock::now() + 60s;
	while (e.find(*id)->phase != torrent_phase::ready && std::chrono::steady_clock::now() < deadline)
		std::this_thread::yield();
	EXPECT_EQ(wait_ready(e, *id), boost::system::error_code{});
}

TEST(failures, a_read_without_peers_times_out)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	auto options = local_engine({});
	options.read_timeout = 200ms;
	engine e(options);
	auto const r = open(e, add_ready(e, files), 0);
	auto waiting = start_lease(*r);
	EXPECT_EQ(outcome(waiting), errc::read_timeout);
	auto again = start_lease(*r);
	EXPECT_EQ(outcome(again), errc::read_timeout);
}

TEST(failures, removing_the_torrent_ends_a_waiting_read)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	engine e(local_engine({}));
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	auto waiting = start_lease(*r);
	ASSERT_TRUE(e.remove(id));
	EXPECT_EQ(outcome(waiting), errc::no_such_torrent);
	auto after = start_lease(*r);
	EXPECT_EQ(outcome(after), errc::no_such_torrent);
	EXPECT_FALSE(r->seek(1));
	auto const twice = e.remove(id);
	ASSERT_FALSE(twice);
	EXPECT_TRUE(twice.error().is(errc::no_such_torrent));
	EXPECT_EQ(wait_ready(e, id), errc::no_such_torrent);
}

TEST(failures, removing_a_magnet_ends_the_wait_for_it)
{
	engine e(local_engine({}));
	auto const id = e.add("magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567");
	ASSERT_TRUE(id);
	auto waiting = start_wait(e, *id);
	ASSERT_TRUE(e.remove(*id));
	EXPECT_EQ(outcome(waiting), errc::no_such_torrent);
	EXPECT_TRUE(e.torrents().empty());
}

TEST(failures, cancelling_ends_a_waiting_read_and_the_reader_goes_on)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	engine e(local_engine({}));
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	auto waiting = start_lease(*r);
	auto second = start_lease(*r);
	EXPECT_EQ(outcome(second), errc::bad_argument);
	r->cancel();
	EXPECT_EQ(outcome(waiting), errc::cancelled);
	auto sought = start_lease(*r);
	ASSERT_TRUE(r->seek(10));
	EXPECT_EQ(outcome(sought), errc::cancelled);
	seeder const s(files);
	ASSERT_TRUE(e.connect(id, s.endpoint()));
	EXPECT_TRUE(read_all(*r).bytes == files.content(0).substr(10));
}

TEST(failures, a_lease_of_nothing_is_a_bad_argument)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	engine e(local_engine({}));
	auto const r = open(e, add_ready(e, files), 0);
	auto const got = r->read({});
	ASSERT_FALSE(got);
	EXPECT_TRUE(got.error().is(errc::bad_argument));
}

TEST(failures, destroying_a_reader_cancels_its_read)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	engine e(local_engine({}));
	auto const id = add_ready(e, files);
	auto r = open(e, id, 0);
	auto waiting = start_lease(*r);
	r.reset();
	EXPECT_EQ(outcome(waiting), errc::cancelled);
	EXPECT_EQ(e.find(id)->readers, 0);
}

TEST(failures, stopping_cancels_all_that_waits_and_all_that_comes)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	engine e(local_engine({nobody()}));
	auto const id = add_ready(e, files);
	auto const magnet = e.add("magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567");
	ASSERT_TRUE(magnet);
	auto const r = open(e, id, 0);
	auto waiting = start_lease(*r);
	auto ready = start_wait(e, *magnet);
	e.stop();
	EXPECT_EQ(outcome(waiting), errc::cancelled);
	EXPECT_EQ(outcome(ready), errc::cancelled);

	EXPECT_TRUE(e.torrents().empty());
	EXPECT_TRUE(e.find(id).error().is(errc::cancelled));
	EXPECT_TRUE(e.add(*magnet).error().is(errc::bad_torrent));
	EXPECT_TRUE(e.add_torrent_file(files.torrent_file()).error().is(errc::cancelled));
	EXPECT_TRUE(e.remove(id).error().is(errc::cancelled));
	EXPECT_TRUE(e.open(id, 0).error().is(errc::cancelled));
	EXPECT_TRUE(e.connect(id, nobody()).error().is(errc::cancelled));
	EXPECT_TRUE(e.peer_endpoints().empty());
	EXPECT_EQ(wait_ready(e, id), errc::cancelled);
	auto after = start_lease(*r);
	EXPECT_EQ(outcome(after), errc::cancelled);
	EXPECT_FALSE(r->seek(0));
	r->cancel();
	e.stop();
}

TEST(failures, a_reader_may_outlive_its_engine)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	std::unique_ptr<reader> r;
	{
		engine e(local_engine({}));
		r = open(e, add_ready(e, files), 0);
	}
	EXPECT_EQ(r->size_bytes(), 100'000);
	auto after = start_lease(*r);
	EXPECT_EQ(outcome(after), errc::cancelled);
}

TEST(failures, pieces_too_large_for_the_memory_are_refused_with_the_sum)
{
	shared_files const files("film", {{"film.mkv", 8 << 20}}, torrent_kind::v1, 1 << 20);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}, 2 << 20));
	auto const id = e.add_torrent_file(files.torrent_file());
	ASSERT_TRUE(id);
	EXPECT_EQ(wait_ready(e, *id), errc::no_space);
	auto const found = e.find(*id);
	ASSERT_TRUE(found && found->failure);
	EXPECT_THAT(found->failure->detail, testing::HasSubstr("capacity 2097152 bytes; needed "));
	EXPECT_FALSE(e.open(*id, 0));
	// One that fits whole is not asked for room to make.
	shared_files const small("small", {{"small.mkv", 1 << 20}}, torrent_kind::v1, 1 << 20);
	seeder const t(small);
	auto const other = add_ready(e, small);
	ASSERT_TRUE(e.connect(other, t.endpoint()));
	EXPECT_TRUE(read_all(*open(e, other, 0)).bytes == small.content(0));
}

TEST(failures, bytes_that_are_not_verified_yet_do_not_come_out)
{
	shared_files const files("film", {{"film.mkv", 4 << 20}}, torrent_kind::v1, 2 << 20);
	seeder_options slow;
	slow.upload_limit_bytes_s = 200'000;
	seeder const s(files, slow);
	engine e(local_engine({s.endpoint()}));
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	auto first = start_lease(*r);
	auto const deadline = std::chrono::steady_clock::now() + 60s;
	auto const memory = e.memory().torrent(files.hashes());
	auto const first_byte_is_there = [&] { return memory.view(lt::piece_index_t{0}, 0, 1, false).has_value(); };
	while (!first_byte_is_there() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
	r->cancel();
	EXPECT_EQ(outcome(first), errc::cancelled);
	ASSERT_TRUE(first_byte_is_there());
	// find() is answered after the new read was tried.
	auto second = start_lease(*r);
	ASSERT_EQ(e.find(id)->verified_pieces, 0);
	EXPECT_EQ(second.wait_for(0s), std::future_status::timeout);
}

TEST(failures, corrupt_bytes_never_come_out)
{
	shared_files const files("film", {{"film.mkv", 600'000}}, torrent_kind::v1, piece);
	temporary_folder const lies;
	files.write_corrupt_copy(lies.path());
	seeder liar(files, {.folder = lies.path(), .blind = true});
	auto options = local_engine({liar.endpoint()});
	engine e(options);
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	auto waiting = start_lease(*r);
	// The liar is tried first: it is the only one there. When its piece is found wrong it is cut off, maybe before it has
	// counted the last of what it sent.
	auto const deadline = std::chrono::steady_clock::now() + 60s;
	auto const has_lied = [&] { return liar.uploaded_bytes() >= piece || !liar.departures().empty(); };
	while (!has_lied() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
	ASSERT_TRUE(has_lied());
	EXPECT_EQ(waiting.wait_for(0s), std::future_status::timeout);
	EXPECT_EQ(e.find(id)->verified_pieces, 0);

	seeder const honest(files);
	ASSERT_TRUE(e.connect(id, honest.endpoint()));
	auto const first = waiting.get();
	ASSERT_FALSE(first.ec) << first.ec.message();
	std::string came;
	for (auto const view : first.bytes.views()) came.append(view.begin(), view.end());
	EXPECT_TRUE(!came.empty() && files.content(0).starts_with(came));
	ASSERT_TRUE(r->seek(0));
	auto const got = read_all(*r);
	EXPECT_FALSE(got.ec) << got.ec.message();
	EXPECT_TRUE(got.bytes == files.content(0));
}

} // namespace
} // namespace slipstream::test
