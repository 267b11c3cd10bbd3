#include "store/hasher.hpp"

#include "block/check.hpp"
#include "store/hashing.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <system_error>
#include <utility>

namespace slipstream {

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
	hashing together;
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
