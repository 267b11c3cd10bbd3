#include "store/sha_lanes.hpp"
#include "block/check.hpp"

#include <array>
#include <cstdint>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#define SHA_TARGET __attribute__((target("sha,sse4.1")))
#endif

namespace slipstream {

namespace {

constexpr std::size_t chunk = 64; // what both hashes work on at a time

template <typename Context>
bool between_chunks(Context const& c) { return c.num == 0; }

// OpenSSL counts the message's bits in two words.
template <typename Context>
void count_bytes(Context& c, std::size_t const bytes)
{
	auto const bits = (std::uint64_t(c.Nh) << 32 | c.Nl) + std::uint64_t(bytes) * 8;
	c.Nl = static_cast<SHA_LONG>(bits);
	c.Nh = static_cast<SHA_LONG>(bits >> 32);
}

#if defined(__x86_64__)

bool find_lanes() noexcept
{
	unsigned a = 0, b = 0, c = 0, d = 0;
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_SHA)) return false;
	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) && (c & bit_SSSE3);
}

SHA_TARGET inline __m128i load(void const* const p) { return _mm_loadu_si128(static_cast<__m128i const*>(p)); }
SHA_TARGET inline void store(void* const p, __m128i const v) { _mm_storeu_si128(static_cast<__m128i*>(p), v); }

constexpr int num_lanes = 2;

// -- SHA-1: 20 steps of four rounds; sha1rnds4 does four, sha1nexte gives the next four their E.

struct sha1_lane
{
	__m128i abcd;
	__m128i e[2];  // the one that is used and the one that becomes it, by the step's number
	__m128i w[4];  // the last 16 words of the schedule
};

template <int step>
SHA_TARGET inline void sha1_step(sha1_lane& l)
{
	__m128i& w = l.w[step % 4];
	if constexpr (step >= 4)
		w = _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w, l.w[(step + 1) % 4]), l.w[(step + 2) % 4])
			, l.w[(step + 3) % 4]);
	__m128i& e = l.e[step % 2];
	e = step == 0 ? _mm_add_epi32(e, w) : _mm_sha1nexte_epu32(e, w);
	l.e[(step + 1) % 2] = l.abcd;
	l.abcd = _mm_sha1rnds4_epu32(l.abcd, e, step / 5);
}

template <int... steps>
SHA_TARGET inline void sha1_steps(sha1_lane& a, sha1_lane& b, std::integer_sequence<int, steps...>)
{ ((sha1_step<steps>(a), sha1_step<steps>(b)), ...); }

SHA_TARGET void sha1_both(SHA_CTX* const (&c)[num_lanes], char const* const (&from)[num_lanes], std::size_t const bytes)
{
	__m128i const big_endian = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
	sha1_lane lanes[num_lanes];
	for (int i = 0; i < num_lanes; ++i)
	{
		lanes[i].abcd = _mm_shuffle_epi32(load(&c[i]->h0), 0x1b);
		lanes[i].e[0] = _mm_set_epi32(int(c[i]->h4), 0, 0, 0);
	}
	for (std::size_t at = 0; at < bytes; at += chunk)
	{
		__m128i before[num_lanes][2];
		for (int i = 0; i < num_lanes; ++i)
		{
			before[i][0] = lanes[i].abcd;
			before[i][1] = lanes[i].e[0];
			for (int k = 0; k < 4; ++k) lanes[i].w[k] = _mm_shuffle_epi8(load(from[i] + at + std::size_t(k) * 16), big_endian);
		}
		sha1_steps(lanes[0], lanes[1], std::make_integer_sequence<int, 20>());
		for (int i = 0; i < num_lanes; ++i)
		{
			lanes[i].e[0] = _mm_sha1nexte_epu32(lanes[i].e[0], before[i][1]);
			lanes[i].abcd = _mm_add_epi32(lanes[i].abcd, before[i][0]);
		}
	}
	for (int i = 0; i < num_lanes; ++i)
	{
		store(&c[i]->h0, _mm_shuffle_epi32(lanes[i].abcd, 0x1b));
		c[i]->h4 = static_cast<SHA_LONG>(_mm_extract_epi32(lanes[i].e[0], 3));
	}
}

// -- SHA-256: 16 steps of four rounds; sha256rnds2 does two.

alignas(16) constexpr std::array<std::uint32_t, 64> k256{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

struct sha256_lane
{
	__m128i abef;
	__m128i cdgh;
	__m128i w[4];
};

template <int step>
SHA_TARGET inline void sha256_step(sha256_lane& l)
{
	__m128i& w = l.w[step % 4];
	if constexpr (step >= 4)
	{
		__m128i const& w3 = l.w[(step + 3) % 4];
		w = _mm_add_epi32(_mm_sha256msg1_epu32(w, l.w[(step + 1) % 4]), _mm_alignr_epi8(w3, l.w[(step + 2) % 4], 4));
		w = _mm_sha256msg2_epu32(w, w3);
	}
	__m128i const wk = _mm_add_epi32(w, load(&k256[step * 4]));
	l.cdgh = _mm_sha256rnds2_epu32(l.cdgh, l.abef, wk);
	l.abef = _mm_sha256rnds2_epu32(l.abef, l.cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

template <int... steps>
SHA_TARGET inline void sha256_steps(sha256_lane& a, sha256_lane& b, std::integer_sequence<int, steps...>)
{ ((sha256_step<steps>(a), sha256_step<steps>(b)), ...); }

SHA_TARGET void sha256_both(SHA256_CTX* const (&c)[num_lanes], char const* const (&from)[num_lanes], std::size_t const bytes)
{
	__m128i const big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	sha256_lane lanes[num_lanes];
	for (int i = 0; i < num_lanes; ++i)
	{
		// h is abcd, efgh; the instructions want abef, cdgh, from the top.
		__m128i const abcd = _mm_shuffle_epi32(load(&c[i]->h[0]), 0xb1); // c d a b
		__m128i const efgh = _mm_shuffle_epi32(load(&c[i]->h[4]), 0x1b); // e f g h
		lanes[i].abef = _mm_alignr_epi8(abcd, efgh, 8);
		lanes[i].cdgh = _mm_blend_epi16(efgh, abcd, 0xf0);
	}
	for (std::size_t at = 0; at < bytes; at += chunk)
	{
		__m128i before[num_lanes][2];
		for (int i = 0; i < num_lanes; ++i)
		{
			before[i][0] = lanes[i].abef;
			before[i][1] = lanes[i].cdgh;
			for (int k = 0; k < 4; ++k) lanes[i].w[k] = _mm_shuffle_epi8(load(from[i] + at + std::size_t(k) * 16), big_endian);
		}
		sha256_steps(lanes[0], lanes[1], std::make_integer_sequence<int, 16>());
		for (int i = 0; i < num_lanes; ++i)
		{
			lanes[i].abef = _mm_add_epi32(lanes[i].abef, before[i][0]);
			lanes[i].cdgh = _mm_add_epi32(lanes[i].cdgh, before[i][1]);
		}
	}
	for (int i = 0; i < num_lanes; ++i)
	{
		__m128i const feba = _mm_shuffle_epi32(lanes[i].abef, 0x1b); // a b e f, from the bottom
		__m128i const dchg = _mm_shuffle_epi32(lanes[i].cdgh, 0xb1); // g h c d
		store(&c[i]->h[0], _mm_blend_epi16(feba, dchg, 0xf0));
		store(&c[i]->h[4], _mm_alignr_epi8(dchg, feba, 8));
	}
}

#else

bool find_lanes() noexcept { return false; }

#endif

} // namespace

bool sha_has_lanes() noexcept
{
	static bool const found = find_lanes();
	return found;
}

void update_both(SHA_CTX& a, char const* const bytes_a, SHA_CTX& b, char const* const bytes_b, std::size_t const bytes) noexcept
{
	check(bytes % chunk == 0 && between_chunks(a) && between_chunks(b) && &a != &b, "pairs are hashed in whole chunks");
#if defined(__x86_64__)
	if (sha_has_lanes())
	{
		sha1_both({&a, &b}, {bytes_a, bytes_b}, bytes);
		count_bytes(a, bytes);
		count_bytes(b, bytes);
		return;
	}
#endif
	SHA1_Update(&a, bytes_a, bytes);
	SHA1_Update(&b, bytes_b, bytes);
}

void update_both(SHA256_CTX& a, char const* const bytes_a, SHA256_CTX& b, char const* const bytes_b
	, std::size_t const bytes) noexcept
{
	check(bytes % chunk == 0 && between_chunks(a) && between_chunks(b) && &a != &b, "pairs are hashed in whole chunks");
#if defined(__x86_64__)
	if (sha_has_lanes())
	{
		sha256_both({&a, &b}, {bytes_a, bytes_b}, bytes);
		count_bytes(a, bytes);
		count_bytes(b, bytes);
		return;
	}
#endif
	SHA256_Update(&a, bytes_a, bytes);
	SHA256_Update(&b, bytes_b, bytes);
}

} // namespace slipstream
