// How many downloads does an eviction policy cost? Recorded traces, run through policies at several sizes of memory.
//
//   eviction_simulator [--sizes 16,64] TRACE...   the table; exits 1 when a policy beats the optimum, which cannot be
//   eviction_simulator --record DIR               writes the traces of the viewings
//   eviction_simulator --verify DIR               exits 1 when what is kept there is not what --record writes
//
// A read of what memory has not is a miss. Read-ahead is not played: it makes a download earlier, not another one.
#include "policies.hpp"
#include "viewings.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace {

using namespace slipstream::bench;

std::string read_file(std::filesystem::path const& path)
{
	std::ifstream in(path, std::ios::binary);
	std::string text{std::istreambuf_iterator<char>(in), {}};
	if (!in) throw std::runtime_error("cannot read " + path.string());
	return text;
}

std::filesystem::path path_in(std::filesystem::path const& folder, viewing const& v)
{ return folder / (v.recorded.name + ".trace"); }

void record(std::filesystem::path const& folder)
{
	for (viewing const& v : all_viewings())
	{
		std::ofstream out(path_in(folder, v), std::ios::binary);
		out << trace_text(v.recorded, v.comment);
		if (!out.flush()) throw std::runtime_error("cannot write to " + folder.string());
	}
}

bool verify(std::filesystem::path const& folder)
{
	bool same = true;
	for (viewing const& v : all_viewings())
	{
		auto const path = path_in(folder, v);
		if (read_file(path) == trace_text(v.recorded, v.comment)) continue;
		std::fprintf(stderr, "eviction_simulator: %s is not what its viewing records\n", path.c_str());
		same = false;
	}
	return same;
}

// One line of the table. Answers whether the optimum is one.
bool run(trace const& t, int const size)
{
	std::printf("| %s | %d |", t.name.c_str(), size);
	std::size_t best = 0;
	bool right = true;
	for (contestant const& c : contestants())
	{
		auto const p = c.make(t, size);
		auto const o = simulate(t, size, *p);
		if (best == 0)
		{
			auto const reads = reads_of(t);
			std::set<slipstream::piece_key> const pieces(reads.begin(), reads.end());
			best = o.misses;
			std::printf(" %zu | %zu | %.4f |", o.reads, pieces.size(), double(o.misses) / double(o.reads));
			// What was never there must come once.
			if (o.misses < pieces.size())
			{
				std::fprintf(stderr, "eviction_simulator: %s, %d pieces: fewer misses than pieces\n"
					, t.name.c_str(), size);
				right = false;
			}
			continue;
		}
		std::printf(" %.4f (%.3f) |", double(o.misses) / double(o.reads), double(o.misses) / double(best));
		if (o.misses >= best) continue;
		std::fprintf(stderr, "eviction_simulator: %s, %d pieces: %s has %zu misses, the optimum %zu\n"
			, t.name.c_str(), size, c.name.c_str(), o.misses, best);
		right = false;
	}
	std::printf("\n");
	return right;
}

bool run_all(std::vector<std::string> const& files, std::vector<int> const& sizes)
{
	std::string head = "| trace | memory, pieces | reads | pieces | optimum |";
	std::string rule = "|---|--:|--:|--:|--:|";
	for (contestant const& c : contestants())
	{
		if (c.name == "optimum") continue;
		head += ' ' + c.name + " |";
		rule += "--:|";
	}
	std::printf("%s\n%s\n", head.c_str(), rule.c_str());
	bool right = true;
	for (std::string const& file : files)
	{
		auto const t = parse_trace(std::filesystem::path(file).stem().string(), read_file(file));
		if (reads_of(t).empty()) throw std::runtime_error(file + " reads nothing");
		for (int const size : sizes) right = run(t, size) && right;
	}
	return right;
}

std::vector<int> parse_sizes(std::string const& text)
{
	std::vector<int> sizes;
	std::istringstream in(text);
	for (std::string one; std::getline(in, one, ',');) sizes.push_back(std::atoi(one.c_str()));
	for (int const s : sizes)
		if (s < 4) throw std::runtime_error("a size is 4 pieces at least: " + text);
	return sizes;
}

} // namespace

int main(int const argc, char** const argv)
try
{
	std::vector<std::string> arguments(argv + 1, argv + argc);
	std::vector<int> sizes{16, 32, 64, 128, 256};
	if (arguments.size() == 2 && arguments[0] == "--record") return record(arguments[1]), 0;
	if (arguments.size() == 2 && arguments[0] == "--verify") return verify(arguments[1]) ? 0 : 1;
	if (arguments.size() > 2 && arguments[0] == "--sizes")
	{
		sizes = parse_sizes(arguments[1]);
		arguments.erase(arguments.begin(), arguments.begin() + 2);
	}
	if (arguments.empty() || arguments[0].starts_with("--"))
	{
		std::fprintf(stderr, "usage: eviction_simulator [--sizes N,N...] TRACE... | --record DIR | --verify DIR\n");
		return 2;
	}
	return run_all(arguments, sizes) ? 0 : 1;
}
catch (std::exception const& e)
{
	std::fprintf(stderr, "eviction_simulator: %s\n", e.what());
	return 1;
}
