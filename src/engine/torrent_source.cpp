#include "engine/torrent_source.hpp"

#include <fmt/format.h>

#include <libtorrent/bdecode.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/magnet_uri.hpp>
#include <libtorrent/read_resume_data.hpp>
#include <libtorrent/torrent_info.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace slipstream {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view magnet_scheme = "magnet:";
// Links are pasted by people; what is longer is something else.
constexpr std::size_t max_magnet_bytes = 64 << 10;

bool is_magnet(std::string_view const uri)
{
	auto const lower = [](char const c)
		{ return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
	return uri.size() >= magnet_scheme.size()
		&& std::equal(magnet_scheme.begin(), magnet_scheme.end(), uri.begin()
			, [&](char const a, char const b) { return a == lower(b); });
}

expected<std::vector<char>> read_file(std::string const& path, std::size_t const max_bytes)
{
	std::error_code ec;
	auto const status = fs::status(path, ec);
	if (status.type() == fs::file_type::not_found)
		return error(errc::bad_torrent, fmt::format("\"{}\" does not exist", path));
	if (ec)
		return error(errc::bad_torrent, fmt::format("\"{}\" cannot be read: {}", path, ec.message()));
	if (status.type() == fs::file_type::directory)
		return error(errc::bad_torrent, fmt::format("\"{}\" is a directory, not a torrent file", path));
	if (status.type() != fs::file_type::regular)
		return error(errc::bad_torrent, fmt::format("\"{}\" is not a regular file", path));
	auto const size = fs::file_size(path, ec);
	if (ec)
		return error(errc::bad_torrent, fmt::format("\"{}\" cannot be read: {}", path, ec.message()));
	if (size > max_bytes)
		return error(errc::too_large, fmt::format("\"{}\" is {} bytes long, a torrent file may have {}"
			, path, size, max_bytes));
	std::vector<char> bytes(static_cast<std::size_t>(size));
	std::ifstream file(path, std::ios::binary);
	if (!file || !file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
		return error(errc::bad_torrent, fmt::format("\"{}\" cannot be read", path));
	return bytes;
}

} // namespace

std::vector<file_entry> files_of(lt::torrent_info const& metadata)
{
	lt::file_storage const& files = metadata.files();
	std::vector<file_entry> result;
	result.reserve(static_cast<std::size_t>(files.num_files()));
	for (lt::file_index_t const i : files.file_range())
	{
		file_entry entry;
		entry.index = static_cast<int>(i);
		entry.path = files.file_path(i);
		entry.name = std::string(files.file_name(i));
		entry.size_bytes = files.file_size(i);
		entry.pad = files.pad_file_at(i);
		result.push_back(std::move(entry));
	}
	return result;
}

expected<lt::add_torrent_params> parse_torrent(std::span<char const> const bytes
	, std::size_t const max_bytes, std::string_view const origin)
{
	if (bytes.empty()) return error(errc::bad_torrent, fmt::format("{} is empty", origin));
	if (bytes.size() > max_bytes)
		return error(errc::too_large, fmt::format("{} is {} bytes long, a torrent file may have {}"
			, origin, bytes.size(), max_bytes));
	try
	{
		lt::load_torrent_limits limits;
		limits.max_buffer_size = static_cast<int>(max_bytes);
		lt::span<char const> const buffer(bytes.data(), static_cast<std::ptrdiff_t>(bytes.size()));
		auto params = lt::load_torrent_buffer(buffer, limits);
		if (!params.ti || !params.ti->is_valid() || params.ti->num_pieces() == 0
			|| params.ti->num_files() == 0 || params.ti->total_size() <= 0)
			return error(errc::bad_torrent, fmt::format("{} has no bytes in any file", origin));
		return params;
	}
	catch (std::exception const& e)
	{
		return error(errc::bad_torrent, fmt::format("{} is not a torrent file that can be used: {}"
			, origin, e.what()));
	}
}

expected<lt::add_torrent_params> parse_resume_data(std::span<char const> const bytes, std::size_t const max_bytes)
{
	if (bytes.size() > max_bytes)
		return error(errc::too_large, fmt::format("{} bytes, resume data may have {}", bytes.size(), max_bytes));
	lt::error_code ec;
	lt::bdecode_node const dict = lt::bdecode({bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())}, ec);
	auto params = ec ? lt::add_torrent_params() : lt::read_resume_data(dict, ec);
	if (ec) return error(errc::bad_torrent, fmt::format("not resume data that can be used: {}", ec.message()));
	// libtorrent drops metadata of another hash without a word.
	if (!params.ti && dict.dict_find_dict("info"))
		return error(errc::bad_torrent, "the metadata in the resume data is damaged: it is not of the info-hash beside it");
	if (params.ti && (!params.ti->is_valid() || params.ti->num_pieces() == 0 || params.ti->total_size() <= 0))
		return error(errc::bad_torrent, "the resume data has no bytes in any file");
	if (!params.ti && !params.info_hashes.has_v1() && !params.info_hashes.has_v2())
		return error(errc::bad_torrent, "the resume data has no info-hash");
	return params;
}

expected<lt::add_torrent_params> parse_magnet(std::string_view const uri)
{
	if (!is_magnet(uri))
		return error(errc::bad_magnet, "not a magnet link: it must begin with magnet:; a torrent file is sent as"
			" its bytes, with Content-Type: application/x-bittorrent");
	if (uri.size() > max_magnet_bytes)
		return error(errc::bad_magnet, fmt::format("the magnet link is {} bytes long, at most {} are read"
			, uri.size(), max_magnet_bytes));
	lt::error_code ec;
	// libtorrent knows the scheme in lower case only.
	std::string const text = std::string(magnet_scheme) + std::string(uri.substr(magnet_scheme.size()));
	auto params = lt::parse_magnet_uri(text, ec);
	if (!ec && !params.info_hashes.has_v1() && !params.info_hashes.has_v2())
		return error(errc::bad_magnet, "the magnet link has no info-hash (urn:btih:... or urn:btmh:...)");
	if (ec)
		return error(errc::bad_magnet
			, fmt::format("not a magnet link that can be used: {}", ec.message()));
	return params;
}

expected<lt::add_torrent_params> parse_uri(std::string_view const uri, std::size_t const max_bytes)
{
	if (is_magnet(uri)) return parse_magnet(uri);
	std::string const path(uri);
	if (path.empty()) return error(errc::bad_torrent, "an empty path names no torrent file");
	auto const bytes = read_file(path, max_bytes);
	if (!bytes) return bytes.error();
	return parse_torrent(*bytes, max_bytes, fmt::format("\"{}\"", path));
}

} // namespace slipstream
