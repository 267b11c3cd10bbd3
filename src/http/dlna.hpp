// What renderers of DLNA ask before they seek, and are answered in headers of the same transfer.
//
// Pure functions, any thread. Nothing here announces a server (SSDP) or lists what it has.
#pragma once

#include "http/wire.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipstream::http {

// contentFeatures.dlna.org for "getcontentFeatures.dlna.org: 1", and transferMode.dlna.org where a
// mode was asked for; empty when nothing was. `media_type` is of the file.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> dlna_headers(wire::request_header<> const& head
	, std::string_view media_type);

} // namespace slipstream::http
