// What does a torrent cost whoever downloads it, and whoever seeds it, on our disk, on libtorrent's own, and on the simplest one in memory?
//
//   bench_swarm                      medians of 3 rounds
//   bench_swarm --rounds 5 --mib 1024
//   bench_swarm --sample ours        one sample, all its figures: for a profiler
//   bench_swarm --sample ours --apart 900
//
// A swarm of three on loopback: a seed, the session that is measured, and a leecher of it, each a process of its own. The
// measured one downloads a film from the seed, and then, alone, seeds it to the leecher. Its CPU time is all its threads', of the
// system's as well: sockets are most of it. The two others keep their files on tmpfs with libtorrent's mmap disk, whatever is
// measured; so do the disks of libtorrent's that are measured. libtorrent hashes every piece on its way in, twice in
// all; a film that did not arrive whole is a failure, not a figure.
//
// A session that uploads sends a block at a time (`send_buffer_low_watermark`) until its clock, which strikes once a second, strikes for
// the first time after the peer has come; and a peer comes when the downloading session's clock strikes. So how far the
// two clocks are apart decides how much of the film goes that way, at two to three times the price, whatever the disk. Left to
// chance it was a matter of milliseconds; here the measured session begins a given time after both others, the same for each disk,
// and the rounds spread over the second.
//
// Prints the table's lines, with the goal beside each. Exits 1 when a film did not arrive, 2 for wrong usage.
#include "disk_driver.hpp"
#include "measure.hpp"
#include "swarm_peer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <thread>

namespace {

using namespace slipstream::bench;

// What it took for each GB, from `began` to now.
void add_figures(figures& to, std::string const& what, moment const& began, film const& f)
{
	auto const took = moment::now() - began;
	double const gb = double(f.size_bytes()) * 1e-9;
	to[what + "_cpu"] = took.process_cpu / gb;
	to[what + "_gbs"] = gb / took.wall;
}

figures sample(std::string const& disk, film const& f, std::chrono::milliseconds const apart)
{
	// Both are forked before this process has threads.
	peer_process seed(f, role::seeds);
	peer_process leecher(f, role::leeches);
	shm_folder const folder(f.folder());
	std::this_thread::sleep_for(apart); // both others have begun
	peer measured(f, disk, folder.path(), role::leeches);
	figures got;

	auto began = moment::now();
	measured.connect(seed.port());
	measured.wait_until_whole();
	add_figures(got, "leech", began, f);
	seed.end();

	began = moment::now();
	leecher.begin(measured.port());
	leecher.wait_until_whole();
	add_figures(got, "seed", began, f);
	return got;
}

void report(std::map<std::string, figures> const& by_disk, film const& f)
{
	struct row { char const* figure; std::string text; double wanted; };
	auto const mib = std::to_string(f.size_bytes() >> 20);
	for (auto const& [figure, text, wanted] : {row{"leech_cpu", "download " + mib + " MiB in a swarm: CPU, s/GB", 0.5}
		, row{"seed_cpu", "seed it: CPU, s/GB", 0.5}, row{"leech_gbs", "download: GB/s", 0}, row{"seed_gbs", "seed: GB/s", 0}})
	{
		auto const show = [&](char const* const disk) { return number(by_disk.at(disk).at(figure)); };
		auto const ratio = by_disk.at("ours").at(figure) / by_disk.at("mmap").at(figure);
		print({wanted > 0 ? "11" : "", text, show("ours"), show("mmap"), show("posix"), show("vectors"), number(ratio) + " x"
			, wanted > 0 ? "<= " + number(wanted) + " x" : "", wanted == 0 || reached(ratio, want::at_most, wanted, 0.08)});
	}
}

int usage()
{
	std::fprintf(stderr, "usage: bench_swarm [--rounds N] [--mib N] [--sample ours|mmap|posix|vectors [--apart MS]]\n"
		"  rounds: 1 to 99; mib: of the film, 16 to 4096; apart: by how much the sample's session begins later than its peers', 0 to 999\n");
	return 2;
}

} // namespace

int main(int const argc, char** const argv)
try
{
	int rounds = 3;
	int mib = 512;
	std::optional<int> apart;
	std::string only;
	for (int i = 1; i < argc; i += 2)
	{
		std::string const flag = argv[i];
		if (i + 1 == argc) return usage();
		if (flag == "--rounds") rounds = std::atoi(argv[i + 1]);
		else if (flag == "--mib") mib = std::atoi(argv[i + 1]);
		else if (flag == "--sample") only = argv[i + 1];
		else if (flag == "--apart") apart = std::atoi(argv[i + 1]);
		else return usage();
	}
	bool const known = only.empty() || std::find(all_disks().begin(), all_disks().end(), only) != all_disks().end();
	bool const apart_is_right = !apart || (*apart >= 0 && *apart <= 999 && !only.empty());
	if (rounds < 1 || rounds > 99 || mib < 16 || mib > 4096 || !apart_is_right || !known) return usage();

	film const f(std::int64_t(mib) << 20);
	if (!only.empty())
	{
		for (auto const& [name, value] : sample(only, f, std::chrono::milliseconds(apart.value_or(500))))
			std::printf("%s %s\n", name.c_str(), number(value).c_str());
		return 0;
	}
	std::map<std::string, std::vector<figures>> samples;
	for (int round = 0; round < rounds; ++round)
	{
		std::chrono::milliseconds const between((2 * round + 1) * 1000 / (2 * rounds));
		for (auto const& disk : all_disks())
		{
			warm_memory(4 * f.size_bytes()); // two have it in files, and one in memory
			samples[disk].push_back(run_apart(disk, [&] { return sample(disk, f, between); }));
		}
	}
	std::map<std::string, figures> by_disk;
	for (auto const& [disk, all] : samples) by_disk[disk] = medians(all);
	report(by_disk, f);
	return 0;
}
catch (std::exception const& e)
{
	std::fprintf(stderr, "bench_swarm: %s\n", e.what());
	return 1;
}
