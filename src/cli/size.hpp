// Sizes as people write them: "256MiB", "1GB", "1048576".
//
// Pure functions; any thread.
#pragma once

#include <slipstream/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace slipstream::cli {

// A whole number of bytes, or of KiB, MiB, GiB, TiB (of 1024), or of kB, MB, GB, TB (of 1000), in either
// case. Errors: bad_argument, with a sentence that says what would be right.
[[nodiscard]] expected<std::int64_t> parse_size(std::string_view text);

// "256.0 MiB"; bytes below a KiB.
[[nodiscard]] std::string size_text(std::int64_t bytes);

} // namespace slipstream::cli
