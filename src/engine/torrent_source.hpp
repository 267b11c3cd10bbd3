// What people add: a magnet link, the path of a torrent file, or a torrent file's bytes; checked, and
// turned into what libtorrent is given. Any thread, no state. It adds nothing to any session.
#pragma once

#include <slipstream/engine.hpp>

#include <libtorrent/add_torrent_params.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace slipstream {

// `uri`: a magnet link when it starts with "magnet:", else the path of a torrent file of at most
// `max_bytes`. Errors: bad_magnet, bad_torrent, too_large; their details name the path and the reason.
[[nodiscard]] expected<lt::add_torrent_params> parse_uri(std::string_view uri, std::size_t max_bytes);

// A magnet link alone. Errors: bad_magnet.
[[nodiscard]] expected<lt::add_torrent_params> parse_magnet(std::string_view uri);

// `origin` is what details call it. Errors: bad_torrent, too_large.
[[nodiscard]] expected<lt::add_torrent_params> parse_torrent(std::span<char const> bytes
	, std::size_t max_bytes, std::string_view origin);

// What torrent_entry::save_resume_data made. Errors: bad_torrent, too_large.
[[nodiscard]] expected<lt::add_torrent_params> parse_resume_data(std::span<char const> bytes, std::size_t max_bytes);

// The files of a torrent, as they are shown and numbered.
[[nodiscard]] std::vector<file_entry> files_of(lt::torrent_info const& metadata);

} // namespace slipstream
