// Hashing: the computation of the hashes of jobs and runs (hasher.hpp), two at once where there are two.
//
// Each worker of the hasher has a `hashing`, and compute() one of its own; it is used by one thread
// at a time. It knows neither queues nor sinks: whose turn it is, and who hears of it, is the
// hasher's.
#pragma once

#include "store/hasher.hpp"

#include <libtorrent/span.hpp>

#include <openssl/sha.h>

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace slipstream {

// A job has a run, of what is asked for: one for other hashes is of no use. May throw; so it is
// done where it may.
void complete(hash_job& job);
// All is hashed: the outcome.
void conclude(hash_job& job, std::chrono::nanoseconds took);

// One message of SHA-1, block by block.
class sha1_message
{
public:
	// `bytes` of the message are left, those of `count` blocks at most: get(i) is the i-th.
	template <typename Get>
	sha1_message(SHA_CTX& context, int const bytes, Get get) : m_context(&context), m_left(bytes), m_get(std::move(get)) {}

	[[nodiscard]] SHA_CTX& context() noexcept { return *m_context; }
	[[nodiscard]] bool ended() const noexcept { return m_left == 0; }
	[[nodiscard]] lt::span<char const> next();

private:
	SHA_CTX* m_context;
	int m_left;
	int m_next = 0;
	std::function<block_ref const&(int)> m_get;
};

// SHA-256 of a block, which is a message of its own.
struct sha256_message
{
	lt::span<char const> bytes;
	lt::sha256_hash* to;
};

// What the tasks of one go, two at most, have to hash. Jobs and runs stay where they are until it
// is done. It takes no memory: a worker that has none could tell nobody.
class hashing
{
public:
	// `job` is complete.
	void add(hash_job& job);
	void add(hash_run& run, std::vector<hash_run::given_block> const& blocks);
	void hash();

private:
	template <typename Get> void add_v1(hash_run& run, int bytes, Get get);
	// Hashed as soon as there are two.
	void add_v2(hash_run& run, int block, block_ref const& bytes);

	std::array<std::optional<sha1_message>, 2> m_v1;
	std::optional<sha256_message> m_v2;  // waits for a second one
};

} // namespace slipstream
