#include "http/media_type.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace slipstream::http {
namespace {

struct known_type
{
	std::string_view extension;
	std::string_view type;
};

// Sorted by nothing but sense: the table is small.
constexpr std::array types{
	// films
	known_type{"mkv", "video/x-matroska"}, known_type{"mk3d", "video/x-matroska"},
	known_type{"mp4", "video/mp4"}, known_type{"m4v", "video/mp4"},
	known_type{"webm", "video/webm"}, known_type{"avi", "video/x-msvideo"},
	known_type{"divx", "video/x-msvideo"}, known_type{"mov", "video/quicktime"},
	known_type{"ts", "video/mp2t"}, known_type{"m2ts", "video/mp2t"}, known_type{"mts", "video/mp2t"},
	known_type{"mpg", "video/mpeg"}, known_type{"mpeg", "video/mpeg"}, known_type{"vob", "video/mpeg"},
	known_type{"m2v", "video/mpeg"}, known_type{"wmv", "video/x-ms-wmv"},
	known_type{"asf", "video/x-ms-asf"}, known_type{"flv", "video/x-flv"},
	known_type{"ogv", "video/ogg"}, known_type{"3gp", "video/3gpp"}, known_type{"3g2", "video/3gpp2"},
	known_type{"rm", "application/vnd.rn-realmedia"}, known_type{"rmvb", "application/vnd.rn-realmedia-vbr"},
	known_type{"ogm", "video/ogg"}, known_type{"f4v", "video/mp4"}, known_type{"m1v", "video/mpeg"},
	known_type{"mpe", "video/mpeg"}, known_type{"mpv", "video/mpeg"}, known_type{"tp", "video/mp2t"},
	known_type{"trp", "video/mp2t"}, known_type{"m2t", "video/mp2t"}, known_type{"qt", "video/quicktime"},
	known_type{"264", "video/h264"}, known_type{"h264", "video/h264"}, known_type{"265", "video/h265"},
	known_type{"hevc", "video/h265"}, known_type{"mxf", "application/mxf"}, known_type{"dv", "video/x-dv"},
	known_type{"nut", "video/x-nut"}, known_type{"wtv", "video/x-ms-wtv"},
	// sound
	known_type{"mp3", "audio/mpeg"}, known_type{"flac", "audio/flac"}, known_type{"ogg", "audio/ogg"},
	known_type{"oga", "audio/ogg"}, known_type{"opus", "audio/ogg"}, known_type{"m4a", "audio/mp4"},
	known_type{"m4b", "audio/mp4"}, known_type{"aac", "audio/aac"}, known_type{"wav", "audio/wav"},
	known_type{"wma", "audio/x-ms-wma"}, known_type{"mka", "audio/x-matroska"},
	known_type{"ac3", "audio/ac3"}, known_type{"dts", "audio/vnd.dts"}, known_type{"ape", "audio/x-ape"},
	known_type{"aiff", "audio/aiff"}, known_type{"mid", "audio/midi"},
	known_type{"aif", "audio/aiff"}, known_type{"eac3", "audio/eac3"}, known_type{"ec3", "audio/eac3"},
	known_type{"thd", "audio/vnd.dolby.mlp"}, known_type{"mp2", "audio/mpeg"}, known_type{"mpa", "audio/mpeg"},
	known_type{"spx", "audio/ogg"}, known_type{"weba", "audio/webm"}, known_type{"wv", "audio/x-wavpack"},
	known_type{"tta", "audio/x-tta"}, known_type{"dsf", "audio/x-dsf"}, known_type{"dff", "audio/x-dff"},
	known_type{"mpc", "audio/x-musepack"}, known_type{"tak", "audio/x-tak"}, known_type{"caf", "audio/x-caf"},
	known_type{"amr", "audio/amr"}, known_type{"au", "audio/basic"}, known_type{"ra", "audio/vnd.rn-realaudio"},
	// subtitles
	known_type{"srt", "application/x-subrip"}, known_type{"vtt", "text/vtt"},
	known_type{"ass", "text/x-ssa"}, known_type{"ssa", "text/x-ssa"}, known_type{"sub", "text/x-microdvd"},
	known_type{"idx", "text/x-vobsub"}, known_type{"sup", "application/x-pgs"},
	known_type{"mks", "video/x-matroska"}, known_type{"smi", "application/smil+xml"},
	known_type{"ttml", "application/ttml+xml"}, known_type{"lrc", "text/plain"},
	// playlists
	known_type{"m3u", "audio/x-mpegurl"}, known_type{"m3u8", "application/vnd.apple.mpegurl"},
	known_type{"pls", "audio/x-scpls"}, known_type{"cue", "application/x-cue"},
	// what lies beside
	known_type{"jpg", "image/jpeg"}, known_type{"jpeg", "image/jpeg"}, known_type{"png", "image/png"},
	known_type{"gif", "image/gif"}, known_type{"webp", "image/webp"}, known_type{"bmp", "image/bmp"},
	known_type{"avif", "image/avif"}, known_type{"heic", "image/heic"}, known_type{"tif", "image/tiff"},
	known_type{"log", "text/plain"},
	known_type{"txt", "text/plain"}, known_type{"nfo", "text/plain"}, known_type{"md", "text/plain"},
	known_type{"pdf", "application/pdf"}, known_type{"epub", "application/epub+zip"},
	known_type{"zip", "application/zip"}, known_type{"rar", "application/vnd.rar"},
	known_type{"7z", "application/x-7z-compressed"}, known_type{"gz", "application/gzip"},
	known_type{"tar", "application/x-tar"}, known_type{"iso", "application/x-iso9660-image"},
};

bool same(std::string_view const a, std::string_view const lower) noexcept
{
	return std::equal(a.begin(), a.end(), lower.begin(), lower.end()
		, [](char const x, char const y) { return (x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x) == y; });
}

} // namespace

// HTML and scripts are left out of the table on purpose: nothing that a stranger put into a torrent
// is to run in a browser under this server's origin.
std::string_view media_type(std::string_view const file_name) noexcept
{
	constexpr std::string_view unknown = "application/octet-stream";
	std::size_t const dot = file_name.rfind('.');
	if (dot == std::string_view::npos) return unknown;
	std::string_view const extension = file_name.substr(dot + 1);
	auto const found = std::find_if(types.begin(), types.end()
		, [&](known_type const& t) { return same(extension, t.extension); });
	return found == types.end() ? unknown : found->type;
}

media_kind media_kind_of(std::string_view const file_name) noexcept
{
	std::string_view const type = media_type(file_name);
	constexpr std::array subtitles{"application/x-subrip", "text/vtt", "text/x-ssa", "text/x-microdvd", "text/x-vobsub"
		, "application/x-pgs", "application/smil+xml", "application/ttml+xml"};
	if (std::find(subtitles.begin(), subtitles.end(), type) != subtitles.end()) return media_kind::subtitles;
	std::size_t const dot = file_name.rfind('.');
	if (dot != std::string_view::npos && same(file_name.substr(dot + 1), "mks")) return media_kind::subtitles;
	// A list of films is not one.
	if (type == "audio/x-mpegurl" || type == "audio/x-scpls") return media_kind::other;
	if (type.starts_with("video/") || type.starts_with("application/vnd.rn-realmedia") || type == "application/mxf")
		return media_kind::video;
	return type.starts_with("audio/") ? media_kind::audio : media_kind::other;
}

} // namespace slipstream::http
