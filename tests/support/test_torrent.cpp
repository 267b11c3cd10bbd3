#include "support/test_torrent.hpp"

#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace slipstream::test {

namespace {

// One word of content. A mix of the position (splitmix64's), so that neighbours, blocks and
// torrents differ.
std::uint64_t content_word(std::uint64_t const seed, std::uint64_t const index)
{
	std::uint64_t z = (index + 1) * 0x9e3779b97f4a7c15u ^ seed * 0xd1b54a32d192ed03u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

char content_byte(std::uint64_t const seed, std::uint64_t const offset)
{
	return static_cast<char>(content_word(seed, offset / 8) >> (offset % 8 * 8) & 0xff);
}

template <typename Hash>
Hash digest(std::string_view const bytes, EVP_MD const* const kind)
{
	unsigned char out[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	if (EVP_Digest(bytes.data(), bytes.size(), out, &size, kind, nullptr) != 1)
		throw std::runtime_error("EVP_Digest failed");
	return Hash(reinterpret_cast<char const*>(out));
}

lt::create_flags_t flags_of(protocol const p)
{
	switch (p)
	{
		case protocol::v1: return lt::create_torrent::v1_only;
		case protocol::v1_padded:
			return lt::create_torrent::v1_only | lt::create_torrent::canonical_files;
		case protocol::v2:
			return lt::create_torrent::v2_only | lt::create_torrent::canonical_files_no_tail_padding;
		case protocol::hybrid: return lt::create_torrent::canonical_files_no_tail_padding;
		case protocol::hybrid_padded: break;
	}
	return {};
}

std::shared_ptr<lt::torrent_info const> make_info(shape const& s, std::uint64_t const seed)
{
	lt::file_storage files;
	std::string const root = s.name + "_" + std::to_string(seed);
	if (s.file_bytes.size() == 1)
		files.add_file(root, s.file_bytes.front());
	else for (std::size_t i = 0; i < s.file_bytes.size(); ++i)
		files.add_file(root + "/" + static_cast<char>('a' + i) + ".bin", s.file_bytes[i]);

	lt::create_torrent made(files, s.piece_bytes, flags_of(s.kind));
	made.set_creation_date(0);
	if (s.kind != protocol::v2)
		for (auto const p : made.files().piece_range())
			made.set_hash(p, sha1_of(root + std::to_string(static_cast<int>(p))));
	if (s.kind != protocol::v1 && s.kind != protocol::v1_padded)
		for (auto const f : made.files().file_range())
		{
			if (made.files().pad_file_at(f) || made.files().file_size(f) == 0) continue;
			for (auto const p : made.files().file_piece_range(f))
				made.set_hash2(f, p, sha256_of(root + std::to_string(static_cast<int>(f)) + "/"
					+ std::to_string(static_cast<int>(p))));
		}
	std::vector<char> encoded;
	lt::bencode(std::back_inserter(encoded), made.generate());
	return std::make_shared<lt::torrent_info const>(encoded, lt::from_span);
}

} // namespace

lt::sha1_hash sha1_of(std::string_view const bytes)
{ return digest<lt::sha1_hash>(bytes, EVP_sha1()); }

lt::sha256_hash sha256_of(std::string_view const bytes)
{ return digest<lt::sha256_hash>(bytes, EVP_sha256()); }

std::vector<shape> const& small_shapes()
{
	static std::vector<shape> const shapes{
		{"v1_16k_pieces", protocol::v1, block_bytes, {3 * block_bytes + 5000}},
		{"v1_4k_pieces", protocol::v1, 4096, {5 * 4096 + 17}},
		{"v1_256k_pieces", protocol::v1, 256 << 10, {(512 << 10) + 20'000}},
		{"v1_whole_pieces", protocol::v1, 32 << 10, {96 << 10}},
		{"v1_one_byte", protocol::v1, block_bytes, {1}},
		{"v1_many_files", protocol::v1, 64 << 10, {100'000, 0, 40'000, 1, 0, 70'000}},
		{"v1_padded", protocol::v1_padded, 64 << 10, {100'000, 0, 20'000, 5'000}},
		{"v2_16k_pieces", protocol::v2, block_bytes, {3 * block_bytes + 5000}},
		{"v2_one_byte", protocol::v2, block_bytes, {1}},
		{"v2_many_files", protocol::v2, 64 << 10, {100'000, 0, 16'384, 20'000, 1}},
		{"hybrid_padded_end", protocol::hybrid_padded, 64 << 10, {100'000, 70'000, 3}},
		{"hybrid_256k_pieces", protocol::hybrid, 256 << 10, {(256 << 10) + 40'000}},
		{"hybrid_many_files", protocol::hybrid, 64 << 10, {100'000, 0, 20'000, 16'384, 5'000}},
	};
	return shapes;
}

std::vector<shape> const& large_shapes()
{
	static std::vector<shape> const shapes{
		{"v1_16m_pieces", protocol::v1, 16 << 20, {(16 << 20) + 100'000}},
		{"hybrid_16m_pieces", protocol::hybrid, 16 << 20, {(17 << 20) + 3, 70'000}},
	};
	return shapes;
}

test_torrent::test_torrent(shape const& s, std::uint64_t const seed)
	: m_seed(seed)
	, m_info(make_info(s, seed))
{
	auto const& fs = files();
	m_piece_bytes = s.piece_bytes;
	for (auto const f : fs.file_range())
	{
		if (fs.file_size(f) == 0) continue;
		m_extents.push_back({m_total_bytes, m_total_bytes + fs.file_size(f), fs.pad_file_at(f)});
		m_total_bytes += fs.file_size(f);
	}
	m_num_pieces = static_cast<int>((m_total_bytes + m_piece_bytes - 1) / m_piece_bytes);
	if (fs.piece_length() != s.piece_bytes || m_num_pieces != fs.num_pieces())
		throw std::logic_error("the shape " + s.name + " was not kept");
}

std::vector<lt::piece_index_t> test_torrent::pieces() const
{
	std::vector<lt::piece_index_t> all;
	for (int i = 0; i < m_num_pieces; ++i) all.emplace_back(i);
	return all;
}

std::int64_t test_torrent::offset(lt::piece_index_t const piece) const
{ return static_cast<int>(piece) * m_piece_bytes; }

int test_torrent::piece_size(lt::piece_index_t const piece) const
{ return static_cast<int>(std::min(m_piece_bytes, m_total_bytes - offset(piece))); }

// In v2 a piece belongs to one file, which starts at its start or before.
int test_torrent::piece_size2(lt::piece_index_t const piece) const
{
	std::int64_t const begin = offset(piece);
	for (extent const& e : m_extents)
		if (!e.padding && e.begin <= begin && begin < e.end)
			return static_cast<int>(std::min(m_piece_bytes, e.end - begin));
	throw std::logic_error("no file at the start of the piece");
}

std::string test_torrent::raw(lt::piece_index_t const piece, int const start
	, int const length) const
{
	std::string out(static_cast<std::size_t>(length), '\0');
	auto const begin = static_cast<std::uint64_t>(offset(piece) + start);
	for (std::size_t i = 0; i < out.size(); ++i) out[i] = content_byte(m_seed, begin + i);
	return out;
}

std::string test_torrent::bytes(lt::piece_index_t const piece, int const start
	, int const length) const
{
	std::string out = raw(piece, start, length);
	std::int64_t const begin = offset(piece) + start;
	std::int64_t const end = begin + length;
	for (extent const& e : m_extents)
	{
		if (!e.padding || e.end <= begin || e.begin >= end) continue;
		std::fill(out.begin() + (std::max(e.begin, begin) - begin)
			, out.begin() + (std::min(e.end, end) - begin), '\0');
	}
	return out;
}

std::string test_torrent::with_dirty_padding(block_range const& b) const
{ return raw(b.piece, b.start, b.length); }

std::vector<block_range> test_torrent::all_blocks(lt::piece_index_t const piece) const
{
	std::vector<block_range> out;
	int const size = piece_size(piece);
	for (int start = 0; start < size; start += block_bytes)
		out.push_back({piece, start, std::min(block_bytes, size - start)});
	return out;
}

bool test_torrent::only_padding(block_range const& b) const
{
	std::int64_t const begin = offset(b.piece) + b.start;
	return std::none_of(m_extents.begin(), m_extents.end(), [&](extent const& e)
		{ return !e.padding && e.begin < begin + b.length && begin < e.end; });
}

std::vector<block_range> test_torrent::blocks(lt::piece_index_t const piece) const
{
	auto all = all_blocks(piece);
	std::erase_if(all, [this](block_range const& b) { return only_padding(b); });
	return all;
}

std::vector<block_range> test_torrent::blocks() const
{
	std::vector<block_range> out;
	for (auto const p : pieces())
	{
		auto const some = blocks(p);
		out.insert(out.end(), some.begin(), some.end());
	}
	return out;
}

std::vector<block_range> test_torrent::padding_blocks() const
{
	std::vector<block_range> out;
	for (auto const p : pieces())
		for (auto const& b : all_blocks(p))
			if (only_padding(b)) out.push_back(b);
	return out;
}

lt::sha1_hash test_torrent::v1_hash(lt::piece_index_t const piece) const
{ return sha1_of(bytes(piece, 0, piece_size(piece))); }

std::vector<lt::sha256_hash> test_torrent::v2_hashes(lt::piece_index_t const piece) const
{
	std::vector<lt::sha256_hash> out;
	int const size = piece_size2(piece);
	for (int start = 0; start < size; start += block_bytes)
		out.push_back(sha256_of(bytes(piece, start, std::min(block_bytes, size - start))));
	return out;
}

} // namespace slipstream::test
