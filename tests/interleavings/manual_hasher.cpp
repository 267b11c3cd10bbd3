#include "interleavings/manual_hasher.hpp"

#include <libtorrent/hasher.hpp>

#include <algorithm>
#include <array>

namespace slipstream {

namespace test {

manual_workers& the_workers()
{
	static manual_workers workers;
	return workers;
}

void manual_workers::begin()
{
	if (queued.empty()) return;
	running.push_back(std::move(queued.front()));
	queued.pop_front();
}

void manual_workers::finish(std::size_t const which)
{
	auto job = std::move(running[which]);
	running.erase(running.begin() + std::ptrdiff_t(which));
	compute(*job);
	auto& sink = *job->sink;
	sink.hashed(std::move(job));
}

} // namespace test

void compute(hash_job& job)
{
	static constexpr std::array<char, block_bytes> zeros{};
	auto const bytes = [&](std::size_t const b, int const length) -> lt::span<char const>
	{ return {job.blocks[b] ? job.blocks[b].bytes() : zeros.data(), length}; };
	if (job.bytes1 > 0)
	{
		lt::hasher v1;
		for (int at = 0; at < job.bytes1; at += int(block_bytes))
			v1.update(bytes(std::size_t(at) / block_bytes, std::min(int(block_bytes), job.bytes1 - at)));
		job.v1 = v1.final();
	}
	for (int at = 0; at < job.bytes2; at += int(block_bytes))
		job.v2[at / int(block_bytes)]
			= lt::hasher256(bytes(std::size_t(at) / block_bytes, std::min(int(block_bytes), job.bytes2 - at))).final();
}

hasher::~hasher() = default;
void hasher::want_threads(int) {}
void hasher::submit(std::unique_ptr<hash_job> job) { test::the_workers().queued.push_back(std::move(job)); }

// Nothing is hashed ahead of its job here: who gives blocks cannot tell.
hash_run::hash_run(int const v1_bytes, int const v2_bytes) : bytes1(v1_bytes), bytes2(v2_bytes), v1() {}
void hasher::give(std::shared_ptr<hash_run> const&, std::vector<hash_run::given_block>) {}
void hasher::abandon(hash_run&) {}

void hasher::cancel(hash_sink& sink)
{
	auto& queued = test::the_workers().queued;
	for (std::size_t i = 0; i < queued.size();)
	{
		if (queued[i]->sink != &sink)
		{
			++i;
			continue;
		}
		auto job = std::move(queued[i]);
		queued.erase(queued.begin() + std::ptrdiff_t(i));
		job->cancelled = true;
		sink.hashed(std::move(job));
	}
}

// Who waits waits for the workers, and they do what they have begun.
void hasher::wait_for(hash_sink const& sink)
{
	auto& w = test::the_workers();
	for (std::size_t i = 0; i < w.running.size();)
	{
		if (w.running[i]->sink == &sink) w.finish(i);
		else ++i;
	}
}

int hasher::num_threads() const { return 1; }
int hasher::num_jobs() const { return int(test::the_workers().queued.size() + test::the_workers().running.size()); }

} // namespace slipstream
