#include "store/hashing.hpp"

#include "block/check.hpp"
#include "store/sha_lanes.hpp"

#include <algorithm>

namespace slipstream {

namespace {

constexpr std::array<char, block_bytes> zeros{};

using bytes_view = lt::span<char const>;

bytes_view bytes_of(block_ref const& b, int const length) { return {b ? b.bytes() : zeros.data(), length}; }

void add(SHA_CTX& context, bytes_view const part) { SHA1_Update(&context, part.data(), std::size_t(part.size())); }

// Both messages, block by block in turn while there are both.
void hash_together(sha1_message& a, sha1_message& b)
{
	while (!a.ended() && !b.ended())
	{
		auto const part_a = a.next();
		auto const part_b = b.next();
		if (part_a.size() == int{block_bytes} && part_b.size() == int{block_bytes})
			update_both(a.context(), part_a.data(), b.context(), part_b.data(), block_bytes);
		else
		{
			add(a.context(), part_a);
			add(b.context(), part_b);
		}
	}
	while (!a.ended()) add(a.context(), a.next());
	while (!b.ended()) add(b.context(), b.next());
}

void finish(SHA256_CTX& context, lt::sha256_hash& to)
{ SHA256_Final(reinterpret_cast<unsigned char*>(to.data()), &context); }

void hash(sha256_message const& m)
{
	SHA256_CTX context;
	SHA256_Init(&context);
	SHA256_Update(&context, m.bytes.data(), std::size_t(m.bytes.size()));
	finish(context, *m.to);
}

// Both are whole blocks.
void hash_together(sha256_message const& a, sha256_message const& b)
{
	SHA256_CTX first;
	SHA256_CTX second;
	SHA256_Init(&first);
	SHA256_Init(&second);
	update_both(first, a.bytes.data(), second, b.bytes.data(), block_bytes);
	finish(first, *a.to);
	finish(second, *b.to);
}

int length_of(int const block, int const bytes) { return std::min(int{block_bytes}, bytes - block * int{block_bytes}); }

} // namespace

lt::span<char const> sha1_message::next()
{
	auto const part = bytes_of(m_get(m_next++), std::min(m_left, int{block_bytes}));
	m_left -= static_cast<int>(part.size());
	return part;
}

void complete(hash_job& job)
{
	if (!job.run || job.run->bytes1 != job.bytes1 || job.run->bytes2 != job.bytes2)
		job.run = std::make_shared<hash_run>(job.bytes1, job.bytes2);
}

template <typename Get>
void hashing::add_v1(hash_run& run, int const bytes, Get get)
{ if (run.bytes1 > 0) m_v1[m_v1[0] ? 1 : 0].emplace(run.v1, bytes, std::move(get)); }

void hashing::add_v2(hash_run& run, int const block, block_ref const& bytes)
{
	run.is_hashed2[std::size_t(block)] = true;
	sha256_message const m{bytes_of(bytes, length_of(block, run.bytes2)), &run.v2[std::size_t(block)]};
	if (m.bytes.size() != int{block_bytes}) slipstream::hash(m);
	else if (auto const other = std::exchange(m_v2, std::nullopt)) hash_together(*other, m);
	else m_v2 = m;
}

void hashing::add(hash_job& job)
{
	add_v1(*job.run, job.bytes1 - std::min(job.bytes1, job.run->num_hashed1 * int{block_bytes})
		, [&job, first = std::size_t(job.run->num_hashed1)](int const i) -> block_ref const&
		{ return job.blocks.at(first + std::size_t(i)); });
	for (std::size_t i = 0; i < job.run->is_hashed2.size(); ++i)
		if (!job.run->is_hashed2[i]) add_v2(*job.run, int(i), job.blocks.at(i));
}

void hashing::add(hash_run& run, std::vector<hash_run::given_block> const& blocks)
{
	if (run.bytes1 > 0)
	{
		int bytes = 0;
		for (auto const& b : blocks)
		{
			check(b.index == run.num_hashed1, "v1 is hashed in order");
			bytes += length_of(run.num_hashed1++, run.bytes1);
		}
		add_v1(run, bytes, [&blocks](int const i) -> block_ref const& { return blocks[std::size_t(i)].bytes; });
	}
	for (auto const& b : blocks)
		if (std::size_t(b.index) < run.v2.size()) add_v2(run, b.index, b.bytes);
}

void hashing::hash()
{
	if (m_v1[1]) hash_together(*m_v1[0], *m_v1[1]);
	else if (m_v1[0]) while (!m_v1[0]->ended()) slipstream::add(m_v1[0]->context(), m_v1[0]->next());
	m_v1 = {};
	if (auto const alone = std::exchange(m_v2, std::nullopt)) slipstream::hash(*alone);
}

void conclude(hash_job& job, std::chrono::nanoseconds const took)
{
	if (job.bytes1 > 0) SHA1_Final(reinterpret_cast<unsigned char*>(job.v1.data()), &job.run->v1);
	std::copy(job.run->v2.begin(), job.run->v2.end(), job.v2.begin());
	job.run.reset();
	job.duration = took;
}

hash_run::hash_run(int const v1_bytes, int const v2_bytes)
	: bytes1(v1_bytes)
	, bytes2(v2_bytes)
	, v2(std::size_t(v2_bytes + int{block_bytes} - 1) / block_bytes)
	, is_hashed2(v2.size())
	, place(1)
{ SHA1_Init(&v1); }

void compute(hash_job& job)
{
	auto const start = std::chrono::steady_clock::now();
	complete(job);
	hashing g;
	g.add(job);
	g.hash();
	conclude(job, std::chrono::steady_clock::now() - start);
}

} // namespace slipstream
