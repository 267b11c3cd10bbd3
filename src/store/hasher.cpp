#include "store/hasher.hpp"
#include "store/sha_lanes.hpp"
#include "block/check.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

namespace slipstream {

namespace {

constexpr std::array<char, block_bytes> zeros{};

using bytes_view = lt::span<char const>;

bytes_view bytes_of(block_ref const& b, int const length) { return {b ? b.bytes() : zeros.data(), length}; }

// One message of SHA-1, block by block.
class sha1_message
{
public:
	// `bytes` of the message are left, those of `count` blocks at most: get(i) is the i-th.
	template <typename Get>
	sha1_message(SHA_CTX& context, int const bytes, Get get) : m_context(&context), m_left(bytes), m_get(std::move(get)) {}

	[[nodiscard]] SHA_CTX& context() noexcept { return *m_context; }
	[[nodiscard]] bool ended() const noexcept { return m_left == 0; }
	[[nodiscard]] bytes_view next()
	{
		auto const part = bytes_of(m_get(m_next++), std::min(m_left, int{block_bytes}));
		m_left -= static_cast<int>(part.size());
		return part;
	}

private:
	SHA_CTX* m_context;
	int m_left;
	int m_next = 0;
	std::function<block_ref const&(int)> m_get;
};

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

// SHA-256 of a block, which is a message of its own.
struct sha256_message
{
	bytes_view bytes;
	lt::sha256_hash* to;
};

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

// A job has a run, of what is asked for: one for other hashes is of no use. May throw; so it is done where it may.
void complete(hash_job& job)
{
	if (!job.run || job.run->bytes1 != job.bytes1 || job.run->bytes2 != job.bytes2)
		job.run = std::make_shared<hash_run>(job.bytes1, job.bytes2);
}

// What the tasks of one go, two at most, have to hash. Jobs and runs stay where they are until it is done. It takes no memory:
// a worker that has none could tell nobody.
class going
{
public:
	// `job` is complete.
	void add(hash_job& job)
	{
		add_v1(*job.run, job.bytes1 - std::min(job.bytes1, job.run->num_hashed1 * int{block_bytes})
			, [&job, first = std::size_t(job.run->num_hashed1)](int const i) -> block_ref const&
			{ return job.blocks.at(first + std::size_t(i)); });
		for (std::size_t i = 0; i < job.run->is_hashed2.size(); ++i)
			if (!job.run->is_hashed2[i]) add_v2(*job.run, int(i), job.blocks.at(i));
	}

	void add(hash_run& run, std::vector<hash_run::given_block> const& blocks)
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

	void hash()
	{
		if (m_v1[1]) hash_together(*m_v1[0], *m_v1[1]);
		else if (m_v1[0]) while (!m_v1[0]->ended()) slipstream::add(m_v1[0]->context(), m_v1[0]->next());
		m_v1 = {};
		if (auto const alone = std::exchange(m_v2, std::nullopt)) slipstream::hash(*alone);
	}

private:
	template <typename Get>
	void add_v1(hash_run& run, int const bytes, Get get)
	{ if (run.bytes1 > 0) m_v1[m_v1[0] ? 1 : 0].emplace(run.v1, bytes, std::move(get)); }

	// Hashed as soon as there are two.
	void add_v2(hash_run& run, int const block, block_ref const& bytes)
	{
		run.is_hashed2[std::size_t(block)] = true;
		sha256_message const m{bytes_of(bytes, length_of(block, run.bytes2)), &run.v2[std::size_t(block)]};
		if (m.bytes.size() != int{block_bytes}) slipstream::hash(m);
		else if (auto const other = std::exchange(m_v2, std::nullopt)) hash_together(*other, m);
		else m_v2 = m;
	}

	std::array<std::optional<sha1_message>, 2> m_v1;
	std::optional<sha256_message> m_v2;  // waits for a second one
};

// All is hashed: the outcome.
void conclude(hash_job& job, std::chrono::nanoseconds const took)
{
	if (job.bytes1 > 0) SHA1_Final(reinterpret_cast<unsigned char*>(job.v1.data()), &job.run->v1);
	std::copy(job.run->v2.begin(), job.run->v2.end(), job.v2.begin());
	job.run.reset();
	job.duration = took;
}

} // namespace

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
	going g;
	g.add(job);
	g.hash();
	conclude(job, std::chrono::steady_clock::now() - start);
}

hasher::~hasher()
{
	std::vector<std::thread> threads;
	std::list<std::shared_ptr<hash_run>> runs; // die outside the lock
	{
		mutex_lock const lock(m_mutex);
		check(m_queue.empty() && m_running.empty(), "no hash job outlives its session");
		m_stopping = true;
		runs.swap(m_runs);
		threads.swap(m_threads);
	}
	m_work.notify_all();
	for (auto& t : threads) t.join();
}

void hasher::want_threads(int const count)
{
	check(count >= 1 && count <= 64, "1 to 64 hash threads");
	mutex_lock const lock(m_mutex);
	m_running.reserve(2 * std::size_t(count)); // each takes two at once, and must not run out of memory
	while (static_cast<int>(m_threads.size()) < count)
	{
		try { m_threads.emplace_back([this] { work(); }); }
		catch (std::system_error const&)
		{
			if (m_threads.empty()) throw;
			return; // fewer than wanted is slower, and right
		}
	}
}

void hasher::submit(std::unique_ptr<hash_job> job)
{
	std::vector<hash_run::given_block> unneeded; // the job has them all; dies outside the lock
	complete(*job);
	bool wake = false;
	{
		mutex_lock const lock(m_mutex);
		if (auto const run = job->run)
		{
			unneeded.swap(run->given);
			if (run->running)
			{
				// Whoever runs it goes on with the job: it has begun.
				m_running.push_back(job->sink);
				run->job = std::move(job);
				return;
			}
		}
		m_queue.push_back(std::move(job));
		wake = m_num_waiting > 0;
	}
	if (wake) m_work.notify_one();
}

void hasher::give(std::shared_ptr<hash_run> const& run, std::vector<hash_run::given_block> blocks)
{
	bool wake = false;
	{
		mutex_lock const lock(m_mutex);
		if (run->given.empty()) run->given.swap(blocks);
		else run->given.insert(run->given.end(), std::move_iterator(blocks.begin()), std::move_iterator(blocks.end()));
		if (run->running || run->queued) return;
		enqueue(run);
		wake = m_num_waiting > 0;
	}
	if (wake) m_work.notify_one();
}

void hasher::abandon(hash_run& run)
{
	std::vector<hash_run::given_block> unneeded; // dies outside the lock
	mutex_lock const lock(m_mutex);
	unneeded.swap(run.given);
}

void hasher::cancel(hash_sink& sink)
{
	// One by one, since there may be no memory for a list of them.
	for (;;)
	{
		std::unique_ptr<hash_job> job;
		{
			mutex_lock const lock(m_mutex);
			auto const i = std::find_if(m_queue.begin(), m_queue.end(), [&](auto const& j) { return j->sink == &sink; });
			if (i == m_queue.end()) return;
			job = std::move(*i);
			m_queue.erase(i);
		}
		job->cancelled = true;
		sink.hashed(std::move(job));
	}
}

bool hasher::has_job_of(hash_sink const& sink) const
{
	return std::find(m_running.begin(), m_running.end(), &sink) != m_running.end()
		|| std::any_of(m_queue.begin(), m_queue.end(), [&](auto const& job) { return job->sink == &sink; });
}

void hasher::wait_for(hash_sink const& sink)
{
	mutex_lock const lock(m_mutex);
	while (has_job_of(sink)) m_idle.wait(m_mutex);
}

int hasher::num_threads() const
{
	mutex_lock const lock(m_mutex);
	return static_cast<int>(m_threads.size());
}

int hasher::num_jobs() const
{
	mutex_lock const lock(m_mutex);
	return static_cast<int>(m_queue.size() + m_running.size());
}

void hasher::enqueue(std::shared_ptr<hash_run> const& run)
{
	run->queued = true;
	run->place.front() = run;
	m_runs.splice(m_runs.end(), run->place);
}

bool hasher::take(task& t)
{
	if (!m_queue.empty())
	{
		t.job = std::move(m_queue.front());
		m_queue.pop_front();
		m_running.push_back(t.job->sink);
		return true;
	}
	while (!m_runs.empty())
	{
		t.run = std::move(m_runs.front());
		t.run->place.splice(t.run->place.begin(), m_runs, m_runs.begin());
		t.run->queued = false;
		if (t.run->given.empty()) continue; // its job came, or it was abandoned
		t.run->running = true;
		t.blocks.swap(t.run->given);
		return true;
	}
	t.run.reset();
	return false;
}

void hasher::work() noexcept
{
	going together;
	for (;;)
	{
		std::array<task, 2> tasks;
		std::size_t n = 0;
		{
			mutex_lock const lock(m_mutex);
			while (!take(tasks[0]))
			{
				if (m_stopping) return;
				++m_num_waiting;
				m_work.wait(m_mutex);
				--m_num_waiting;
			}
			n = take(tasks[1]) ? 2 : 1;
		}
		auto const start = std::chrono::steady_clock::now();
		for (std::size_t i = 0; i < n; ++i)
		{
			if (tasks[i].job) together.add(*tasks[i].job);
			else together.add(*tasks[i].run, tasks[i].blocks);
		}
		together.hash();
		auto const took = (std::chrono::steady_clock::now() - start) / std::ptrdiff_t(n);
		for (std::size_t i = 0; i < n; ++i)
		{
			if (tasks[i].job) conclude(*tasks[i].job, took);
			finish(std::move(tasks[i]));
		}
	}
}

void hasher::finish(task t) noexcept
{
	if (t.job) return finish_job(std::move(t.job));
	t.blocks.clear();
	std::unique_ptr<hash_job> job;
	{
		mutex_lock const lock(m_mutex);
		t.run->running = false;
		job = std::move(t.run->job);
		if (!job && !t.run->given.empty() && !t.run->queued) enqueue(t.run);
	}
	if (!job) return;
	compute(*job);
	finish_job(std::move(job));
}

void hasher::finish_job(std::unique_ptr<hash_job> job) noexcept
{
	auto& sink = *job->sink;
	sink.hashed(std::move(job));
	{
		// Only now may the sink go: it was in use until here.
		mutex_lock const lock(m_mutex);
		m_running.erase(std::find(m_running.begin(), m_running.end(), &sink));
	}
	m_idle.notify_all();
}

} // namespace slipstream
