// The hash workers, by hand: manual_hasher.cpp defines the functions of store/hasher.hpp, so that the linker takes nothing of
// the real one, and a job, or blocks that were given ahead of one, is begun and finished when the test says so. What a
// worker thread does in between, others do.
//
// One set of workers a program, emptied between runs. One thread.
#pragma once

#include "store/hasher.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace slipstream::test {

struct manual_workers
{
	// What a worker does in one go: a job, or blocks of a run.
	struct task
	{
		std::unique_ptr<hash_job> job;
		std::shared_ptr<hash_run> run;
		std::vector<hash_run::given_block> blocks;
	};

	std::deque<std::unique_ptr<hash_job>> queued;
	std::deque<std::shared_ptr<hash_run>> runs; // that were given blocks
	std::vector<task> running;                  // begun: cancel() does not reach them
	std::int64_t ahead = 0;                     // blocks that were hashed ahead of their job, so far

	// Whether there is something to begin; whether there is nothing to do at all.
	[[nodiscard]] bool has_queued() const { return !queued.empty() || !runs.empty(); }
	[[nodiscard]] bool idle() const { return !has_queued() && running.empty(); }
	// Takes the first queued job, or else the first run, as a free worker does.
	void begin();
	// Computes what is running, and hands a job to its sink.
	void finish(std::size_t which);
	// The blocks that queue and workers hold.
	[[nodiscard]] std::vector<char const*> blocks() const;
};

[[nodiscard]] manual_workers& the_workers();

} // namespace slipstream::test
