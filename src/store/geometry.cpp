#include "store/geometry.hpp"

#include <algorithm>
#include <cstring>

namespace slipstream {

geometry::geometry(lt::file_storage const& files)
	: m_total_bytes(files.total_size())
	, m_piece_length(files.piece_length())
	, m_num_pieces(files.num_pieces())
{
	if (files.num_files() > 1) m_later_file_starts.reserve(static_cast<std::size_t>(files.num_files() - 1));
	for (auto const i : files.file_range())
	{
		auto const start = files.file_offset(i);
		auto const end = start + files.file_size(i);
		if (i != lt::file_index_t(0)) m_later_file_starts.push_back(start);
		if (files.pad_file_at(i) && start < end) m_padding.push_back({start, end});
		// Only where a file ends can a v2 piece be shorter than the v1 piece.
		if (end == start) continue;
		auto const last = static_cast<int>((end - 1) / m_piece_length);
		auto const bytes2 = files.piece_size2(lt::piece_index_t(last));
		if (bytes2 != piece_bytes(lt::piece_index_t(last))
			&& (m_short_pieces2.empty() || m_short_pieces2.back().first != last))
			m_short_pieces2.emplace_back(last, bytes2);
	}
	m_padding.shrink_to_fit();
	m_short_pieces2.shrink_to_fit();
}

int geometry::piece_bytes(lt::piece_index_t const p) const noexcept
{
	return static_cast<int>(std::min(std::int64_t{m_piece_length}, m_total_bytes - start_of(p)));
}

int geometry::piece_bytes2(lt::piece_index_t const p) const noexcept
{
	auto const piece = static_cast<int>(p);
	auto const i = std::lower_bound(m_short_pieces2.begin(), m_short_pieces2.end(), std::pair{piece, 0});
	return i != m_short_pieces2.end() && i->first == piece ? i->second : piece_bytes(p);
}

int geometry::num_blocks(lt::piece_index_t const p) const noexcept
{ return (piece_bytes(p) + int{block_bytes} - 1) / int{block_bytes}; }

int geometry::num_blocks2(lt::piece_index_t const p) const noexcept
{ return (piece_bytes2(p) + int{block_bytes} - 1) / int{block_bytes}; }

int geometry::block_length(lt::piece_index_t const p, int const block) const noexcept
{ return std::min(int{block_bytes}, piece_bytes(p) - block * int{block_bytes}); }

std::vector<geometry::range>::const_iterator geometry::padding_from(std::int64_t const offset) const noexcept
{
	return std::upper_bound(m_padding.begin(), m_padding.end(), offset
		, [](std::int64_t const at, range const& r) { return at < r.end; });
}

bool geometry::covered_by_padding(std::int64_t at, std::int64_t const end) const noexcept
{
	for (auto i = padding_from(at); i != m_padding.end() && i->begin <= at; ++i)
	{
		at = i->end;
		if (at >= end) return true;
	}
	return false;
}

bool geometry::is_padding(lt::piece_index_t const p, int const block) const noexcept
{
	auto const at = start_of(p) + std::int64_t{block} * int{block_bytes};
	return covered_by_padding(at, at + block_length(p, block));
}

bool geometry::is_padding(lt::piece_index_t const p) const noexcept
{
	return covered_by_padding(start_of(p), start_of(p) + piece_bytes(p));
}

void geometry::clear_padding(lt::piece_index_t const p, int const offset, int const length
	, char* const bytes) const noexcept
{
	auto const begin = start_of(p) + offset;
	auto const end = begin + length;
	for (auto i = padding_from(begin); i != m_padding.end() && i->begin < end; ++i)
	{
		auto const from = std::max(begin, i->begin);
		auto const to = std::min(end, i->end);
		std::memset(bytes + (from - begin), 0, static_cast<std::size_t>(to - from));
	}
}

lt::file_index_t geometry::file_at(lt::piece_index_t const p, int const offset) const noexcept
{
	auto const i = std::upper_bound(m_later_file_starts.begin(), m_later_file_starts.end(), start_of(p) + offset);
	return lt::file_index_t(static_cast<int>(i - m_later_file_starts.begin()));
}

} // namespace slipstream
