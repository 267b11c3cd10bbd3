// Five hundred streams at once.
#include "http/fixture.hpp"
#include "http/traffic.hpp"

#include <sys/resource.h>

#include <filesystem>
#include <iterator>
#include <list>

namespace slipstream::test {
namespace {

using many_streams = serving;

std::size_t threads()
{
	return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/task")
		, std::filesystem::directory_iterator()));
}

std::string get(std::string const& target) { return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n"; }

TEST(lease_limit, shares_an_eighth_of_the_capacity_and_gives_everybody_a_block)
{
	constexpr std::int64_t capacity = 64 << 20;
	constexpr std::size_t most = 256 << 10;
	EXPECT_EQ(http::lease_limit(capacity, 0, most), most);
	EXPECT_EQ(http::lease_limit(capacity, (8 << 20) - (256 << 10), most), 64u << 10);
	EXPECT_EQ(http::lease_limit(capacity, 1 << 30, most), 16u << 10);
	EXPECT_EQ(http::lease_limit(1 << 20, 0, most), 32u << 10);
	// However many come and never go.
	std::int64_t lent = 0;
	for (int i = 0; i < 500; ++i) lent += static_cast<std::int64_t>(http::lease_limit(capacity, lent, most));
	EXPECT_LE(lent, capacity / 8 + 500 * (16 << 10));
}

TEST_F(many_streams, are_all_served_on_one_thread_and_borrow_a_bounded_part_of_the_memory)
{
	constexpr int of_each_kind = 225;  // waiting for bytes, and taking none
	constexpr int reading = 50;
	rlimit files{};
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < 4096) GTEST_SKIP() << "the system allows " << files.rlim_cur << " file descriptors";
	m_script.add("stuck", {{"x.mkv", film}}, 0);
	m_script.add("large", {{"x.mkv", film_bytes(24 << 20)}});
	std::size_t const threads_before = threads();

	std::list<client> idle;
	for (int i = 0; i < 2 * of_each_kind; ++i)
	{
		client& c = idle.emplace_back(where());
		c.set_receive_buffer(4096);
		ASSERT_TRUE(c.send(get(i % 2 == 0 ? "/stream/stuck/0" : "/stream/large/0")));
	}
	ASSERT_TRUE(m_script.wait_for_readers(2 * of_each_kind));
	ASSERT_TRUE(m_script.wait_for_waiting_reads(of_each_kind));

	std::list<client> readers;
	for (int i = 0; i < reading; ++i)
	{
		client& c = readers.emplace_back(where());
		c.set_receive_buffer(64 << 10);
		ASSERT_TRUE(c.send(get("/stream/large/0")));
	}
	ASSERT_TRUE(m_script.wait_for_readers(2 * of_each_kind + reading));
	EXPECT_EQ(threads(), threads_before);
	// In turns: each goes on while the others wait.
	std::string const large = film_bytes(24 << 20);
	std::vector<std::string> got(reading);
	for (int round = 0; round < 20; ++round)
	{
		std::size_t i = 0;
		for (client& c : readers) got[i++] += c.receive_bytes(100'000);
	}
	for (std::string const& bytes : got)
	{
		ASSERT_EQ(bytes.size(), 2'000'000u);
		std::string const body = bytes.substr(bytes.find("\r\n\r\n") + 4);
		EXPECT_TRUE(body == large.substr(0, body.size()));
	}
	EXPECT_EQ(ask("GET", "/healthz").status, 200u);
	EXPECT_LE(m_script.most_lent_bytes(), static_cast<std::size_t>(m_engine.memory().capacity_bytes() / 8) + 500 * (16 << 10));

	// All vanish at once, and nobody is left over.
	idle.clear();
	readers.clear();
	EXPECT_TRUE(m_script.wait_for_readers(0));
	EXPECT_TRUE(ask("GET", path).body == film);
}

TEST_F(many_streams, are_sent_little_that_is_not_taken)
{
	m_script.add("large", {{"x.mkv", film_bytes(24 << 20)}});
	std::list<client> idle;
	for (int i = 0; i < 10; ++i)
	{
		client& c = idle.emplace_back(where());
		c.set_receive_buffer(4096);
		ASSERT_TRUE(c.send(get("/stream/large/0")));
	}
	ASSERT_TRUE(m_script.wait_for_readers(idle.size()));
	ASSERT_TRUE(m_script.wait_until_still());
	// What the system holds for a client is neither in the capacity nor in what may be lent.
	for (reader_entry const& r : m_engine.readers()) EXPECT_LE(r.position_bytes, 1 << 20);
}

TEST_F(many_streams, end_with_the_server)
{
	m_script.add("large", {{"x.mkv", film_bytes(24 << 20)}});
	std::list<client> clients;
	for (int i = 0; i < 50; ++i)
	{
		client& c = clients.emplace_back(where());
		ASSERT_TRUE(c.send(get("/stream/large/0")));
	}
	ASSERT_TRUE(m_script.wait_for_readers(50));
	m_server->stop();
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

} // namespace
} // namespace slipstream::test
