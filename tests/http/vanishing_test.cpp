// Clients that go away or do not read, and a server that stops: nothing is held for them.
#include "http/fixture.hpp"

#include "http/connection.hpp"


namespace slipstream::test {
namespace {

using vanishing_client = serving;
using slow_client = serving;
using stopping_server = serving;

std::string get(std::string const& target) { return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n"; }

TEST_F(vanishing_client, frees_its_reader_while_it_waits_for_the_first_byte)
{
	m_script.add("stuck", {{"x.mkv", film}}, 0);
	client c(where());
	ASSERT_TRUE(c.send(get("/stream/stuck/0")));
	ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
	c.close();
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(vanishing_client, frees_its_reader_in_the_middle)
{
	m_script.add("half", {{"x.mkv", film}}, 1'000'000);
	client c(where());
	ASSERT_TRUE(c.send(get("/stream/half/0")));
	EXPECT_EQ(c.receive_bytes(1'000'000).size(), 1'000'000u);
	ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
	c.close();
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(vanishing_client, is_noticed_also_behind_requests_it_sent_ahead)
{
	m_script.add("stuck", {{"x.mkv", film}}, 0);
	client c(where());
	ASSERT_TRUE(c.send(get("/stream/stuck/0")));
	ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
	for (int i = 0; i < 5; ++i) ASSERT_TRUE(c.send(get("/healthz")));
	c.close();
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(vanishing_client, is_not_needed_to_end_what_sends_more_than_is_read_ahead)
{
	m_script.add("stuck", {{"x.mkv", film}}, 0);
	client c(where());
	ASSERT_TRUE(c.send(get("/stream/stuck/0")));
	ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
	// Its end could not be seen behind all that.
	std::string ahead;
	while (ahead.size() < 1'000'000) ahead += get("/healthz");
	c.send(ahead);
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(vanishing_client, frees_its_reader_when_only_its_sending_side_is_closed)
{
	m_script.add("stuck", {{"x.mkv", film}}, 0);
	client c(where());
	ASSERT_TRUE(c.send(get("/stream/stuck/0")));
	ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
	c.finish_sending();
	EXPECT_TRUE(m_script.wait_for_readers(0));
	EXPECT_EQ(c.receive().status, 0u);
}

TEST_F(vanishing_client, frees_its_reader_while_a_write_to_it_is_stuck)
{
	m_script.add("large", {{"x.mkv", film_bytes(64 << 20)}});
	client c(where());
	ASSERT_TRUE(c.send(get("/stream/large/0")));
	// It reads nothing. Once no further lease is taken the write is stuck.
	ASSERT_TRUE(m_script.wait_for_readers(1));
	ASSERT_TRUE(m_script.wait_until_still());
	c.close();
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(vanishing_client, frees_its_reader_while_it_is_being_sent_to)
{
	m_script.add("large", {{"x.mkv", film_bytes(32 << 20)}});
	client c(where());
	ASSERT_TRUE(c.send(get("/stream/large/0")));
	EXPECT_EQ(c.receive_bytes(1000).size(), 1000u);
	EXPECT_TRUE(m_script.wait_for_readers(1));
	c.close();
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(vanishing_client, does_not_disturb_the_others)
{
	m_script.add("half", {{"x.mkv", film}}, 100'000);
	client stays(where());
	ASSERT_TRUE(stays.send(get("/stream/half/0")));
	for (int i = 0; i < 20; ++i)
	{
		client goes(where());
		ASSERT_TRUE(goes.send(get("/stream/half/0")));
		ASSERT_TRUE(m_script.wait_for_waiting_reads(2));
		goes.close();
		ASSERT_TRUE(m_script.wait_for_readers(1));
	}
	m_script.arrive("half", film.size());
	answer const a = stays.receive();
	EXPECT_TRUE(a.complete);
	EXPECT_TRUE(a.body == film);
}

TEST_F(slow_client, is_lent_one_lease_at_a_time_and_is_given_up_on_after_the_stall_timeout)
{
	http::server_options o = options();
	o.stall_timeout = std::chrono::milliseconds(300);
	serve(std::move(o));
	m_script.add("large", {{"x.mkv", film_bytes(32 << 20)}});
	client c(where());
	ASSERT_TRUE(c.send(get("/stream/large/0")));
	// It reads nothing: the socket's buffers fill, the write stalls, the reader is given up.
	ASSERT_TRUE(m_script.wait_for_readers(1));
	EXPECT_TRUE(m_script.wait_for_readers(0));
	EXPECT_LE(m_script.largest_lease(), http::connection::max_lease_bytes);
	EXPECT_FALSE(c.receive().complete);
}

TEST_F(stopping_server, ends_streams_that_wait_and_streams_that_send)
{
	m_script.add("stuck", {{"x.mkv", film}}, 0);
	m_script.add("large", {{"x.mkv", film_bytes(32 << 20)}});
	m_script.add_waiting("magnet");
	client waits(where());
	client sends(where());
	client hopes(where());
	client idles(where());
	ASSERT_TRUE(waits.send(get("/stream/stuck/0")));
	ASSERT_TRUE(sends.send(get("/stream/large/0")));
	ASSERT_TRUE(hopes.send(get("/stream/magnet/0")));
	EXPECT_EQ(idles.ask("GET", "/healthz").status, 200u);
	ASSERT_TRUE(m_script.wait_for_readers(2));
	ASSERT_TRUE(m_script.wait_for_waiting_reads(1));
	ASSERT_TRUE(m_script.wait_for_ready_waits(1));
	m_server->stop();
	m_server->stop();
	EXPECT_TRUE(m_script.wait_for_readers(0));
	EXPECT_EQ(waits.receive().status, 0u);
	EXPECT_FALSE(sends.receive().complete);
	EXPECT_TRUE(idles.is_closed_by_server());
	// The engine answers after the server has gone.
	m_server.reset();
	m_script.become_ready("magnet", {{"x.mkv", "hello"}});
}

TEST_F(stopping_server, may_be_made_and_stopped_again_and_again)
{
	for (int i = 0; i < 20; ++i)
	{
		serve();
		client c(where());
		ASSERT_TRUE(c.send(get(path)));
		if (i % 2 == 0)
		{
			EXPECT_EQ(c.receive_bytes(100).size(), 100u);
		}
	}
	m_server.reset();
	EXPECT_TRUE(m_script.wait_for_readers(0));
}

TEST_F(serving, a_player_that_pauses_costs_no_more_than_its_own_window)
{
	m_script.add("large", {{"x.mkv", film_bytes(24 << 20)}});
	client player(where());
	player.set_receive_buffer(128 << 10);
	ASSERT_TRUE(player.send("GET /stream/large/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	// By now the system would give the connection the largest buffers there are.
	constexpr std::size_t taken = 8 << 20;
	ASSERT_EQ(player.receive_bytes(taken).size(), taken);
	ASSERT_TRUE(m_script.wait_until_still());
	auto const ahead = m_engine.readers().at(0).position_bytes - static_cast<std::int64_t>(taken);
	// A lease, as much unsent, and what the player's system has taken.
	EXPECT_LT(ahead, 1 << 20);
}

} // namespace
} // namespace slipstream::test
