// Info-hashes as people write them: hexadecimal, and which torrent such a text names. Pure functions.
#pragma once

#include <libtorrent/info_hash.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream {

// Lower-case hex of the v1 hash (40 digits) when there is one, else of the v2 hash (64).
[[nodiscard]] std::string id_of(lt::info_hash_t const& hashes);

// `text` in lower case when it is 40 or 64 hexadecimal digits.
[[nodiscard]] std::optional<std::string> normalized_id(std::string_view text);

// Every text that names them: v1, v2 and truncated v2.
[[nodiscard]] std::vector<std::string> all_ids(lt::info_hash_t const& hashes);

// Whether `id`, as normalized_id() gives it, is one of the hashes: v1, v2 or truncated v2.
[[nodiscard]] bool names(std::string_view id, lt::info_hash_t const& hashes);

// Whether both have a hash in common, where a best hash (of 20 bytes) may be a truncated v2 one.
[[nodiscard]] bool same_torrent(lt::info_hash_t const& a, lt::info_hash_t const& b);

} // namespace slipstream
