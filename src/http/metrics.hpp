// GET /metrics: what the memory and the swarm have done, as Prometheus reads it (text exposition format 0.0.4).
//
// Any thread. It is not where anything is counted: the memory and the engine do that, and their counters never fall.
#pragma once

#include "http/reply.hpp"

#include <slipstream/engine.hpp>

#include <string>

namespace slipstream::http {

[[nodiscard]] std::string metrics_text(memory_stats const& memory, payload_totals const& payload);

// Answers GET and HEAD on resource::metrics.
[[nodiscard]] reply answer_metrics(engine const& e);

} // namespace slipstream::http
