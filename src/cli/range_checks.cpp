#include "cli/range_checks.hpp"

#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

namespace slipstream::cli {
namespace {

namespace wire = boost::beast::http;
using wire::field;

constexpr std::int64_t least_size = 1024;
constexpr std::size_t most_of_a_body = 64 << 10;
constexpr int probes_dropped = 4;  // as many as players are seen to open and leave

struct verdict
{
	check_outcome outcome = check_outcome::fail;
	std::string seen;
};

verdict pass(std::string seen) { return {check_outcome::pass, std::move(seen)}; }
verdict warn(std::string seen) { return {check_outcome::warn, std::move(seen)}; }
verdict fail(std::string seen) { return {check_outcome::fail, std::move(seen)}; }
verdict skip(std::string seen) { return {check_outcome::skip, std::move(seen)}; }
verdict fail(error const& e) { return fail(e.detail); }

std::string quoted(std::string_view const header) { return header.empty() ? "none" : printable(header); }

// What there is to say of an answer.
std::string seen_in(http_answer const& a)
{
	std::string text = fmt::format("{}", a.status);
	if (!a.header(field::content_range).empty()) text += ", " + printable(a.header(field::content_range));
	if (a.whole) text += fmt::format(", {} bytes", a.body.size());
	return text;
}

std::optional<std::int64_t> content_length(http_answer const& a)
{
	std::string_view const text = a.header(field::content_length);
	std::int64_t length = 0;
	auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), length);
	if (text.empty() || failure != std::errc{} || end != text.data() + text.size() || length < 0) return std::nullopt;
	return length;
}

class suite
{
public:
	explicit suite(check_options const& options) : m_options(options), m_client(m_io, options.url, options.timeout, options.ca_file) {}

	std::vector<check_result> run()
	{
		check("HEAD: 200 and the size", [&] { return head(); });
		if (m_size < least_size) return std::move(m_results);
		check("HEAD: no body, and the connection goes on", [&] { return head_then_get(); });
		check("HEAD: takes no notice of Range", [&] { return head_with_range(); });
		check("GET: 200 and the same size", [&] { return whole(); });
		check("GET: a media type that players know", [&] { return media_type(); });
		check("Accept-Ranges: bytes", [&] { return accept_ranges(); });
		check("range: the first byte, 0-0", [&] { return part("bytes=0-0", 0, 0); });
		check("range: two bytes, 0-1, as Safari asks first", [&] { return part("bytes=0-1", 0, 1); });
		check("range: from the middle, the same bytes each time", [&] { return middle(); });
		check("range: open, to the end", [&] { return part(fmt::format("bytes={}-", m_size - 100), m_size - 100, m_size - 1); });
		check("range: the last 100 bytes, -100", [&] { return suffix(); });
		check("range: a suffix longer than the file", [&] { return long_suffix(); });
		check("range: an end behind the file is clamped"
			, [&] { return part(fmt::format("bytes={}-{}", m_size - 10, m_size + 1000), m_size - 10, m_size - 1); });
		check("range: numbers too large for 64 bits", [&] { return large_numbers(); });
		check("range: behind the end, 416", [&] { return behind_the_end(); });
		check("range: no bytes at all, -0", [&] { return no_bytes(); });
		check("range: malformed ones are refused or ignored", [&] { return malformed(); });
		check("range: units other than bytes are ignored", [&] { return other_units(); });
		check("range: several at once", [&] { return several(); });
		check("validator: a strong ETag", [&] { return etag(); });
		check("If-Range: the same ETag, a part", [&] { return if_range_same(); });
		check("If-Range: another ETag, the whole", [&] { return if_range_other(); });
		check("If-None-Match: 304 without a body", [&] { return if_none_match(); });
		check("keep-alive: several ranges on one connection", [&] { return keep_alive(); });
		check("clients that leave without a word harm nobody", [&] { return leaving(); });
		return std::move(m_results);
	}

private:
	void check(char const* const name, std::function<verdict()> const& look)
	{
		verdict const v = look();
		m_results.push_back({name, v.outcome, v.seen});
	}

	expected<http_answer> get(std::vector<std::pair<std::string, std::string>> headers
		, std::size_t const most = most_of_a_body)
	{
		return m_client.ask({wire::verb::get, std::move(headers), most});
	}
	expected<http_answer> get_range(std::string const& range) { return get({{"Range", range}}); }

	// Why the answer is not bytes [first, last] of the file; nothing when it is.
	std::string objection(http_answer const& a, std::int64_t const first, std::int64_t const last) const
	{
		if (a.status != 206) return fmt::format("not 206: {}", seen_in(a));
		auto const range = parse_content_range(a.header(field::content_range));
		if (!range || *range != content_range{first, last, m_size})
			return fmt::format("Content-Range is {}, not bytes {}-{}/{}", quoted(a.header(field::content_range)), first, last, m_size);
		auto const length = static_cast<std::size_t>(last - first + 1);
		if (!a.whole || a.body.size() != length) return fmt::format("{} bytes came of {}", a.body.size(), length);
		if (content_length(a) != last - first + 1) return fmt::format("Content-Length is {}, not {}", quoted(a.header(field::content_length)), length);
		return {};
	}

	verdict part(std::string const& range, std::int64_t const first, std::int64_t const last)
	{
		auto const a = get_range(range);
		if (!a) return fail(a.error());
		if (auto const why = objection(*a, first, last); !why.empty()) return fail(why);
		if (first == 0 && a->body != m_head.substr(0, a->body.size())) return fail("other bytes than the whole begins with");
		return pass(seen_in(*a));
	}

	verdict head()
	{
		auto const a = m_client.ask({wire::verb::head, {}, 0});
		if (!a) return fail(a.error());
		if (a->status != 200) return fail(fmt::format("{}, not 200", a->status));
		auto const size = content_length(*a);
		if (!size) return fail("200 without a Content-Length: nobody can seek");
		if (*size < least_size) return fail(fmt::format("a file of {} bytes; give one of {} at least", *size, least_size));
		m_size = *size;
		m_head_answer = *a;
		return pass(fmt::format("200, {} bytes", m_size));
	}

	verdict head_then_get()
	{
		http_client client(m_io, m_options.url, m_options.timeout, m_options.ca_file);
		auto const first = client.ask({wire::verb::head, {}, 0});
		if (!first) return fail(first.error());
		auto const second = client.ask({wire::verb::get, {{"Range", "bytes=0-0"}}, most_of_a_body});
		// What comes where an answer should begin was a body.
		if (!second) return fail("after a HEAD: " + second.error().detail);
		if (second->status >= 400) return fail(fmt::format("after a HEAD: {}", second->status));
		return second->on_old_connection ? pass("the next answer came on the same connection")
			: warn("the server closes after HEAD");
	}

	verdict head_with_range()
	{
		auto const a = m_client.ask({wire::verb::head, {{"Range", "bytes=0-0"}}, 0});
		if (!a) return fail(a.error());
		// "A server MUST ignore a Range header field received with a request method ... for which
		// range handling is not defined" (RFC 9110, section 14.2). Widely disregarded, and nobody
		// is harmed.
		return a->status == 200 ? pass("200") : warn(fmt::format("{} (RFC 9110, 14.2)", a->status));
	}

	verdict whole()
	{
		auto const a = get({}, 1000);
		if (!a) return fail(a.error());
		m_get_answer = *a;
		m_head = a->body;
		if (a->status != 200) return fail(fmt::format("{}, not 200", a->status));
		if (content_length(*a) != m_size)
			return fail(fmt::format("Content-Length is {}, HEAD said {}", quoted(a->header(field::content_length)), m_size));
		return pass(fmt::format("200, {} bytes", m_size));
	}

	verdict media_type()
	{
		std::string const type = quoted(m_get_answer.header(field::content_type));
		if (m_get_answer.header(field::content_type) != m_head_answer.header(field::content_type))
			return warn(fmt::format("{} of GET, {} of HEAD", type, quoted(m_head_answer.header(field::content_type))));
		bool const known = type.starts_with("video/") || type.starts_with("audio/") || type.starts_with("application/");
		return known ? pass(type) : warn(type);
	}

	verdict accept_ranges()
	{
		auto const said = m_get_answer.header(field::accept_ranges);
		return said == "bytes" ? pass("bytes") : warn(fmt::format("{}: some players then do not seek", quoted(said)));
	}

	verdict middle()
	{
		std::int64_t const at = m_size / 2;
		std::int64_t const length = std::min<std::int64_t>(1000, m_size - at);
		auto const wide = get_range(fmt::format("bytes={}-{}", at, at + length - 1));
		if (!wide) return fail(wide.error());
		if (auto const why = objection(*wide, at, at + length - 1); !why.empty()) return fail(why);
		auto const narrow = get_range(fmt::format("bytes={}-{}", at + 100, at + 199));
		if (!narrow) return fail(narrow.error());
		if (auto const why = objection(*narrow, at + 100, at + 199); !why.empty()) return fail(why);
		return wide->body.substr(100, 100) == narrow->body ? pass(seen_in(*narrow)) : fail("other bytes the second time");
	}

	verdict suffix()
	{
		auto const open = get_range(fmt::format("bytes={}-", m_size - 100));
		auto const a = get_range("bytes=-100");
		if (!a) return fail(a.error());
		if (auto const why = objection(*a, m_size - 100, m_size - 1); !why.empty()) return fail(why);
		if (open && open->status == 206 && open->body != a->body) return fail("other bytes than the open range has");
		return pass(seen_in(*a));
	}

	// "If the selected representation is shorter than the specified suffix-length, the entire
	// representation is used" (RFC 9110, section 14.1.2).
	verdict long_suffix()
	{
		auto const a = get({{"Range", fmt::format("bytes=-{}", m_size + 1)}}, 100);
		if (!a) return fail(a.error());
		auto const range = parse_content_range(a->header(field::content_range));
		bool const right = a->status == 206 && range && *range == content_range{0, m_size - 1, m_size};
		if (right || a->status == 200) return pass(fmt::format("{}, the whole", a->status));
		return fail(fmt::format("{}, not the whole", seen_in(*a)));
	}

	verdict large_numbers()
	{
		auto const a = get({{"Range", "bytes=0-99999999999999999999"}}, 100);
		if (!a) return fail(a.error());
		bool const whole = a->status == 200 || a->status == 206;
		if (whole) return pass(fmt::format("{}", a->status));
		return a->status < 500 ? warn(fmt::format("{}: not clamped", a->status)) : fail(fmt::format("{}", a->status));
	}

	verdict behind_the_end()
	{
		auto const a = get_range(fmt::format("bytes={}-", m_size));
		if (!a) return fail(a.error());
		if (a->status != 416) return fail(fmt::format("{}, not 416", a->status));
		std::string const right = fmt::format("bytes */{}", m_size);
		if (a->header(field::content_range) == right) return pass("416, " + right);
		return warn(fmt::format("416, Content-Range is {}, not {}", quoted(a->header(field::content_range)), right));
	}

	verdict no_bytes()
	{
		auto const a = get({{"Range", "bytes=-0"}}, 100);
		if (!a) return fail(a.error());
		if (a->status == 416) return pass("416");
		return a->status == 200 ? warn("200") : fail(seen_in(*a));
	}

	verdict malformed()
	{
		std::string seen;
		for (char const* const range : {"bytes=9-5", "bytes=a-b", "bytes=", "bytes 0-1"})
		{
			auto const a = get({{"Range", range}}, 100);
			if (!a) return fail(fmt::format("{}: {}", range, a.error().detail));
			if (a->status != 200 && a->status != 400 && a->status != 416) return fail(fmt::format("{}: {}", range, seen_in(*a)));
			seen += fmt::format("{}{}", seen.empty() ? "" : ", ", a->status);
		}
		return pass(seen);
	}

	verdict other_units()
	{
		auto const a = get({{"Range", "seconds=0-5"}}, 100);
		if (!a) return fail(a.error());
		return a->status == 200 ? pass("200") : a->status == 416 || a->status == 400 ? warn(fmt::format("{}, not 200", a->status))
			: fail(fmt::format("{}, not 200", seen_in(*a)));
	}

	verdict several()
	{
		auto const a = get_range(fmt::format("bytes=0-9,{}-", m_size - 10));
		if (!a) return fail(a.error());
		if (a->status == 200) return warn("200: the whole instead");
		if (a->status != 206) return fail(seen_in(*a));
		// "A server ... might only send a subset of the ranges requested" (RFC 9110, section 15.3.7).
		if (auto const one = parse_content_range(a->header(field::content_range)))
			return warn(fmt::format("206 with bytes {}-{} alone", one->first, one->last));
		auto const parts = parse_byteranges(a->header(field::content_type), a->body);
		if (!parts) return fail(fmt::format("206, but no well-formed multipart/byteranges ({})", quoted(a->header(field::content_type))));
		content_range const first{0, 9, m_size}, last{m_size - 10, m_size - 1, m_size};
		if (parts->size() != 2 || (*parts)[0].range != first || (*parts)[1].range != last)
			return warn(fmt::format("206 with {} parts, not the two asked for", parts->size()));
		if ((*parts)[0].bytes != m_head.substr(0, 10)) return fail("other bytes than the whole begins with");
		return pass("206, multipart/byteranges, both parts");
	}

	verdict etag()
	{
		std::string_view const tag = m_get_answer.header(field::etag);
		if (tag.empty()) return warn("none: a player cannot tell that the file changed");
		if (tag.starts_with("W/")) return warn(quoted(tag) + ": weak, of no use to If-Range");
		auto const part = get_range("bytes=0-0");
		if (part && part->status == 206 && part->header(field::etag) != tag)
			return fail(fmt::format("{} of the whole, {} of a part", quoted(tag), quoted(part->header(field::etag))));
		m_etag = tag;
		return pass(quoted(tag));
	}

	verdict if_range_same()
	{
		if (m_etag.empty()) return skip("there is no strong ETag");
		auto const a = get({{"Range", "bytes=0-0"}, {"If-Range", m_etag}});
		if (!a) return fail(a.error());
		auto const why = objection(*a, 0, 0);
		return why.empty() ? pass(seen_in(*a)) : fail(why);
	}

	verdict if_range_other()
	{
		if (m_etag.empty()) return skip("there is no strong ETag");
		auto const a = get({{"Range", "bytes=0-0"}, {"If-Range", "\"another\""}}, 100);
		if (!a) return fail(a.error());
		return a->status == 200 ? pass("200") : fail(fmt::format("{}: parts of two files would be mixed", seen_in(*a)));
	}

	verdict if_none_match()
	{
		if (m_etag.empty()) return skip("there is no strong ETag");
		auto const a = get({{"If-None-Match", m_etag}}, 100);
		if (!a) return fail(a.error());
		return a->status == 304 && a->body.empty() ? pass("304") : warn(seen_in(*a));
	}

	verdict keep_alive()
	{
		http_client client(m_io, m_options.url, m_options.timeout, m_options.ca_file);
		int on_one = 0;
		for (std::int64_t const at : {std::int64_t{0}, m_size / 2, m_size - 1})
		{
			auto const a = client.ask({wire::verb::get, {{"Range", fmt::format("bytes={}-{}", at, at)}}, most_of_a_body});
			if (!a) return fail(a.error());
			if (auto const why = objection(*a, at, at); !why.empty()) return fail(why);
			if (a->on_old_connection) ++on_one;
		}
		return on_one == 2 ? pass("3 on one connection") : warn("the server closes after an answer");
	}

	verdict leaving()
	{
		for (int i = 0; i < probes_dropped; ++i)
		{
			http_client client(m_io, m_options.url, m_options.timeout, m_options.ca_file);
			auto const a = client.ask({wire::verb::get, {{"Range", fmt::format("bytes={}-", m_size * i / probes_dropped)}}, 1});
			if (!a) return fail(a.error());
			client.drop();
		}
		auto const after = part("bytes=0-99", 0, 99);
		return after.outcome == check_outcome::pass ? pass(fmt::format("after {} of them: {}", probes_dropped, after.seen)) : after;
	}

	check_options const& m_options;
	boost::asio::io_context m_io{1};
	http_client m_client;
	std::vector<check_result> m_results;
	std::int64_t m_size = 0;
	std::string m_head;  // what the whole begins with
	std::string m_etag;
	http_answer m_head_answer;
	http_answer m_get_answer;
};

} // namespace

std::vector<check_result> check_ranges(check_options const& options)
{
	return suite(options).run();
}

} // namespace slipstream::cli
