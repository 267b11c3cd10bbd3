#include "stream/protection.hpp"

#include <algorithm>
#include <unordered_set>

namespace slipstream::stream {

namespace {

constexpr int reach = 4; // how many times its own size lookbehind looks back

} // namespace

division divide(std::int64_t const share_bytes, std::int64_t const lookbehind_bytes, std::int64_t const read_ahead_bytes
	, int const readers)
{
	division d;
	auto const share = std::max<std::int64_t>(share_bytes, 0);
	d.lookbehind_bytes = std::clamp<std::int64_t>(lookbehind_bytes, 0, share / 2);
	d.read_ahead_bytes = std::clamp<std::int64_t>((share - d.lookbehind_bytes) / std::max(readers, 1), 0
		, std::max<std::int64_t>(read_ahead_bytes, 0));
	return d;
}

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

std::vector<lt::piece_index_t> lookbehind_pieces(std::span<window const> const windows, int const max_pieces
	, std::function<bool(lt::piece_index_t)> const& have)
{
	std::vector<lt::piece_index_t> pieces;
	std::unordered_set<int> seen;
	auto const is_read = [&](lt::piece_index_t const p)
		{ return std::any_of(windows.begin(), windows.end(), [&](window const& w) { return w.contains(p); }); };
	for (std::int64_t back = 1; back <= std::int64_t{reach} * max_pieces; ++back)
		for (window const& w : windows)
		{
			if (static_cast<int>(std::size(pieces)) >= max_pieces) return pieces;
			if (w.empty() || back > static_cast<int>(w.first)) continue;
			lt::piece_index_t const p(static_cast<int>(static_cast<int>(w.first) - back));
			if (is_read(p) || !have(p) || !seen.insert(static_cast<int>(p)).second) continue;
			pieces.push_back(p);
		}
	return pieces;
}

} // namespace slipstream::stream
