// A server on a scripted engine, for the tests of this folder.
#pragma once

#include "http/client.hpp"
#include "http/scripted_engine.hpp"
#include "http/server.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace slipstream::test {

// Bytes that differ from place to place, so that a wrong offset shows.
inline std::string film_bytes(std::size_t const size)
{
	std::string bytes(size, '\0');
	std::uint32_t x = 1;
	for (char& c : bytes)
	{
		x = x * 1664525 + 1013904223;
		c = static_cast<char>(x >> 24);
	}
	return bytes;
}

// RFC 9457.
inline void expect_problem(answer const& a, unsigned const status)
{
	EXPECT_EQ(a.status, status);
	EXPECT_EQ(a.field("Content-Type"), "application/problem+json");
	nlohmann::json const o = nlohmann::json::parse(a.body, nullptr, false);
	ASSERT_TRUE(o.is_object()) << a.body;
	EXPECT_EQ(o["status"], status);
	EXPECT_FALSE(o["title"].get<std::string>().empty());
	EXPECT_FALSE(o["detail"].get<std::string>().empty());
}

class serving : public testing::Test
{
protected:
	static http::server_options options()
	{
		http::server_options o;
		o.listen = {{boost::asio::ip::make_address("127.0.0.1"), 0}};
		return o;
	}
	void serve(http::server_options o = options()) { m_server.emplace(m_engine, std::move(o)); }
	void SetUp() override
	{
		m_script.add(id, {{"film.mp4", film}, {"empty.srt", ""}, {"strange \"name\".mkv", film.substr(0, 100)}});
		serve();
	}
	[[nodiscard]] boost::asio::ip::tcp::endpoint where() const { return m_server->endpoints().front(); }
	[[nodiscard]] answer ask(std::string_view method, std::string_view target
		, std::string_view fields = {}, std::string_view body = {}) const
	{
		return test::ask(where(), method, target, fields, body);
	}

	std::string const id = "0123456789abcdef0123456789abcdef01234567";
	std::string const path = "/stream/" + id + "/0/film.mp4";
	std::string const film = film_bytes(3'000'000);
	script m_script;
	engine m_engine{engine_options{}};
	std::optional<http::server> m_server;
};

} // namespace slipstream::test
