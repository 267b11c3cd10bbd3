// engine_options::early: bytes that no hash has judged yet, and what becomes of them.
#include "engine/engine_fixture.hpp"
#include "hostile/scripted_peer.hpp"

#include <chrono>
#include <functional>
#include <future>
#include <thread>

namespace slipstream::test {
namespace {

constexpr int block = block_size_bytes;
constexpr int piece = 4 * block;
using namespace std::chrono_literals;

engine_options early_engine(bool const early = true)
{
	auto options = local_engine({});
	options.early = early;
	return options;
}

std::string text(lease const& l)
{
	std::string all;
	for (auto const view : l.views()) all.append(view.begin(), view.end());
	return all;
}

struct early : testing::TestWithParam<torrent_kind>
{
	shared_files const files{"film", {{"film.mkv", 10 * piece}}, GetParam(), piece};
	std::string const& film = files.content(0);

	// Its last block of each piece never comes.
	[[nodiscard]] peer_script stingy() const
	{
		peer_script s;
		s.seeds = true;
		s.withholds = [](wire::block const& b) { return b.start == 3 * block; };
		return s;
	}
};

std::string name_of(testing::TestParamInfo<torrent_kind> const& info)
{
	return info.param == torrent_kind::v1 ? "v1" : info.param == torrent_kind::v2 ? "v2" : "hybrid";
}

INSTANTIATE_TEST_SUITE_P(kinds, early
	, testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid), name_of);

TEST_P(early, bytes_come_while_their_piece_is_not_whole)
{
	engine e(early_engine());
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	auto first = start_lease(*r);
	{
		scripted_peer const stingy_peer(files, stingy(), "127.0.0.2", e.peer_endpoints().front());
		ASSERT_EQ(first.wait_for(60s), std::future_status::ready);
		auto const came = first.get();
		ASSERT_FALSE(came.ec) << came.ec.message();
		EXPECT_TRUE(text(came.bytes) == film.substr(0, came.bytes.size_bytes()));
		auto const rest = read_up_to(*r, 3 * block - came.bytes.size_bytes());
		EXPECT_TRUE(rest.bytes == film.substr(came.bytes.size_bytes(), 3 * block - came.bytes.size_bytes()));
		EXPECT_EQ(e.find(id)->verified_pieces, 0);
		EXPECT_EQ(e.early().lent_bytes, 3 * block);
		// And what has not come is waited for.
		auto next = start_lease(*r);
		EXPECT_EQ(e.find(id)->verified_pieces, 0);
		EXPECT_EQ(next.wait_for(0s), std::future_status::timeout);
		r->cancel();
		EXPECT_EQ(outcome(next), errc::cancelled);
	}
	seeder const honest(files);
	ASSERT_TRUE(e.connect(id, honest.endpoint()));
	EXPECT_TRUE(read_all(*r).bytes == film.substr(3 * block));
	EXPECT_EQ(e.early().failed_bytes, 0);
}

TEST_P(early, is_not_what_engines_do_unless_told)
{
	engine e(early_engine(false));
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	auto first = start_lease(*r);
	scripted_peer const stingy_peer(files, stingy(), "127.0.0.2", e.peer_endpoints().front());
	auto const memory = e.memory().torrent(files.hashes());
	ASSERT_TRUE(comes_true([&] {
		auto const there = memory.view(lt::piece_index_t{0}, 0, 3 * block, false);
		return there && there->size_bytes() == 3 * block;
	}));
	EXPECT_EQ(e.find(id)->verified_pieces, 0);  // and whatever was under way has run
	EXPECT_EQ(first.wait_for(0s), std::future_status::timeout);
	// Nor does who comes now, when they are there.
	auto const other = open(e, id, 0);
	auto second = start_lease(*other);
	EXPECT_EQ(e.find(id)->readers, 2);
	EXPECT_EQ(second.wait_for(0s), std::future_status::timeout);
	EXPECT_EQ(e.early().lent_bytes, 0);
}

TEST_P(early, a_block_that_has_not_come_is_not_given_and_ends_what_is)
{
	peer_script s;
	s.seeds = true;
	s.withholds = [](wire::block const& b) { return b.start == block; };
	engine e(early_engine());
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	auto first = start_lease(*r);
	scripted_peer const peer(files, s, "127.0.0.2", e.peer_endpoints().front());
	ASSERT_EQ(first.wait_for(60s), std::future_status::ready);
	EXPECT_TRUE(text(first.get().bytes) == film.substr(0, block));
	auto second = start_lease(*r);
	ASSERT_TRUE(comes_true([&] { return e.memory().torrent(files.hashes()).view(lt::piece_index_t{0}, 3 * block, 1, false).has_value(); }));
	EXPECT_EQ(e.find(id)->verified_pieces, 0);
	EXPECT_EQ(second.wait_for(0s), std::future_status::timeout);
	ASSERT_TRUE(r->seek(2 * block + 5));
	EXPECT_EQ(outcome(second), errc::cancelled);
	EXPECT_TRUE(read_up_to(*r, 2 * block - 5).bytes == film.substr(2 * block + 5, 2 * block - 5));
}

TEST_P(early, what_was_wrong_is_counted_and_comes_right_the_next_time)
{
	peer_script s;
	s.seeds = true;
	s.corrupt = [](wire::block const& b) { return b.piece == 0 && b.start == 0; };
	// The piece is not whole before its lie was read.
	std::promise<void> read;
	auto const was_read = read.get_future().share();
	s.withholds = [was_read](wire::block const& b) {
		if (b.piece == 0 && b.start == 3 * block) was_read.wait_for(60s);
		return false;
	};
	engine e(early_engine());
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	{
		scripted_peer const liar(files, s, "127.0.0.2", e.peer_endpoints().front());
		auto const head = read_up_to(*r, block);
		read.set_value();
		ASSERT_EQ(head.bytes.size(), std::size_t{block});
		EXPECT_FALSE(head.bytes == film.substr(0, block)) << "it was early, and a lie";
		EXPECT_TRUE(comes_true([&] { return e.early().failed_bytes > 0; }));
		EXPECT_LE(e.early().failed_bytes, e.early().lent_bytes);
	}
	seeder const honest(files);
	ASSERT_TRUE(e.connect(id, honest.endpoint()));
	// Verified now, and no more than that comes out.
	ASSERT_TRUE(comes_true([&] {
		auto const state = e.memory().torrent(files.hashes()).state(lt::piece_index_t{0});
		return state && *state == piece_state::verified;
	}));
	ASSERT_TRUE(r->seek(0));
	EXPECT_TRUE(read_all(*r).bytes == film);
}

} // namespace
} // namespace slipstream::test
