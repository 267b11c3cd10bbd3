// The Range header, and the conditions that go with it (RFC 9110, sections 13.1 and 14). The input: the file's size, then
// the header, and on a second line a value for the conditions.
//
// What is sent is judged byte by byte where the file is small: what was asked for, no more and no less, each byte once.
#include "fuzz/fuzz.hpp"

#include "http/conditions.hpp"
#include "http/range.hpp"

#include <string>
#include <vector>

namespace slipstream::fuzz {
namespace {

using namespace slipstream::http;

void judge_parts(range_choice const& choice, std::int64_t const size)
{
	std::int64_t sum = 0;
	for (std::size_t i = 0; i < choice.parts.size(); ++i)
	{
		byte_range const a = choice.parts[i];
		expect(a.first >= 0 && a.length >= 1 && a.length <= size - a.first, "a part is in the file");
		expect(content_range(a, size).starts_with("bytes "), "a part can be told");
		sum += a.length;
		for (std::size_t k = 0; k < i; ++k)
		{
			byte_range const b = choice.parts[k];
			expect(a.first + a.length < b.first || b.first + b.length < a.first, "no two parts overlap or touch");
		}
	}
	expect(sum <= size, "the parts are no more than the file");
}

// As RFC 9110, section 14.1.2, puts it in words.
bool asks_for(range_spec const& spec, std::int64_t const at, std::int64_t const size)
{
	auto const place = static_cast<std::uint64_t>(at);
	if (spec.first) return place >= *spec.first && (!spec.last || place <= *spec.last);
	return static_cast<std::uint64_t>(size - at) <= spec.last.value_or(0);
}

void judge_bytes(std::vector<range_spec> const& asked, range_choice const& choice, std::int64_t const size)
{
	for (std::int64_t at = 0; at < size; ++at)
	{
		bool const wanted = std::any_of(asked.begin(), asked.end(), [&](range_spec const& s) { return asks_for(s, at, size); });
		bool const sent = std::any_of(choice.parts.begin(), choice.parts.end()
			, [&](byte_range const p) { return at >= p.first && at < p.first + p.length; });
		expect(wanted == sent, "a byte is sent when it was asked for");
	}
}

void ranges(std::string_view const header, std::int64_t const size)
{
	range_choice const choice = choose_ranges(header, size);
	auto const asked = parse_range_set(header);
	switch (choice.outcome)
	{
		case range_outcome::whole:
			expect(choice.parts.size() == 1 && choice.parts[0] == byte_range{0, size}, "the whole is the whole");
			break;
		case range_outcome::part:
			expect(asked.has_value(), "parts only of what could be read");
			expect(!choice.parts.empty() && choice.parts.size() <= max_range_parts, "there are between 1 and 16 parts");
			judge_parts(choice, size);
			if (size <= 256) judge_bytes(*asked, choice, size);
			break;
		case range_outcome::unsatisfiable:
			expect(asked.has_value() && choice.parts.empty(), "what cannot be satisfied has no parts");
			for (range_spec const& spec : *asked) expect(!resolve(spec, size), "and no element of it can be resolved");
			break;
	}
}

void conditions(std::string_view const value)
{
	constexpr std::string_view tag = "\"0123456789abcdef0123456789abcdef01234567-0\"";
	bool const strong = matches_any(value, tag, tag_comparison::strong);
	expect(!strong || matches_any(value, tag, tag_comparison::weak), "what matches strongly matches weakly");
	expect(!if_range_holds(value, tag) || strong, "If-Range holds for a tag that If-Match would match");
	expect(!if_range_holds(value, tag) || value.find(tag) != value.npos, "If-Range holds for the tag alone");
	std::string behind(tag);
	behind.append(", ").append(value);
	expect(matches_any(behind, tag, tag_comparison::strong), "the first of a list is found, whatever follows");
}

} // namespace
} // namespace slipstream::fuzz

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* const bytes, std::size_t const size)
{
	slipstream::fuzz::input in(bytes, size);
	// Small ones most of the time, and all there are.
	auto const kind = in.byte();
	auto const file_bytes = static_cast<std::int64_t>(kind < 0xe0 ? kind : in.number(8) >> 1);
	std::string_view const header = in.line();
	slipstream::fuzz::ranges(header, file_bytes);
	slipstream::fuzz::conditions(in.rest());
	return 0;
}
