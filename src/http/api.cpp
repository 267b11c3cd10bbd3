#include "http/api.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <span>

namespace slipstream::http {
namespace {

using json = nlohmann::ordered_json;

std::string_view phase_name(torrent_phase const phase) noexcept
{
	switch (phase)
	{
		case torrent_phase::metadata: return "metadata";
		case torrent_phase::checking: return "checking";
		case torrent_phase::ready: return "ready";
		case torrent_phase::failed: break;
	}
	return "failed";
}

json hash_text(bool const there, std::string_view const raw)
{
	if (!there) return nullptr;
	constexpr std::string_view hex = "0123456789abcdef";
	std::string out;
	for (char const c : raw)
	{
		auto const byte = static_cast<unsigned char>(c);
		out += hex[byte >> 4];
		out += hex[byte & 15];
	}
	return out;
}

json object_of(file_entry const& file, std::string_view const id)
{
	json o;
	o["index"] = file.index;
	o["path"] = file.path;
	o["name"] = file.name;
	o["size_bytes"] = file.size_bytes;
	o["pad"] = file.pad;
	// Gaps between files (BEP 47) are not offered.
	if (!file.pad) o["stream_url"] = stream_path(id, file.index, file.name);
	return o;
}

json object_of(torrent_summary const& t)
{
	json o;
	o["id"] = t.id;
	o["v1"] = hash_text(t.hashes.has_v1(), {t.hashes.v1.data(), t.hashes.v1.size()});
	o["v2"] = hash_text(t.hashes.has_v2(), {t.hashes.v2.data(), t.hashes.v2.size()});
	o["name"] = t.name;
	o["phase"] = phase_name(t.phase);
	o["failure"] = t.failure ? json(t.failure->detail) : json(nullptr);
	o["size_bytes"] = t.size_bytes;
	o["piece_length_bytes"] = t.piece_length_bytes;
	o["num_pieces"] = t.num_pieces;
	o["verified_pieces"] = t.verified_pieces;
	o["peers"] = t.peers;
	o["readers"] = t.readers;
	o["download_rate_bytes_s"] = t.download_rate_bytes_s;
	o["upload_rate_bytes_s"] = t.upload_rate_bytes_s;
	o["downloaded_bytes"] = t.downloaded_bytes;
	o["uploaded_bytes"] = t.uploaded_bytes;
	o["files"] = json::array();
	for (file_entry const& file : t.files) o["files"].push_back(object_of(file, t.id));
	return o;
}

std::string text_of(json const& o)
{
	// A torrent's names are any bytes: dump() must not throw on them.
	return o.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

reply json_reply(wire::status const status, std::string body)
{
	reply r;
	r.status = status;
	r.content_type = "application/json";
	r.body = std::move(body);
	return r;
}

// By its type, or by its first character whatever the type is (curl says that all is a form): a torrent file
// begins with 'd'.
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

} // namespace

std::string to_json(torrent_summary const& torrent) { return text_of(object_of(torrent)); }

std::string to_json(std::vector<torrent_summary> const& torrents)
{
	json list = json::array();
	for (torrent_summary const& t : torrents) list.push_back(object_of(t));
	return text_of(list);
}

reply answer_api(engine& e, request const& asked, route const& where)
{
	if (where.what == resource::torrents)
	{
		if (asked.method() == wire::verb::post) return add_torrent(e, asked);
		return json_reply(wire::status::ok, to_json(e.torrents()));
	}
	if (asked.method() == wire::verb::delete_)
	{
		expected<std::string> const removed = e.remove(where.id);
		if (!removed) return problem(removed.error());
		reply r;
		r.status = wire::status::no_content;
		return r;
	}
	expected<torrent_summary> const torrent = e.find(where.id);
	if (!torrent) return problem(torrent.error());
	return json_reply(wire::status::ok, to_json(*torrent));
}

} // namespace slipstream::http
