// Names from torrents, on their way into paths and playlists, and targets on their way back. The input: lines, each the path of
// a file in a torrent; the first is a request's target, too.
#include "fuzz/fuzz.hpp"

#include "http/json.hpp"
#include "http/media_type.hpp"
#include "http/playlist.hpp"
#include "http/route.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace slipstream::fuzz {
namespace {

using namespace slipstream::http;

constexpr std::string_view id = "0123456789abcdef0123456789abcdef01234567";

void target(std::string_view const text)
{
	route const r = find_route(text);
	expect((r.what == resource::malformed) == !r.reason.empty(), "what is malformed has a reason");
	expect(r.file_index >= -1, "an index is one or none");
	if (auto const decoded = percent_decoded(text)) expect(percent_decoded(percent_encoded(*decoded)) == *decoded, "encoding comes back");
	expect(percent_decoded(percent_encoded(text)) == std::string(text), "every text can be encoded");
}

void path(file_entry const& file)
{
	std::string const path = stream_path(id, file.index, file.name);
	expect(std::all_of(path.begin(), path.end(), [](char const c) { return c > ' ' && c < 0x7f && c != '"' && c != '#' && c != '?'; })
		, "a path is safe in a header, a playlist and a terminal");
	route const back = find_route(path);
	expect(back.what == resource::stream && back.id == id && back.file_index == file.index, "a stream's path leads to it");
	expect(!media_type(file.name).empty(), "every name has a type");
}

void order(std::vector<file_entry> const& files)
{
	for (auto const& a : files)
	{
		expect(!natural_less(a.path, a.path), "nothing is before itself");
		for (auto const& b : files)
		{
			expect(!(natural_less(a.path, b.path) && natural_less(b.path, a.path)), "one of two is before the other");
			expect(a.path == b.path || natural_less(a.path, b.path) || natural_less(b.path, a.path), "what differs is ordered");
			for (auto const& c : files)
				expect(!natural_less(a.path, b.path) || !natural_less(b.path, c.path) || natural_less(a.path, c.path)
					, "the order is transitive");
		}
	}
}

// A line that is an address is one of ours; nothing of a name has become a line of its own.
void playlist(torrent_summary const& torrent)
{
	constexpr std::string_view base = "http://127.0.0.1:8090";
	std::string const text = playlist_text({&torrent, 1}, base);
	std::size_t films = 0, titles = 0;
	input lines(reinterpret_cast<std::uint8_t const*>(text.data()), text.size());
	expect(lines.line() == "#EXTM3U", "a playlist says that it is one");
	while (!lines.empty())
	{
		std::string_view const line = lines.line();
		if (line.starts_with("#EXTINF:-1,")) ++titles;
		else if (line.starts_with(base)) ++films;
		else expect(line.starts_with("#EXTVLCOPT:input-slave=http://127.0.0.1:8090/stream/"), "no other lines are in a playlist");
	}
	auto const items = playlist_items(torrent.files);
	expect(films == items.size() && titles == films, "each film has a title and an address");
	for (std::size_t i = 1; i < items.size(); ++i)
		expect(!natural_less(items[i].file->path, items[i - 1].file->path), "films are in order");
}

} // namespace
} // namespace slipstream::fuzz

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* const bytes, std::size_t const size)
{
	using namespace slipstream;
	fuzz::input in(bytes, size);
	torrent_summary torrent;
	torrent.id = fuzz::id;
	torrent.phase = torrent_phase::ready;
	std::vector<file_entry> files;
	for (int i = 0; !in.empty() && i < 12; ++i)
	{
		std::string_view const line = in.line();
		if (i == 0) fuzz::target(line);
		std::size_t const slash = line.rfind('/');
		files.push_back({.index = i, .path = std::string(line)
			, .name = std::string(slash == line.npos ? line : line.substr(slash + 1)), .size_bytes = 1});
		fuzz::path(files.back());
	}
	if (!files.empty()) torrent.name = files.front().name;
	fuzz::order(files);
	torrent.files = std::move(files);
	fuzz::playlist(torrent);
	auto const json = nlohmann::json::parse(http::to_json(torrent), nullptr, false);
	fuzz::expect(json.is_object() && json["files"].size() == torrent.files.size(), "what is told of a torrent is JSON");
	return 0;
}
