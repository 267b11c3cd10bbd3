// Range headers: the cases RFC 9110 names, and properties that hold for all of them.
#include "http/range.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

namespace slipstream::http {

void PrintTo(range_choice const& c, std::ostream* out)
{
	*out << static_cast<int>(c.outcome);
	for (byte_range const part : c.parts) *out << ' ' << part.first << '+' << part.length;
}
bool operator==(range_choice const& a, range_choice const& b)
{
	return a.outcome == b.outcome && a.parts == b.parts;
}

namespace {

constexpr std::int64_t size = 10'000;  // RFC 9110, section 14.1.2, has examples of this length

range_choice part(std::int64_t const first, std::int64_t const length)
{
	return {range_outcome::part, {{first, length}}};
}
range_choice whole(std::int64_t const of = size) { return {range_outcome::whole, {{0, of}}}; }
range_choice unsatisfiable() { return {range_outcome::unsatisfiable, {}}; }

TEST(range, takes_the_examples_of_the_rfc)
{
	EXPECT_EQ(choose_ranges("bytes=0-499", size), part(0, 500));
	EXPECT_EQ(choose_ranges("bytes=500-999", size), part(500, 500));
	EXPECT_EQ(choose_ranges("bytes=-500", size), part(9500, 500));
	EXPECT_EQ(choose_ranges("bytes=9500-", size), part(9500, 500));
	EXPECT_EQ(choose_ranges("bytes=0-0", size), part(0, 1));
	EXPECT_EQ(choose_ranges("bytes=-1", size), part(9999, 1));
}

TEST(range, clamps_what_goes_beyond_the_end)
{
	EXPECT_EQ(choose_ranges("bytes=9999-10000", size), part(9999, 1));
	EXPECT_EQ(choose_ranges("bytes=0-99999999999999999999999999", size), part(0, size));
	EXPECT_EQ(choose_ranges("bytes=-20000", size), part(0, size));
	EXPECT_EQ(choose_ranges("bytes=-18446744073709551616", size), part(0, size));
}

TEST(range, is_unsatisfiable_behind_the_end_and_for_an_empty_suffix)
{
	EXPECT_EQ(choose_ranges("bytes=10000-", size), unsatisfiable());
	EXPECT_EQ(choose_ranges("bytes=10000-10001", size), unsatisfiable());
	EXPECT_EQ(choose_ranges("bytes=18446744073709551615-", size), unsatisfiable());
	EXPECT_EQ(choose_ranges("bytes=18446744073709551617-18446744073709551618", size), unsatisfiable());
	EXPECT_EQ(choose_ranges("bytes=-0", size), unsatisfiable());
	EXPECT_EQ(choose_ranges("bytes=-000", size), unsatisfiable());
}

TEST(range, of_an_empty_file_has_no_part)
{
	EXPECT_EQ(choose_ranges("bytes=0-", 0), unsatisfiable());
	EXPECT_EQ(choose_ranges("bytes=0-0", 0), unsatisfiable());
	EXPECT_EQ(choose_ranges("bytes=-0", 0), unsatisfiable());
	EXPECT_EQ(choose_ranges("bytes=-5", 0), whole(0));
}

TEST(range, is_ignored_when_malformed_or_of_another_unit)
{
	for (char const* const text : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=5-4"
		, "bytes=--5", "bytes=1-2-3", "bytes=+1-2", "bytes=1-+2", "bytes=0x10-", "bytes =0-1", "bytes=1 - 2"
		, "items=0-5", "byte=0-5", "bytess=0-5", "=0-5", "bytes:0-5", "bytes=,", "bytes=0-1,x", "bytes=1.5-2"
		, "bytes=99999999999999999999-99999999999999999998", "bytes=\0010-1"})
		EXPECT_EQ(choose_ranges(text, size), whole()) << text;
}

TEST(range, unit_has_no_case_and_blanks_around_elements_do_not_matter)
{
	EXPECT_EQ(choose_ranges("BYTES=1-2", size), part(1, 2));
	EXPECT_EQ(choose_ranges(" bytes= 1-2 ", size), part(1, 2));
	EXPECT_EQ(choose_ranges("bytes=,\t1-2 ,,", size), part(1, 2));
	EXPECT_EQ(choose_ranges("bytes=0001-0002", size), part(1, 2));
}

range_choice parts(std::vector<byte_range> ranges) { return {range_outcome::part, std::move(ranges)}; }

TEST(range, several_are_several_parts_in_the_order_asked_for)
{
	EXPECT_EQ(choose_ranges("bytes=0-1,5-6", size), parts({{0, 2}, {5, 2}}));
	EXPECT_EQ(choose_ranges("bytes=5-6, 0-1", size), parts({{5, 2}, {0, 2}}));
	EXPECT_EQ(choose_ranges("bytes=0-0,-1", size), parts({{0, 1}, {9999, 1}}));
	// Those that cannot be had are left out.
	EXPECT_EQ(choose_ranges("bytes=20000-,5-6", size), part(5, 2));
	EXPECT_EQ(choose_ranges("bytes=20000-,30000-", size), unsatisfiable());
}

TEST(range, several_that_overlap_or_touch_become_one_in_the_place_of_the_first)
{
	EXPECT_EQ(choose_ranges("bytes=500-600,601-999", size), part(500, 500));
	EXPECT_EQ(choose_ranges("bytes=500-700,601-999", size), part(500, 500));
	EXPECT_EQ(choose_ranges("bytes=0-,5-6,-1", size), part(0, size));
	EXPECT_EQ(choose_ranges("bytes=100-199,0-9,150-249", size), parts({{100, 150}, {0, 10}}));
	EXPECT_EQ(choose_ranges("bytes=150-249,0-9,100-199", size), parts({{100, 150}, {0, 10}}));
	EXPECT_EQ(choose_ranges("bytes=0-9,100-199,5-99", size), part(0, 200));
	std::string same = "bytes=0-";
	for (std::size_t i = 1; i < max_range_specs; ++i) same += ",0-";
	EXPECT_EQ(choose_ranges(same, size), part(0, size));
	EXPECT_EQ(choose_ranges(same + ",0-", size), whole());
}

TEST(range, more_parts_than_anybody_needs_get_the_whole_file)
{
	std::string many = "bytes=0-0";
	for (std::size_t i = 1; i < max_range_parts; ++i) many += ',' + std::to_string(2 * i) + '-' + std::to_string(2 * i);
	EXPECT_EQ(choose_ranges(many, size).parts.size(), max_range_parts);
	EXPECT_EQ(choose_ranges(many + ",9000-9001", size), whole());
	EXPECT_EQ(choose_ranges(many + ",1-1", size).parts.size(), max_range_parts - 1);
}

TEST(range, parts_are_exactly_the_positions_that_the_elements_select)
{
	std::mt19937 random(11);
	for (int round = 0; round < 20'000; ++round)
	{
		std::int64_t const n = 1 + random() % 40;
		std::string text = "bytes=";
		std::vector<bool> wanted(static_cast<std::size_t>(n));
		for (std::size_t elements = 1 + random() % 6; elements > 0; --elements)
		{
			auto const first = static_cast<std::size_t>(random() % 50);
			std::size_t const last = first + random() % 8;
			text += std::to_string(first) + '-' + std::to_string(last) + ',';
			for (std::size_t i = first; i <= last && i < wanted.size(); ++i) wanted[i] = true;
		}
		range_choice const choice = choose_ranges(text, n);
		std::vector<bool> got(static_cast<std::size_t>(n));
		std::int64_t total = 0;
		for (byte_range const p : choice.parts)
		{
			ASSERT_LE(p.first + p.length, n) << text;
			for (std::int64_t i = p.first; i < p.first + p.length; ++i) got[static_cast<std::size_t>(i)] = true;
			total += p.length;
		}
		EXPECT_EQ(got, wanted) << text << " of " << n;
		EXPECT_LE(total, n) << text;
	}
}

TEST(range, texts_say_the_inclusive_end)
{
	EXPECT_EQ(content_range({500, 500}, size), "bytes 500-999/10000");
	EXPECT_EQ(content_range({0, 1}, 1), "bytes 0-0/1");
	EXPECT_EQ(unsatisfied_content_range(0), "bytes */0");
}

// Against the plainest model: the set of positions that the words of the RFC select.
TEST(range, selects_what_a_walk_over_every_byte_selects)
{
	for (std::int64_t n = 0; n <= 6; ++n)
	{
		for (std::int64_t a = -1; a <= 8; ++a)
		{
			for (std::int64_t b = -1; b <= 8; ++b)
			{
				if (a < 0 && b < 0) continue;
				std::string const text = "bytes=" + (a < 0 ? "" : std::to_string(a)) + "-"
					+ (b < 0 ? "" : std::to_string(b));
				std::vector<std::int64_t> picked;
				for (std::int64_t i = 0; i < n; ++i)
				{
					bool const in = a < 0 ? i >= n - b : i >= a && (b < 0 || i <= b);
					if (in) picked.push_back(i);
				}
				range_choice expected = unsatisfiable();
				if (!picked.empty())
					expected = part(picked.front(), static_cast<std::int64_t>(picked.size()));
				if (a >= 0 && b >= 0 && b < a) expected = whole(n);
				if (n == 0 && a < 0 && b > 0) expected = whole(0);
				EXPECT_EQ(choose_ranges(text, n), expected) << text << " of " << n;
			}
		}
	}
}

TEST(range, any_text_gets_a_range_inside_the_file)
{
	std::mt19937 random(20240107);
	std::string const alphabet = "0123456789-,= \tbytesBYTES99999999+x";
	std::vector<std::int64_t> const sizes{0, 1, 2, 16384, std::int64_t{1} << 40
		, std::numeric_limits<std::int64_t>::max()};
	int found = 0;
	for (int round = 0; round < 200'000; ++round)
	{
		std::string text = round % 4 == 0 ? "" : "bytes=";
		std::size_t const length = random() % 24;
		// Mostly digits and dashes, so that many are well-formed.
		for (std::size_t i = 0; i < length; ++i)
			text += alphabet[random() % (round % 3 == 0 ? alphabet.size() : 11)];
		std::int64_t const n = sizes[random() % sizes.size()];
		range_choice const choice = choose_ranges(text, n);
		switch (choice.outcome)
		{
			case range_outcome::whole:
				EXPECT_EQ(choice.parts, (std::vector<byte_range>{{0, n}})) << text;
				break;
			case range_outcome::part:
				++found;
				EXPECT_FALSE(choice.parts.empty()) << text;
				for (byte_range const p : choice.parts)
				{
					EXPECT_GE(p.first, 0) << text;
					EXPECT_GE(p.length, 1) << text;
					EXPECT_LE(p.length, n - p.first) << text;
				}
				break;
			case range_outcome::unsatisfiable:
				EXPECT_TRUE(choice.parts.empty()) << text;
				break;
		}
	}
	EXPECT_GT(found, 1000);  // or the texts test nothing
}

TEST(range, asked_for_exactly_is_what_is_got)
{
	std::mt19937_64 random(7);
	for (int round = 0; round < 20'000; ++round)
	{
		auto const n = static_cast<std::int64_t>(random() >> (1 + random() % 62)) + 1;
		auto const first = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
		auto const length = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n - first)) + 1;
		std::string const text = "bytes=" + std::to_string(first) + '-' + std::to_string(first + length - 1);
		EXPECT_EQ(choose_ranges(text, n), part(first, length)) << text << " of " << n;
		if (first + length == n)
		{
			EXPECT_EQ(choose_ranges("bytes=-" + std::to_string(length), n), part(first, length));
		}
	}
}

} // namespace
} // namespace slipstream::http
