#include "http/metrics.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <string_view>

namespace slipstream::http {
namespace {

// Neither a '\' nor a line's end is in a help text or a label here: they would need escaping.
class exposition
{
public:
	void gauge(std::string_view const name, std::string_view const help, std::int64_t const value)
	{
		begin(name, "gauge", help);
		fmt::format_to(std::back_inserter(m_text), "slipstream_{} {}\n", name, value);
	}
	void counter(std::string_view const name, std::string_view const help, std::int64_t const value)
	{
		begin(name, "counter", help);
		fmt::format_to(std::back_inserter(m_text), "slipstream_{} {}\n", name, value);
	}
	void seconds(std::string_view const name, std::string_view const help, double const value)
	{
		begin(name, "counter", help);
		fmt::format_to(std::back_inserter(m_text), "slipstream_{} {:.6f}\n", name, value);
	}
	void distribution(std::string_view const name, std::string_view const help, histogram const& h)
	{
		begin(name, "histogram", help);
		std::int64_t up_to_here = 0;
		for (std::size_t i = 0; i < h.counts.size(); ++i)
		{
			up_to_here += h.counts[i];
			std::string const bound = i < h.bounds_s.size() ? fmt::format("{:g}", h.bounds_s[i]) : "+Inf";
			fmt::format_to(std::back_inserter(m_text), "slipstream_{}_bucket{{le=\"{}\"}} {}\n", name, bound, up_to_here);
		}
		fmt::format_to(std::back_inserter(m_text), "slipstream_{0}_sum {1:.6f}\nslipstream_{0}_count {2}\n", name
			, h.sum_s, up_to_here);
	}
	void answers(traffic const& served)
	{
		begin("http_answers_total", "counter", "Answers by their status.");
		for (auto const& [status, count] : served.answers)
			fmt::format_to(std::back_inserter(m_text), "slipstream_http_answers_total{{status=\"{}\"}} {}\n", status, count);
	}
	[[nodiscard]] std::string text() && { return std::move(m_text); }

private:
	void begin(std::string_view const name, std::string_view const type, std::string_view const help)
	{
		fmt::format_to(std::back_inserter(m_text), "# HELP slipstream_{0} {2}\n# TYPE slipstream_{0} {1}\n", name, type, help);
	}
	std::string m_text;
};

void tell_memory(exposition& to, memory_stats const& memory)
{
	to.gauge("memory_capacity_bytes", "Bytes of torrent data that memory may hold.", memory.capacity_bytes);
	to.gauge("memory_used_bytes", "Bytes of every block in use.", memory.used_bytes);
	to.gauge("memory_peak_bytes", "The most that was in use since the start.", memory.peak_bytes);
	to.counter("pieces_evicted_total", "Pieces that gave up their memory for others.", memory.pieces_evicted);
	to.counter("pieces_forgotten_total", "Pieces that libtorrent was made to give up, partial ones included.", memory.pieces_forgotten);
	to.gauge("lookbehind_bytes", "Bytes protected behind readers.", memory.lookbehind_bytes);
	to.counter("writes_refused_total", "Writes refused for want of capacity.", memory.writes_refused);
	to.counter("reads_missed_total", "Reads for what was not in memory.", memory.reads_missed);
}

void tell_swarm(exposition& to, payload_totals const& payload, std::span<torrent_summary const> const torrents)
{
	torrent_summary all;
	for (torrent_summary const& t : torrents)
	{
		all.peers += t.peers;
		all.readers += t.readers;
		all.download_rate_bytes_s += t.download_rate_bytes_s;
		all.upload_rate_bytes_s += t.upload_rate_bytes_s;
	}
	to.counter("payload_download_bytes_total", "Payload received from peers.", payload.downloaded_bytes);
	to.counter("payload_upload_bytes_total", "Payload sent to peers.", payload.uploaded_bytes);
	to.gauge("torrents", "Torrents there are.", static_cast<std::int64_t>(torrents.size()));
	to.gauge("peers", "Peers connected, of all torrents.", all.peers);
	to.gauge("readers", "Readers open, of all torrents.", all.readers);
	to.gauge("payload_download_bytes_per_second", "Payload that comes from peers now.", all.download_rate_bytes_s);
	to.gauge("payload_upload_bytes_per_second", "Payload that goes to peers now.", all.upload_rate_bytes_s);
}

void tell_early(exposition& to, early_totals const& early)
{
	to.counter("early_bytes_total", "Bytes given to readers before they were verified (--early).", early.lent_bytes);
	to.counter("early_failed_bytes_total", "Of these, of pieces that were wrong.", early.failed_bytes);
}

void tell_traffic(exposition& to, traffic const& served)
{
	to.gauge("http_connections", "Connections open.", served.connections_open);
	to.gauge("http_streams", "Streams open, that have a reader.", served.streams_open);
	to.gauge("http_lent_bytes", "Bytes of memory that clients may hold now.", served.lent_bytes);
	to.counter("http_streamed_bytes_total", "Bytes of files sent to clients.", served.streamed_bytes);
	to.counter("http_stream_waits_total", "Times that a stream waited for its next bytes.", served.waits);
	to.seconds("http_stream_wait_seconds_total", "Time that streams waited for their next bytes.", served.waited_s);
	to.distribution("http_first_byte_seconds", "From a request to the first bytes of the file.", served.first_byte);
	to.distribution("http_seek_seconds", "The same of streams that begin elsewhere than at the file's start.", served.seek);
	to.answers(served);
}

} // namespace

std::string metrics_text(memory_stats const& memory, payload_totals const& payload
	, early_totals const& early, std::span<torrent_summary const> const torrents, traffic const& served)
{
	exposition to;
	tell_memory(to, memory);
	tell_swarm(to, payload, torrents);
	tell_early(to, early);
	tell_traffic(to, served);
	return std::move(to).text();
}

reply answer_metrics(engine const& e, traffic const& served)
{
	reply r;
	r.content_type = "text/plain; version=0.0.4; charset=utf-8";
	r.body = metrics_text(e.memory().stats(), e.payload(), e.early(), e.torrents(), served);
	return r;
}

} // namespace slipstream::http
