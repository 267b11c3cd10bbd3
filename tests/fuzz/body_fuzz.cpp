// Bodies of the API's requests, on an engine that can do nothing but remember. The input: a line with the method, the path
// and perhaps a type, like "POST /api/v1/torrents application/json", and the body.
#include "fuzz/fuzz.hpp"

#include "http/api.hpp"
#include "http/route.hpp"
#include "http/scripted_engine.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace slipstream::fuzz {
namespace {

using namespace slipstream::http;

std::string_view word(std::string_view& line)
{
	std::size_t const end = std::min(line.find(' '), line.size());
	std::string_view const w = line.substr(0, end);
	line.remove_prefix(std::min(end + 1, line.size()));
	return w;
}

void judge(reply const& r)
{
	auto const status = static_cast<unsigned>(r.status);
	expect((status >= 200 && status < 300) || (status >= 400 && status < 500) || status == 507, "no body makes the server fail");
	if (status == 204) return expect(r.body.empty(), "204 has no body");
	auto const document = nlohmann::json::parse(r.body, nullptr, false);
	expect(!document.is_discarded(), "what is answered is JSON");
	if (status < 400) return expect(r.content_type == "application/json", "and says so");
	expect(r.content_type == "application/problem+json" && document["status"] == status && document["detail"].is_string()
		&& document["detail"] != "", "a problem says what it is");
}

} // namespace
} // namespace slipstream::fuzz

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* const bytes, std::size_t const size)
{
	using namespace slipstream;
	static test::script script;
	static engine e{engine_options{}};
	fuzz::input in(bytes, size);
	std::string_view line = in.line();
	http::request asked;
	std::string_view const method = fuzz::word(line);
	auto const verb = http::wire::string_to_verb({method.data(), method.size()});
	asked.method(verb == http::wire::verb::unknown ? http::wire::verb::post : verb);
	http::route const where = http::find_route(fuzz::word(line));
	if (where.what < http::resource::torrents || where.what == http::resource::events) return 0;
	// What a header can hold.
	if (std::all_of(line.begin(), line.end(), [](char const c) { return c >= ' ' && c < 0x7f; }))
		asked.set(http::wire::field::content_type, {line.data(), line.size()});
	asked.body() = in.rest();
	fuzz::judge(http::answer_api(e, asked, where));
	// Not more and more of them.
	for (auto const& t : e.torrents()) static_cast<void>(e.remove(t.id));
	return 0;
}
