// Sizes as people read them. A pure function; any thread. What they write is read by parse_bytes
// (slipstream/extent.hpp).
#pragma once

#include <cstdint>
#include <string>

namespace slipstream::cli {

// "256.0 MiB"; bytes below a KiB.
[[nodiscard]] std::string size_text(std::int64_t bytes);

} // namespace slipstream::cli
