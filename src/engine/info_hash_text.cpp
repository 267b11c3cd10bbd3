#include "engine/info_hash_text.hpp"

#include "engine/hex_text.hpp"

#include <algorithm>
#include <array>

namespace slipstream {

namespace {

constexpr std::size_t short_digits = 40;
constexpr std::size_t long_digits = 64;

template <typename Hash>
std::string text_of(Hash const& hash) { return hex_text({hash.data(), static_cast<std::size_t>(Hash::size())}); }

} // namespace

std::string id_of(lt::info_hash_t const& hashes)
{
	return hashes.has_v1() ? text_of(hashes.v1) : text_of(hashes.v2);
}

std::optional<std::string> normalized_id(std::string_view const text)
{
	if (text.size() != short_digits && text.size() != long_digits) return std::nullopt;
	std::string id(text);
	// Not std::tolower: hexadecimal digits do not depend on a locale.
	for (char& c : id)
		if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
	if (id.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
	return id;
}

std::vector<std::string> all_ids(lt::info_hash_t const& hashes)
{
	std::vector<std::string> ids;
	if (hashes.has_v1()) ids.push_back(text_of(hashes.v1));
	if (!hashes.has_v2()) return ids;
	ids.push_back(text_of(hashes.v2));
	ids.push_back(ids.back().substr(0, short_digits));
	return ids;
}

bool names(std::string_view const id, lt::info_hash_t const& hashes)
{
	auto const ids = all_ids(hashes);
	return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool same_torrent(lt::info_hash_t const& a, lt::info_hash_t const& b)
{
	auto const truncated = [](lt::info_hash_t const& h) { return lt::sha1_hash(h.v2.data()); };
	if (a.has_v1() && b.has_v1() && a.v1 == b.v1) return true;
	if (a.has_v2() && b.has_v2()) return a.v2 == b.v2;
	// A lone 20-byte hash may stand for a v2 one.
	if (a.has_v1() && b.has_v2() && a.v1 == truncated(b)) return true;
	return a.has_v2() && b.has_v1() && b.v1 == truncated(a);
}

} // namespace slipstream
