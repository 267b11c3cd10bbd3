// Info-hashes as the foreign languages hand them over: raw bytes, 20 or none of v1, 32 or none of v2.
#pragma once

#include "guard.hpp"

#include <libtorrent/info_hash.hpp>

namespace slipstream::binding {

[[nodiscard]] inline bytes v1_of(lt::info_hash_t const& h) { return h.has_v1() ? h.v1.to_string() : bytes(); }
[[nodiscard]] inline bytes v2_of(lt::info_hash_t const& h) { return h.has_v2() ? h.v2.to_string() : bytes(); }

[[nodiscard]] inline lt::info_hash_t hashes_of(bytes const& v1, bytes const& v2)
{
	if ((!v1.empty() && v1.size() != 20) || (!v2.empty() && v2.size() != 32) || (v1.empty() && v2.empty()))
		fail(fault_bad_argument, "an info-hash has 20 bytes (v1), 32 bytes (v2) or both; these have "
			+ std::to_string(v1.size()) + " and " + std::to_string(v2.size()));
	lt::info_hash_t h;
	if (!v1.empty()) h.v1 = lt::sha1_hash(v1.data());
	if (!v2.empty()) h.v2 = lt::sha256_hash(v2.data());
	return h;
}

// The same torrent: a hash of one kind is the same. Not so when they have no kind in common.
[[nodiscard]] inline bool same_torrent(lt::info_hash_t const& a, lt::info_hash_t const& b)
{
	return (a.has_v1() && b.has_v1() && a.v1 == b.v1) || (a.has_v2() && b.has_v2() && a.v2 == b.v2);
}

} // namespace slipstream::binding
