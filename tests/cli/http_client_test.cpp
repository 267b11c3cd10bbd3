// The client of `check` and the demo, where a name server or a connection does not do what it should.
#include "cli/http_client.hpp"

#include <gtest/gtest.h>

#include <dlfcn.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>

namespace {

// Answers about one name when the test says so.
struct slow_names
{
	static constexpr char const* name = "slow.test";

	std::mutex mutex;
	std::condition_variable changed;
	bool asked = false;
	bool may_answer = false;

	void wait()
	{
		std::unique_lock l(mutex);
		asked = true;
		changed.notify_all();
		changed.wait(l, [&] { return may_answer; });
	}
	bool was_asked_within(std::chrono::seconds const most)
	{
		std::unique_lock l(mutex);
		return changed.wait_for(l, most, [&] { return asked; });
	}
	void answer()
	{
		std::scoped_lock const l(mutex);
		may_answer = true;
		changed.notify_all();
	}
	void forget()
	{
		std::scoped_lock const l(mutex);
		asked = may_answer = false;
	}
};

slow_names& names()
{
	static slow_names all;
	return all;
}

} // namespace

// In place of the system's, for this program.
extern "C" int getaddrinfo(char const* const node, char const* const service, addrinfo const* const hints, addrinfo** const found)
{
	if (node != nullptr && std::strcmp(node, slow_names::name) == 0)
	{
		names().wait();
		return EAI_NONAME;
	}
	static auto const real = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
	return real(node, service, hints, found);
}

namespace slipstream::cli {
namespace {

using namespace std::chrono_literals;

http_url slow_url()
{
	auto const url = parse_url("http://slow.test:1/");
	EXPECT_TRUE(url);
	return *url;
}

// The system's look-up goes on, and io's end waits for it.
struct answers_in_the_end
{
	answers_in_the_end() { names().forget(); }
	~answers_in_the_end() { names().answer(); }
};

TEST(a_name_that_is_looked_up, for_longer_than_the_timeout_is_given_up)
{
	boost::asio::io_context io;
	answers_in_the_end const end;
	http_client client(io, slow_url(), 20ms, {});
	auto const answer = client.ask({});
	ASSERT_FALSE(answer);
	EXPECT_EQ(answer.error().detail, "cannot connect to slow.test:1: Connection timed out");
}

TEST(a_name_that_is_looked_up, does_not_hold_up_who_is_interrupted)
{
	boost::asio::io_context io;
	answers_in_the_end const end;
	bool interrupted = false;
	std::thread who([&] {
		EXPECT_TRUE(names().was_asked_within(1min));
		boost::asio::post(io, [&] { interrupted = true; });
	});
	http_client client(io, slow_url(), 1h, {}, [&] { return interrupted; });
	auto const answer = client.ask({});
	who.join();
	ASSERT_FALSE(answer);
	EXPECT_TRUE(answer.error().is(errc::cancelled));
}

TEST(a_name_that_is_looked_up, and_is_not_there_is_said_to_be_so)
{
	boost::asio::io_context io;
	answers_in_the_end const end;
	names().answer();
	http_client client(io, slow_url(), 1h, {});
	auto const answer = client.ask({});
	ASSERT_FALSE(answer);
	EXPECT_EQ(answer.error().detail, "cannot connect to slow.test:1: Host not found (authoritative)");
}

TEST(a_body_that_breaks_off, says_why)
{
	boost::asio::io_context io;
	boost::asio::ip::tcp::acceptor door(io, {boost::asio::ip::address_v4::loopback(), 0});
	auto const url = parse_url("http://127.0.0.1:" + std::to_string(door.local_endpoint().port()) + "/");
	ASSERT_TRUE(url);
	std::thread server([&] {
		boost::system::error_code closed;
		auto peer = door.accept(closed);
		if (closed) return;
		std::string request;
		boost::asio::read_until(peer, boost::asio::dynamic_buffer(request), "\r\n\r\n");
		boost::asio::write(peer, boost::asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour")));
	});
	http_client client(io, *url, 1min, {});
	auto const answer = client.ask({.max_body_bytes = 100});
	// Where the client never came.
	::shutdown(door.native_handle(), SHUT_RDWR);
	server.join();
	ASSERT_TRUE(answer);
	EXPECT_FALSE(answer->whole);
	EXPECT_EQ(answer->body, "four");
	EXPECT_EQ(answer->broken_off, "partial message");
}

} // namespace
} // namespace slipstream::cli
