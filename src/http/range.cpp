#include "http/range.hpp"

#include "http/ascii.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace slipstream::http {
namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

// OWS is SP or HTAB (RFC 9110, section 5.6.3).
std::string_view trim(std::string_view text) noexcept
{
	auto const blank = [](char const c) { return c == ' ' || c == '\t'; };
	while (!text.empty() && blank(text.front())) text.remove_prefix(1);
	while (!text.empty() && blank(text.back())) text.remove_suffix(1);
	return text;
}

// Takes 1*DIGIT off the front of `text`, without leading zeros; empty when there is no digit.
std::string_view take_digits(std::string_view& text, bool& found) noexcept
{
	std::size_t count = 0;
	while (count < text.size() && is_digit(text[count])) ++count;
	std::string_view digits = text.substr(0, count);
	text.remove_prefix(count);
	found = !digits.empty();
	while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
	return digits;
}

std::uint64_t saturated(std::string_view const digits) noexcept
{
	std::uint64_t value = 0;
	for (char const c : digits)
	{
		auto const digit = static_cast<std::uint64_t>(c - '0');
		if (value > (largest - digit) / 10) return largest;
		value = value * 10 + digit;
	}
	return value;
}

// Without leading zeros the longer number is the larger one, of any length.
bool less(std::string_view const a, std::string_view const b) noexcept
{
	return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// range-spec = int-range / suffix-range (RFC 9110, section 14.1.1).
std::optional<range_spec> parse_spec(std::string_view text) noexcept
{
	bool has_first = false;
	std::string_view const first = take_digits(text, has_first);
	if (text.empty() || text.front() != '-') return std::nullopt;
	text.remove_prefix(1);
	bool has_last = false;
	std::string_view const last = take_digits(text, has_last);
	if (!text.empty()) return std::nullopt;
	if (!has_first && !has_last) return std::nullopt;
	// "An int-range is invalid if the last-pos value is present and less than first-pos"
	// (RFC 9110, section 14.1.1).
	if (has_first && has_last && less(last, first)) return std::nullopt;

	range_spec spec;
	if (has_first) spec.first = saturated(first);
	if (has_last) spec.last = saturated(last);
	return spec;
}

bool is_bytes_unit(std::string_view const unit) noexcept
{
	// "Range units ... are case-insensitive" (RFC 9110, section 14.1).
	constexpr std::string_view bytes = "bytes";
	return std::equal(unit.begin(), unit.end(), bytes.begin(), bytes.end()
		, [](char const a, char const b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

// "A server ... MAY coalesce any of the ranges that overlap"; the rest comes in the order that was
// asked for, a joined one in the place of its first (RFC 9110, section 15.3.7.2).
std::vector<byte_range> without_overlaps(std::vector<byte_range> const& asked)
{
	struct placed
	{
		byte_range range;
		std::size_t place;
	};
	std::vector<placed> sorted;
	sorted.reserve(asked.size());
	for (byte_range const range : asked) sorted.push_back({range, sorted.size()});
	std::sort(sorted.begin(), sorted.end()
		, [](placed const& a, placed const& b) { return a.range.first < b.range.first; });
	std::vector<placed> joined;
	for (placed const& next : sorted)
	{
		if (joined.empty() || next.range.first > joined.back().range.first + joined.back().range.length)
		{
			joined.push_back(next);
			continue;
		}
		placed& last = joined.back();
		last.range.length = std::max(last.range.length, next.range.first + next.range.length - last.range.first);
		last.place = std::min(last.place, next.place);
	}
	std::sort(joined.begin(), joined.end(), [](placed const& a, placed const& b) { return a.place < b.place; });
	std::vector<byte_range> parts;
	parts.reserve(joined.size());
	for (placed const& one : joined) parts.push_back(one.range);
	return parts;
}

} // namespace

std::optional<std::vector<range_spec>> parse_range_set(std::string_view const header)
{
	// ranges-specifier = range-unit "=" range-set (RFC 9110, section 14.1.1).
	std::string_view const text = trim(header);
	std::size_t const equals = text.find('=');
	if (equals == std::string_view::npos) return std::nullopt;
	// "If the range unit is not understood, the field is ignored" (RFC 9110, section 14.2).
	if (!is_bytes_unit(text.substr(0, equals))) return std::nullopt;

	std::vector<range_spec> set;
	std::string_view rest = text.substr(equals + 1);
	while (true)
	{
		std::size_t const comma = rest.find(',');
		std::string_view const element = trim(rest.substr(0, comma));
		// Empty list elements are accepted and not counted (RFC 9110, section 5.6.1.2).
		if (!element.empty())
		{
			std::optional<range_spec> const spec = parse_spec(element);
			if (!spec || set.size() == max_range_specs) return std::nullopt;
			set.push_back(*spec);
		}
		if (comma == std::string_view::npos) break;
		rest.remove_prefix(comma + 1);
	}
	if (set.empty()) return std::nullopt;
	return set;
}

std::optional<byte_range> resolve(range_spec const& spec, std::int64_t const size_bytes) noexcept
{
	auto const size = static_cast<std::uint64_t>(std::max<std::int64_t>(size_bytes, 0));
	std::uint64_t first = 0;
	std::uint64_t length = 0;
	if (spec.first)
	{
		// "...a first-pos that is less than the current length" (RFC 9110, section 14.1.2).
		if (*spec.first >= size) return std::nullopt;
		first = *spec.first;
		// A last-pos behind the end means the end (RFC 9110, section 14.1.2).
		std::uint64_t const last = spec.last ? std::min(*spec.last, size - 1) : size - 1;
		if (last < first) return std::nullopt;
		length = last - first + 1;
	}
	else
	{
		// A suffix of zero bytes is unsatisfiable; one longer than the file is all of it
		// (RFC 9110, section 14.1.2). Of an empty file there is nothing to send with 206.
		length = std::min(spec.last.value_or(0), size);
		if (length == 0) return std::nullopt;
		first = size - length;
	}
	return byte_range{static_cast<std::int64_t>(first), static_cast<std::int64_t>(length)};
}

range_choice choose_ranges(std::string_view const header, std::int64_t const size_bytes)
{
	range_choice whole{range_outcome::whole, {{0, std::max<std::int64_t>(size_bytes, 0)}}};
	std::optional<std::vector<range_spec>> const set = parse_range_set(header);
	if (!set) return whole;

	std::vector<byte_range> satisfiable;
	for (range_spec const& spec : *set)
	{
		// A non-empty suffix of an empty file is satisfiable (RFC 9110, section 14.1.2), but
		// Content-Range has no way to say "no bytes": the file as it is answers it.
		if (size_bytes <= 0 && !spec.first && spec.last.value_or(0) > 0) return whole;
		if (auto const range = resolve(spec, size_bytes)) satisfiable.push_back(*range);
	}
	// 416 when none of them is satisfiable (RFC 9110, section 15.5.17); those that are not are left out.
	if (satisfiable.empty()) return {range_outcome::unsatisfiable, {}};
	std::vector<byte_range> parts = without_overlaps(satisfiable);
	// "A server MAY ignore the Range header field" (RFC 9110, section 14.2).
	if (parts.size() > max_range_parts) return whole;
	return {range_outcome::part, std::move(parts)};
}

std::string content_range(byte_range const range, std::int64_t const size_bytes)
{
	return "bytes " + std::to_string(range.first) + '-' + std::to_string(range.first + range.length - 1)
		+ '/' + std::to_string(size_bytes);
}

std::string unsatisfied_content_range(std::int64_t const size_bytes)
{
	return "bytes */" + std::to_string(size_bytes);
}

} // namespace slipstream::http
