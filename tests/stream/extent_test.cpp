#include <slipstream/extent.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace slipstream {
namespace {

using namespace std::chrono_literals;

extent read(std::string_view const text)
{
	auto const e = parse_extent(text);
	if (!e) ADD_FAILURE() << e.error().detail;
	return e ? *e : extent{extent::unit::bytes, -1};
}

TEST(an_extent, is_a_share_a_size_or_a_time)
{
	EXPECT_EQ(read("25%"), extent::share(250'000));
	EXPECT_EQ(read("12.5 %"), extent::share(125'000));
	EXPECT_EQ(read("0%"), extent::share(0));
	EXPECT_EQ(read("100%"), extent::share(1'000'000));
	EXPECT_EQ(read("64MiB"), extent::bytes(64 << 20));
	EXPECT_EQ(read("512mb"), extent::bytes(512'000'000));
	EXPECT_EQ(read("1048576"), extent::bytes(1 << 20));
	EXPECT_EQ(read("0"), extent::bytes(0));
	EXPECT_EQ(read("30s"), extent::time(30s));
	EXPECT_EQ(read("1.5 min"), extent::time(90s));
	EXPECT_EQ(read("2H"), extent::time(2h));
	EXPECT_EQ(read("auto"), extent{});
}

TEST(an_extent, that_is_none_says_what_would_be)
{
	for (char const* const text : {"", " ", "%", "-1%", "100.1%", "25 percent", "1.5GiB", "30m", "s", "-30s", "25h", "1e3", "0x10", "nan%"
		, "inf s", "9999999999999999999999s", "1025TiB", "auto ", "25%%", "\n1"})
	{
		auto const e = parse_extent(text);
		ASSERT_FALSE(e) << text;
		EXPECT_TRUE(e.error().is(errc::bad_argument));
		EXPECT_NE(e.error().detail.find("25%, 64MiB, 30s"), std::string::npos) << e.error().detail;
	}
}

TEST(an_extent, is_said_as_it_is_read)
{
	EXPECT_EQ(extent_text(extent::share(250'000)), "25%");
	EXPECT_EQ(extent_text(extent::bytes(64 << 20)), "64MiB");
	EXPECT_EQ(extent_text(extent::bytes(1000)), "1000");
	EXPECT_EQ(extent_text(extent::time(1500ms)), "1.5s");
	EXPECT_EQ(extent_text({}), "auto");
	std::mt19937_64 random(3);
	auto const up_to = [&](std::int64_t const most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
	for (int i = 0; i < 10'000; ++i)
	{
		for (extent const& e : {extent::share(up_to(1'000'000)), extent::bytes(up_to(std::int64_t{1} << 50))
			, extent::bytes(up_to(1 << 20) << 20), extent::time(std::chrono::milliseconds(up_to(86'400'000)))})
			ASSERT_EQ(read(extent_text(e)), e) << extent_text(e);
	}
}

TEST(an_extent, has_a_range)
{
	EXPECT_TRUE(extent::share(1'000'000).is_valid());
	EXPECT_FALSE(extent::share(1'000'001).is_valid());
	EXPECT_FALSE(extent::bytes(-1).is_valid());
	EXPECT_FALSE(extent::time(24h + 1ms).is_valid());
	EXPECT_FALSE((extent{extent::unit::automatic, 1}).is_valid());
}

TEST(a_duration, is_read_with_a_unit_or_in_seconds)
{
	EXPECT_EQ(*parse_duration("30s"), 30s);
	EXPECT_EQ(*parse_duration("90"), 90s);
	EXPECT_EQ(*parse_duration("0.5 min"), 30s);
	EXPECT_EQ(*parse_duration("8784h"), 8784h);
	for (char const* const text : {"", "0", "0.0001s", "-1s", "10m", "8785h", "soon", "1 week", "30ss"})
	{
		auto const d = parse_duration(text);
		ASSERT_FALSE(d) << text;
		EXPECT_NE(d.error().detail.find("30s, 10min, 2h"), std::string::npos);
	}
}

} // namespace
} // namespace slipstream
