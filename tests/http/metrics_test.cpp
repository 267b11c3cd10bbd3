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
#include <set>
#include <sstream>
#include <stdexcept>

namespace slipstream::test {
namespace {

// The exposition, parsed as strictly as it is meant: HELP and TYPE for each name once, then its samples.
struct sample
{
	std::string type;
	double value = 0;
};

std::map<std::string, sample> parse(std::string const& text)
{
	std::map<std::string, sample> all;
	std::set<std::string> names;
	if (text.empty() || text.back() != '\n') throw std::runtime_error("the last line has no end");
	std::istringstream lines(text);
	std::string name, type;
	for (std::string line; std::getline(lines, line);)
	{
		if (line.starts_with("# HELP "))
		{
			name = line.substr(7, line.find(' ', 7) - 7);
			if (!names.insert(name).second) throw std::runtime_error(name + " comes twice");
			if (!std::getline(lines, line) || !line.starts_with("# TYPE " + name + ' ')) throw std::runtime_error("no TYPE for " + name);
			type = line.substr(line.rfind(' ') + 1);
			continue;
		}
		std::string const key = line.substr(0, line.rfind(' '));
		std::string const rest = key.starts_with(name) ? key.substr(name.size()) : "?";
		bool const fits = rest.empty() ? type != "histogram" : type == "histogram"
			? rest.starts_with("_bucket{le=\"") || rest == "_sum" || rest == "_count" : rest.starts_with("{status=\"");
		if (!fits) throw std::runtime_error("no HELP and TYPE before " + line);
		if (!all.emplace(key, sample{type, std::stod(line.substr(line.rfind(' ') + 1))}).second)
			throw std::runtime_error(key + " comes twice");
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
	torrent_summary one;
	one.peers = 50;
	one.readers = 51;
	one.download_rate_bytes_s = 52;
	one.upload_rate_bytes_s = 53;
	http::traffic t;
	t.connections_open = 111;
	t.streams_open = 112;
	t.lent_bytes = 113;
	t.streamed_bytes = 114;
	t.waits = 115;
	t.waited_s = 1.5;
	t.answers = {{200, 116}, {404, 117}};
	auto const all = parse(http::metrics_text(m, {109, std::int64_t{1} << 40}, {119, 120}, std::vector{one, one}, t));
	struct { char const* name; char const* type; double value; } const wanted[]{
		{"memory_capacity_bytes", "gauge", 101}, {"memory_used_bytes", "gauge", 102}
		, {"memory_peak_bytes", "gauge", 103}, {"pieces_evicted_total", "counter", 104}
		, {"pieces_forgotten_total", "counter", 105}, {"lookbehind_bytes", "gauge", 106}
		, {"writes_refused_total", "counter", 107}, {"reads_missed_total", "counter", 108}
		, {"payload_download_bytes_total", "counter", 109}, {"early_bytes_total", "counter", 119}
		, {"early_failed_bytes_total", "counter", 120}
		, {"payload_upload_bytes_total", "counter", static_cast<double>(std::int64_t{1} << 40)}
		, {"torrents", "gauge", 2}, {"peers", "gauge", 100}, {"readers", "gauge", 102}
		, {"payload_download_bytes_per_second", "gauge", 104}, {"payload_upload_bytes_per_second", "gauge", 106}
		, {"http_connections", "gauge", 111}, {"http_streams", "gauge", 112}, {"http_lent_bytes", "gauge", 113}
		, {"http_streamed_bytes_total", "counter", 114}, {"http_stream_waits_total", "counter", 115}
		, {"http_stream_wait_seconds_total", "counter", 1.5}, {"http_answers_total{status=\"200\"}", "counter", 116}
		, {"http_answers_total{status=\"404\"}", "counter", 117}};
	std::size_t const of_histograms = 2 * (t.seek.counts.size() + 2);
	EXPECT_EQ(all.size(), std::size(wanted) + of_histograms);
	for (auto const& [name, type, value] : wanted)
	{
		auto const found = all.find(std::string("slipstream_") + name);
		ASSERT_NE(found, all.end()) << name;
		EXPECT_EQ(found->second.type, type) << name;
		EXPECT_EQ(found->second.value, value) << name;
	}
}

TEST(metrics_text, has_histograms_whose_buckets_add_up)
{
	http::traffic t;
	for (double const s : {0.001, 0.005, 0.0051, 0.3, 61.0}) t.seek.add(std::chrono::duration<double>(s));
	auto const all = parse(http::metrics_text({}, {}, {}, {}, t));
	auto const at = [&](std::string const& end) { return all.at("slipstream_http_seek_seconds" + end).value; };
	EXPECT_EQ(at("_bucket{le=\"0.005\"}"), 2);
	EXPECT_EQ(at("_bucket{le=\"0.01\"}"), 3);
	EXPECT_EQ(at("_bucket{le=\"0.25\"}"), 3);
	EXPECT_EQ(at("_bucket{le=\"0.5\"}"), 4);
	EXPECT_EQ(at("_bucket{le=\"60\"}"), 4);
	EXPECT_EQ(at("_bucket{le=\"+Inf\"}"), 5);
	EXPECT_EQ(at("_count"), 5);
	EXPECT_NEAR(at("_sum"), 61.3111, 1e-4);
	EXPECT_EQ(all.at("slipstream_http_first_byte_seconds_count").value, 0);
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
	{ return static_cast<std::int64_t>(parse(ask("GET", "/metrics").body).at("slipstream_" + name).value); }
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
	EXPECT_GT(parse(got.body).size(), 40u);

	client c(m_server.endpoints().front());
	answer const head = c.ask("HEAD", "/metrics");
	EXPECT_EQ(head.status, 200u);
	EXPECT_EQ(head.field("Content-Type"), got.field("Content-Type"));
	EXPECT_GE(std::stoul(head.field("Content-Length")), got.body.size());  // it has counted the first
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
	// The client may have all its bytes before the server knows that they are sent.
	EXPECT_TRUE(becomes([&] { return value("http_streamed_bytes_total") == film_size; }));
	EXPECT_EQ(value("http_first_byte_seconds_count"), 1);
	EXPECT_EQ(value("http_seek_seconds_count"), 0);
	EXPECT_EQ(test::ask(m_server.endpoints().front(), "GET", "/stream/" + id + "/0/film.mkv"
		, "Range: bytes=500000-500099\r\n").status, 206u);
	EXPECT_EQ(value("http_seek_seconds_count"), 1);
	EXPECT_TRUE(becomes([&] { return value("http_streamed_bytes_total") == film_size + 100 && value("http_streams") == 0; }));
	EXPECT_EQ(value("http_answers_total{status=\"206\"}"), 1);
	EXPECT_EQ(value("http_answers_total{status=\"201\"}"), 1);
	EXPECT_EQ(value("http_lent_bytes"), 0);
	EXPECT_EQ(value("torrents"), 1);
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
