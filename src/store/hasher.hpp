// The hasher: worker threads that compute the SHA-1 (v1) and SHA-256 (v2, BEP 52) of pieces.
//
// A job owns shares of the blocks it reads, so it computes the hash of the piece as it was when the
// job was made, whatever is written, dropped or removed meanwhile. Finished jobs go to their sink
// on the worker thread; the sink posts them on. Before its job a piece may have a run: blocks that
// are hashed as they arrive, so that the job finds most of its work done. A run belongs to one
// worker at a time, and to its job when that begins; nobody hears of it. A worker takes two of
// these at once where there are two, jobs first, because two hashes at once cost little more than
// one (see sha_lanes.hpp).
//
// One hasher serves all sessions of a memory disk. Owned by the disk's core and joined in its
// destructor. It does not know torrents, and never touches a store.
#pragma once

#include "block/block_pool.hpp"
#include "block/mutex.hpp"

#include <libtorrent/sha1_hash.hpp>
#include <libtorrent/span.hpp>

#include <openssl/sha.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <thread>
#include <vector>

namespace slipstream {

class hash_sink;
struct hash_job;

// What was hashed of a piece so far. Made with arriving_hashes, which sees to it that it is right.
struct hash_run
{
	// `bytes1`, `bytes2` as in hash_job; 0 where that hash is not wanted.
	hash_run(int bytes1, int bytes2);

	int const bytes1;
	int const bytes2;

	// the worker's that runs it; the job's when it has begun
	SHA_CTX v1;
	int num_hashed1 = 0;              // blocks, from the first on
	std::vector<lt::sha256_hash> v2;  // by block
	std::vector<bool> is_hashed2;

	struct given_block { int index; block_ref bytes; };

	// guarded by the hasher's mutex
	std::vector<given_block> given;   // and not taken yet; in order where bytes1 > 0
	std::list<std::shared_ptr<hash_run>> place; // its node of the queue, while it is not in it: a worker takes no memory
	bool queued = false;
	bool running = false;
	std::unique_ptr<hash_job> job;    // came while it ran
};

// What to hash, and where the result goes. Sinks derive from it to carry what they need back.
struct hash_job
{
	virtual ~hash_job() = default;

	hash_sink* sink = nullptr;
	std::vector<block_ref> blocks;   // of the piece, in order; an empty one stands for zeros
	int bytes1 = 0;                  // v1: the first so many bytes; 0: no v1 hash
	int bytes2 = 0;                  // v2: the first so many bytes
	lt::span<lt::sha256_hash> v2;    // filled, a hash for each block of bytes2; empty: no v2 hashes
	std::shared_ptr<hash_run> run;   // of just these blocks, or null

	lt::sha1_hash v1;                // result
	bool cancelled = false;          // result: nothing was computed
	std::chrono::nanoseconds duration{0}; // result: the time it took, halved where two were computed together
};

class hash_sink
{
public:
	// On a worker thread, or in cancel()'s. Must not throw.
	virtual void hashed(std::unique_ptr<hash_job> job) noexcept = 0;

protected:
	~hash_sink() = default;
};

class hasher
{
public:
	hasher() = default;
	~hasher(); // precondition: no job is queued or running
	hasher(hasher const&) = delete;
	hasher& operator=(hasher const&) = delete;

	// At least so many threads from now on, 1..64. Throws std::system_error when the first thread
	// cannot be had.
	void want_threads(int count) EXCLUDES(m_mutex);
	void submit(std::unique_ptr<hash_job> job) EXCLUDES(m_mutex);
	// More of a run's piece. Nothing of it may be given after its job was submitted.
	void give(std::shared_ptr<hash_run> const& run, std::vector<hash_run::given_block> blocks) EXCLUDES(m_mutex);
	// The run is wanted no more: lets go of what no worker has taken yet.
	void abandon(hash_run& run) EXCLUDES(m_mutex);
	// Gives the sink its jobs that have not begun, as cancelled, on this thread.
	void cancel(hash_sink& sink) EXCLUDES(m_mutex);
	// Returns when no job of the sink is queued or running.
	void wait_for(hash_sink const& sink) EXCLUDES(m_mutex);

	[[nodiscard]] int num_threads() const EXCLUDES(m_mutex);
	[[nodiscard]] int num_jobs() const EXCLUDES(m_mutex);

private:
	// What a worker does in one go: a job, or blocks of a run.
	struct task
	{
		std::unique_ptr<hash_job> job;
		std::shared_ptr<hash_run> run;
		std::vector<hash_run::given_block> blocks;
	};

	void work() noexcept EXCLUDES(m_mutex);
	void enqueue(std::shared_ptr<hash_run> const& run) REQUIRES(m_mutex);
	[[nodiscard]] bool take(task& t) REQUIRES(m_mutex);
	void finish(task t) noexcept EXCLUDES(m_mutex);
	void finish_job(std::unique_ptr<hash_job> job) noexcept EXCLUDES(m_mutex);
	[[nodiscard]] bool has_job_of(hash_sink const& sink) const REQUIRES(m_mutex);

	mutable mutex m_mutex;
	std::condition_variable_any m_work;
	std::condition_variable_any m_idle;
	std::deque<std::unique_ptr<hash_job>> m_queue GUARDED_BY(m_mutex);
	std::list<std::shared_ptr<hash_run>> m_runs GUARDED_BY(m_mutex); // that were given blocks
	std::vector<hash_sink const*> m_running GUARDED_BY(m_mutex); // the sink of each running job
	std::vector<std::thread> m_threads GUARDED_BY(m_mutex);
	int m_num_waiting GUARDED_BY(m_mutex) = 0; // workers with nothing to do
	bool m_stopping GUARDED_BY(m_mutex) = false;
};

// The computation itself, in the calling thread.
void compute(hash_job& job);

} // namespace slipstream
