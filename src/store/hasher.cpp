#include "store/hasher.hpp"
#include "block/check.hpp"

#include <libtorrent/hasher.hpp>

#include <algorithm>
#include <array>
#include <system_error>

namespace slipstream {

namespace {

constexpr std::array<char, block_bytes> zeros{};

lt::span<char const> bytes_of(block_ref const& b, int const length)
{
	return {b ? b.bytes() : zeros.data(), length};
}

} // namespace

void compute(hash_job& job)
{
	auto const start = std::chrono::steady_clock::now();
	if (job.bytes1 > 0)
	{
		lt::hasher v1;
		int left = job.bytes1;
		for (auto const& block : job.blocks)
		{
			auto const length = std::min(left, int{block_bytes});
			if (length == 0) break;
			v1.update(bytes_of(block, length));
			left -= length;
		}
		check(left == 0, "a piece has blocks for all of its bytes");
		job.v1 = v1.final();
	}
	int left = job.bytes2;
	for (std::ptrdiff_t i = 0; i < job.v2.size(); ++i)
	{
		auto const length = std::min(left, int{block_bytes});
		job.v2[i] = lt::hasher256(bytes_of(job.blocks[static_cast<std::size_t>(i)], length)).final();
		left -= length;
	}
	job.duration = std::chrono::steady_clock::now() - start;
}

hasher::~hasher()
{
	std::vector<std::thread> threads;
	{
		mutex_lock const lock(m_mutex);
		check(m_queue.empty() && m_running.empty(), "no hash job outlives its session");
		m_stopping = true;
		threads.swap(m_threads);
	}
	m_work.notify_all();
	for (auto& t : threads) t.join();
}

void hasher::want_threads(int const count)
{
	check(count >= 1 && count <= 64, "1 to 64 hash threads");
	mutex_lock const lock(m_mutex);
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
	{
		mutex_lock const lock(m_mutex);
		m_queue.push_back(std::move(job));
	}
	m_work.notify_one();
}

void hasher::cancel(hash_sink& sink)
{
	std::vector<std::unique_ptr<hash_job>> cancelled;
	{
		mutex_lock const lock(m_mutex);
		auto const first = std::stable_partition(m_queue.begin(), m_queue.end()
			, [&](auto const& job) { return job->sink != &sink; });
		std::move(first, m_queue.end(), std::back_inserter(cancelled));
		m_queue.erase(first, m_queue.end());
	}
	for (auto& job : cancelled)
	{
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

void hasher::work() noexcept
{
	for (;;)
	{
		std::unique_ptr<hash_job> job;
		{
			mutex_lock const lock(m_mutex);
			while (m_queue.empty() && !m_stopping) m_work.wait(m_mutex);
			if (m_queue.empty()) return;
			job = std::move(m_queue.front());
			m_queue.pop_front();
			m_running.push_back(job->sink);
		}
		auto& sink = *job->sink;
		compute(*job);
		sink.hashed(std::move(job));
		{
			// Only now may the sink go: it was in use until here.
			mutex_lock const lock(m_mutex);
			m_running.erase(std::find(m_running.begin(), m_running.end(), &sink));
		}
		m_idle.notify_all();
	}
}

} // namespace slipstream
