#include "http/stream_plan.hpp"

#include "http/conditions.hpp"
#include "http/media_type.hpp"

#include <iterator>

namespace slipstream::http {
namespace {

// The value of a header that is there once. Twice is a contradiction for those asked here.
std::string_view only(wire::request_header<> const& head, wire::field const name)
{
	auto const [begin, end] = head.equal_range(name);
	if (std::distance(begin, end) != 1) return {};
	return view(begin->value());
}

// RFC 9110, section 14.6, in the form of RFC 2046, section 5.1.
void plan_parts(stream_plan& plan, std::vector<byte_range> const& ranges, std::int64_t const size_bytes
	, std::string const& type, std::string const& boundary)
{
	plan.status = wire::status::partial_content;
	plan.headers.emplace_back(wire::field::content_type, "multipart/byteranges; boundary=" + boundary);
	for (byte_range const range : ranges)
	{
		std::string before = plan.parts.empty() ? "" : "\r\n";
		before.append("--").append(boundary).append("\r\nContent-Type: ").append(type).append("\r\nContent-Range: ")
			.append(content_range(range, size_bytes)).append("\r\n\r\n");
		plan.parts.push_back({std::move(before), range});
	}
	plan.closing = "\r\n--" + boundary + "--\r\n";
}

} // namespace

std::int64_t stream_plan::length_bytes() const noexcept
{
	auto length = static_cast<std::int64_t>(closing.size());
	for (body_part const& part : parts) length += static_cast<std::int64_t>(part.before.size()) + part.bytes.length;
	return length;
}

std::string part_boundary(std::string_view const torrent_id)
{
	// At most 70 characters (RFC 2046, section 5.1.1).
	return "part-" + std::string(torrent_id);
}

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

	range_choice choice{range_outcome::whole, {{0, file.size_bytes}}};
	// "GET is the only method for which range handling is defined" (RFC 9110, section 14.2).
	bool const ranged = head.method() == wire::verb::get && head.count(wire::field::range) != 0;
	bool const unconditional = head.count(wire::field::if_range) == 0;
	if (ranged && (unconditional || if_range_holds(only(head, wire::field::if_range), tag)))
		choice = choose_ranges(only(head, wire::field::range), file.size_bytes);

	if (choice.outcome == range_outcome::unsatisfiable)
	{
		plan.status = wire::status::range_not_satisfiable;
		plan.headers.emplace_back(wire::field::content_range, unsatisfied_content_range(file.size_bytes));
		return plan;
	}
	std::string const type(media_type(file.name));
	if (choice.parts.size() > 1)
	{
		plan_parts(plan, choice.parts, file.size_bytes, type, part_boundary(torrent_id));
		if (plan.length_bytes() <= file.size_bytes) return plan;
		plan.headers.pop_back();
		choice = {range_outcome::whole, {{0, file.size_bytes}}};
	}
	plan.closing.clear();
	plan.parts = {{{}, choice.parts.front()}};
	plan.status = choice.outcome == range_outcome::part ? wire::status::partial_content : wire::status::ok;
	plan.headers.emplace_back(wire::field::content_type, type);
	if (choice.outcome == range_outcome::part)
		plan.headers.emplace_back(wire::field::content_range, content_range(choice.parts.front(), file.size_bytes));
	return plan;
}

} // namespace slipstream::http
