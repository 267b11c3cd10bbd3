// Blocks that somebody waits for, verified or not: memory_torrent::tell_when_written, and what is told of pieces that fail.
#include "memory_session.hpp"

#include <gtest/gtest.h>

#include <libtorrent/torrent_handle.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace slipstream::test {
namespace {

constexpr int block = block_size_bytes;
constexpr int piece = 4 * block;

class record final : public memory_events
{
public:
	void piece_verified(lt::info_hash_t const&, lt::piece_index_t const p) override { add("verified", p); }
	void piece_gone(lt::info_hash_t const&, lt::piece_index_t const p) override { add("gone", p); }
	void block_written(lt::info_hash_t const&, lt::piece_index_t const p) override { add("block", p); }
	void piece_failed(lt::info_hash_t const&, lt::piece_index_t const p) override { add("failed", p); }

	[[nodiscard]] std::vector<std::string> all() const
	{
		std::lock_guard const lock(m_mutex);
		return m_all;
	}
	[[nodiscard]] bool has(std::string const& what) const
	{
		auto const known = all();
		return std::find(known.begin(), known.end(), what) != known.end();
	}

private:
	void add(std::string const& what, lt::piece_index_t const p)
	{
		std::lock_guard const lock(m_mutex);
		m_all.push_back(what + ' ' + std::to_string(static_cast<int>(p)));
	}
	mutable std::mutex m_mutex;
	std::vector<std::string> m_all;
};

using strings = std::vector<std::string>;

struct awaiting : testing::Test
{
	shared_files const files{"film", {{"film", 64 * piece}}, torrent_kind::v1, piece};
	std::shared_ptr<record> const hears = std::make_shared<record>();

	lt::torrent_handle begin(memory_session& mine)
	{
		mine.session().add_extension(mine.disk().extension(hears));
		auto const t = mine.add(files);
		EXPECT_TRUE(mine.run_until([&] { return t.status().state >= lt::torrent_status::downloading; }));
		return t;
	}
	[[nodiscard]] std::vector<char> bytes(int const at) const
	{
		auto const from = files.content(0).begin() + std::ptrdiff_t(at) * piece;
		return {from, from + piece};
	}
};

TEST_F(awaiting, tells_once_of_the_block_that_was_asked_about_and_of_no_other)
{
	memory_session mine(memory_disk({.capacity_bytes = 64 << 20}), 20, false);
	auto const t = begin(mine);
	auto const memory = mine.disk().torrent(files.hashes());
	auto const asked = memory.tell_when_written(lt::piece_index_t(1), 2 * block + 7);
	ASSERT_TRUE(asked);
	EXPECT_FALSE(*asked);
	for (int const p : {0, 1}) t.add_piece(lt::piece_index_t(p), bytes(p));
	ASSERT_TRUE(mine.run_until([&] { return hears->has("verified 1") && hears->has("verified 0"); }));
	std::vector<std::string> of_blocks;
	for (auto const& e : hears->all()) if (e.starts_with("block")) of_blocks.push_back(e);
	EXPECT_EQ(of_blocks, strings{"block 1"});
	auto const before = hears->all();
	EXPECT_LT(std::find(before.begin(), before.end(), "block 1"), std::find(before.begin(), before.end(), "verified 1"));
	// What is there is said at once.
	auto const there = memory.tell_when_written(lt::piece_index_t(1), 0);
	EXPECT_TRUE(there && *there);
}

TEST_F(awaiting, refuses_what_is_outside_the_torrent)
{
	memory_session mine(memory_disk({.capacity_bytes = 64 << 20}), 20, false);
	begin(mine);
	auto const memory = mine.disk().torrent(files.hashes());
	EXPECT_TRUE(memory.tell_when_written(lt::piece_index_t(64), 0).error().is(errc::no_such_piece));
	EXPECT_TRUE(memory.tell_when_written(lt::piece_index_t(0), piece).error().is(errc::out_of_range));
	EXPECT_TRUE(memory.tell_when_written(lt::piece_index_t(0), -1).error().is(errc::out_of_range));
	mine.end();
	EXPECT_TRUE(memory.tell_when_written(lt::piece_index_t(0), 0).error().is(errc::no_such_torrent));
}

TEST_F(awaiting, a_piece_that_fails_is_told_when_nothing_of_it_can_be_read_any_more)
{
	memory_session mine(memory_disk({.capacity_bytes = 64 << 20}), 20, false);
	auto const t = begin(mine);
	auto const memory = mine.disk().torrent(files.hashes());
	t.add_piece(lt::piece_index_t(3), std::vector<char>(piece, 'x'));
	ASSERT_TRUE(mine.run_until([&] { return hears->has("failed 3"); }));
	EXPECT_TRUE(memory.view(lt::piece_index_t(3), 0, 1, false).error().is(errc::not_in_memory));
	t.add_piece(lt::piece_index_t(3), bytes(3));
	ASSERT_TRUE(mine.run_until([&] { return hears->has("verified 3"); }));
	EXPECT_EQ(hears->all(), (strings{"failed 3", "verified 3"}));
}

TEST_F(awaiting, a_piece_that_is_forgotten_has_not_failed)
{
	memory_session mine(memory_disk({.capacity_bytes = 2 << 20, .evict = true}), 20, false);
	auto const t = begin(mine);
	seeder const s(files);
	t.connect_peer(s.endpoint());
	ASSERT_TRUE(mine.run_until([&] { return mine.disk().stats().pieces_verified > 8; }));
	auto const memory = mine.disk().torrent(files.hashes());
	for (int at = 0; at + 8 <= 64; at += 8)
	{
		std::vector<lt::piece_index_t> wanted;
		for (int p = at; p < at + 8; ++p) wanted.emplace_back(p);
		ASSERT_TRUE(memory.set_reader_pieces(wanted));
		ASSERT_TRUE(mine.run_until([&] { return memory.state(wanted.back()).value() == piece_state::verified; }));
	}
	ASSERT_TRUE(mine.run_until([&] { return mine.disk().stats().pieces_evicted > 8; }));
	for (auto const& e : hears->all()) EXPECT_FALSE(e.starts_with("failed")) << e;
}

} // namespace
} // namespace slipstream::test
