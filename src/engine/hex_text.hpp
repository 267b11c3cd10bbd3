// Bytes as people write hashes: lower-case hexadecimal, two digits each. A pure function; any
// thread. What a URL's '%' is followed by is not its business (http/route.hpp).
#pragma once

#include <string>
#include <string_view>

namespace slipstream {

[[nodiscard]] std::string hex_text(std::string_view bytes);

} // namespace slipstream
