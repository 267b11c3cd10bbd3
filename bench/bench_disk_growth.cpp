// What does our disk cost as what it holds grows? Memory for each byte, for each torrent, and time for each operation.
//
//   bench_disk_growth [--rounds N]        medians of 3 rounds
//
// Memory is the process's own (RSS, and the heap where that says more), in processes of their own. An operation is a
// block written again and read, one at a time, in network thread's CPU. What is measured is what stays: regions that were prepared while
// the pool was outrun go back to the system within a tenth of a second (block_pool.hpp), and half a second is waited for them. Prints the table's lines, goals 12, 13 and 15. Exits 1 when
// a disk gave a wrong answer, 2 for wrong usage.
#include "disk_driver.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

#include <malloc.h>

namespace {

using namespace slipstream::bench;

constexpr std::int64_t mib = std::int64_t{1} << 20;
constexpr std::chrono::milliseconds until_settled{500};

double rss_bytes()
{
	std::ifstream in("/proc/self/status");
	for (std::string word; in >> word;)
	{
		double kib = 0;
		if (word == "VmRSS:" && in >> kib) return kib * 1024;
	}
	throw std::runtime_error("/proc/self/status has no VmRSS");
}

double heap_bytes() { return double(mallinfo2().uordblks); }

void must(lt::storage_error const& e) { if (e) throw std::runtime_error("wrong answer: " + e.ec.message()); }

// Writes every `step`-th block of a torrent, one after the other.
void write_some(disk_driver& d, content& c, lt::storage_index_t const where, std::int64_t const step)
{
	std::int64_t next = 0;
	std::function<void()> const write = [&] {
		if (next >= c.num_blocks()) return d.done();
		auto const block = std::exchange(next, next + step);
		d.disk().async_write(where, c.request(block), c.block(block), nullptr, [&](lt::storage_error const& e) {
			must(e);
			boost::asio::post(d.ios(), write);
		});
		d.disk().submit_jobs();
	};
	static_cast<void>(d.measure([&] { boost::asio::post(d.ios(), write); }));
}

// Torrents of `blocks` blocks each, of which every `step`-th is written; figures of memory.
figures memory(int const torrents, std::int64_t const blocks, int const piece_blocks, std::int64_t const step)
{
	std::vector<std::unique_ptr<content>> contents;
	for (int t = 0; t < torrents; ++t)
		contents.push_back(std::make_unique<content>("t" + std::to_string(t), blocks, piece_blocks, protocol::v1
			, 1000u + unsigned(t)));
	auto const written = double(torrents) * double((blocks + step - 1) / step) * block_bytes;
	disk_driver d("ours", std::int64_t(written) + 64 * mib, 1);
	std::vector<lt::storage_holder> where;
	where.reserve(contents.size());
	auto const rss = rss_bytes();
	auto const heap = heap_bytes();
	static_cast<void>(d.measure([&] {
		for (auto const& c : contents) where.push_back(d.add(*c));
		d.done();
	}));
	auto const heap_of_torrents = heap_bytes() - heap;
	for (std::size_t t = 0; t < contents.size(); ++t) write_some(d, *contents[t], where[t], step);
	std::this_thread::sleep_for(until_settled);
	auto const full = rss_bytes() - rss;
	static_cast<void>(d.measure([&] { where.clear(); d.done(); }));
	// A worker gives it back; seen in the disk's own gauge.
	auto const end = moment::now().wall + 30;
	lt::counters counters;
	do d.disk().update_stats_counters(counters);
	while (counters[lt::counters::disk_blocks_in_use] > 0 && moment::now().wall < end);
	std::this_thread::sleep_for(until_settled);
	auto const left = rss_bytes() - rss;
	return {{"per_byte", (full - 4 * double(mib)) / written}, {"per_torrent", heap_of_torrents / torrents}
		, {"left", (left - 4 * double(mib)) / full * 100}};
}

struct load
{
	int torrents = 1;
	int pieces = 16;          // of each torrent
	int written = 16;         // pieces of each torrent of which the first block is here
	std::size_t held = 0;     // buffers of reads that are not given back
};

// us of the network thread for a block written again and read.
figures operation(load const& l)
{
	constexpr int operations = 20'000;
	std::vector<std::unique_ptr<content>> contents;
	for (int t = 0; t < l.torrents; ++t)
		contents.push_back(std::make_unique<content>("t" + std::to_string(t), std::int64_t(l.pieces) * 16, 16, protocol::v1
			, 1000u + unsigned(t)));
	disk_driver d("ours", std::int64_t(l.torrents) * l.written * block_bytes + std::int64_t(l.held) * block_bytes + 64 * mib, 1);
	std::vector<lt::storage_holder> where;
	static_cast<void>(d.measure([&] {
		for (auto const& c : contents) where.push_back(d.add(*c));
		d.done();
	}));
	std::mt19937_64 random(3);
	std::vector<lt::disk_buffer_holder> held;
	int left = 0;
	std::function<void()> operate;
	auto const one = [&](std::size_t const t, std::int64_t const block) {
		d.disk().async_write(where[t], contents[t]->request(block), contents[t]->block(block), nullptr
			, [](lt::storage_error const& e) { must(e); });
		d.disk().async_read(where[t], contents[t]->request(block)
			, [&, t, block](lt::disk_buffer_holder b, lt::storage_error const& e) {
				must(e);
				if (!contents[t]->stamped(block, b.data())) throw std::runtime_error("wrong answer: read");
				if (held.size() < l.held) held.push_back(std::move(b));
				operate();
			});
		d.disk().submit_jobs();
	};
	auto const step = std::int64_t(l.pieces / l.written) * 16;
	std::int64_t fill = 0;
	operate = [&] {
		if (fill < std::int64_t(l.torrents) * l.written)
		{
			auto const n = fill++;
			return one(std::size_t(n % l.torrents), n / l.torrents * step);
		}
		if (--left <= 0) return d.done();
		one(random() % where.size(), std::int64_t(random() % unsigned(l.written)) * step);
	};
	left = int(l.held);
	static_cast<void>(d.measure([&] { operate(); }));
	left = operations;
	auto const took = d.measure([&] { operate(); });
	held.clear();
	static_cast<void>(d.measure([&] { where.clear(); d.done(); }));
	return {{"us", took.thread_cpu / operations * 1e6}};
}

double take(std::string const& name, int const rounds, std::string const& figure, std::function<figures()> const& sample)
{
	std::vector<figures> all;
	for (int r = 0; r < rounds; ++r) all.push_back(run_apart(name, sample));
	return medians(all).at(figure);
}

void report(char const* const goal, std::string const& what, double const value, double const most, std::string const& unit)
{
	print({goal, what, number(value) + unit, "", "", "", number(value), "<= " + number(most), reached(value, want::at_most, most, 0.0)});
}

// Turns are taken, so that what the machine does meets both.
void report_axis(std::string const& what, int const rounds, load const& small, load const& large)
{
	std::vector<figures> few, many;
	for (int r = 0; r < rounds; ++r)
	{
		few.push_back(run_apart(what, [&] { return operation(small); }));
		many.push_back(run_apart(what, [&] { return operation(large); }));
	}
	auto const from = medians(few).at("us");
	auto const to = medians(many).at("us");
	print({"15", "write and read a block, us: " + what, number(from) + " to " + number(to), "", "", "", number(to / from) + " x"
		, "<= 1.50 x", reached(to / from, want::at_most, 1.5, 0.08)});
}

} // namespace

int main(int const argc, char** const argv)
try
{
	int const rounds = argc == 3 && std::string(argv[1]) == "--rounds" ? std::atoi(argv[2]) : argc == 1 ? 3 : 0;
	if (rounds < 1 || rounds > 99)
	{
		std::fprintf(stderr, "usage: bench_disk_growth [--rounds N]    N: 1 to 99\n");
		return 2;
	}
	report("12", "process memory for a byte stored, 512 MiB full", take("full", rounds, "per_byte"
		, [] { return memory(1, 512 * mib / block_bytes, 16, 1); }), 1.02, "");
	report("12", "the same, one block of each piece of 4 MiB", take("sparse", rounds, "per_byte"
		, [] { return memory(1, 4096 * 256, 256, 256); }), 1.1, "");
	report("13", "heap for a small torrent", take("small", rounds, "per_torrent"
		, [] { return memory(1000, 4, 4, 1); }), 1536, " B");
	report("13", "memory left when 512 MiB are removed", take("left", rounds, "left"
		, [] { return memory(16, 32 * mib / block_bytes, 16, 1); }), 2, " %");
	// As many bytes on both sides: what does not fit the processor's cache costs more, whoever's it is.
	report_axis("1 to 1,000 torrents", rounds, {.pieces = 16'000, .written = 16'000}, {.torrents = 1000});
	report_axis("10^3 to 10^6 pieces", rounds, {.pieces = 1000, .written = 1000}, {.pieces = 1'000'000, .written = 1000});
	report_axis("1 to 10^4 buffers held", rounds, {.pieces = 1000, .written = 1000, .held = 1}
		, {.pieces = 1000, .written = 1000, .held = 10'000});
	return 0;
}
catch (std::exception const& e)
{
	std::fprintf(stderr, "bench_disk_growth: %s\n", e.what());
	return 1;
}
