#include "http/dlna.hpp"

namespace slipstream::http {
namespace {

// OP=01: seeking by bytes, not by time. CI=0: as it is, not transcoded. The flags say that it
// streams, may be fetched in the background, that connections may stall, and that they follow
// version 1.5.
constexpr std::string_view features = "DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=01700000000000000000000000000000";

bool plays(std::string_view const media_type) noexcept
{
	return media_type.starts_with("video/") || media_type.starts_with("audio/");
}

} // namespace

std::vector<std::pair<std::string, std::string>> dlna_headers(wire::request_header<> const& head
	, std::string_view const media_type)
{
	std::vector<std::pair<std::string, std::string>> answers;
	if (head["getcontentFeatures.dlna.org"] == "1")
		answers.emplace_back("contentFeatures.dlna.org", std::string(features));
	beast::string_view const mode = head["transferMode.dlna.org"];
	if (mode.empty()) return answers;
	// What plays is streamed unless it is fetched in the background; pictures and texts are not streamed.
	if (beast::iequals(mode, "Background")) answers.emplace_back("transferMode.dlna.org", "Background");
	else answers.emplace_back("transferMode.dlna.org", plays(media_type) ? "Streaming" : "Interactive");
	return answers;
}

} // namespace slipstream::http
