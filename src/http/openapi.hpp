// The description of the API, as of docs/openapi.yaml when the program was built. A constant; any thread.
#pragma once

#include <string_view>

namespace slipstream::http {

[[nodiscard]] std::string_view openapi_text() noexcept;

} // namespace slipstream::http
