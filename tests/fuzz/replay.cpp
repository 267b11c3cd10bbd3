// Runs a fuzz target without a fuzzer: on every file of its corpus, and on mutations of them.
//
// usage: PROGRAM [--runs N] [--seed N] FILE|FOLDER...      the N mutations (10000) are those of the seed (1)
//
// A target that fails aborts; before the program ends it says how it was reached and writes the input down in the working
// folder, as `failed-input`, which can be given as FILE.
#include "fuzz/fuzz.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr std::size_t max_input_bytes = 64 << 10;

// What runs now; for the handler of signals.
std::string const* current = nullptr;

void on_failure(int const number)
{
	int const file = ::open("failed-input", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (file >= 0 && current != nullptr)
	{
		[[maybe_unused]] auto const written = ::write(file, current->data(), current->size());
		::close(file);
		constexpr char text[] = "fuzz: the input is in ./failed-input\n";
		[[maybe_unused]] auto const said = ::write(2, text, sizeof text - 1);
	}
	std::signal(number, SIG_DFL);
	std::raise(number);
}

void run(std::string const& bytes)
{
	current = &bytes;
	// A copy of its own, so that a read beyond its end is seen by the address sanitizer.
	std::vector<std::uint8_t> const copy(bytes.begin(), bytes.end());
	LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

std::string read(std::filesystem::path const& path)
{
	std::ifstream file(path, std::ios::binary);
	if (!file)
	{
		std::cerr << "fuzz: " << path << " cannot be read\n";
		std::exit(2);
	}
	return {std::istreambuf_iterator<char>(file), {}};
}

class mutator
{
public:
	mutator(std::vector<std::string> corpus, std::uint64_t const seed) : m_corpus(std::move(corpus)), m_random(seed) {}

	std::string next()
	{
		std::string bytes = any();
		for (auto n = 1 + below(4); n > 0; --n) change(bytes);
		bytes.resize(std::min(bytes.size(), max_input_bytes));
		return bytes;
	}

private:
	std::size_t below(std::size_t const end) { return m_random() % end; }
	std::string const& any() { return m_corpus[below(m_corpus.size())]; }
	// A place in the text, or its end.
	std::size_t place(std::string const& bytes) { return below(bytes.size() + 1); }

	std::string part_of(std::string const& bytes)
	{
		std::size_t const from = place(bytes);
		return bytes.substr(from, 1 + below(below(4) == 0 ? 64 : 8));
	}

	void change(std::string& bytes)
	{
		static constexpr std::string_view numbers[] = {"0", "-1", "1", "9223372036854775807", "9223372036854775808"
			, "18446744073709551616", "00", "4294967296", "2147483648"};
		switch (below(8))
		{
			case 0: if (!bytes.empty()) bytes[below(bytes.size())] ^= static_cast<char>(1 << below(8)); break;
			case 1: if (!bytes.empty()) bytes[below(bytes.size())] = static_cast<char>(m_random()); break;
			case 2: bytes.insert(place(bytes), 1 + below(3), static_cast<char>(m_random())); break;
			case 3: bytes.erase(place(bytes), 1 + below(8)); break;
			case 4: bytes.insert(place(bytes), part_of(bytes)); break;
			case 5: bytes.insert(place(bytes), part_of(any())); break;
			case 6: bytes = bytes.substr(0, place(bytes)) + any(); break;
			default: bytes.insert(place(bytes), numbers[below(std::size(numbers))]); break;
		}
	}

	std::vector<std::string> m_corpus;
	std::mt19937_64 m_random;
};

} // namespace

int main(int const argc, char const* const* const argv)
{
	std::uint64_t runs = 10'000, seed = 1;
	std::vector<std::filesystem::path> paths;
	for (int i = 1; i < argc; ++i)
	{
		std::string const word = argv[i];
		if (word == "--runs" && i + 1 < argc) runs = std::stoull(argv[++i]);
		else if (word == "--seed" && i + 1 < argc) seed = std::stoull(argv[++i]);
		else if (std::filesystem::is_directory(word))
			for (auto const& entry : std::filesystem::directory_iterator(word)) paths.push_back(entry.path());
		else paths.emplace_back(word);
	}
	// In an order of their own, so that the mutations are the same everywhere.
	std::sort(paths.begin(), paths.end());
	std::vector<std::string> corpus;
	for (auto const& path : paths) corpus.push_back(read(path));
	if (corpus.empty())
	{
		std::cerr << "usage: " << argv[0] << " [--runs N] [--seed N] FILE|FOLDER...\n";
		return 2;
	}
	for (int const number : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS, SIGILL}) std::signal(number, on_failure);
	for (std::string const& bytes : corpus) run(bytes);
	mutator mutations(corpus, seed);
	for (std::uint64_t i = 0; i < runs; ++i)
	{
		std::string const bytes = mutations.next();
		run(bytes);
	}
	std::cout << "ran " << corpus.size() << " inputs and " << runs << " mutations of them\n";
}
