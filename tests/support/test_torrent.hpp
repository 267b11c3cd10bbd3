// Torrents for tests: any shape, with content that follows from a seed, so that no test keeps
// files.
//
// A test_torrent owns its metadata (a real torrent_info, made and parsed by libtorrent) and
// computes bytes and hashes when asked: SHA-1 and SHA-256 by OpenSSL over its own layout
// arithmetic, independent of libtorrent's hashers and of the disk under test. Const after
// construction: any thread. The piece hashes inside its metadata are placeholders: a disk never
// sees them.
#pragma once

#include <libtorrent/file_storage.hpp>
#include <libtorrent/sha1_hash.hpp>
#include <libtorrent/torrent_info.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::test {

inline constexpr int block_bytes = 16 * 1024;

// The padded ones have padding at their end as well.
enum class protocol { v1, v1_padded, v2, hybrid, hybrid_padded };

struct shape
{
	std::string name;
	protocol kind = protocol::v1;
	int piece_bytes = block_bytes;
	std::vector<std::int64_t> file_bytes;
};

// Piece sizes from 4 KiB to 256 KiB, one file and many, empty files, padding inside a block and
// padding that fills blocks, one-byte torrents; none over a megabyte.
[[nodiscard]] std::vector<shape> const& small_shapes();
// Pieces of 16 MiB.
[[nodiscard]] std::vector<shape> const& large_shapes();

// The byte range of one block.
struct block_range
{
	lt::piece_index_t piece;
	int start = 0;
	int length = 0;
};

class test_torrent
{
public:
	explicit test_torrent(shape const& s, std::uint64_t seed = 1);

	[[nodiscard]] std::shared_ptr<lt::torrent_info const> info() const { return m_info; }
	[[nodiscard]] lt::file_storage const& files() const { return m_info->files(); }
	[[nodiscard]] bool has_v1() const { return m_info->info_hashes().has_v1(); }
	[[nodiscard]] bool has_v2() const { return m_info->info_hashes().has_v2(); }

	[[nodiscard]] int num_pieces() const { return m_num_pieces; }
	[[nodiscard]] std::vector<lt::piece_index_t> pieces() const;
	// With padding (v1's view), and without (v2's).
	[[nodiscard]] int piece_size(lt::piece_index_t piece) const;
	[[nodiscard]] int piece_size2(lt::piece_index_t piece) const;

	// What a reader must see: padding is zeros.
	[[nodiscard]] std::string bytes(lt::piece_index_t piece, int start, int length) const;
	[[nodiscard]] std::string bytes(block_range const& b) const
	{ return bytes(b.piece, b.start, b.length); }
	// What a careless writer sends: padding is not zeros.
	[[nodiscard]] std::string with_dirty_padding(block_range const& b) const;
	// Every block a session would write: those that are padding alone are left out.
	[[nodiscard]] std::vector<block_range> blocks() const;
	[[nodiscard]] std::vector<block_range> blocks(lt::piece_index_t piece) const;
	// The blocks that are padding alone.
	[[nodiscard]] std::vector<block_range> padding_blocks() const;

	[[nodiscard]] lt::sha1_hash v1_hash(lt::piece_index_t piece) const;
	[[nodiscard]] std::vector<lt::sha256_hash> v2_hashes(lt::piece_index_t piece) const;

private:
	struct extent { std::int64_t begin = 0; std::int64_t end = 0; bool padding = false; };

	[[nodiscard]] std::vector<block_range> all_blocks(lt::piece_index_t piece) const;
	[[nodiscard]] bool only_padding(block_range const& b) const;
	[[nodiscard]] std::string raw(lt::piece_index_t piece, int start, int length) const;
	[[nodiscard]] std::int64_t offset(lt::piece_index_t piece) const;

	std::uint64_t m_seed;
	std::int64_t m_piece_bytes = 0;
	std::int64_t m_total_bytes = 0;
	int m_num_pieces = 0;
	std::shared_ptr<lt::torrent_info const> m_info;
	std::vector<extent> m_extents;
};

[[nodiscard]] lt::sha1_hash sha1_of(std::string_view bytes);
[[nodiscard]] lt::sha256_hash sha256_of(std::string_view bytes);

} // namespace slipstream::test
