// Two hashes at once on one core: SHA-1 and SHA-256 (FIPS 180-4) of two messages, their steps
// interleaved.
//
// A processor's SHA instructions wait for each other within one message; those of a second message
// fill the gaps. Where there are no such instructions (x86-64 only, chosen at run time) the two are
// hashed one after the other, with the same outcome. Contexts are OpenSSL's, which begins and ends
// every hash, and hashes whatever is not paired here.
//
// Functions; any thread. No padding, no parts of 64 bytes, no more than two lanes: a third gains
// little and wants more registers than there are.
#pragma once

#include <openssl/sha.h>

#include <cstddef>

namespace slipstream {

// Whether pairs are any faster here.
[[nodiscard]] bool sha_has_lanes() noexcept;

// Adds `bytes` of each message, a multiple of 64. Precondition: each context has been given a
// multiple of 64 so far, and they are not the same one.
void update_both(SHA_CTX& a, char const* bytes_a, SHA_CTX& b, char const* bytes_b, std::size_t bytes) noexcept;
void update_both(SHA256_CTX& a, char const* bytes_a, SHA256_CTX& b, char const* bytes_b, std::size_t bytes) noexcept;

} // namespace slipstream
