#include "http/stream_plan.hpp"

#include "http/conditions.hpp"
#include "http/media_type.hpp"

#include <iterator>

namespace slipstream::http {
namespace {

std::string_view view(beast::string_view const text) { return {text.data(), text.size()}; }

// The value of a header that is there once. Twice is a contradiction for those asked here.
std::string_view only(wire::request_header<> const& head, wire::field const name)
{
	auto const [begin, end] = head.equal_range(name);
	if (std::distance(begin, end) != 1) return {};
	return view(begin->value());
}

} // namespace

std::string entity_tag(std::string_view const torrent_id, int const file_index)
{
	return '"' + std::string(torrent_id) + '-' + std::to_string(file_index) + '"';
}

stream_plan plan_stream(wire::request_header<> const& head, std::string_view const torrent_id
	, file_entry const& file)
{
	std::string const tag = entity_tag(torrent_id, file.index);
	stream_plan plan;
	plan.headers.emplace_back(wire::field::etag, tag);

	// In the order of RFC 9110, section 13.2.2.
	if (head.count(wire::field::if_match) != 0
		&& !matches_any(view(head[wire::field::if_match]), tag, tag_comparison::strong))
	{
		plan.status = wire::status::precondition_failed;
		return plan;
	}
	if (head.count(wire::field::if_none_match) != 0
		&& matches_any(view(head[wire::field::if_none_match]), tag, tag_comparison::weak))
	{
		plan.status = wire::status::not_modified;
		return plan;
	}

	range_choice choice{range_outcome::whole, {0, file.size_bytes}};
	// "GET is the only method for which range handling is defined" (RFC 9110, section 14.2).
	bool const ranged = head.method() == wire::verb::get && head.count(wire::field::range) != 0;
	bool const unconditional = head.count(wire::field::if_range) == 0;
	if (ranged && (unconditional || if_range_holds(only(head, wire::field::if_range), tag)))
		choice = choose_range(only(head, wire::field::range), file.size_bytes);

	if (choice.outcome == range_outcome::unsatisfiable)
	{
		plan.status = wire::status::range_not_satisfiable;
		plan.headers.emplace_back(wire::field::content_range, unsatisfied_content_range(file.size_bytes));
		return plan;
	}
	plan.bytes = choice.range;
	plan.headers.emplace_back(wire::field::content_type, std::string(media_type(file.name)));
	if (choice.outcome == range_outcome::part)
	{
		plan.status = wire::status::partial_content;
		plan.headers.emplace_back(wire::field::content_range, content_range(choice.range, file.size_bytes));
	}
	return plan;
}

} // namespace slipstream::http
