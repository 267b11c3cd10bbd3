// The order of calls that the draft's review asked about: add torrent A, async read, add torrent B, async write, wait for
// the callback. On real network threads, while other sessions on the same memory and players are busy.
#include "stress/scale.hpp"
#include "support/disk_harness.hpp"

#include <slipstream/lease.hpp>
#include <slipstream/memory_disk.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace slipstream::test {

namespace {

shape const film{"film", protocol::hybrid, 64 << 10, {(256 << 10) + 1000}};

// Other sessions and players, each as fast as it can, until told to stop.
class load
{
public:
	explicit load(memory_disk const& disk) : m_disk(disk)
	{
		m_threads.emplace_back([this] { another_session(); });
		m_threads.emplace_back([this] { a_player(); });
	}
	~load()
	{
		m_stopping = true;
		for (auto& t : m_threads) t.join();
		EXPECT_EQ(m_wrong, 0);
	}
	load(load const&) = delete;
	load& operator=(load const&) = delete;

private:
	void another_session()
	{
		while (!m_stopping)
		{
			disk_harness session(m_disk.constructor());
			for (int i = 0; i < 20 && !m_stopping; ++i)
			{
				auto& s = session.add(m_torrent);
				session.write_all(s);
				auto const h = session.hash(s, lt::piece_index_t(1));
				if (i % 2) h.wait();
				session.remove(s);
			}
		}
	}

	// Looks whatever the other session has now.
	void a_player()
	{
		auto const want = m_torrent.bytes(lt::piece_index_t(2), 100, 1000);
		while (!m_stopping)
		{
			auto const handle = m_disk.torrent(m_torrent.info()->info_hashes());
			auto const lent = handle.view(lt::piece_index_t(2), 100, 1000, false);
			if (lent && !std::ranges::equal(lent->views().front(), want)) ++m_wrong;
			std::this_thread::yield();
		}
	}

	memory_disk const m_disk;
	test_torrent const m_torrent{film, 77};
	std::atomic<bool> m_stopping{false};
	std::atomic<int> m_wrong{0};
	std::vector<std::thread> m_threads;
};

} // namespace

TEST(stress, add_torrent_a_async_read_add_torrent_b_async_write_wait_for_the_callback)
{
	memory_disk const memory({.capacity_bytes = 64 << 20, .hash_threads = 2});
	test_torrent const a(film, 1);
	test_torrent const b(film, 2);
	lt::piece_index_t const piece{1};
	auto const block = a.blocks(piece).front();
	load const busy(memory);
	auto const rounds = scaled(3'000);
	for (std::int64_t done = 0; done < rounds && !testing::Test::HasFailure();)
	{
		// A harness records every handler; a new one now and then keeps that short, and ends a session under load.
		disk_harness session(memory.constructor());
		for (int i = 0; i < 100 && done < rounds; ++i, ++done)
		{
			SCOPED_TRACE("round " + std::to_string(done));
			bool const has_data = done % 3 != 0;
			auto& in_a = session.add(a, "a");
			if (has_data) session.write(in_a, block);
			auto const read = session.read(in_a, block);
			if (done % 5 == 0) session.remove(in_a); // B may get A's slot, with A's read under way
			auto& in_b = session.add(b, "b");
			auto const write = session.write(in_b, block);

			ASSERT_FALSE(write.wait().error.ec) << write.wait().error.ec.message();
			auto const& r = read.wait();
			EXPECT_EQ(!r.error.ec, has_data);
			EXPECT_TRUE(!has_data || r.bytes() == a.bytes(block)) << "A's read has other bytes";
			EXPECT_TRUE(session.read(in_b, block).wait().bytes() == b.bytes(block)) << "B's write is not B's";
			if (done % 5 != 0) session.remove(in_a);
			session.remove(in_b);
			EXPECT_TRUE(!has_data || r.bytes() == a.bytes(block)) << "A's buffer changed after both are gone";
			read.wait().buffer.reset();
		}
		session.destroy();
		EXPECT_TRUE(session.broken_handler_rules().empty()) << session.broken_handler_rules().front();
	}
}

} // namespace slipstream::test
