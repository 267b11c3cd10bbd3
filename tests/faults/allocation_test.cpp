// Every allocation of the disk layer fails in turn. Each call is made again and again, with its first allocation failing,
// then its second, until it needs no more; each time either it throws std::bad_alloc to its caller, or its handler has an
// error, or it does without. Afterwards everything that was promised before is still there.
#include "faults/allocations.hpp"
#include "support/stepped_disk.hpp"

#include <slipstream/lease.hpp>
#include <slipstream/memory_disk.hpp>

#include <libtorrent/hasher.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace slipstream::test {

namespace {

constexpr int piece_bytes = 32 << 10;
constexpr int num_pieces = 3;
constexpr lt::piece_index_t piece0{0};
constexpr lt::piece_index_t piece1{1};

char byte_of(int const piece, int const block) { return static_cast<char>('a' + piece * 2 + block); }

// A disk with one torrent, of which pieces 0 and 1 are here.
class world
{
public:
	world()
	{
		m_files.set_piece_length(piece_bytes);
		m_files.add_file("film", num_pieces * piece_bytes);
		m_files.set_num_pieces(num_pieces);
		holder = m_stepped.add(m_files, lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa"));
		for (int p = 0; p < 2; ++p) for (int b = 0; b < 2; ++b) write(lt::piece_index_t(p), b);
		m_stepped.deliver();
	}

	[[nodiscard]] lt::disk_interface& disk() { return m_stepped.disk(); }
	[[nodiscard]] stepped_disk& stepped() { return m_stepped; }
	[[nodiscard]] lt::file_storage const& files() const { return m_files; }

	template <typename Handler>
	auto counted(Handler h) { return m_stepped.counted(std::move(h)); }

	void write(lt::piece_index_t const piece, int const block)
	{
		std::vector<char> const bytes(block_bytes, byte_of(static_cast<int>(piece), block));
		disk().async_write(holder, {piece, block * block_bytes, block_bytes}, bytes.data(), nullptr
			, counted([](lt::storage_error const&) {}), {});
	}
	// What was written is read, and hashed, and nothing else is here.
	void is_whole()
	{
		m_stepped.run_dry();
		for (int p = 0; p < 2; ++p)
			for (int b = 0; b < 2; ++b)
			{
				bool right = false;
				disk().async_read(holder, {lt::piece_index_t(p), b * block_bytes, block_bytes}
					, counted([&, p, b](lt::disk_buffer_holder buffer, lt::storage_error const& e) {
						right = !e.ec && buffer && buffer.data()[0] == byte_of(p, b) && buffer.data()[block_bytes - 1] == byte_of(p, b);
					}), {});
				m_stepped.run_dry();
				EXPECT_TRUE(right) << "piece " << p << ", block " << b << " was lost";
			}
		bool hashed = false;
		disk().async_hash(holder, piece0, {}, lt::disk_interface::v1_hash
			, counted([&](lt::piece_index_t, lt::sha1_hash const& h, lt::storage_error const& e) {
				hashed = !e.ec && !h.is_all_zeros();
			}));
		m_stepped.run_dry();
		EXPECT_TRUE(hashed);
	}

	memory_disk memory{{.capacity_bytes = 4 << 20, .hash_threads = 1}};

private:
	stepped_disk m_stepped{memory.constructor()};
	lt::file_storage m_files;

public:
	lt::storage_holder holder; // goes first
};

struct operation
{
	std::string name;
	std::function<void(world&)> call;
};
void PrintTo(operation const& o, std::ostream* os) { *os << o.name; }

std::vector<operation> operations()
{
	using prio = lt::aux::vector<lt::download_priority_t, lt::file_index_t>;
	return {
		{"async_write", [](world& w) { w.write(lt::piece_index_t(2), 0); }},
		{"async_write_again", [](world& w) { w.write(piece0, 1); }},
		{"async_read", [](world& w) { w.disk().async_read(w.holder, {piece0, 0, block_bytes}
			, w.counted([](lt::disk_buffer_holder, lt::storage_error const&) {}), {}); }},
		{"async_read_of_two_blocks", [](world& w) { w.disk().async_read(w.holder, {piece0, 100, block_bytes}
			, w.counted([](lt::disk_buffer_holder, lt::storage_error const&) {}), {}); }},
		{"async_hash", [](world& w) { w.disk().async_hash(w.holder, piece1, {}, lt::disk_interface::v1_hash
			, w.counted([](lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&) {})); }},
		{"async_hash2", [](world& w) { w.disk().async_hash2(w.holder, piece1, 0, {}
			, w.counted([](lt::piece_index_t, lt::sha256_hash const&, lt::storage_error const&) {})); }},
		{"async_hash_of_what_is_not_here", [](world& w) { w.disk().async_hash(w.holder, lt::piece_index_t(2), {}, lt::disk_interface::v1_hash
			, w.counted([](lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&) {})); }},
		{"async_check_files", [](world& w) { w.disk().async_check_files(w.holder, nullptr, {}
			, w.counted([](lt::status_t, lt::storage_error const&) {})); }},
		{"async_stop_torrent", [](world& w) { w.disk().async_stop_torrent(w.holder, w.counted([] {})); }},
		{"async_release_files", [](world& w) { w.disk().async_release_files(w.holder, w.counted([] {})); }},
		{"async_move_storage", [](world& w) { w.disk().async_move_storage(w.holder, "/elsewhere", {}
			, w.counted([](lt::status_t, std::string const&, lt::storage_error const&) {})); }},
		{"async_rename_file", [](world& w) { w.disk().async_rename_file(w.holder, lt::file_index_t(0), "another name, and a long one"
			, w.counted([](std::string const&, lt::file_index_t, lt::storage_error const&) {})); }},
		{"async_set_file_priority", [](world& w) { w.disk().async_set_file_priority(w.holder, prio{lt::low_priority}
			, w.counted([](lt::storage_error const&, prio const&) {})); }},
		{"async_clear_piece", [](world& w) { w.disk().async_clear_piece(w.holder, lt::piece_index_t(2)
			, w.counted([](lt::piece_index_t) {})); }},
		{"async_delete_part_file", [](world& w) { w.disk().async_delete_files(w.holder, lt::session::delete_partfile
			, w.counted([](lt::storage_error const&) {})); }},
		{"new_and_removed_torrent", [](world& w) {
			auto const another = w.stepped().add(w.files(), lt::sha1_hash("bbbbbbbbbbbbbbbbbbbb")); }},
		{"settings_updated", [](world& w) { w.disk().settings_updated(); }},
		{"update_stats_counters", [](world& w) { w.disk().update_stats_counters(w.stepped().counters()); }},
		{"a_handle", [](world& w) { static_cast<void>(w.memory.torrent(lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa")).state(piece0)); }},
		{"a_view", [](world& w) { static_cast<void>(w.memory.torrent(lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa")).view(piece0, 0, piece_bytes, false)); }},
		{"protection", [](world& w) {
			static_cast<void>(w.memory.torrent(lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa")).set_reserved_pieces({piece0, piece1})); }},
		{"statistics", [](world& w) { static_cast<void>(w.memory.stats()); }},
		{"capacity", [](world& w) { static_cast<void>(w.memory.set_capacity_bytes(5 << 20)); }},
		{"another_memory", [](world&) { memory_disk const another({.capacity_bytes = 2 << 20}); }},
	};
}

class every_allocation_fails : public testing::TestWithParam<operation> {};

} // namespace

TEST_P(every_allocation_fails, in_turn_and_nothing_is_lost)
{
	{
		SCOPED_TRACE("what is made once for all is made here"); // the traces' own list, too
		world first;
		GetParam().call(first);
		first.is_whole();
		first.holder.reset();
	}
	auto const live_before = live_allocations();
	int failures = 0;
	bool more = true;
	for (int n = 1; more && n < 200 && !HasFailure(); ++n)
	{
		SCOPED_TRACE("allocation " + std::to_string(n));
		world w;
		auto const used = w.memory.stats().used_bytes;
		bool threw = false;
		{
			failing_allocation const f(n);
			try { GetParam().call(w); }
			catch (std::bad_alloc const&) { threw = true; }
			more = f.failed();
			failures += more ? 1 : 0;
		}
		if (!threw)
		{
			w.stepped().run_dry();
			EXPECT_EQ(w.stepped().delivered(), w.stepped().calls()) << "a handler was lost, and its caller not told";
		}
		w.is_whole();
		EXPECT_LE(w.memory.stats().used_bytes, used + block_bytes);
		w.holder.reset();
		w.stepped().end();
		EXPECT_EQ(w.memory.stats().used_bytes, 0);
		EXPECT_EQ(w.memory.stats().torrents, 0);
	}
	auto const live_after = live_allocations();
	EXPECT_EQ(live_after, live_before) << "something was not given back";
	EXPECT_FALSE(more) << "it never came to an end";
	RecordProperty("allocations", failures);
}

// Whole or not at all: a write that has no memory leaves no piece behind that is half made.
TEST(a_write_without_memory, leaves_the_piece_as_it_was_and_it_can_be_written)
{
	constexpr lt::piece_index_t piece2{2};
	bool more = true;
	int failures = 0;
	for (int n = 1; more && n < 200; ++n)
	{
		SCOPED_TRACE("allocation " + std::to_string(n));
		world w;
		auto const torrent = w.memory.torrent(lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa"));
		auto const used = w.memory.stats().used_bytes;
		bool threw = false;
		{
			failing_allocation const f(n);
			try { w.write(piece2, 1); }
			catch (std::bad_alloc const&) { threw = true; }
			more = f.failed();
			failures += more ? 1 : 0;
		}
		auto const state = *torrent.state(piece2);
		EXPECT_TRUE(state == piece_state::partial || (threw && state == piece_state::absent));
		EXPECT_EQ(state == piece_state::absent, w.memory.stats().used_bytes == used) << "a piece without a block";
		w.write(piece2, 0);
		w.write(piece2, 1);
		w.stepped().deliver();
		EXPECT_EQ(*torrent.state(piece2), piece_state::complete);
		w.is_whole();
		w.holder.reset();
	}
	EXPECT_GT(failures, 2);
}

// Pieces whose hash begins while they arrive: that may have no memory, and the hash is right all the same.
TEST(a_write_without_memory, spoils_no_hash)
{
	constexpr int blocks = 40;
	std::vector<char> const bytes(block_bytes, 'x');
	lt::hasher whole;
	for (int b = 0; b < blocks; ++b) whole.update(bytes);
	auto const right = whole.final();
	for (int const first : {0, 1, 21, blocks - 1})
		for (int n = 1; n < 12; ++n)
		{
			SCOPED_TRACE("allocation " + std::to_string(n) + " from block " + std::to_string(first) + " on");
			memory_disk memory({.capacity_bytes = 4 << 20, .hash_threads = 1});
			stepped_disk stepped(memory.constructor());
			lt::file_storage files;
			files.set_piece_length(blocks * block_bytes);
			files.add_file("film", blocks * block_bytes);
			files.set_num_pieces(1);
			auto holder = stepped.add(files, lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa"));
			auto const write = [&](int const b) {
				stepped.disk().async_write(holder, {piece0, b * block_bytes, block_bytes}, bytes.data(), nullptr
					, [](lt::storage_error const&) {}, {});
			};
			for (int b = 0; b < first; ++b) write(b);
			{
				failing_allocation const f(n);
				for (int b = first; b < blocks; ++b)
				{
					try { write(b); }
					catch (std::bad_alloc const&) { write(b); }
				}
			}
			stepped.run_dry();
			lt::sha1_hash got;
			stepped.disk().async_hash(holder, piece0, {}, lt::disk_interface::v1_hash
				, stepped.counted([&](lt::piece_index_t, lt::sha1_hash const& h, lt::storage_error const&) { got = h; }));
			stepped.run_dry();
			EXPECT_EQ(got, right);
			holder.reset();
		}
}

// libtorrent is told by the exception and hears no more of the hash; nothing may wait for it.
TEST(a_hash_without_memory, keeps_no_fence_waiting)
{
	bool more = true;
	int failures = 0;
	for (int n = 1; more && n < 200; ++n)
	{
		SCOPED_TRACE("allocation " + std::to_string(n));
		world w;
		{
			failing_allocation const f(n);
			try
			{
				w.disk().async_hash(w.holder, piece0, {}, lt::disk_interface::v1_hash
					, [](lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&) {});
			}
			catch (std::bad_alloc const&) { ++failures; }
			more = f.failed();
		}
		bool stopped = false;
		w.disk().async_stop_torrent(w.holder, [&] { stopped = true; });
		w.stepped().run_dry();
		EXPECT_TRUE(stopped);
		w.holder.reset();
	}
	EXPECT_GT(failures, 2);
}

// What a worker cannot have: it could tell nobody, so it must not need anything.
TEST(allocations_of_workers, may_fail_and_every_hash_comes)
{
	for (int n = 1; n <= 3; ++n)
	{
		world w;
		int right = 0;
		bool failed = false;
		{
			auto const handler = [&] {
				return w.counted([&](lt::piece_index_t, lt::sha1_hash const& h, lt::storage_error const& e) {
					right += !e.ec && !h.is_all_zeros() ? 1 : 0;
				});
			};
			std::vector<std::function<void(lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&)>> handlers;
			for (int i = 0; i < 20; ++i) handlers.emplace_back(handler());
			failing_allocation const f(n, failing_allocation::where::other_threads);
			for (auto& h : handlers) w.disk().async_hash(w.holder, piece0, {}, lt::disk_interface::v1_hash, std::move(h));
			w.stepped().run_dry();
			failed = f.failed();
		}
		EXPECT_FALSE(failed) << "a worker asked for memory";
		EXPECT_EQ(right, 20);
		w.holder.reset();
	}
}

// Hashes under way, and a fence behind them, when memory runs out for the next call: the fence still comes.
TEST_P(every_allocation_fails, with_a_hash_and_a_fence_under_way_and_both_come)
{
	bool more = true;
	for (int n = 1; more && n < 200 && !HasFailure(); ++n)
	{
		SCOPED_TRACE("allocation " + std::to_string(n));
		world w;
		bool hashed = false;
		bool stopped = false;
		w.disk().async_hash(w.holder, piece0, {}, lt::disk_interface::v1_hash
			, w.counted([&](lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const& e) { hashed = !e.ec; }));
		w.disk().async_stop_torrent(w.holder, w.counted([&] { stopped = true; }));
		{
			failing_allocation const f(n);
			try { GetParam().call(w); }
			catch (std::bad_alloc const&) {}
			more = f.failed();
		}
		w.stepped().run_dry();
		EXPECT_TRUE(hashed && stopped);
		w.holder.reset();
		w.stepped().end();
		EXPECT_EQ(w.memory.stats().used_bytes, 0);
	}
}

INSTANTIATE_TEST_SUITE_P(of, every_allocation_fails, testing::ValuesIn(operations())
	, [](auto const& i) { return i.param.name; });

} // namespace slipstream::test
