#include "http/playlist.hpp"

#include "http/media_type.hpp"
#include "http/route.hpp"

#include <algorithm>
#include <compare>

namespace slipstream::http {
namespace {

bool is_digit(char const c) noexcept { return c >= '0' && c <= '9'; }
char lower(char const c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_word(char const c) noexcept
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

// What a character counts in an order: the end of a folder's name before everything else.
int weight(char const c) noexcept { return c == '/' ? -1 : static_cast<unsigned char>(lower(c)); }

std::string_view take_number(std::string_view& text) noexcept
{
	std::size_t count = 0;
	while (count < text.size() && is_digit(text[count])) ++count;
	std::string_view number = text.substr(0, count);
	text.remove_prefix(count);
	while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
	return number;
}

std::strong_ordering natural_order(std::string_view a, std::string_view b) noexcept
{
	while (!a.empty() && !b.empty())
	{
		if (is_digit(a.front()) && is_digit(b.front()))
		{
			std::string_view const x = take_number(a);
			std::string_view const y = take_number(b);
			if (x.size() != y.size()) return x.size() <=> y.size();
			if (int const order = x.compare(y); order != 0) return order <=> 0;
			continue;
		}
		if (auto const order = weight(a.front()) <=> weight(b.front()); order != 0) return order;
		a.remove_prefix(1);
		b.remove_prefix(1);
	}
	return a.size() <=> b.size();
}

bool same_text(std::string_view const a, std::string_view const b) noexcept
{
	return std::equal(a.begin(), a.end(), b.begin(), b.end()
		, [](char const x, char const y) { return lower(x) == lower(y); });
}

std::string_view stem_of(std::string_view const name) noexcept { return name.substr(0, name.rfind('.')); }

// "Film.en.srt" is called after "Film.mkv", "Film2.srt" is not.
bool is_called_after(std::string_view const name, std::string_view const stem) noexcept
{
	if (stem.empty() || name.size() < stem.size() || !same_text(name.substr(0, stem.size()), stem)) return false;
	return name.size() == stem.size() || !is_word(name[stem.size()]);
}

bool lies_in_folder_of(std::string_view path, std::string_view const stem) noexcept
{
	for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/'))
	{
		if (same_text(path.substr(0, slash), stem)) return true;
		path.remove_prefix(slash + 1);
	}
	return false;
}

// Pictures for subtitles in two files: players find the second beside the first, which they cannot over HTTP.
bool is_half_of_a_pair(file_entry const& file, std::vector<file_entry> const& files)
{
	std::string_view const path = file.path;
	if (path.size() < 4) return false;
	std::string_view const end = path.substr(path.size() - 4);
	if (same_text(end, ".idx")) return true;
	return same_text(end, ".sub") && std::any_of(files.begin(), files.end(), [&](file_entry const& other) {
		return other.path.size() == path.size() && other.path != path
			&& same_text(stem_of(other.path), stem_of(path)) && same_text(other.path.substr(path.size() - 4), ".idx");
	});
}

} // namespace

bool natural_less(std::string_view const a, std::string_view const b) noexcept
{
	auto const order = natural_order(a, b);
	return order != 0 ? order < 0 : a < b;
}

std::vector<playlist_item> playlist_items(std::vector<file_entry> const& files)
{
	std::vector<file_entry const*> films, sounds, texts;
	for (file_entry const& file : files)
	{
		if (file.pad) continue;
		switch (media_kind_of(file.name))
		{
			case media_kind::video: films.push_back(&file); break;
			case media_kind::audio: sounds.push_back(&file); break;
			case media_kind::subtitles:
				if (!is_half_of_a_pair(file, files)) texts.push_back(&file);
				break;
			case media_kind::other: break;
		}
	}
	auto const by_path = [](file_entry const* a, file_entry const* b) { return natural_less(a->path, b->path); };
	for (auto* const list : {&films, &sounds, &texts}) std::sort(list->begin(), list->end(), by_path);

	std::vector<playlist_item> items;
	for (file_entry const* const film : films)
	{
		std::string_view const stem = stem_of(film->name);
		auto const belongs = [&](file_entry const* f)
			{ return is_called_after(stem_of(f->name), stem) || lies_in_folder_of(f->path, stem); };
		playlist_item item{film, {}};
		for (file_entry const* const text : texts)
			if (films.size() == 1 || belongs(text)) item.sides.push_back(text);
		for (file_entry const* const sound : sounds)
			if (is_called_after(stem_of(sound->name), stem)) item.sides.push_back(sound);
		std::erase_if(sounds, [&](auto const* s) { return std::find(item.sides.begin(), item.sides.end(), s) != item.sides.end(); });
		items.push_back(std::move(item));
	}
	for (file_entry const* const sound : sounds) items.push_back({sound, {}});
	std::stable_sort(items.begin(), items.end()
		, [&](playlist_item const& a, playlist_item const& b) { return by_path(a.file, b.file); });
	return items;
}

namespace {

// A name in a line of its own: what would end the line does not.
std::string line_of(std::string_view const name)
{
	std::string out(name);
	std::replace_if(out.begin(), out.end(), [](char const c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
	return out;
}

} // namespace

std::string playlist_text(std::span<torrent_summary const> const torrents, std::string_view const base)
{
	std::string text = "#EXTM3U\n";
	for (torrent_summary const& torrent : torrents)
	{
		auto const url = [&](file_entry const& file)
			{ return std::string(base) + stream_path(torrent.id, file.index, file.name); };
		for (playlist_item const& item : playlist_items(torrent.files))
		{
			text += "#EXTINF:-1," + line_of(item.file->name) + '\n';
			if (!item.sides.empty())
			{
				// As VLC has it: several are separated by '#', which no URL here has in it.
				text += "#EXTVLCOPT:input-slave=";
				for (std::size_t i = 0; i < item.sides.size(); ++i) text += (i > 0 ? "#" : "") + url(*item.sides[i]);
				text += '\n';
			}
			text += url(*item.file) + '\n';
		}
	}
	return text;
}

} // namespace slipstream::http
