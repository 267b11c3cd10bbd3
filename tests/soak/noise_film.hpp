// A film of noise that nobody has to keep in memory: any part of it can be worked out again and compared.
//
// The file lies in a folder that the caller owns. Immutable after construction; any thread.
#pragma once

#include <libtorrent/create_torrent.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace slipstream::soak {

struct film_plan
{
	std::string name;
	std::int64_t size_bytes = 0;
	int piece_length_bytes = 0;
	lt::create_flags_t kind;  // of torrent: lt::create_torrent::v1_only, v2_only, or hybrid
	std::uint64_t seed = 0;
};

class noise_film
{
public:
	// Writes the file and makes its torrent. Throws std::runtime_error.
	noise_film(film_plan plan, std::filesystem::path const& folder);

	[[nodiscard]] std::string const& name() const { return m_plan.name; }
	[[nodiscard]] std::int64_t size_bytes() const { return m_plan.size_bytes; }
	[[nodiscard]] int piece_length_bytes() const { return m_plan.piece_length_bytes; }
	[[nodiscard]] bool is_v2_only() const { return m_plan.kind == lt::create_torrent::v2_only; }
	[[nodiscard]] std::vector<char> const& torrent_file() const { return m_torrent_file; }
	// What the film has there; less at its end.
	[[nodiscard]] std::string bytes(std::int64_t position_bytes, std::size_t size_bytes) const;
	// How many of these are not what the film has from `position_bytes` on.
	[[nodiscard]] std::int64_t count_wrong(std::int64_t position_bytes, std::span<char const> bytes) const;

private:
	void fill(std::int64_t position_bytes, std::span<char> bytes) const;

	film_plan m_plan;
	std::vector<char> m_torrent_file;
};

} // namespace slipstream::soak
