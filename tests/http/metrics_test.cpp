// GET /metrics: the text by itself, and the figures of a real engine.
#include "http/client.hpp"
#include "http/metrics.hpp"
#include "http/server.hpp"
#include "support/swarm.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

namespace slipstream::test {
namespace {

// The exposition, parsed as strictly as it is meant: HELP, TYPE and one sample for each name, in this order.
struct sample
{
	std::string type;
	std::int64_t value = 0;
};

std::map<std::string, sample> parse(std::string const& text)
{
	std::map<std::string, sample> all;
	if (text.empty() || text.back() != '\n') throw std::runtime_error("the last line has no end");
	std::istringstream lines(text);
	for (std::string help, type, value; std::getline(lines, help);)
	{
		if (!std::getline(lines, type) || !std::getline(lines, value))
			throw std::runtime_error("cut off after " + help);
		std::string const name = value.substr(0, value.find(' '));
		if (!help.starts_with("# HELP " + name + ' ') || !type.starts_with("# TYPE " + name + ' '))
			throw std::runtime_error("no HELP and TYPE before " + value);
		sample const s{type.substr(type.rfind(' ') + 1), std::stoll(value.substr(name.size() + 1))};
		if (!all.emplace(name, s).second) throw std::runtime_error(name + " comes twice");
	}
	return all;
}

TEST(metrics_text, has_every_name_once_with_its_type_and_its_own_figure)
{
	memory_stats m;
	m.capacity_bytes = 101;
	m.used_bytes = 102;
	m.peak_bytes = 103;
	m.pieces_evicted = 104;
	m.pieces_forgotten = 105;
	m.lookbehind_bytes = 106;
	m.writes_refused = 107;
	m.reads_missed = 108;
	auto const all = parse(http::metrics_text(m, {109, std::int64_t{1} << 40}));
	struct { char const* name; char const* type; std::int64_t value; } const wanted[]{
		{"slipstream_memory_capacity_bytes", "gauge", 101}, {"slipstream_memory_used_bytes", "gauge", 102}
		, {"slipstream_memory_peak_bytes", "gauge", 103}, {"slipstream_pieces_evicted_total", "counter", 104}
		, {"slipstream_pieces_forgotten_total", "counter", 105}, {"slipstream_lookbehind_bytes", "gauge", 106}
		, {"slipstream_writes_refused_total", "counter", 107}, {"slipstream_reads_missed_total", "counter", 108}
		, {"slipstream_payload_download_bytes_total", "counter", 109}
		, {"slipstream_payload_upload_bytes_total", "counter", std::int64_t{1} << 40}};
	EXPECT_EQ(all.size(), std::size(wanted));
	for (auto const& [name, type, value] : wanted)
	{
		auto const found = all.find(name);
		ASSERT_NE(found, all.end()) << name;
		EXPECT_EQ(found->second.type, type) << name;
		EXPECT_EQ(found->second.value, value) << name;
	}
}

class server_metrics : public testing::Test
{
protected:
	static engine_options engine_settings(boost::asio::ip::tcp::endpoint const peer)
	{
		engine_options o;
		o.memory.capacity_bytes = 32 << 20;
		o.peer_listen = {"127.0.0.1:0"};
		o.offline = true;
		o.connect = {peer};
		return o;
	}
	static http::server_options server_settings()
	{
		http::server_options o;
		o.listen = {{boost::asio::ip::make_address("127.0.0.1"), 0}};
		return o;
	}
	[[nodiscard]] answer ask(char const* const method, std::string const& target, std::string const& body = {}) const
	{ return test::ask(m_server.endpoints().front(), method, target, "", body); }
	[[nodiscard]] std::int64_t value(std::string const& name) const
	{ return parse(ask("GET", "/metrics").body).at("slipstream_" + name).value; }
	// Scrapes until it is so, 20 s at most: libtorrent counts payload and frees memory after the fact.
	static bool becomes(std::function<bool()> const& so)
	{
		auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
		while (!so()) if (std::chrono::steady_clock::now() > end) return false;
		return true;
	}

	static constexpr std::int64_t film_size = 1'500'000;
	shared_files m_files{"film", {{"film.mkv", film_size}}, torrent_kind::v1, 64 << 10};
	seeder m_seed{m_files};
	engine m_engine{engine_settings(m_seed.endpoint())};
	http::server m_server{m_engine, server_settings()};
};

TEST_F(server_metrics, are_text_for_get_and_head_and_take_no_post)
{
	answer const got = ask("GET", "/metrics");
	EXPECT_EQ(got.status, 200u);
	EXPECT_EQ(got.field("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
	EXPECT_EQ(parse(got.body).size(), 10u);

	client c(m_server.endpoints().front());
	answer const head = c.ask("HEAD", "/metrics");
	EXPECT_EQ(head.status, 200u);
	EXPECT_EQ(head.field("Content-Type"), got.field("Content-Type"));
	EXPECT_EQ(head.field("Content-Length"), std::to_string(got.body.size()));
	// Nothing of a body follows: the next answer is read right.
	EXPECT_EQ(c.ask("GET", "/metrics?debug=1").status, 200u);

	answer const posted = ask("POST", "/metrics", "x");
	EXPECT_EQ(posted.status, 405u);
	EXPECT_EQ(posted.field("Allow"), "GET, HEAD, OPTIONS");
	EXPECT_EQ(ask("GET", "/metrics/x").status, 404u);
}

TEST_F(server_metrics, say_what_the_engine_and_its_memory_do)
{
	EXPECT_EQ(value("memory_capacity_bytes"), 32 << 20);
	EXPECT_EQ(value("memory_used_bytes"), 0);
	EXPECT_EQ(value("payload_download_bytes_total"), 0);

	auto const& file = m_files.torrent_file();
	answer const added = ask("POST", "/api/v1/torrents", {file.begin(), file.end()});
	ASSERT_EQ(added.status, 201u) << added.body;
	auto const id = nlohmann::json::parse(added.body)["id"].get<std::string>();
	ASSERT_TRUE(ask("GET", "/stream/" + id + "/0/film.mkv").body == m_files.content(0));
	EXPECT_TRUE(becomes([&] { return value("payload_download_bytes_total") >= film_size; }));
	EXPECT_GE(value("memory_used_bytes"), film_size);
	EXPECT_GE(value("memory_peak_bytes"), value("memory_used_bytes"));
	auto const downloaded = value("payload_download_bytes_total");
	EXPECT_EQ(downloaded, m_engine.find(id)->downloaded_bytes);

	EXPECT_EQ(ask("DELETE", "/api/v1/torrents/" + id).status, 204u);
	EXPECT_GE(value("payload_download_bytes_total"), downloaded);
	EXPECT_TRUE(becomes([&] { return value("memory_used_bytes") == 0; }));
	EXPECT_GE(value("memory_peak_bytes"), film_size);
}

} // namespace
} // namespace slipstream::test
