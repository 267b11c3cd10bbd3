// The arithmetic of one torrent: how its bytes divide into pieces and blocks, which of them are
// padding, and where files begin.
//
// An immutable value made from libtorrent's file_storage, of which it keeps nothing: it stays right
// after the torrent is gone. It does not know what is in memory.
#pragma once

#include "block/block_pool.hpp"

#include <libtorrent/file_storage.hpp>
#include <libtorrent/units.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace slipstream {

class geometry
{
public:
	explicit geometry(lt::file_storage const& files);

	[[nodiscard]] int num_pieces() const noexcept { return m_num_pieces; }
	[[nodiscard]] int piece_length_bytes() const noexcept { return m_piece_length; }
	[[nodiscard]] bool has(lt::piece_index_t const p) const noexcept
	{ return static_cast<int>(p) >= 0 && static_cast<int>(p) < m_num_pieces; }

	// Precondition of all below: has(p).

	// The piece as v1 and transfers see it: padding counts, the torrent's last piece may be short.
	[[nodiscard]] int piece_bytes(lt::piece_index_t p) const noexcept;
	// The piece as v2 sees it: ends with its file (BEP 52).
	[[nodiscard]] int piece_bytes2(lt::piece_index_t p) const noexcept;
	[[nodiscard]] int num_blocks(lt::piece_index_t p) const noexcept;
	[[nodiscard]] int num_blocks2(lt::piece_index_t p) const noexcept;
	// Bytes in a block of the piece, 1..16 KiB.
	[[nodiscard]] int block_length(lt::piece_index_t p, int block) const noexcept;
	// Whether all of the block is padding: such a block is never transferred and is zeros.
	[[nodiscard]] bool is_padding(lt::piece_index_t p, int block) const noexcept;
	// Whether all of the piece is.
	[[nodiscard]] bool is_padding(lt::piece_index_t p) const noexcept;
	// Writes zeros over the padding among the `length` bytes that start at `offset` of the piece.
	void clear_padding(lt::piece_index_t p, int offset, int length, char* bytes) const noexcept;
	// The file that a byte of the piece belongs to.
	[[nodiscard]] lt::file_index_t file_at(lt::piece_index_t p, int offset) const noexcept;

private:
	struct range { std::int64_t begin; std::int64_t end; };

	[[nodiscard]] std::int64_t start_of(lt::piece_index_t const p) const noexcept
	{ return std::int64_t{static_cast<int>(p)} * m_piece_length; }
	[[nodiscard]] bool covered_by_padding(std::int64_t begin, std::int64_t end) const noexcept;
	// The first range that ends behind `offset`.
	[[nodiscard]] std::vector<range>::const_iterator padding_from(std::int64_t offset) const noexcept;

	std::int64_t m_total_bytes;
	int m_piece_length;
	int m_num_pieces;
	std::vector<range> m_padding;                    // sorted, disjoint
	std::vector<std::pair<int, int>> m_short_pieces2; // (piece, bytes), sorted: where v2 differs from piece_bytes
	std::vector<std::int64_t> m_later_file_starts;    // the first file's is 0
};

} // namespace slipstream
