#include "http/api.hpp"

#include "http/json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <span>

namespace slipstream::http {
namespace {

using json = nlohmann::ordered_json;

// More is no capacity of anything, and does not fit a signed number of 64 bits with room for sums.
constexpr std::uint64_t max_capacity_bytes = std::uint64_t{1} << 50;

reply json_reply(wire::status const status, std::string body)
{
	reply r;
	r.headers.emplace_back(wire::field::cache_control, "no-store");
	r.status = status;
	r.content_type = "application/json";
	r.body = std::move(body);
	return r;
}

// By its type, or by its first character whatever the type is (curl says that all is a form): a
// torrent file begins with 'd'.
bool is_json(request const& asked)
{
	beast::string_view const type = asked[wire::field::content_type];
	auto const first = asked.body().find_first_not_of(" \t\r\n");
	return beast::iequals(type.substr(0, std::min(type.find_first_of("; \t"), type.size())), "application/json")
		|| (first != std::string::npos && asked.body()[first] == '{');
}

// The link in {"uri": "magnet:..."}.
expected<std::string> magnet_in(std::string const& body)
{
	if (body.size() > max_json_bytes)
		return error(errc::too_large, "a JSON body may have at most " + std::to_string(max_json_bytes) + " bytes");
	json const document = json::parse(body, nullptr, false);
	if (!document.is_object() || !document.contains("uri") || !document["uri"].is_string())
		return error(errc::bad_argument, "the body must be a JSON object like {\"uri\": \"magnet:?xt=...\"}"
			" or the bytes of a torrent file");
	return document["uri"].get<std::string>();
}

// Adding what is there already is answered with it, 200 instead of 201: a client that wants the torrent
// has it either way.
reply add_torrent(engine& e, request const& asked)
{
	expected<std::string> added = errc::bad_argument;
	if (is_json(asked))
	{
		expected<std::string> const magnet = magnet_in(asked.body());
		if (!magnet) return problem(magnet.error());
		added = e.add_magnet(*magnet);
	}
	else
	{
		added = e.add_torrent_file(std::span<char const>(asked.body().data(), asked.body().size()));
	}
	bool const duplicate = !added && added.error().is(errc::duplicate);
	if (!added && !duplicate) return problem(added.error());
	std::string const id = duplicate ? added.error().detail : *added;
	expected<torrent_summary> const torrent = e.find(id);
	if (!torrent) return problem(torrent.error());
	reply r = json_reply(duplicate ? wire::status::ok : wire::status::created, to_json(*torrent));
	r.headers.emplace_back(wire::field::location, "/api/v1/torrents/" + percent_encoded(torrent->id));
	return r;
}

reply settings_reply(engine const& e)
{
	return json_reply(wire::status::ok, settings_json(e.memory().capacity_bytes(), e.windows()));
}

expected<extent> extent_in(std::string const& name, json const& value)
{
	if (!value.is_string()) return error(errc::bad_argument, name + " must be a text like \"25%\", \"64MiB\", \"30s\" or \"auto\"");
	auto read = parse_extent(value.get_ref<std::string const&>());
	if (!read) return error(errc::bad_argument, name + ": " + read.error().detail);
	return read;
}

// {"capacity_bytes": N, "lookbehind": "25%", "read_ahead": "auto"}, or some of it. Nothing is set
// unless all of it can be.
reply change_settings(engine& e, std::string const& body)
{
	window_extents windows = e.windows();
	json const document = json::parse(body, nullptr, false);
	if (!document.is_object())
		return problem(error(errc::bad_argument, "the body must be a JSON object like {\"capacity_bytes\": 268435456}"));
	for (auto const& [name, value] : document.items())
	{
		if (name == "lookbehind" || name == "read_ahead")
		{
			auto const read = extent_in(name, value);
			if (!read) return problem(read.error());
			(name == "lookbehind" ? windows.lookbehind : windows.read_ahead) = *read;
			continue;
		}
		if (name != "capacity_bytes")
			return problem(error(errc::bad_argument, "there is no setting '" + name.substr(0, 64)
				+ "'; there are capacity_bytes, lookbehind and read_ahead"));
		if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > max_capacity_bytes))
			return problem(error(errc::bad_argument, "capacity_bytes must be a number of bytes"));
	}
	memory_disk memory = e.memory();
	if (document.contains("capacity_bytes"))
	{
		expected<std::int64_t> const set = memory.set_capacity_bytes(document["capacity_bytes"].get<std::int64_t>());
		if (!set) return problem(set.error());
	}
	if (auto const set = e.set_windows(windows); !set) return problem(set.error());
	return settings_reply(e);
}

reply answer_torrent(engine& e, request const& asked, route const& where)
{
	if (asked.method() == wire::verb::delete_)
	{
		expected<std::string> const removed = e.remove(where.id);
		if (!removed) return problem(removed.error());
		reply r;
		r.status = wire::status::no_content;
		return r;
	}
	expected<torrent_details> const torrent = e.details(where.id);
	if (!torrent) return problem(torrent.error());
	return json_reply(wire::status::ok, to_json(*torrent));
}

reply set_paused(engine& e, request const& asked, route const& where)
{
	if (!asked.body().empty()) return problem(error(errc::bad_argument, "this takes no body"));
	expected<std::string> const done = where.what == resource::pause ? e.pause(where.id) : e.resume(where.id);
	if (!done) return problem(done.error());
	expected<torrent_summary> const torrent = e.find(*done);
	if (!torrent) return problem(torrent.error());
	return json_reply(wire::status::ok, to_json(*torrent));
}

} // namespace

reply answer_api(engine& e, request const& asked, route const& where)
{
	switch (where.what)
	{
		case resource::torrents:
			if (asked.method() == wire::verb::post) return add_torrent(e, asked);
			return json_reply(wire::status::ok, to_json(e.torrents()));
		case resource::torrent: return answer_torrent(e, asked, where);
		case resource::pause:
		case resource::resume: return set_paused(e, asked, where);
		case resource::readers: return json_reply(wire::status::ok, to_json(e.readers()));
		case resource::memory: return json_reply(wire::status::ok, to_json(e.memory().stats()));
		case resource::settings:
			if (asked.method() == wire::verb::patch) return change_settings(e, asked.body());
			return settings_reply(e);
		default: return problem(wire::status::not_found, "the API has nothing of this name");
	}
}

} // namespace slipstream::http
