// The hash workers, by hand: manual_hasher.cpp defines the functions of store/hasher.hpp, so that the linker takes nothing of
// the real one, and a job is begun and finished when the test says so. What a worker thread does in between, others do.
//
// One set of workers a program, emptied between runs. One thread.
#pragma once

#include "store/hasher.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

namespace slipstream::test {

struct manual_workers
{
	std::deque<std::unique_ptr<hash_job>> queued;
	std::vector<std::unique_ptr<hash_job>> running; // begun: cancel() does not reach them

	// Takes the first queued job, as a free worker does.
	void begin();
	// Computes a running job, as the blocks are now, and hands it to its sink.
	void finish(std::size_t which);
};

[[nodiscard]] manual_workers& the_workers();

} // namespace slipstream::test
