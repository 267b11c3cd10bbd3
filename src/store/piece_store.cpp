#include "store/piece_store.hpp"
#include "block/check.hpp"

#include <algorithm>
#include <new>

namespace slipstream {

template <typename MakePlaces>
piece_store::piece& piece_store::open(lt::piece_index_t const index, MakePlaces make_places)
{
	auto const [i, is_new] = m_pieces.try_emplace(index);
	piece& p = i->second;
	if (is_new)
	{
		auto const n = m_geometry.num_blocks(index);
		p.blocks = block_slots(n);
		for (int b = 0; b < n; ++b) p.missing += m_geometry.is_padding(index, b) ? 0 : 1;
	}
	try { make_places(p.blocks); }
	catch (...)
	{
		if (is_new) m_pieces.erase(i);
		throw;
	}
	return p;
}

// Answers what it was.
bool piece_store::set_verified(piece& p, bool const verified)
{
	bool const was = std::exchange(p.verified, verified);
	m_num_verified.fetch_add(int{verified} - int{was}, std::memory_order_relaxed);
	return was;
}

bool piece_store::put(lt::piece_index_t const index, int const block, block_ref bytes)
{
	check(bool(bytes), "a block that is put has bytes");
	mutex_lock const lock(m_mutex);
	block_ref* place = nullptr;
	piece& p = open(index, [&](block_slots& blocks) { place = &blocks.at(block); });
	std::swap(*place, bytes);
	if (!bytes)
	{
		m_num_blocks.fetch_add(1, std::memory_order_relaxed);
		if (!m_geometry.is_padding(index, block)) --p.missing;
	}
	return set_verified(p, false);
	// `bytes`, now the block that was there, dies after the lock is released: it is a parameter.
}

piece_state piece_store::state(lt::piece_index_t const index) const
{
	mutex_lock const lock(m_mutex);
	auto const i = m_pieces.find(index);
	if (i != m_pieces.end()) return i->second.state();
	return m_geometry.is_padding(index) ? piece_state::complete : piece_state::absent;
}

std::vector<piece_state> piece_store::states() const
{
	std::vector<piece_state> all(static_cast<std::size_t>(m_geometry.num_pieces()), piece_state::absent);
	for (std::size_t p = 0; p < all.size(); ++p)
		if (m_geometry.is_padding(lt::piece_index_t(static_cast<int>(p)))) all[p] = piece_state::complete;
	mutex_lock const lock(m_mutex);
	for (auto const& [index, p] : m_pieces) all[static_cast<std::size_t>(static_cast<int>(index))] = p.state();
	return all;
}

block_ref piece_store::block(lt::piece_index_t const index, int const block) const
{
	mutex_lock const lock(m_mutex);
	auto const i = m_pieces.find(index);
	return i == m_pieces.end() ? block_ref{} : i->second.blocks[block];
}

std::vector<block_ref> piece_store::blocks(lt::piece_index_t const index, int const first, int const count
	, piece_state& state) const
{
	std::vector<block_ref> shares(static_cast<std::size_t>(count));
	mutex_lock const lock(m_mutex);
	auto const i = m_pieces.find(index);
	if (i == m_pieces.end())
	{
		state = m_geometry.is_padding(index) ? piece_state::complete : piece_state::absent;
		return shares;
	}
	state = i->second.state();
	for (int b = 0; b < count; ++b) shares[static_cast<std::size_t>(b)] = i->second.blocks[first + b];
	return shares;
}

bool piece_store::mark_verified(lt::piece_index_t const index, std::vector<block_ref> hashed)
{
	mutex_lock const lock(m_mutex);
	check(static_cast<int>(hashed.size()) == m_geometry.num_blocks(index), "as many blocks were hashed as the piece has");
	int missing = 0;
	std::int64_t num_hashed = 0;
	for (int b = 0; b < static_cast<int>(hashed.size()); ++b)
	{
		bool const is_here{hashed[static_cast<std::size_t>(b)]};
		num_hashed += is_here ? 1 : 0;
		missing += !is_here && !m_geometry.is_padding(index, b) ? 1 : 0;
	}
	if (missing > 0) return false;
	piece& p = open(index, [&](block_slots& blocks) {
		for (int b = 0; b < blocks.size(); ++b)
			if (hashed[static_cast<std::size_t>(b)]) static_cast<void>(blocks.at(b));
	});
	m_num_blocks.fetch_add(num_hashed - p.blocks.count(), std::memory_order_relaxed);
	p.blocks.swap(hashed);
	p.missing = 0;
	set_verified(p, true);
	return true;
}

bool piece_store::mark_verified(lt::piece_index_t const index)
{
	mutex_lock const lock(m_mutex);
	auto const i = m_pieces.find(index);
	if (i == m_pieces.end() && !m_geometry.is_padding(index)) return false;
	piece& p = open(index, [](block_slots&) {});
	if (p.missing > 0) return false;
	set_verified(p, true);
	return true;
}

bool piece_store::drop_unverified(lt::piece_index_t const index, int const block)
{
	block_ref dropped; // dies outside the lock
	mutex_lock const lock(m_mutex);
	auto const i = m_pieces.find(index);
	if (i == m_pieces.end() || i->second.verified) return false;
	piece& p = i->second;
	dropped = p.blocks.take(block);
	if (!dropped) return false;
	m_num_blocks.fetch_sub(1, std::memory_order_relaxed);
	if (!m_geometry.is_padding(index, block)) ++p.missing;
	if (p.blocks.count() == 0) m_pieces.erase(i);
	return true;
}

piece_state piece_store::drop(lt::piece_index_t const index)
{
	piece dropped; // dies outside the lock
	mutex_lock const lock(m_mutex);
	auto const i = m_pieces.find(index);
	if (i == m_pieces.end()) return piece_state::absent;
	dropped = std::move(i->second);
	m_num_verified.fetch_sub(dropped.verified ? 1 : 0, std::memory_order_relaxed);
	m_pieces.erase(i);
	m_num_blocks.fetch_sub(dropped.blocks.count(), std::memory_order_relaxed);
	return dropped.state();
}

class piece_store::dead_pieces final : public remains
{
public:
	dead_pieces(std::int64_t const num_blocks, pieces_by_index& pieces) noexcept : remains(num_blocks) { m_pieces.swap(pieces); }
	std::int64_t drop_some() noexcept override
	{
		constexpr std::int64_t some = 64;
		std::int64_t dropped = 0;
		while (dropped < some && !m_pieces.empty())
		{
			auto& blocks = m_pieces.begin()->second.blocks;
			while (dropped < some && m_next < blocks.size()) dropped += blocks.take(m_next++) ? 1 : 0;
			if (m_next < blocks.size()) break;
			m_pieces.erase(m_pieces.begin());
			m_next = 0;
		}
		return dropped;
	}

private:
	pieces_by_index m_pieces;
	int m_next = 0; // block of the first of them
};

std::unique_ptr<remains> piece_store::take_all() noexcept
{
	pieces_by_index dropped; // dies outside the lock
	mutex_lock const lock(m_mutex);
	auto const num_blocks = m_num_blocks.exchange(0);
	m_num_verified = 0;
	if (num_blocks >= many_blocks)
		if (std::unique_ptr<remains> dead{new (std::nothrow) dead_pieces(num_blocks, m_pieces)}) return dead;
	dropped.swap(m_pieces);
	return nullptr;
}

std::vector<lt::piece_index_t> piece_store::in_state(piece_state const state) const
{
	std::vector<lt::piece_index_t> found;
	mutex_lock const lock(m_mutex);
	for (auto const& [index, p] : m_pieces)
		if (p.state() == state) found.push_back(index);
	return found;
}

std::vector<lt::piece_index_t> piece_store::partial() const { return in_state(piece_state::partial); }
std::vector<lt::piece_index_t> piece_store::verified() const { return in_state(piece_state::verified); }

bool piece_store::empty() const
{
	mutex_lock const lock(m_mutex);
	return m_pieces.empty();
}

} // namespace slipstream
