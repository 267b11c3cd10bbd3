#include "hostile/peer_film.hpp"

#include <algorithm>
#include <utility>

namespace slipstream::test {

peer_film::peer_film(std::vector<char> const& torrent_file, content in_file)
	: m_info(torrent_file, lt::from_span), m_in_file(std::move(in_file))
{}

int peer_film::piece_of_block(int const block) const { return block / (m_info.piece_length() / block_bytes); }

wire::block peer_film::block_at(int const piece, int const index) const
{
	auto const start = index * block_bytes;
	return {piece, start, std::min(block_bytes, m_info.piece_size(lt::piece_index_t(piece)) - start)};
}

std::size_t peer_film::num_blocks(int const piece) const
{
	return static_cast<std::size_t>((m_info.piece_size(lt::piece_index_t(piece)) + block_bytes - 1) / block_bytes);
}

wire::block peer_film::any_block(int const piece, std::uint32_t const random) const
{
	return block_at(piece, static_cast<int>(random % num_blocks(piece)));
}

std::string peer_film::bytes(wire::block const& b) const
{
	auto const from = std::int64_t{b.piece} * m_info.piece_length() + b.start;
	auto got = m_in_file(from, static_cast<std::size_t>(b.length));
	got.resize(static_cast<std::size_t>(b.length), '\0');
	return got;
}

} // namespace slipstream::test
