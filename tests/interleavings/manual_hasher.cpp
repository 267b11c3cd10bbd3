#include "interleavings/manual_hasher.hpp"

#include "block/check.hpp"

#include <libtorrent/hasher.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace slipstream {

namespace {

constexpr std::array<char, block_bytes> zeros{};

lt::span<char const> bytes_of(block_ref const& block, int const length) { return {block ? block.bytes() : zeros.data(), length}; }

int length_of(int const block, int const bytes) { return std::clamp(bytes - block * int(block_bytes), 0, int(block_bytes)); }

void add_v1(hash_run& run, block_ref const& block)
{
	auto const length = length_of(run.num_hashed1++, run.bytes1);
	SHA1_Update(&run.v1, bytes_of(block, length).data(), std::size_t(length));
}

void add_v2(hash_run& run, int const index, block_ref const& block)
{
	if (std::size_t(index) >= run.v2.size()) return;
	run.is_hashed2[std::size_t(index)] = true;
	run.v2[std::size_t(index)] = lt::hasher256(bytes_of(block, length_of(index, run.bytes2))).final();
}

} // namespace

namespace test {

manual_workers& the_workers()
{
	static manual_workers workers;
	return workers;
}

void manual_workers::begin()
{
	task t;
	if (!queued.empty())
	{
		t.job = std::move(queued.front());
		queued.pop_front();
		return running.push_back(std::move(t));
	}
	while (!runs.empty())
	{
		t.run = std::move(runs.front());
		runs.pop_front();
		t.run->queued = false;
		if (t.run->given.empty()) continue; // its job came, or it was abandoned
		t.run->running = true;
		t.blocks.swap(t.run->given);
		return running.push_back(std::move(t));
	}
}

void manual_workers::finish(std::size_t const which)
{
	auto t = std::move(running[which]);
	running.erase(running.begin() + std::ptrdiff_t(which));
	if (t.run)
	{
		for (auto const& given : t.blocks)
		{
			check(t.run->bytes1 == 0 || given.index == t.run->num_hashed1, "v1 is hashed in order");
			if (t.run->bytes1 > 0) add_v1(*t.run, given.bytes);
			add_v2(*t.run, given.index, given.bytes);
			++ahead;
		}
		t.blocks.clear();
		t.run->running = false;
		t.job = std::move(t.run->job);
		if (!t.job && !t.run->given.empty() && !t.run->queued)
		{
			t.run->queued = true;
			runs.push_back(t.run);
		}
	}
	if (!t.job) return;
	compute(*t.job);
	auto& sink = *t.job->sink;
	sink.hashed(std::move(t.job));
}

std::vector<char const*> manual_workers::blocks() const
{
	std::vector<char const*> all;
	auto const add_job = [&](hash_job const& job) { for (auto const& b : job.blocks) if (b) all.push_back(b.bytes()); };
	auto const add_given = [&](auto const& given) { for (auto const& g : given) if (g.bytes) all.push_back(g.bytes.bytes()); };
	for (auto const& job : queued) add_job(*job);
	for (auto const& run : runs) add_given(run->given);
	for (auto const& t : running)
	{
		add_given(t.blocks);
		if (t.job) add_job(*t.job);
		if (!t.run) continue;
		add_given(t.run->given);
		if (t.run->job) add_job(*t.run->job);
	}
	return all;
}

} // namespace test

hash_run::hash_run(int const v1_bytes, int const v2_bytes)
	: bytes1(v1_bytes), bytes2(v2_bytes), v2(std::size_t(v2_bytes + int(block_bytes) - 1) / block_bytes), is_hashed2(v2.size())
{ SHA1_Init(&v1); }

// Goes on where the run is, if it has one for what is asked for.
void compute(hash_job& job)
{
	auto run = std::move(job.run);
	if (!run || run->bytes1 != job.bytes1 || run->bytes2 != job.bytes2) run = std::make_shared<hash_run>(job.bytes1, job.bytes2);
	if (job.bytes1 > 0)
	{
		while (run->num_hashed1 * int(block_bytes) < job.bytes1) add_v1(*run, job.blocks[std::size_t(run->num_hashed1)]);
		SHA1_Final(reinterpret_cast<unsigned char*>(job.v1.data()), &run->v1);
	}
	for (std::size_t b = 0; b < run->v2.size(); ++b)
	{
		if (!run->is_hashed2[b]) add_v2(*run, int(b), job.blocks[b]);
		job.v2[std::ptrdiff_t(b)] = run->v2[b];
	}
}

hasher::~hasher() = default;
void hasher::want_threads(int) {}

void hasher::submit(std::unique_ptr<hash_job> job)
{
	if (auto const run = job->run)
	{
		run->given.clear(); // the job has them all
		if (run->running)
		{
			run->job = std::move(job);
			return;
		}
	}
	test::the_workers().queued.push_back(std::move(job));
}

void hasher::give(std::shared_ptr<hash_run> const& run, std::vector<hash_run::given_block> blocks)
{
	std::move(blocks.begin(), blocks.end(), std::back_inserter(run->given));
	if (run->running || std::exchange(run->queued, true)) return;
	test::the_workers().runs.push_back(run);
}

void hasher::abandon(hash_run& run) { run.given.clear(); }

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
		auto const* const job = w.running[i].job ? w.running[i].job.get() : w.running[i].run->job.get();
		if (job && job->sink == &sink) w.finish(i);
		else ++i;
	}
}

int hasher::num_threads() const { return 1; }
int hasher::num_jobs() const { return int(test::the_workers().queued.size() + test::the_workers().running.size()); }

} // namespace slipstream
