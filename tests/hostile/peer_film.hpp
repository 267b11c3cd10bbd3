// A film's torrent as a peer cuts it into blocks, and the right bytes of each. Immutable.
#pragma once

#include "hostile/wire.hpp"

#include <libtorrent/torrent_info.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace slipstream::test {

class peer_film
{
public:
	static constexpr int block_bytes = 16 * 1024;
	using content = std::function<std::string(std::int64_t position_bytes, std::size_t size_bytes)>;

	// One file's torrent, and what is in the file. `in_file`: called on the peer's thread; may give less than it is asked for at
	// the file's end.
	peer_film(std::vector<char> const& torrent_file, content in_file);

	[[nodiscard]] lt::torrent_info const& info() const { return m_info; }
	[[nodiscard]] std::size_t num_blocks(int piece) const;
	[[nodiscard]] int piece_of_block(int block) const;
	[[nodiscard]] wire::block block_at(int piece, int index) const;
	[[nodiscard]] wire::block any_block(int piece, std::uint32_t random) const;
	// The film's bytes there; zeros where it has ended (padding).
	[[nodiscard]] std::string bytes(wire::block const& b) const;

private:
	lt::torrent_info m_info;
	content m_in_file;
};

} // namespace slipstream::test
