// A lease: bytes of a torrent, lent from memory without a copy.
//
// It is a list of views into immutable blocks and a share of the blocks behind them. While it lives
// the bytes are valid and do not change, whatever happens to the piece, the torrent, the session or
// the disk meanwhile; each block it holds counts against the capacity until it dies, so hold it
// briefly. Movable and copyable (a copy is another share, not another copy of bytes); any thread.
// It is not a promise that later bytes are in memory.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace slipstream {

class lease
{
public:
	using view = std::span<char const>;

	lease() = default;
	lease(std::vector<view> views, std::shared_ptr<void const> owner)
		: m_views(std::move(views)), m_owner(std::move(owner))
	{
		for (view const v : m_views) m_size_bytes += v.size();
	}

	// In order; at most a block (16 KiB) each.
	[[nodiscard]] std::vector<view> const& views() const noexcept { return m_views; }
	[[nodiscard]] std::size_t size_bytes() const noexcept { return m_size_bytes; }
	[[nodiscard]] bool empty() const noexcept { return m_size_bytes == 0; }

private:
	std::vector<view> m_views;
	std::shared_ptr<void const> m_owner;
	std::size_t m_size_bytes = 0;
};

} // namespace slipstream
