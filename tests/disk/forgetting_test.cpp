// Forgetting on real sessions: what is evicted is not claimed, comes again when wanted, and costs no peer.
#include "memory_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

using namespace slipstream;
using namespace slipstream::test;

namespace {

constexpr int piece_length = 256 * 1024;

std::string name_of(::testing::TestParamInfo<torrent_kind> const& info)
{
	return info.param == torrent_kind::v1 ? "v1" : info.param == torrent_kind::v2 ? "v2" : "hybrid";
}

seeder_options patient()
{
	seeder_options o;
	o.close_redundant_connections = false;
	return o;
}

class forgetting : public ::testing::TestWithParam<torrent_kind>
{
protected:
	// 80 pieces, in a memory for 32 of them, with two seeds.
	static constexpr int num_pieces = 80;
	shared_files files{"film.bin", {{"film.bin", num_pieces * piece_length - 5000}}, GetParam(), piece_length};
	// Between two windows all that fits is here, and libtorrent says "upload only": a seed that closes connections with no use
	// would hang up for that, which is not what is looked at here.
	seeder first{files, patient()};
	seeder second{files, patient()};
	memory_session mine{memory_disk({.capacity_bytes = 32 * piece_length, .evict = true})};

	lt::torrent_handle add()
	{
		auto t = mine.add(files);
		EXPECT_TRUE(mine.run_until([&] { return t.status().state == lt::torrent_status::downloading
			|| t.status().state == lt::torrent_status::finished; }));
		t.connect_peer(first.endpoint());
		t.connect_peer(second.endpoint());
		return t;
	}
	memory_torrent storage() { return mine.disk().torrent(files.hashes()); }
	bool verified(int const piece)
	{
		auto const s = storage().state(lt::piece_index_t(piece));
		return s.has_value() && *s == piece_state::verified;
	}
	bool right(int const piece)
	{
		std::vector<char> bytes(piece_length);
		auto const n = storage().read(lt::piece_index_t(piece), 0, bytes);
		if (!n) return false;
		auto const want = std::string_view(files.content(0)).substr(std::size_t(piece) * piece_length, *n);
		return std::string_view(bytes.data(), want.size()) == want; // a v2 torrent's last piece ends in padding
	}
	// For a test that fails: each piece's state in memory, whether libtorrent has it, and its priority.
	std::string dump(lt::torrent_handle const& t)
	{
		std::string o = "\n";
		for (int i = 0; i < num_pieces; ++i)
		{
			auto const st = storage().state(lt::piece_index_t(i));
			o += "apcv"[int(*st)];
			o += has(t, i) ? '+' : '-';
			o += char('0' + int(std::uint8_t(t.piece_priority(lt::piece_index_t(i)))));
			o += ' ';
		}
		auto const m = mine.disk().stats();
		o += "\nused " + std::to_string(m.used_bytes / 16384) + " of " + std::to_string(m.capacity_bytes / 16384)
			+ " evicted " + std::to_string(m.pieces_evicted) + " forgotten " + std::to_string(m.pieces_forgotten)
			+ " refused " + std::to_string(m.writes_refused) + " missed " + std::to_string(m.reads_missed) + " failed " + std::to_string(mine.failed);
		for (auto const& d : mine.disconnects) o += "\n" + d;
		for (auto const& d : mine.errors) o += "\n" + d;
		o += "\nstate " + std::to_string(int(t.status().state)) + " upload_mode " + std::to_string(bool(t.flags() & lt::torrent_flags::upload_mode));
		return o;
	}
	static std::vector<lt::piece_index_t> range(int const begin, int const end)
	{
		std::vector<lt::piece_index_t> r;
		for (int i = std::max(0, begin); i < std::min(end, num_pieces); ++i) r.emplace_back(i);
		return r;
	}
	void nobody_lost_or_blamed(lt::torrent_handle const& t)
	{
		std::vector<lt::peer_info> peers;
		t.get_peer_info(peers);
		// A seed may be connected twice for a moment, once each way; nobody has left.
		EXPECT_GE(peers.size(), 2u);
		EXPECT_EQ(mine.bans, 0);
		EXPECT_THAT(mine.disconnects, ::testing::IsEmpty());
		EXPECT_EQ(t.status().total_failed_bytes, 0);
		EXPECT_THAT(mine.errors, ::testing::IsEmpty());
		EXPECT_LE(mine.disk().stats().peak_bytes, mine.disk().capacity_bytes());
	}
};

TEST_P(forgetting, a_torrent_larger_than_the_memory_wants_what_fits_and_neither_churns_nor_stalls)
{
	auto const t = add();
	ASSERT_TRUE(mine.run_until([&] { return t.status().is_finished; }));
	auto const had = count_pieces(t);
	EXPECT_GE(had, 8);
	EXPECT_LE(had, 30);
	for (int i = 0; i < had; ++i) EXPECT_TRUE(right(i)) << i;
	EXPECT_EQ(mine.disk().stats().pieces_forgotten, 0);
	nobody_lost_or_blamed(t);
}

TEST_P(forgetting, a_window_moves_through_a_film_larger_than_the_memory)
{
	auto const t = add();
	for (int at = 0; at < num_pieces; ++at)
	{
		ASSERT_TRUE(storage().set_reader_pieces(range(at, at + 8)).has_value());
		static_cast<void>(storage().set_lookbehind_pieces(range(at - 4, at)));
		ASSERT_TRUE(mine.run_until([&] { return verified(at); })) << "piece " << at << dump(t);
		ASSERT_TRUE(right(at)) << "piece " << at;
		for (int back = std::max(0, at - 4); back < at; ++back) ASSERT_TRUE(right(back)) << back << " behind " << at;
	}
	EXPECT_GT(mine.disk().stats().pieces_evicted, num_pieces - 40);
	// What libtorrent says it has is what memory holds.
	ASSERT_TRUE(mine.run_until([&] {
		for (int i = 0; i < num_pieces; ++i)
			if (has(t, i) != verified(i)) return false;
		return true;
	}));
	nobody_lost_or_blamed(t);

	// And what is gone comes again.
	static_cast<void>(storage().set_lookbehind_pieces({}));
	ASSERT_TRUE(storage().set_reader_pieces(range(0, 8)).has_value());
	ASSERT_TRUE(mine.run_until([&] { return right(0) && right(1) && right(2); }));
	nobody_lost_or_blamed(t);
}

TEST_P(forgetting, the_session_ends_while_pieces_are_held_and_being_forgotten)
{
	auto const t = add();
	ASSERT_TRUE(storage().set_reader_pieces(range(0, 20)).has_value());
	ASSERT_TRUE(mine.run_until([&] { return count_pieces(t) >= 10; }));
	ASSERT_TRUE(storage().set_reader_pieces(range(50, 60)).has_value());
	auto const handle = storage();
	mine.end();
	EXPECT_FALSE(handle.alive());
	EXPECT_EQ(mine.disk().stats().used_bytes, 0);
	EXPECT_EQ(mine.disk().stats().torrents, 0);
}

INSTANTIATE_TEST_SUITE_P(kinds, forgetting
	, ::testing::Values(torrent_kind::v1, torrent_kind::v2, torrent_kind::hybrid), name_of);

} // namespace
