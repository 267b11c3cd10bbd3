#include "http/metrics.hpp"

#include <cstdint>
#include <string_view>

namespace slipstream::http {
namespace {

struct metric
{
	std::string_view name;
	std::string_view type;
	std::string_view help;  // neither '\' nor a line's end in it: they would need escaping
	std::int64_t value;
};

} // namespace

std::string metrics_text(memory_stats const& memory, payload_totals const& payload)
{
	metric const all[]{
		{"slipstream_memory_capacity_bytes", "gauge", "Bytes of torrent data that memory may hold."
			, memory.capacity_bytes},
		{"slipstream_memory_used_bytes", "gauge", "Bytes of every block in use.", memory.used_bytes},
		{"slipstream_memory_peak_bytes", "gauge", "The most that was in use since the start.", memory.peak_bytes},
		{"slipstream_pieces_evicted_total", "counter", "Pieces that gave up their memory for others."
			, memory.pieces_evicted},
		{"slipstream_pieces_forgotten_total", "counter"
			, "Pieces that libtorrent was made to give up, partial ones included.", memory.pieces_forgotten},
		{"slipstream_lookbehind_bytes", "gauge", "Bytes protected behind readers.", memory.lookbehind_bytes},
		{"slipstream_writes_refused_total", "counter", "Writes refused for want of capacity.", memory.writes_refused},
		{"slipstream_reads_missed_total", "counter", "Reads for what was not in memory.", memory.reads_missed},
		{"slipstream_payload_download_bytes_total", "counter", "Payload received from peers.", payload.downloaded_bytes},
		{"slipstream_payload_upload_bytes_total", "counter", "Payload sent to peers.", payload.uploaded_bytes},
	};
	std::string text;
	for (metric const& m : all)
	{
		text.append("# HELP ").append(m.name).append(" ").append(m.help).append("\n");
		text.append("# TYPE ").append(m.name).append(" ").append(m.type).append("\n");
		text.append(m.name).append(" ").append(std::to_string(m.value)).append("\n");
	}
	return text;
}

reply answer_metrics(engine const& e)
{
	reply r;
	r.content_type = "text/plain; version=0.0.4; charset=utf-8";
	r.body = metrics_text(e.memory().stats(), e.payload());
	return r;
}

} // namespace slipstream::http
