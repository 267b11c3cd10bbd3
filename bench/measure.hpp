// What the benches share: clocks, samples taken in processes of their own, medians, and the lines of the table.
//
// A sample is a map of named figures. Each is taken in a child of its own, so that none inherits another's heap or page
// cache, and competitors take turns, so that what else the machine does meets all of them alike.
// It measures nothing by itself and knows no disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace slipstream::bench {

using figures = std::map<std::string, double>;

// One instant, in seconds on three clocks.
struct moment
{
	double wall = 0;
	double process_cpu = 0; // all threads
	double thread_cpu = 0;  // the calling thread
	[[nodiscard]] static moment now();
	friend moment operator-(moment const& a, moment const& b)
	{ return {a.wall - b.wall, a.process_cpu - b.process_cpu, a.thread_cpu - b.thread_cpu}; }
};

// Runs `take` in a child process; throws, with the name, when it fails there, which says why on stderr.
[[nodiscard]] figures run_apart(std::string const& name, std::function<figures()> const& take);

// Takes so much memory from the system and gives it back. A virtual machine's host backs memory when it is touched, and may
// take back what is free; a fault then costs twenty times as much, whoever meets it. After this nobody does, for a moment.
void warm_memory(std::int64_t bytes);

[[nodiscard]] double median(std::vector<double> values);
// `share` of the values are not above it; 0..1.
[[nodiscard]] double percentile(std::vector<double> values, double share);
// The median of each figure over samples that have the same names.
[[nodiscard]] figures medians(std::vector<figures> const& samples);

// One line of the table. A competitor that was not measured is an empty string.
struct line
{
	std::string goal;   // its number
	std::string work;
	std::string ours;
	std::string mmap;
	std::string posix;
	std::string vectors;
	std::string ratio;  // ours / mmap, or the figure the goal is about
	std::string wanted; // empty: a figure without a goal
	bool reached = false;
};
// Prints "| 1 | fill ... | 1.9 | ... |".
void print(line const& l);
[[nodiscard]] std::string number(double value);

// Where a goal is a ratio: ours / mmap of one figure.
enum class want { at_least, at_most };
// `tolerance`: 0.08 for CPU, 0.15 for wall figures, since the machines are shared.
[[nodiscard]] bool reached(double value, want way, double wanted, double tolerance);

} // namespace slipstream::bench
