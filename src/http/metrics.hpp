// GET /metrics: what the memory, the swarm and the server have done, as Prometheus reads it (text
// exposition format 0.0.4).
//
// Any thread, but for answer_metrics with the server's traffic. It is not where anything is
// counted: the memory, the engine and the connections do that, and their counters never fall.
#pragma once

#include "http/reply.hpp"
#include "http/traffic.hpp"

#include <slipstream/engine.hpp>

#include <span>
#include <string>

namespace slipstream::http {

[[nodiscard]] std::string metrics_text(memory_stats const& memory, payload_totals const& payload
	, early_totals const& early, std::span<torrent_summary const> torrents, traffic const& served);

// Answers GET and HEAD on resource::metrics.
[[nodiscard]] reply answer_metrics(engine const& e, traffic const& served);

} // namespace slipstream::http
