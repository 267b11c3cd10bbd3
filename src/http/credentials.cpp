#include "http/credentials.hpp"

#include "http/ascii.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>

namespace slipstream::http {
namespace {

// Longer ones are nobody's.
constexpr std::size_t max_encoded_bytes = 1024;

bool is_base64(std::string_view const text) noexcept
{
	std::size_t const end = std::min(text.find('='), text.size());
	bool const padded = text.size() % 4 == 0 && text.size() - end <= 2
		&& text.find_first_not_of('=', end) == std::string_view::npos;
	return padded && !text.empty() && std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), [](char const c) {
		return is_letter(c) || is_digit(c) || c == '+' || c == '/';
	});
}

} // namespace

std::optional<std::string> basic_credentials(std::string_view authorization)
{
	constexpr std::string_view scheme = "basic ";
	if (authorization.size() < scheme.size()) return std::nullopt;
	// "The scheme ... is case-insensitive" (RFC 7617, section 2).
	if (!std::equal(scheme.begin(), scheme.end(), authorization.begin(), [](char const a, char const b) { return a == lower(b); }))
		return std::nullopt;
	authorization.remove_prefix(scheme.size());
	while (authorization.starts_with(' ')) authorization.remove_prefix(1);
	while (authorization.ends_with(' ')) authorization.remove_suffix(1);
	if (authorization.size() > max_encoded_bytes || !is_base64(authorization)) return std::nullopt;

	std::string decoded(authorization.size() / 4 * 3, '\0');
	int const length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data())
		, reinterpret_cast<unsigned char const*>(authorization.data()), static_cast<int>(authorization.size()));
	if (length < 0) return std::nullopt;
	// What padding stands for is counted.
	std::size_t const padding = authorization.size() - std::min(authorization.find('='), authorization.size());
	decoded.resize(static_cast<std::size_t>(length) - padding);
	if (decoded.find(':') == std::string::npos) return std::nullopt;
	return decoded;
}

bool is_credentials(std::string_view const text) noexcept
{
	std::size_t const colon = text.find(':');
	bool const plain = std::none_of(text.begin(), text.end()
		, [](char const c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
	return plain && colon != std::string_view::npos && colon > 0 && colon + 1 < text.size() && text.size() <= max_encoded_bytes / 2;
}

credentials::digest credentials::digest_of(std::string_view const text)
{
	digest d{};
	unsigned length = 0;
	if (EVP_Digest(text.data(), text.size(), d.data(), &length, EVP_sha256(), nullptr) != 1)
		throw std::runtime_error("OpenSSL has no SHA-256");
	return d;
}

credentials::credentials(std::vector<std::string> const& known)
{
	for (std::string const& one : known)
	{
		if (!is_credentials(one)) throw std::invalid_argument("credentials must be USER:PASSWORD");
		m_digests.push_back(digest_of(one));
	}
}

bool credentials::admits(std::string_view const authorization) const
{
	if (!needed()) return true;
	std::optional<std::string> const given = basic_credentials(authorization);
	if (!given) return false;
	digest const d = digest_of(*given);
	int matches = 0;
	for (digest const& known : m_digests) matches |= CRYPTO_memcmp(known.data(), d.data(), d.size()) == 0 ? 1 : 0;
	return matches != 0;
}

} // namespace slipstream::http
