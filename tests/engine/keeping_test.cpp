// What the engine keeps and what it allows peers, where docs/design.md gives figures: "Windows" and "Lent".
#include "engine/engine_fixture.hpp"
#include "engine/session_settings.hpp"

#include <libtorrent/settings_pack.hpp>

#include <chrono>
#include <functional>
#include <string_view>
#include <thread>

namespace slipstream::test {
namespace {

constexpr std::int64_t mib = 1 << 20;
constexpr int piece = 64 << 10;

struct peers_limits
{
	explicit peers_limits(std::int64_t const capacity_bytes)
	{
		lt::settings_pack p;
		limit_to(capacity_bytes, p);
		connections = p.get_int(lt::settings_pack::connections_limit);
		unsent_bytes = p.get_int(lt::settings_pack::send_buffer_watermark);
	}
	std::int64_t connections = 0;
	std::int64_t unsent_bytes = 0;
};

// libtorrent goes on reading for a peer until it is above the mark: a block beyond it at most.
TEST(what_peers_may_keep, is_an_eighth_of_the_memory_all_together)
{
	for (std::int64_t capacity = 2 * mib; capacity < std::int64_t{1} << 40; capacity += capacity / 7 + 12'345)
	{
		peers_limits const p(capacity);
		ASSERT_GE(p.connections, 8) << capacity;
		ASSERT_GE(p.unsent_bytes, block_size_bytes) << capacity;
		ASSERT_LE(p.connections * (p.unsent_bytes + block_size_bytes), capacity / 8) << capacity;
		// And what they may send when they are told to stop.
		ASSERT_LE(p.connections * 2 * block_size_bytes, capacity / 8) << capacity;
	}
}

TEST(what_peers_may_keep, is_what_the_documents_say)
{
	EXPECT_EQ(peers_limits(64 * mib).connections, 200);
	EXPECT_EQ(peers_limits(64 * mib).unsent_bytes, 25'559);
	EXPECT_LT(peers_limits(806 * mib).unsent_bytes, 500 << 10);
	EXPECT_EQ(peers_limits(807 * mib).unsent_bytes, 500 << 10);
	EXPECT_EQ(peers_limits(8 * 1024 * mib).unsent_bytes, 500 << 10);
	EXPECT_EQ(engine_options{}.reader_idle_after, std::chrono::minutes(1));
	EXPECT_EQ(engine_options{}.drop_idle_after, std::chrono::milliseconds(0));
}

// Each connection has two blocks of the capacity, which nobody can protect: so many are allowed, then.
TEST(what_peers_may_keep, changes_with_the_capacity)
{
	shared_files const files("film", {{"film.mkv", 12 * mib}}, torrent_kind::v1, piece);
	engine e(local_engine({}, 4 * mib));
	ASSERT_FALSE(add_ready(e, files).empty());
	auto memory = e.memory();
	auto const protectable = [&] { return memory.stats().protectable_bytes / block_size_bytes; };
	// Less 8 for reads, and an eighth that may be lent.
	EXPECT_TRUE(comes_true([&] { return protectable() == 256 - 8 - 32 - 2 * 16; })) << protectable();
	ASSERT_TRUE(memory.set_capacity_bytes(8 * mib));
	EXPECT_TRUE(comes_true([&] { return protectable() == 512 - 8 - 64 - 2 * 32; })) << protectable();
	ASSERT_TRUE(memory.set_capacity_bytes(2 * mib));
	EXPECT_TRUE(comes_true([&] { return protectable() == 128 - 8 - 16 - 2 * 8; })) << protectable();
}

// A player that seeks closes one connection and opens the next. In between, others take what nobody protects.
TEST(what_is_behind_a_reader, stays_when_the_last_one_closes)
{
	shared_files const left("left", {{"left.mkv", 8 * mib}}, torrent_kind::v1, piece, 1);
	shared_files const other("other", {{"other.mkv", 12 * mib}}, torrent_kind::v1, piece, 2);
	seeder const s1(left);
	seeder const s2(other);
	auto options = local_engine({}, 4 * mib);
	options.lookbehind = extent::bytes(512 << 10);
	options.read_ahead = extent::bytes(512 << 10);
	engine e(options);
	auto const a = add_ready(e, left);
	auto const b = add_ready(e, other);
	ASSERT_TRUE(e.connect(a, s1.endpoint()));
	ASSERT_TRUE(e.connect(b, s2.endpoint()));
	constexpr int position = 4 * mib / piece;
	auto const here = e.memory().torrent(left.hashes());
	{
		auto const r = open(e, a, 0);
		ASSERT_TRUE(plays(*r, left, 4 * mib));
		ASSERT_TRUE(comes_true([&] { return here.is_lookbehind_available(lt::piece_index_t{position - 1}); }));
	}
	ASSERT_TRUE(comes_true([&] { return e.find(a)->readers == 0; }));
	auto const r = open(e, b, 0);
	ASSERT_TRUE(plays(*r, other, 12 * mib)); // three times the memory
	for (int p = position - (512 << 10) / piece; p < position; ++p) EXPECT_TRUE(here.has_piece(lt::piece_index_t{p})) << p;
	EXPECT_FALSE(here.has_piece(lt::piece_index_t{position / 2})) << "what is not behind a reader has gone";
	EXPECT_LE(e.memory().stats().peak_bytes, e.memory().capacity_bytes());
}

} // namespace
} // namespace slipstream::test
