#include "cli/choose_file.hpp"

#include "cli/progress.hpp"
#include "http/media_type.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace slipstream::cli {
namespace {

using entries = std::vector<file_entry const*>;

std::string lower(std::string_view const text)
{
	std::string out(text);
	std::transform(out.begin(), out.end(), out.begin()
		, [](char const c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
	return out;
}

template <typename Condition>
entries those(std::vector<file_entry> const& files, Condition const& condition)
{
	entries found;
	for (file_entry const& file : files)
		if (!file.pad && condition(file)) found.push_back(&file);
	return found;
}

error no_such(std::string what) { return {errc::no_such_file, std::move(what)}; }

expected<file_entry> by_index(std::vector<file_entry> const& files, int const index)
{
	auto const found = those(files, [&](file_entry const& f) { return f.index == index; });
	if (!found.empty()) return *found.front();
	return no_such(fmt::format("there is no file {}; the torrent has files 0 to {}, see slipstream info", index
		, files.empty() ? 0 : files.back().index));
}

expected<file_entry> largest_playable(std::vector<file_entry> const& files)
{
	for (auto const kind : {http::media_kind::video, http::media_kind::audio})
	{
		auto const found = those(files, [&](file_entry const& f) { return http::media_kind_of(f.name) == kind; });
		auto const most = std::max_element(found.begin(), found.end()
			, [](auto const* a, auto const* b) { return a->size_bytes < b->size_bytes; });
		if (most != found.end()) return **most;
	}
	return no_such("nothing in the torrent is called like a film or a sound; give one of its files with --file, "
		"see slipstream info");
}

std::optional<int> number_of(std::string_view const text)
{
	int index = 0;
	auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), index);
	if (failure != std::errc{} || end != text.data() + text.size() || index < 0) return std::nullopt;
	return index;
}

} // namespace

bool is_playable(file_entry const& file)
{
	auto const kind = http::media_kind_of(file.name);
	return !file.pad && (kind == http::media_kind::video || kind == http::media_kind::audio);
}

expected<file_entry> choose_file(std::vector<file_entry> const& files, std::string_view const wanted)
{
	if (wanted.empty()) return largest_playable(files);
	// A file that is called by a number has an index, too.
	if (auto const index = number_of(wanted)) return by_index(files, *index);
	auto found = those(files, [&](file_entry const& f) { return f.path == wanted; });
	if (found.empty()) found = those(files, [&](file_entry const& f) { return f.name == wanted; });
	if (found.empty())
		found = those(files, [&](file_entry const& f) { return lower(f.path).find(lower(wanted)) != std::string::npos; });
	if (found.size() == 1) return *found.front();
	if (found.empty()) return no_such(fmt::format("no file is called '{}'; see slipstream info", printable(wanted)));
	return no_such(fmt::format("'{}' is a part of the names of files {} and {}{}; give more of it, or a number"
		, printable(wanted), found[0]->index, found[1]->index, found.size() > 2 ? " and others" : ""));
}

} // namespace slipstream::cli
