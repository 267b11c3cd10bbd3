#include "store/hasher.hpp"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <atomic>
#include <cstring>
#include <future>
#include <mutex>
#include <set>
#include <thread>

using namespace slipstream;

namespace {

// Collects finished jobs; can hold the first worker that comes.
struct collecting_sink final : hash_sink
{
	std::mutex m;
	std::condition_variable c;
	std::vector<std::unique_ptr<hash_job>> jobs;
	std::atomic<std::promise<void>*> entered{nullptr};
	std::shared_future<void> gate;

	void hashed(std::unique_ptr<hash_job> job) noexcept override
	{
		if (auto* const e = entered.exchange(nullptr)) { e->set_value(); gate.wait(); }
		std::lock_guard const lock(m);
		jobs.push_back(std::move(job));
		c.notify_all();
	}
	void wait_for(std::size_t const n)
	{
		std::unique_lock lock(m);
		ASSERT_TRUE(c.wait_for(lock, std::chrono::seconds(30), [&] { return jobs.size() >= n; }));
	}
};

std::vector<char> content(std::size_t const n)
{
	std::vector<char> v(n);
	for (std::size_t i = 0; i < n; ++i) v[i] = char((i * 2654435761u) >> 11);
	return v;
}

std::vector<block_ref> blocks_of(block_pool& pool, std::vector<char> const& bytes)
{
	std::vector<block_ref> blocks;
	for (std::size_t at = 0; at < bytes.size(); at += block_bytes)
	{
		auto b = pool.acquire();
		std::memcpy(b.bytes(), bytes.data() + at, std::min(block_bytes, bytes.size() - at));
		blocks.push_back(std::move(b).freeze());
	}
	return blocks;
}

template <typename Digest>
std::string text(Digest const& d) { return {reinterpret_cast<char const*>(d.data()), std::size_t(d.size())}; }

std::string sha1(std::vector<char> const& v)
{
	unsigned char d[20];
	SHA1(reinterpret_cast<unsigned char const*>(v.data()), v.size(), d);
	return {reinterpret_cast<char const*>(d), 20};
}

std::string sha256(char const* p, std::size_t n)
{
	unsigned char d[32];
	SHA256(reinterpret_cast<unsigned char const*>(p), n, d);
	return {reinterpret_cast<char const*>(d), 32};
}

TEST(hasher, v1_and_v2_hashes_are_those_of_openssl_also_where_v2_ends_sooner)
{
	block_pool pool(64, 1);
	auto const bytes = content(5 * block_bytes + 777);
	hash_job job;
	job.blocks = blocks_of(pool, bytes);
	job.bytes1 = int(bytes.size());
	job.bytes2 = int(3 * block_bytes + 99);
	std::vector<lt::sha256_hash> v2(4);
	job.v2 = v2;
	compute(job);
	EXPECT_EQ(text(job.v1), sha1(bytes));
	for (std::size_t i = 0; i < 4; ++i)
		EXPECT_EQ(text(v2[i]), sha256(bytes.data() + i * block_bytes, i < 3 ? block_bytes : 99));
}

TEST(hasher, an_absent_block_hashes_as_zeros)
{
	block_pool pool(64, 1);
	auto bytes = content(3 * block_bytes);
	hash_job job;
	job.blocks = blocks_of(pool, bytes);
	job.blocks[1] = {};
	std::fill_n(bytes.begin() + block_bytes, block_bytes, '\0');
	job.bytes1 = int(bytes.size());
	compute(job);
	EXPECT_EQ(text(job.v1), sha1(bytes));
}

TEST(hasher, every_job_comes_back_once_and_right_from_several_threads)
{
	block_pool pool(600, 1);
	collecting_sink sink;
	hasher h;
	h.want_threads(3);
	EXPECT_EQ(h.num_threads(), 3);
	std::set<std::string> want;
	for (std::size_t i = 0; i < 100; ++i)
	{
		auto const bytes = content(block_bytes + i);
		want.insert(sha1(bytes));
		auto job = std::make_unique<hash_job>();
		job->sink = &sink;
		job->blocks = blocks_of(pool, bytes);
		job->bytes1 = int(bytes.size());
		h.submit(std::move(job));
	}
	sink.wait_for(100);
	h.wait_for(sink);
	std::set<std::string> got;
	for (auto const& j : sink.jobs) got.insert(text(j->v1));
	EXPECT_EQ(got, want);
	EXPECT_EQ(sink.jobs.size(), 100u);
	sink.jobs.clear();
}

TEST(hasher, cancel_returns_what_has_not_begun_and_leaves_other_sinks_alone)
{
	block_pool pool(600, 1);
	collecting_sink mine;
	collecting_sink other;
	std::promise<void> entered;
	std::promise<void> open;
	mine.entered = &entered;
	mine.gate = open.get_future().share();
	hasher h;
	h.want_threads(1);
	auto const submit = [&](collecting_sink& s) {
		auto job = std::make_unique<hash_job>();
		job->sink = &s;
		job->blocks = blocks_of(pool, content(10));
		job->bytes1 = 10;
		h.submit(std::move(job));
	};
	submit(mine);
	entered.get_future().wait(); // a worker may take two at once
	for (int i = 0; i < 4; ++i) submit(mine);
	submit(other);
	h.cancel(mine); // one is running, four are queued
	mine.wait_for(4);
	for (auto const& j : mine.jobs) EXPECT_TRUE(j->cancelled);
	open.set_value();
	mine.wait_for(5);
	EXPECT_FALSE(mine.jobs.back()->cancelled);
	other.wait_for(1);
	EXPECT_FALSE(other.jobs.back()->cancelled);
	h.wait_for(mine);
	h.wait_for(other);
	EXPECT_EQ(h.num_jobs(), 0);
	mine.jobs.clear();
	other.jobs.clear();
}

TEST(hasher, who_waits_for_a_sink_waits_for_all_its_jobs)
{
	constexpr std::size_t num_jobs = 32;
	block_pool pool(64, 1);
	auto const bytes = content(40 * block_bytes);
	auto const blocks = blocks_of(pool, bytes);
	collecting_sink sink;
	std::promise<void> entered;
	std::promise<void> open;
	sink.entered = &entered;
	sink.gate = open.get_future().share();
	hasher h;
	h.want_threads(1);
	for (std::size_t i = 0; i < num_jobs; ++i)
	{
		auto job = std::make_unique<hash_job>();
		job->sink = &sink;
		job->blocks = blocks;
		job->bytes1 = int(bytes.size());
		h.submit(std::move(job));
	}
	entered.get_future().wait(); // some are queued, one or two are with the worker
	std::thread opener([&] { open.set_value(); });
	h.wait_for(sink);
	{
		std::lock_guard const lock(sink.m);
		EXPECT_EQ(sink.jobs.size(), num_jobs);
	}
	EXPECT_EQ(h.num_jobs(), 0);
	opener.join();
	sink.wait_for(num_jobs);
	sink.jobs.clear();
}

} // namespace
