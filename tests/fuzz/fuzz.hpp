// What fuzz targets share: a target is a file that defines LLVMFuzzerTestOneInput, which is given any bytes and
// aborts when something is wrong.
//
// Two programs are made of each. With clang and the preset `fuzz`, libFuzzer searches (make fuzz). With any compiler,
// replay.cpp runs the target on its corpus and on mutations of it that are the same each time (ctest, fuzz.*).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size);

namespace slipstream::fuzz {

inline void expect(bool const holds, char const* const what)
{
	if (holds) return;
	std::fprintf(stderr, "\nfuzz: not so: %s\n", what);
	std::abort();
}

// The input, taken from its start piece by piece; after its end all numbers are 0 and all texts empty.
class input
{
public:
	input(std::uint8_t const* bytes, std::size_t const size) : m_rest(reinterpret_cast<char const*>(bytes), size) {}

	[[nodiscard]] bool empty() const { return m_rest.empty(); }
	[[nodiscard]] std::uint8_t byte()
	{
		if (m_rest.empty()) return 0;
		auto const b = static_cast<std::uint8_t>(m_rest.front());
		m_rest.remove_prefix(1);
		return b;
	}
	// Little-endian, of so many bytes, 8 at most.
	[[nodiscard]] std::uint64_t number(int const bytes)
	{
		std::uint64_t n = 0;
		for (int i = 0; i < bytes; ++i) n |= std::uint64_t{byte()} << (8 * i);
		return n;
	}
	[[nodiscard]] int below(int const end) { return static_cast<int>(number(2) % static_cast<unsigned>(end)); }
	// To the next line's end, which is taken and not given.
	[[nodiscard]] std::string_view line()
	{
		std::size_t const end = m_rest.find('\n');
		std::string_view const text = m_rest.substr(0, end);
		m_rest.remove_prefix(std::min(m_rest.size(), text.size() + 1));
		return text;
	}
	[[nodiscard]] std::string_view rest() const { return m_rest; }

private:
	std::string_view m_rest;
};

} // namespace slipstream::fuzz
