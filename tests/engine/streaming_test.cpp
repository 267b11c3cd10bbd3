// An engine reads from a libtorrent session that seeds on loopback.
#include "engine/engine_fixture.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

namespace slipstream::test {
namespace {

constexpr int piece = 64 << 10;

class streaming : public testing::TestWithParam<torrent_kind> {};

TEST_P(streaming, a_whole_file_arrives_byte_for_byte)
{
	shared_files const files("film", {{"film.mkv", 3'000'001}}, GetParam(), piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}));
	auto const r = open(e, add_ready(e, files), 0);
	EXPECT_EQ(r->size_bytes(), 3'000'001);
	auto const got = read_all(*r);
	EXPECT_FALSE(got.ec) << got.ec.message();
	EXPECT_TRUE(got.bytes == files.content(0));
	EXPECT_EQ(r->position_bytes(), r->size_bytes());
}

TEST_P(streaming, a_magnet_link_gets_its_metadata_from_the_peer)
{
	shared_files const files("film", {{"film.mkv", 500'000}}, GetParam(), piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}));
	auto const id = add_ready(e, files.magnet());
	auto const summary = e.find(id);
	ASSERT_TRUE(summary);
	EXPECT_EQ(summary->phase, torrent_phase::ready);
	EXPECT_EQ(summary->name, "film.mkv");
	auto const r = open(e, id, 0);
	EXPECT_TRUE(read_all(*r).bytes == files.content(0));
}

TEST_P(streaming, files_of_any_size_lie_where_they_should)
{
	shared_files const files("folder", {{"a.bin", 100'000}, {"empty.txt", 0}, {"b/c.bin", 1}
		, {"b/d.bin", 200'003}, {"e.bin", 16'384}}, GetParam(), piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}));
	auto const id = add_ready(e, files);
	auto const summary = e.find(id);
	ASSERT_TRUE(summary);
	std::set<std::string> seen;
	for (file_entry const& f : summary->files)
	{
		if (f.pad)
		{
			EXPECT_FALSE(e.open(id, f.index));
			continue;
		}
		for (std::size_t i = 0; i < 5; ++i)
		{
			if (files.content(i).size() != static_cast<std::size_t>(f.size_bytes)) continue;
			SCOPED_TRACE(f.path);
			auto const r = open(e, id, f.index);
			auto const got = read_all(*r);
			EXPECT_FALSE(got.ec) << got.ec.message();
			EXPECT_TRUE(got.bytes == files.content(i));
			seen.insert(f.path);
		}
	}
	EXPECT_THAT(seen, testing::ElementsAre("folder/a.bin", "folder/b/c.bin", "folder/b/d.bin"
		, "folder/e.bin", "folder/empty.txt"));
}

INSTANTIATE_TEST_SUITE_P(protocols, streaming
	, testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid)
	, [](auto const& p) {
		return std::string(p.param == torrent_kind::v1 ? "v1" : p.param == torrent_kind::v2 ? "v2" : "hybrid");
	});

TEST(reading, goes_on_from_where_it_was_sent)
{
	shared_files const files("film", {{"film.mkv", 4'000'000}}, torrent_kind::v1, piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}));
	auto const r = open(e, add_ready(e, files), 0);
	for (std::int64_t const at : {3'999'999, 0, 2'000'000, 65'535, 65'536, 3'900'000, 1, 4'000'000})
	{
		auto const moved = r->seek(at);
		ASSERT_TRUE(moved);
		EXPECT_EQ(*moved, at);
		auto const got = read_up_to(*r, 70'000);
		EXPECT_FALSE(got.ec) << got.ec.message();
		EXPECT_TRUE(got.bytes == files.content(0).substr(static_cast<std::size_t>(at), 70'000)) << at;
	}
}

TEST(reading, refuses_positions_outside_the_file)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::v1, piece);
	engine e(local_engine({}));
	auto const r = open(e, add_ready(e, files), 0);
	ASSERT_TRUE(r->seek(50));
	auto const too_far = r->seek(100'001);
	ASSERT_FALSE(too_far);
	EXPECT_TRUE(too_far.error().is(errc::out_of_range));
	ASSERT_FALSE(r->seek(-1));
	EXPECT_EQ(r->position_bytes(), 50);
	EXPECT_TRUE(r->seek(100'000));
}

TEST(reading, fetches_nothing_that_no_reader_wants)
{
	shared_files const files("film", {{"film.mkv", 8 << 20}}, torrent_kind::v1, piece);
	seeder const s(files);
	auto options = local_engine({s.endpoint()});
	options.read_ahead = extent::bytes(4 * piece);
	for (std::string const& source : {files.write_torrent_file().string(), files.magnet()})
	{
		engine e(options);
		auto const id = add_ready(e, source);
		EXPECT_EQ(e.memory().stats().blocks_written, 0);
		auto const r = open(e, id, 0);
		EXPECT_TRUE(read_up_to(*r, 1000).bytes == files.content(0).substr(0, 1000));
		auto const far = open(e, id, 0);
		ASSERT_TRUE(far->seek(6 << 20));
		EXPECT_TRUE(read_up_to(*far, 1000).bytes == files.content(0).substr(6 << 20, 1000));
		auto const summary = e.find(id);
		ASSERT_TRUE(summary);
		// Two windows of at most five pieces, of the torrent's 128.
		EXPECT_LE(summary->verified_pieces, 10);
		EXPECT_GE(summary->verified_pieces, 2);
		EXPECT_EQ(summary->readers, 2);
		EXPECT_EQ(summary->num_pieces, 128);
	}
}

TEST(reading, a_torrent_nobody_reads_keeps_its_peer_and_begins_again_later)
{
	shared_files const files("film", {{"film.mkv", 1 << 20}}, torrent_kind::v1, piece);
	seeder s(files);
	auto options = local_engine({s.endpoint()});
	options.read_ahead = extent::bytes(piece);
	engine e(options);
	auto const id = add_ready(e, files);
	auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
	while (s.greeted_peers() == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
	for (std::int64_t const at : {0, 500'000, 900'000})
	{
		auto const r = open(e, id, 0);
		ASSERT_TRUE(r->seek(at));
		EXPECT_TRUE(read_up_to(*r, 100).bytes == files.content(0).substr(static_cast<std::size_t>(at), 100));
	}
	EXPECT_EQ(s.connections(), 1);
}

TEST(reading, many_readers_of_one_file_see_the_same_bytes)
{
	shared_files const files("film", {{"film.mkv", 2'000'000}}, torrent_kind::hybrid, piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}));
	auto const id = add_ready(e, files);
	std::vector<std::future<bool>> all;
	for (int i = 0; i < 6; ++i)
	{
		all.push_back(std::async(std::launch::async, [&, i] {
			auto const r = open(e, id, 0);
			std::size_t const from = static_cast<std::size_t>(i) * 300'000;
			if (!r->seek(static_cast<std::int64_t>(from))) return false;
			return read_all(*r).bytes == files.content(0).substr(from);
		}));
	}
	for (auto& f : all) EXPECT_TRUE(f.get());
}

TEST(reading, a_coroutine_reads_on_its_own_executor)
{
	shared_files const files("film", {{"film.mkv", 300'000}}, torrent_kind::v1, piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}));
	auto const added = e.add_torrent_file(files.torrent_file());
	ASSERT_TRUE(added);
	boost::asio::io_context context;
	std::string bytes;
	bool elsewhere = false;
	boost::asio::co_spawn(context, [&]() -> boost::asio::awaitable<void> {
		boost::system::error_code ec;
		auto token = boost::asio::redirect_error(boost::asio::use_awaitable, ec);
		co_await e.async_wait_ready(*added, token);
		if (ec) co_return;
		auto const r = open(e, *added, 0);
		for (;;)
		{
			lease const lent = co_await r->async_lease(50'000, token);
			elsewhere = elsewhere || !context.get_executor().running_in_this_thread();
			if (ec || lent.empty()) co_return;
			for (auto const v : lent.views()) bytes.append(v.data(), v.size());
		}
	}, boost::asio::detached);
	context.run_for(std::chrono::seconds(60));
	EXPECT_TRUE(bytes == files.content(0));
	EXPECT_FALSE(elsewhere);
}

TEST(reading, a_lease_outlives_reader_torrent_and_engine)
{
	shared_files const files("film", {{"film.mkv", 200'000}}, torrent_kind::v1, piece);
	lease kept;
	{
		seeder const s(files);
		engine e(local_engine({s.endpoint()}));
		auto const id = add_ready(e, files);
		auto const r = open(e, id, 0);
		auto f = start_lease(*r);
		kept = f.get().bytes;
		ASSERT_TRUE(e.remove(id));
	}
	std::string bytes;
	for (auto const v : kept.views()) bytes.append(v.data(), v.size());
	EXPECT_FALSE(bytes.empty());
	EXPECT_TRUE(files.content(0).starts_with(bytes));
}

TEST(reading, tries_a_peer_again_that_is_not_up_yet)
{
	shared_files const files("film", {{"film.mkv", 200'000}}, torrent_kind::v1, piece);
	engine e(local_engine({nobody()}));
	auto const id = add_ready(e, files);
	auto const r = open(e, id, 0);
	auto waiting = start_lease(*r);
	seeder const late(files);
	ASSERT_TRUE(e.connect(id, late.endpoint()));
	EXPECT_FALSE(outcome(waiting));
}

TEST(torrents, are_found_by_every_hash_in_either_case)
{
	shared_files const files("film", {{"film.mkv", 100'000}}, torrent_kind::hybrid, piece);
	engine e(local_engine({}));
	auto const id = add_ready(e, files);
	EXPECT_EQ(id.size(), 40u);
	std::ostringstream v2;
	v2 << files.hashes().v2;
	std::string upper = v2.str();
	std::transform(upper.begin(), upper.end(), upper.begin()
		, [](unsigned char const c) { return std::toupper(c); });
	for (std::string const& name : {id, v2.str(), upper, v2.str().substr(0, 40)})
	{
		auto const found = e.find(name);
		ASSERT_TRUE(found) << name;
		EXPECT_EQ(found->id, id);
	}
	for (std::string const& name : {std::string(), std::string("zz"), id.substr(1)
		, std::string(40, 'g'), std::string(40, '0')})
	{
		auto const found = e.find(name);
		ASSERT_FALSE(found) << name;
		EXPECT_TRUE(found.error().is(errc::no_such_torrent));
	}
}

TEST(torrents, a_magnet_keeps_its_id_when_the_torrent_turns_out_to_be_hybrid)
{
	shared_files const files("film", {{"film.mkv", 300'000}}, torrent_kind::hybrid, piece);
	seeder const s(files);
	std::ostringstream v1, v2;
	v1 << files.hashes().v1;
	v2 << files.hashes().v2;
	for (std::string const& magnet : {"magnet:?xt=urn:btih:" + v1.str(), "magnet:?xt=urn:btmh:1220" + v2.str()})
	{
		engine e(local_engine({s.endpoint()}));
		auto const id = add_ready(e, magnet);
		EXPECT_EQ(id, magnet.ends_with(v1.str()) ? v1.str() : v2.str());
		for (std::string const& name : {v1.str(), v2.str()})
		{
			auto const found = e.find(name);
			ASSERT_TRUE(found) << name;
			EXPECT_EQ(found->id, id);
		}
		auto const r = open(e, id, 0);
		EXPECT_TRUE(read_all(*r).bytes == files.content(0));
	}
}

TEST(torrents, can_be_removed_and_added_again)
{
	shared_files const files("film", {{"film.mkv", 300'000}}, torrent_kind::v1, piece);
	seeder const s(files);
	engine e(local_engine({s.endpoint()}));
	for (int i = 0; i < 3; ++i)
	{
		auto const id = add_ready(e, files);
		auto const r = open(e, id, 0);
		EXPECT_TRUE(read_all(*r).bytes == files.content(0));
		ASSERT_TRUE(e.remove(id));
		EXPECT_TRUE(e.torrents().empty());
	}
}

TEST(engine_itself, tells_where_peers_reach_it)
{
	engine const e(local_engine({}));
	auto const endpoints = e.peer_endpoints();
	ASSERT_EQ(endpoints.size(), 1u);
	EXPECT_TRUE(endpoints[0].address().is_loopback());
	EXPECT_NE(endpoints[0].port(), 0);
}

} // namespace
} // namespace slipstream::test
