// The head of a request, as a connection takes it: parsed by Beast, routed, let in or refused, and answered. What is answered has
// to be a head that can be parsed, with nothing of the request's in it that was not meant to be.
#include "fuzz/fuzz.hpp"

#include "http/door.hpp"
#include "http/authority.hpp"
#include "http/connection.hpp"
#include "http/dlna.hpp"
#include "http/head.hpp"
#include "http/stream_plan.hpp"

#include <string>

namespace slipstream::fuzz {
namespace {

using namespace slipstream::http;

void can_be_parsed(std::string const& text)
{
	wire::response_parser<wire::empty_body> parser;
	parser.skip(true);
	error_code ec;
	std::size_t const used = parser.put(asio::buffer(text), ec);
	expect(!ec, "an answer's head can be parsed");
	expect(parser.is_header_done() && used == text.size(), "and is nothing but a head");
}

void answer(request const& asked, route const& where, reply const& r)
{
	wire::response<wire::empty_body> head(r.status, asked.version() == 10 ? 10u : 11u);
	for (auto const& [name, value] : r.headers) head.set(name, value);
	if (!r.content_type.empty()) head.set(wire::field::content_type, r.content_type);
	if (!is_bodiless(r.status)) head.content_length(r.body.size());
	head.keep_alive(asked.keep_alive());
	can_be_parsed(head_text(head, where.what));
}

void stream(request const& asked, route const& where)
{
	file_entry const file{.index = where.file_index, .path = "a/film.mkv", .name = "film.mkv", .size_bytes = 1'000};
	stream_plan const plan = plan_stream(asked, "0123456789abcdef0123456789abcdef01234567", file);
	expect(plan.length_bytes() >= 0, "a body has a length");
	std::int64_t sent = 0;
	for (body_part const& part : plan.parts) sent += part.bytes.length;
	expect(sent <= file.size_bytes, "no more is sent than the file has");
	wire::response<wire::empty_body> head(plan.status, asked.version() == 10 ? 10u : 11u);
	for (auto const& [name, value] : plan.headers) head.set(name, value);
	for (auto const& [name, value] : dlna_headers(asked, "video/x-matroska")) head.set(name, value);
	can_be_parsed(head_text(head, where.what));
}

void serve(request const& asked)
{
	static server_options const options;
	static credentials const nobody{{}}, known{{"user:password"}};
	auto const target = asked.target();
	route const where = find_route({target.data(), target.size()});
	if (auto const refused = answer_at_the_door(asked, where, options, known)) answer(asked, where, *refused);
	auto const early = answer_at_the_door(asked, where, options, nobody);
	if (early) return answer(asked, where, *early);

	auto const host = parse_authority(requested_authority(asked));
	// Of HTTP/1.0 a request may say nothing; a browser never does.
	bool const says_nothing = asked.version() < 11 && asked.count(wire::field::host) == 0 && !host;
	expect(says_nothing || (host && is_ours(*host, options.host_names)), "only what is for us comes in");
	bool const changes = asked.method() != wire::verb::get && asked.method() != wire::verb::head;
	auto const origin = asked[wire::field::origin];
	if (changes && !origin.empty())
	{
		std::string_view const page(origin.data(), origin.size());
		auto const of_page = parse_authority(page.substr(page.find("://") + 3));
		expect(of_page && of_page->host == host->host && of_page->port == host->port, "nothing is changed by another origin's page");
	}
	if (where.what == resource::stream) stream(asked, where);
}

} // namespace
} // namespace slipstream::fuzz

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* const bytes, std::size_t const size)
{
	using namespace slipstream::http;
	wire::request_parser<wire::string_body> parser;
	parser.header_limit(connection::max_header_bytes);
	parser.body_limit(slipstream::engine::max_torrent_bytes);
	parser.eager(false);
	error_code ec;
	std::size_t used = 0;
	while (!ec && !parser.is_header_done())
	{
		std::size_t const count = parser.put(asio::const_buffer(bytes + used, size - used), ec);
		used += count;
		if (count == 0 && !ec) break;
	}
	if (ec)
	{
		static_cast<void>(answer_unreadable(ec));
		return 0;
	}
	if (parser.is_header_done()) slipstream::fuzz::serve(parser.get());
	return 0;
}
