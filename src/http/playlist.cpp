#include "http/playlist.hpp"

#include "http/ascii.hpp"
#include "http/media_type.hpp"
#include "http/route.hpp"

#include <algorithm>
#include <compare>
#include <unordered_map>
#include <unordered_set>

namespace slipstream::http {
namespace {

bool is_word(char const c) noexcept
{
	return is_digit(c) || is_letter(c) || static_cast<unsigned char>(c) >= 0x80;
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

std::string lowered(std::string_view const text)
{
	std::string out(text);
	std::transform(out.begin(), out.end(), out.begin(), lower);
	return out;
}

// The films by the stems of their names, in lower case. A torrent may have a hundred thousand
// files, and the server one thread: each file looks up whom it can belong to, and none is compared
// with all.
class films_by_stem
{
public:
	// `films` in their order. Of those with the same stem the first `most` are known.
	films_by_stem(std::vector<file_entry const*> const& films, std::size_t const most)
	{
		for (std::size_t i = 0; i < films.size(); ++i)
		{
			std::string stem = lowered(stem_of(films[i]->name));
			if (stem.empty()) continue;
			auto& alike = m_films[std::move(stem)];
			if (alike.size() < most) alike.push_back(i);
		}
	}

	// The films that `name` is called after: "Film.en.srt" after "Film.mkv", "Film2.srt" not.
	template <typename Each>
	void for_each_called(std::string_view const name, Each each)
	{
		std::string const stem = lowered(stem_of(name));
		for (std::size_t end = stem.size(); end > 0; --end)
			if (end == stem.size() || !is_word(stem[end])) look_up(stem.substr(0, end), each);
	}

	// The films whose name a folder in `path` has.
	template <typename Each>
	void for_each_folder(std::string_view path, Each each)
	{
		for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/'))
		{
			look_up(lowered(path.substr(0, slash)), each);
			path.remove_prefix(slash + 1);
		}
	}

private:
	// `each` answers whether the film takes more.
	template <typename Each>
	void look_up(std::string const& stem, Each& each)
	{
		auto const found = m_films.find(stem);
		if (found == m_films.end()) return;
		std::erase_if(found->second, [&](std::size_t const film) { return !each(film); });
	}

	std::unordered_map<std::string, std::vector<std::size_t>> m_films;
};

// Pictures for subtitles in two files: players find the second beside the first, which they cannot
// over HTTP.
class pairs
{
public:
	explicit pairs(std::vector<file_entry> const& files)
	{
		for (file_entry const& file : files)
			if (ends_with(file.path, ".idx")) m_stems.insert(lowered(stem_of(file.path)));
	}
	[[nodiscard]] bool has(file_entry const& file) const
	{
		return ends_with(file.path, ".idx") || (ends_with(file.path, ".sub") && m_stems.contains(lowered(stem_of(file.path))));
	}

private:
	static bool ends_with(std::string_view const path, std::string_view const end)
	{ return path.size() >= end.size() && same_text(path.substr(path.size() - end.size()), end); }

	std::unordered_set<std::string> m_stems;
};

// More than anybody chooses from, and a line that players take.
constexpr std::size_t max_texts = 64;

} // namespace

bool natural_less(std::string_view const a, std::string_view const b) noexcept
{
	auto const order = natural_order(a, b);
	return order != 0 ? order < 0 : a < b;
}

std::vector<playlist_item> playlist_items(std::vector<file_entry> const& files)
{
	std::vector<file_entry const*> films, sounds, texts;
	pairs const in_two_files(files);
	for (file_entry const& file : files)
	{
		if (file.pad) continue;
		switch (media_kind_of(file.name))
		{
			case media_kind::video: films.push_back(&file); break;
			case media_kind::audio: sounds.push_back(&file); break;
			case media_kind::subtitles:
				if (!in_two_files.has(file)) texts.push_back(&file);
				break;
			case media_kind::other: break;
		}
	}
	auto const by_path = [](file_entry const* a, file_entry const* b) { return natural_less(a->path, b->path); };
	for (auto* const list : {&films, &sounds, &texts}) std::sort(list->begin(), list->end(), by_path);

	std::vector<playlist_item> items;
	items.reserve(films.size());
	for (file_entry const* const film : films) items.push_back({film, {}});
	films_by_stem takers(films, films.size());
	for (file_entry const* const text : texts)
	{
		auto const give = [&](std::size_t const film) {
			auto& sides = items[film].sides;
			if (sides.size() < max_texts && (sides.empty() || sides.back() != text)) sides.push_back(text);
			return sides.size() < max_texts;
		};
		if (films.size() == 1) give(0);
		else
		{
			takers.for_each_called(text->name, give);
			takers.for_each_folder(text->path, give);
		}
	}
	// A sound goes to the first of the films that it is called after.
	films_by_stem owners(films, 1);
	std::erase_if(sounds, [&](file_entry const* const sound) {
		std::size_t owner = films.size();
		owners.for_each_called(sound->name, [&](std::size_t const film) {
			owner = std::min(owner, film);
			return true;
		});
		if (owner == films.size()) return false;
		items[owner].sides.push_back(sound);
		return true;
	});
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
