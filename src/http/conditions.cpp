#include "http/conditions.hpp"

#include <cstddef>

namespace slipstream::http {
namespace {

bool is_blank(char const c) noexcept { return c == ' ' || c == '\t'; }

void skip_blanks(std::string_view& text) noexcept
{
	while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

struct sent_tag
{
	std::string_view opaque;  // with its quotes; empty: no tag was there
	bool weak = false;
};

// entity-tag = [ %s"W/" ] DQUOTE *etagc DQUOTE (RFC 9110, section 8.8.3). Commas may be inside.
sent_tag take_tag(std::string_view& text) noexcept
{
	sent_tag tag;
	if (text.starts_with("W/"))
	{
		tag.weak = true;
		text.remove_prefix(2);
	}
	if (text.empty() || text.front() != '"') return tag;
	std::size_t const end = text.find('"', 1);
	if (end == std::string_view::npos) return tag;
	tag.opaque = text.substr(0, end + 1);
	text.remove_prefix(end + 1);
	return tag;
}

} // namespace

bool matches_any(std::string_view list, std::string_view const tag, tag_comparison const how) noexcept
{
	skip_blanks(list);
	if (list.starts_with('*'))
	{
		list.remove_prefix(1);
		skip_blanks(list);
		return list.empty();
	}
	while (!list.empty())
	{
		if (is_blank(list.front()) || list.front() == ',')
		{
			list.remove_prefix(1);
			continue;
		}
		sent_tag const found = take_tag(list);
		if (found.opaque.empty()) return false;
		if (found.opaque == tag && (how == tag_comparison::weak || !found.weak)) return true;
	}
	return false;
}

bool if_range_holds(std::string_view value, std::string_view const tag) noexcept
{
	skip_blanks(value);
	sent_tag const found = take_tag(value);
	skip_blanks(value);
	// Strong comparison; a date cannot be compared (RFC 9110, section 13.1.5).
	return value.empty() && !found.weak && found.opaque == tag;
}

} // namespace slipstream::http
