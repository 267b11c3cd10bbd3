#include "http/head.hpp"

#include <ctime>
#include <sstream>

namespace slipstream::http {
namespace {

// "An origin server with a clock MUST generate a Date header field" (RFC 9110, section 6.6.1).
std::string date_now()
{
	std::time_t const now = std::time(nullptr);
	std::tm parts{};
	gmtime_r(&now, &parts);
	char text[64];
	std::size_t const length = std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
	return {text, length};
}

} // namespace

std::string head_text(wire::response<wire::empty_body>& head, resource const what)
{
	head.set(wire::field::server, "slipstream");
	head.set(wire::field::date, date_now());
	// Everything is shown as what it is said to be, and never run: names and bytes come from strangers.
	head.set("X-Content-Type-Options", "nosniff");
	// Some players decide by an error's header whether it is worth seeking at all (RFC 9110,
	// section 14.3).
	head.set(wire::field::accept_ranges, what == resource::stream ? "bytes" : "none");
	// Nothing but this server's own runs in the page or is asked by it, and no other page frames it
	// (Content Security Policy, level 3). Films and subtitles are this server's too.
	if (what == resource::page)
	{
		head.set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
			"media-src 'self'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'");
		head.set("Referrer-Policy", "no-referrer");
	}
	if (what == resource::stream)
	{
		head.set(wire::field::access_control_allow_origin, "*");
		head.set(wire::field::access_control_expose_headers
			, "Accept-Ranges, Content-Length, Content-Range, Content-Type, Date, ETag");
	}
	std::ostringstream out;
	out << head.base();
	return out.str();
}

bool is_bodiless(wire::status const status) noexcept
{
	return status == wire::status::no_content || status == wire::status::not_modified;
}

} // namespace slipstream::http
