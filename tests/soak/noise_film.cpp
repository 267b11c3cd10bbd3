#include "soak/noise_film.hpp"

#include <libtorrent/bencode.hpp>
#include <libtorrent/file_storage.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace slipstream::soak {

namespace {

// SplitMix64: the n-th word without those before it.
std::uint64_t word(std::uint64_t const seed, std::int64_t const n)
{
	std::uint64_t x = seed + 0x9e3779b97f4a7c15u * (static_cast<std::uint64_t>(n) + 1);
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

constexpr std::int64_t word_bytes = 8;

} // namespace

noise_film::noise_film(film_plan plan, std::filesystem::path const& folder)
	: m_plan(std::move(plan))
{
	std::filesystem::path const path = folder / m_plan.name;
	std::ofstream out(path, std::ios::binary);
	std::vector<char> part(1 << 20);
	for (std::int64_t at = 0; at < m_plan.size_bytes; at += std::ssize(part))
	{
		part.resize(static_cast<std::size_t>(std::min(m_plan.size_bytes - at, std::int64_t{1} << 20)));
		fill(at, part);
		out.write(part.data(), std::ssize(part));
	}
	out.close();
	if (!out) throw std::runtime_error("cannot write " + path.string());

	lt::file_storage files;
	files.add_file(m_plan.name, m_plan.size_bytes);
	lt::create_torrent torrent(files, m_plan.piece_length_bytes, m_plan.kind);
	lt::set_piece_hashes(torrent, folder.string());
	lt::bencode(std::back_inserter(m_torrent_file), torrent.generate());
}

void noise_film::fill(std::int64_t const position_bytes, std::span<char> const bytes) const
{
	std::int64_t n = position_bytes / word_bytes;
	auto skip = static_cast<std::size_t>(position_bytes % word_bytes);
	for (std::size_t at = 0; at < bytes.size(); ++n, skip = 0)
	{
		std::uint64_t const w = word(m_plan.seed, n);
		std::size_t const size = std::min(bytes.size() - at, word_bytes - skip);
		std::memcpy(bytes.data() + at, reinterpret_cast<char const*>(&w) + skip, size);
		at += size;
	}
}

std::string noise_film::bytes(std::int64_t const position_bytes, std::size_t const size_bytes) const
{
	auto const left = std::max(m_plan.size_bytes - position_bytes, std::int64_t{0});
	std::string got(static_cast<std::size_t>(std::min(left, static_cast<std::int64_t>(size_bytes))), '\0');
	fill(position_bytes, got);
	return got;
}

std::int64_t noise_film::count_wrong(std::int64_t position_bytes, std::span<char const> bytes) const
{
	std::int64_t wrong = 0;
	std::array<char, 64 * 1024> right;
	while (!bytes.empty())
	{
		auto const part = std::span(right).first(std::min(right.size(), bytes.size()));
		fill(position_bytes, part);
		if (std::memcmp(part.data(), bytes.data(), part.size()) != 0)
			for (std::size_t i = 0; i < part.size(); ++i) wrong += part[i] != bytes[i];
		position_bytes += std::ssize(part);
		bytes = bytes.subspan(part.size());
	}
	return wrong;
}

} // namespace slipstream::soak
