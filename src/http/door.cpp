#include "http/door.hpp"

#include "http/authority.hpp"

#include <slipstream/engine.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace slipstream::http {
namespace {

bool is_listed(std::string_view list, std::string_view const word)
{
	while (!list.empty())
	{
		std::size_t const end = std::min(list.find(", "), list.size());
		if (list.substr(0, end) == word) return true;
		list.remove_prefix(std::min(end + 2, list.size()));
	}
	return false;
}

// A browser names the page a request comes from. A page of another origin may not add or remove
// torrents: some such requests need no preflight, so not answering it would not keep them out.
bool from_another_origin(wire::request_header<> const& head)
{
	if (head.count(wire::field::origin) == 0) return false;
	std::string_view origin = view(head[wire::field::origin]);
	std::size_t const authority = origin.find("://");
	if (authority == std::string_view::npos) return true;  // "null" among them
	origin.remove_prefix(authority + 3);
	// Of a target in absolute-form the Host header says nothing (RFC 9112, section 3.2.2).
	std::string_view const here = requested_authority(head);
	return !beast::iequals(beast::string_view(origin.data(), origin.size()), beast::string_view(here.data(), here.size()));
}

// A browser says where a request comes from that it makes for a page (Fetch Metadata): an image, a
// script, a fetch without CORS. Such may stream, as other sites' players do, but hold or cost
// nothing else here. A link that is followed may.
bool made_for_another_site(wire::request_header<> const& head)
{
	beast::string_view const site = head["Sec-Fetch-Site"];
	return (site == "cross-site" || site == "same-site") && head["Sec-Fetch-Mode"] != "navigate";
}

reply method_not_allowed(route const& where)
{
	std::string const allowed(allowed_methods(where.what));
	reply r = problem(wire::status::method_not_allowed, "this path takes " + allowed);
	// "The origin server MUST generate an Allow header field" (RFC 9110, section 15.5.6).
	r.headers.emplace_back(wire::field::allow, allowed);
	return r;
}

reply answer_options(wire::request_header<> const& head, route const& where)
{
	reply r;
	r.status = wire::status::no_content;
	std::string const allowed(allowed_methods(where.what));
	r.headers.emplace_back(wire::field::allow, allowed);
	if (where.what == resource::stream && head.count(wire::field::access_control_request_method) != 0)
	{
		r.headers.emplace_back(wire::field::access_control_allow_methods, allowed);
		r.headers.emplace_back(wire::field::access_control_allow_headers
			, "Authorization, Range, If-Range, If-Match, If-None-Match");
		r.headers.emplace_back(wire::field::access_control_max_age, "86400");
	}
	return r;
}

// Nothing when the request may be answered as far as its addressee goes.
std::optional<reply> for_somebody_else(wire::request_header<> const& head, std::span<std::string const> const names)
{
	// "A server MUST respond with a 400 ... to any HTTP/1.1 request message that lacks a Host
	// header field and to any ... that contains more than one" (RFC 9112, section 3.2).
	auto const hosts = head.count(wire::field::host);
	if (hosts > 1 || (hosts == 0 && head.version() >= 11))
		return problem(wire::status::bad_request, "there must be one Host header");
	std::string_view const text = requested_authority(head);
	if (hosts == 0 && text.empty()) return std::nullopt;  // HTTP/1.0: no browser
	std::optional<authority> const asked = parse_authority(text);
	if (!asked) return problem(wire::status::bad_request, "the Host header is not HOST or HOST:PORT");
	if (is_ours(*asked, names)) return std::nullopt;
	// RFC 9110, section 15.5.20.
	return problem(wire::status::misdirected_request, "this server is not known as '" + asked->host + "': any page could be;"
		" use its address, or start it with --host-name " + asked->host);
}

} // namespace

std::optional<reply> answer_at_the_door(wire::request_header<> const& head, route const& where
	, server_options const& options, credentials const& admitted)
{
	if (auto refusal = for_somebody_else(head, options.host_names)) return refusal;
	// A browser asks what it may ask without saying who it is, and watchdogs need not know.
	bool const open = where.what == resource::health || head.method() == wire::verb::options;
	if (!open && (head.count(wire::field::authorization) > 1 || !admitted.admits(view(head[wire::field::authorization]))))
	{
		reply r = problem(wire::status::unauthorized, "this server asks for a user and a password");
		r.headers.emplace_back(wire::field::www_authenticate, "Basic realm=\"slipstream\", charset=\"UTF-8\"");
		return r;
	}
	if (where.what == resource::malformed) return problem(wire::status::bad_request, where.reason);
	if (where.what == resource::unknown)
	{
		std::string there = "there is no such path; there is";
		for (known_route const& known : known_routes()) there.append(" ").append(known.pattern);
		return problem(wire::status::not_found, there);
	}
	if (head.method() == wire::verb::unknown)
		return problem(wire::status::not_implemented, "this method is not known here");
	if (!is_listed(allowed_methods(where.what), view(head.method_string())))
		return method_not_allowed(where);
	if (head.method() == wire::verb::options) return answer_options(head, where);
	if (where.what == resource::server)
		return problem(wire::status::bad_request, "\"*\" goes with OPTIONS only");
	bool const changes = head.method() != wire::verb::get && head.method() != wire::verb::head;
	if (changes && from_another_origin(head))
	{
		return problem(wire::status::forbidden
			, "a page of another origin may not change what is here");
	}
	if (where.what != resource::stream && where.what != resource::health && made_for_another_site(head))
		return problem(wire::status::forbidden, "a page of another site may only stream from here");
	if (where.what == resource::health)
	{
		reply r;
		r.content_type = "text/plain";
		r.body = "ok\n";
		return r;
	}
	return std::nullopt;
}

std::optional<reply> answer_unreadable(error_code const ec)
{
	reply r;
	if (ec == wire::error::header_limit || ec == wire::error::buffer_overflow)
	{
		r = problem(wire::status::request_header_fields_too_large
			, "the header of a request may have at most 16384 bytes");
	}
	else if (ec == wire::error::body_limit)
	{
		r = problem(wire::status::payload_too_large
			, "the body of a request may have at most " + std::to_string(engine::max_torrent_bytes) + " bytes");
	}
	else if (ec == wire::error::bad_version)
	{
		r = problem(wire::status::http_version_not_supported, "this server speaks HTTP/1.1");
	}
	else if (ec.category() == make_error_code(wire::error::bad_method).category()
		&& ec != wire::error::end_of_stream && ec != wire::error::partial_message)
	{
		r = problem(wire::status::bad_request, "not an HTTP request: " + ec.message());
	}
	else
	{
		return std::nullopt;  // closed, reset or silent
	}
	r.close = true;
	return r;
}

} // namespace slipstream::http
