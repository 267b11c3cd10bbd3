// How fast is our disk, against libtorrent's own on tmpfs, and against the simplest one in memory (vector_disk.hpp)?
//
//   bench_disk                     all works, the medians of 3 rounds
//   bench_disk --rounds 5 --only fill_v1,reads_deep
//   bench_disk --only fill_v1 --sample ours     one sample in this process, all its figures: for a profiler
//
// Each sample is a process of its own; the disks take turns within a round. Prints the table's lines, with the goal beside
// each. Exits 1 when a disk of any kind gave a wrong answer, 2 for wrong usage; a goal that was missed is a line, not a failure.
#include "disk_works.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace {

using namespace slipstream::bench;

struct goal
{
	char const* number;
	char const* figure;
	char const* text;   // what the figure is
	want way;
	double ratio;       // of ours to mmap's; 0: `absolute` counts
	double absolute;
	double tolerance;
};

struct work
{
	char const* name;
	char const* text;
	std::function<figures(std::string const&)> take;
	std::vector<goal> goals;
};

constexpr double cpu = 0.08;
constexpr double wall = 0.15;

std::vector<work> works()
{
	using o = fill_options;
	auto const filling = [](o const& options) { return [options](std::string const& d) { return fill(d, options); }; };
	auto const reads = [](read_options const& options)
	{ return [options](std::string const& d) { return random_reads(d, options); }; };
	return {
		{"fill_v1", "fill 1 GiB and verify, v1", filling({}), {
			{"1", "wall_gbs", "GB/s", want::at_least, 3, 0, wall},
			{"2", "cpu", "CPU, s/GB", want::at_most, 0.28, 0, cpu},
			{"3", "net", "network thread's CPU, s/GB", want::at_most, 0.45, 0, cpu}}},
		{"fill_v2", "fill 1 GiB and verify, v2", filling({.kind = protocol::v2}), {
			{"4", "wall_gbs", "GB/s", want::at_least, 3.2, 0, wall},
			{"4", "cpu", "CPU, s/GB", want::at_most, 0.28, 0, cpu}}},
		{"write", "write 1 GiB", filling({.hashed = false}), {
			{"5", "wall_gbs", "GB/s", want::at_least, 7, 0, wall},
			{"5", "cpu", "CPU, s/GB", want::at_most, 0.15, 0, cpu}}},
		{"latency", "last block to hash, 4 MiB pieces at 1 GB/s", hash_latency, {
			{"6", "p50", "p50, us", want::at_most, 0.02, 0, wall}}},
		{"reads", "random reads of 16 KiB, depth 1", reads({.depth = 1}), {
			{"7", "p50", "p50, us", want::at_most, 0.007, 0, wall},
			{"7", "cpu", "CPU, us each", want::at_most, 0.007, 0, cpu}}},
		{"reads_deep", "random reads of 16 KiB, depth 32", reads({.depth = 32, .reads = 60'000}), {
			{"8", "ops", "a second", want::at_least, 9, 0, wall},
			{"8", "p99", "p99, us", want::at_most, 0.12, 0, wall}}},
		{"straddling", "reads across two blocks, depth 8", reads({.depth = 8, .straddling = true}), {
			{"9", "cpu", "CPU, us each", want::at_most, 0.30, 0, cpu}}},
		{"mixed", "reads and writes, 16 torrents come and go", mixed, {
			{"10", "ops", "a second", want::at_least, 7, 0, wall},
			{"10", "cpu", "CPU, us each", want::at_most, 0.11, 0, cpu}}},
		{"removal", "remove a torrent of 1 GiB", removal, {
			{"14", "net", "network thread's CPU, ms", want::at_most, 0, 0.5, cpu},
			{"14", "longest", "longest call, us", want::at_most, 0, 25, wall}}},
	};
}

void report(work const& w, std::map<std::string, figures> const& by_disk)
{
	auto const show = [&](std::string const& disk, char const* const figure)
	{
		auto const i = by_disk.find(disk);
		return i == by_disk.end() ? std::string() : number(i->second.at(figure));
	};
	for (auto const& g : w.goals)
	{
		auto const ours = by_disk.at("ours").at(g.figure);
		bool const relative = g.ratio > 0;
		auto const value = relative ? ours / by_disk.at("mmap").at(g.figure) : ours;
		auto const bound = relative ? g.ratio : g.absolute;
		auto const sign = g.way == want::at_least ? std::string(">= ") : std::string("<= ");
		print({g.number, std::string(w.text) + ": " + g.text, show("ours", g.figure), show("mmap", g.figure)
			, show("posix", g.figure), show("vectors", g.figure), relative ? number(value) + " x" : number(value)
			, sign + number(bound) + (relative ? " x" : ""), reached(value, g.way, bound, g.tolerance)});
	}
}

int usage()
{
	std::fprintf(stderr, "usage: bench_disk [--rounds N] [--only WORK,...] [--sample ours|mmap|posix|vectors]\n"
		"  N: 1 to 99; works:");
	for (auto const& w : works()) std::fprintf(stderr, " %s", w.name);
	std::fprintf(stderr, "\n");
	return 2;
}

} // namespace

int main(int const argc, char** const argv)
try
{
	int rounds = 3;
	std::vector<std::string> only;
	std::string sample;
	for (int i = 1; i + 1 < argc; i += 2)
	{
		std::string const flag = argv[i];
		if (flag == "--rounds") rounds = std::atoi(argv[i + 1]);
		else if (flag == "--sample") sample = argv[i + 1];
		else if (flag == "--only")
		{
			std::stringstream names(argv[i + 1]);
			for (std::string name; std::getline(names, name, ',');) only.push_back(name);
		}
		else return usage();
	}
	auto const all = works();
	auto const known = [&](std::string const& name)
	{ return std::any_of(all.begin(), all.end(), [&](work const& w) { return w.name == name; }); };
	if (argc % 2 == 0 || rounds < 1 || rounds > 99 || !std::all_of(only.begin(), only.end(), known)) return usage();

	for (auto const& w : all)
	{
		if (!only.empty() && std::find(only.begin(), only.end(), w.name) == only.end()) continue;
		if (!sample.empty())
		{
			for (auto const& [figure, value] : w.take(sample))
				std::printf("%s %s %s\n", w.name, figure.c_str(), number(value).c_str());
			continue;
		}
		std::map<std::string, std::vector<figures>> samples;
		for (int r = 0; r < rounds; ++r)
			for (auto const& disk : all_disks())
				samples[disk].push_back(run_apart(disk + ", " + w.name, [&] { return w.take(disk); }));
		std::map<std::string, figures> middle;
		for (auto const& [disk, taken] : samples) middle[disk] = medians(taken);
		report(w, middle);
	}
	return 0;
}
catch (std::exception const& e)
{
	std::fprintf(stderr, "bench_disk: %s\n", e.what());
	return 1;
}
