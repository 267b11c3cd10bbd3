// Basic authentication (RFC 7617): who is let in.
//
// Immutable after its construction; any thread. It keeps SHA-256 of what it was given, and compares
// in a time that depends neither on what is right nor on which of several it is. It does not read
// files and does not count tries.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::http {

// "user:password" in an Authorization header; nothing when it is of another scheme or malformed.
[[nodiscard]] std::optional<std::string> basic_credentials(std::string_view authorization);

// Whether `text` is USER:PASSWORD, both not empty, and no control character in it.
[[nodiscard]] bool is_credentials(std::string_view text) noexcept;

class credentials
{
public:
	// Each "user:password". None: everybody is let in.
	explicit credentials(std::vector<std::string> const& known);

	[[nodiscard]] bool needed() const noexcept { return !m_digests.empty(); }
	// `authorization`: the value of the header, or nothing of it.
	[[nodiscard]] bool admits(std::string_view authorization) const;

private:
	using digest = std::array<unsigned char, 32>;
	static digest digest_of(std::string_view text);

	std::vector<digest> m_digests;
};

} // namespace slipstream::http
