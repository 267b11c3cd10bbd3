#include "store/sha_lanes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>

using namespace slipstream;

namespace {

// OpenSSL's own, in one call, of the whole message.
std::string right1(std::string_view const m)
{
	std::string out(20, '\0');
	SHA1(reinterpret_cast<unsigned char const*>(m.data()), m.size(), reinterpret_cast<unsigned char*>(out.data()));
	return out;
}
std::string right256(std::string_view const m)
{
	std::string out(32, '\0');
	SHA256(reinterpret_cast<unsigned char const*>(m.data()), m.size(), reinterpret_cast<unsigned char*>(out.data()));
	return out;
}
std::string final_of(SHA_CTX& c)
{
	std::string out(20, '\0');
	SHA1_Final(reinterpret_cast<unsigned char*>(out.data()), &c);
	return out;
}
std::string final_of(SHA256_CTX& c)
{
	std::string out(32, '\0');
	SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &c);
	return out;
}

// Two messages of random lengths, the front parts of which go through update_both in several steps at addresses of
// any alignment; what comes before (whole chunks) and behind (anything) is OpenSSL's.
TEST(sha_lanes, two_messages_at_once_hash_as_openssl_hashes_each)
{
	std::mt19937 random(5);
	std::string noise(200'000, '\0');
	for (char& c : noise) c = char(random());
	for (int round = 0; round < 300; ++round)
	{
		std::array<std::size_t, 2> const before{random() % 3 * 64, random() % 3 * 64};
		std::array<std::size_t, 2> const behind{random() % 150, random() % 150};
		std::array<std::size_t, 2> const steps{random() % 4 * 64, random() % 260 * 64};
		std::array<std::string_view, 2> m;
		for (std::size_t i = 0; i < 2; ++i)
			m[i] = std::string_view(noise).substr(random() % 100'000, before[i] + steps[0] + steps[1] + behind[i]);

		std::array<SHA_CTX, 2> v1;
		std::array<SHA256_CTX, 2> v2;
		for (std::size_t i = 0; i < 2; ++i)
		{
			SHA1_Init(&v1[i]);
			SHA256_Init(&v2[i]);
			SHA1_Update(&v1[i], m[i].data(), before[i]);
			SHA256_Update(&v2[i], m[i].data(), before[i]);
		}
		std::size_t at = 0;
		for (auto const step : steps)
		{
			update_both(v1[0], m[0].data() + before[0] + at, v1[1], m[1].data() + before[1] + at, step);
			update_both(v2[0], m[0].data() + before[0] + at, v2[1], m[1].data() + before[1] + at, step);
			at += step;
		}
		for (std::size_t i = 0; i < 2; ++i)
		{
			SHA1_Update(&v1[i], m[i].data() + before[i] + at, behind[i]);
			SHA256_Update(&v2[i], m[i].data() + before[i] + at, behind[i]);
			ASSERT_EQ(final_of(v1[i]), right1(m[i])) << "round " << round << " lane " << i;
			ASSERT_EQ(final_of(v2[i]), right256(m[i])) << "round " << round << " lane " << i;
		}
	}
}

// The count of bits takes two words of OpenSSL's context.
TEST(sha_lanes, a_message_longer_than_half_a_gigabyte_is_counted_right)
{
	std::string const chunk(1 << 20, 'x');
	SHA_CTX a, b, plain;
	SHA1_Init(&a);
	SHA1_Init(&b);
	SHA1_Init(&plain);
	// Contexts may be given anything in between: nearly all of the length is set, not hashed.
	for (auto* const c : {&a, &b, &plain}) c->Nl = 0xffffff00u & ~511u;
	update_both(a, chunk.data(), b, chunk.data(), chunk.size());
	SHA1_Update(&plain, chunk.data(), chunk.size());
	auto const right = final_of(plain);
	EXPECT_EQ(final_of(a), right);
	EXPECT_EQ(final_of(b), right);
}

} // namespace
