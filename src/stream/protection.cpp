#include "stream/protection.hpp"

#include <algorithm>
#include <cstdint>
#include <unordered_set>

namespace slipstream::stream {

namespace {

constexpr int reach = 4; // how many times its own size lookbehind looks back

} // namespace

std::vector<lt::piece_index_t> reader_pieces(std::span<window const> const windows)
{
	int longest = 0;
	for (window const& w : windows) longest = std::max(longest, w.size());
	std::vector<lt::piece_index_t> pieces;
	std::unordered_set<int> seen;
	for (int i = 0; i < longest; ++i)
		for (window const& w : windows)
			if (int const p = static_cast<int>(w.first) + i; i < w.size() && seen.insert(p).second) pieces.emplace_back(p);
	return pieces;
}

std::vector<lt::piece_index_t> lookbehind_pieces(std::span<window const> const windows
	, std::span<int const> const max_pieces, std::function<bool(lt::piece_index_t)> const& have)
{
	std::vector<lt::piece_index_t> pieces;
	std::unordered_set<int> seen;
	std::unordered_set<int> read;
	for (window const& w : windows)
		for (auto p = w.first; p < w.end; ++p) read.insert(static_cast<int>(p));
	int const most = max_pieces.empty() ? 0 : *std::max_element(max_pieces.begin(), max_pieces.end());
	std::vector<int> left(max_pieces.begin(), max_pieces.end());
	for (std::int64_t back = 1; back <= std::int64_t{reach} * most; ++back)
		for (std::size_t i = 0; i < windows.size(); ++i)
		{
			window const& w = windows[i];
			if (left[i] <= 0 || w.empty() || back > static_cast<int>(w.first) || back > std::int64_t{reach} * max_pieces[i]) continue;
			lt::piece_index_t const p(static_cast<int>(static_cast<int>(w.first) - back));
			if (!have(p)) continue;
			--left[i];
			if (!read.contains(static_cast<int>(p)) && seen.insert(static_cast<int>(p)).second) pieces.push_back(p);
		}
	return pieces;
}

} // namespace slipstream::stream
