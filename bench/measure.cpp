#include "measure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <exception>
#include <stdexcept>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace slipstream::bench {

namespace {

double seconds(clockid_t const clock)
{
	timespec t{};
	clock_gettime(clock, &t);
	return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

} // namespace

moment moment::now()
{
	return {seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_THREAD_CPUTIME_ID)};
}

figures run_apart(std::string const& name, std::function<figures()> const& take)
{
	std::array<int, 2> ends{};
	if (pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
	std::fflush(nullptr);
	pid_t const child = fork();
	if (child < 0) throw std::runtime_error("cannot fork");
	if (child == 0)
	{
		close(ends[0]);
		int status = 1;
		try
		{
			for (auto const& [key, value] : take()) dprintf(ends[1], "%s %.12g\n", key.c_str(), value);
			status = 0;
		}
		catch (std::exception const& e) { std::fprintf(stderr, "bench: %s\n", e.what()); }
		_exit(status);
	}
	close(ends[1]);
	figures got;
	std::FILE* const in = fdopen(ends[0], "r");
	std::array<char, 64> figure{};
	double value = 0;
	while (in && std::fscanf(in, "%63s %lf", figure.data(), &value) == 2) got[figure.data()] = value;
	if (in) std::fclose(in);
	int status = 0;
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status)) throw std::runtime_error(name + ": a sample died of signal " + std::to_string(WTERMSIG(status)));
	if (status != 0) throw std::runtime_error(name + ": a sample failed");
	return got;
}

void warm_memory(std::int64_t const bytes)
{
	auto const size = static_cast<std::size_t>(bytes);
	void* const all = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (all == MAP_FAILED) throw std::runtime_error("no memory to warm");
	madvise(all, size, MADV_HUGEPAGE);
	for (std::size_t i = 0; i < size; i += 4096) static_cast<volatile char*>(all)[i] = 1;
	munmap(all, size);
}

double percentile(std::vector<double> values, double const share)
{
	if (values.empty()) return std::nan("");
	auto const at = std::min(values.size() - 1, static_cast<std::size_t>(share * double(values.size())));
	std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(at), values.end());
	return values[at];
}

double median(std::vector<double> values) { return percentile(std::move(values), 0.5); }

figures medians(std::vector<figures> const& samples)
{
	figures all;
	if (samples.empty()) return all;
	for (auto const& [name, first] : samples.front())
	{
		std::vector<double> values;
		for (auto const& s : samples) values.push_back(s.at(name));
		all[name] = median(std::move(values));
	}
	return all;
}

std::string number(double const value)
{
	std::array<char, 32> text{};
	auto const size = std::abs(value);
	int const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4;
	std::snprintf(text.data(), text.size(), "%.*f", digits, value);
	return text.data();
}

void print(line const& l)
{
	std::printf("| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", l.goal.c_str(), l.work.c_str(), l.ours.c_str()
		, l.mmap.c_str(), l.posix.c_str(), l.vectors.c_str(), l.ratio.c_str(), l.wanted.c_str(), l.wanted.empty() ? "" : l.reached ? "yes" : "**no**");
	std::fflush(stdout);
}

bool reached(double const value, want const way, double const wanted, double const tolerance)
{
	return way == want::at_least ? value >= wanted * (1 - tolerance) : value <= wanted * (1 + tolerance);
}

} // namespace slipstream::bench
