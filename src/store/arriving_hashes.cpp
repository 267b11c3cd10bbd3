#include "store/arriving_hashes.hpp"

#include <algorithm>
#include <new>

namespace slipstream {

// Padding is here from the start, and so is what came before anyone looked.
arriving_hashes::entry arriving_hashes::open(lt::piece_index_t const piece) const
{
	auto const& shape = m_pieces.shape();
	auto const n = shape.num_blocks(piece);
	piece_state state{};
	auto const blocks = m_pieces.blocks(piece, 0, n, state);
	entry e;
	e.is_here.resize(std::size_t(n));
	for (int b = 0; b < n; ++b)
	{
		e.is_here[std::size_t(b)] = blocks[std::size_t(b)] || shape.is_padding(piece, b);
		e.num_missing += e.is_here[std::size_t(b)] ? 0 : 1;
	}
	return e;
}

// Nothing is given, and everything that is here waits.
void arriving_hashes::restart(lt::piece_index_t const piece, entry& e)
{
	auto const& shape = m_pieces.shape();
	if (e.run) m_workers.abandon(*e.run);
	e.run.reset();
	e.in_order = m_v1;
	e.num_given = 0;
	e.waiting.clear();
	e.first_missing = static_cast<int>(std::find(e.is_here.begin(), e.is_here.end(), false) - e.is_here.begin());
	if (m_v1) return;
	for (int b = 0; b < shape.num_blocks2(piece); ++b)
		if (e.is_here[std::size_t(b)]) e.waiting.push_back(b);
}

void arriving_hashes::arrived(lt::piece_index_t const piece, int const block) noexcept
{
	try { add(piece, block); }
	catch (std::bad_alloc const&) { forget(piece); }
}

void arriving_hashes::add(lt::piece_index_t const piece, int const block)
{
	auto const& shape = m_pieces.shape();
	if (shape.num_blocks(piece) < least_blocks || (!m_v1 && !m_v2)) return;
	auto const [i, is_new] = m_entries.try_emplace(piece);
	entry& e = i->second;
	if (is_new)
	{
		e = open(piece);
		restart(piece, e);
	}
	else if (e.is_here[std::size_t(block)])
	{
		// Other bytes. Those that were not given yet are the store's when they are.
		bool const was_given = e.in_order ? block < e.num_given
			: std::find(e.waiting.begin(), e.waiting.end(), block) == e.waiting.end();
		if (was_given) restart(piece, e);
	}
	else
	{
		e.is_here[std::size_t(block)] = true;
		--e.num_missing;
		if (!e.in_order && block < shape.num_blocks2(piece)) e.waiting.push_back(block);
		while (e.first_missing < std::ssize(e.is_here) && e.is_here[std::size_t(e.first_missing)]) ++e.first_missing;
	}
	auto const can_be_given = e.in_order ? e.first_missing - e.num_given : static_cast<int>(e.waiting.size());
	if (can_be_given >= std::max(2, e.num_missing / 2)) give(piece, e);
}

void arriving_hashes::give(lt::piece_index_t const piece, entry& e)
{
	auto const& shape = m_pieces.shape();
	// Blocks in another order are for v2 alone, also where v1 has been asked for since they began
	// to come.
	if (!e.run) e.run = std::make_shared<hash_run>(e.in_order ? shape.piece_bytes(piece) : 0, m_v2 ? shape.piece_bytes2(piece) : 0);
	std::vector<hash_run::given_block> blocks;
	if (e.in_order)
	{
		piece_state state{};
		auto shares = m_pieces.blocks(piece, e.num_given, e.first_missing - e.num_given, state);
		blocks.reserve(shares.size());
		for (auto& share : shares) blocks.push_back({e.num_given++, std::move(share)});
	}
	else
	{
		blocks.reserve(e.waiting.size());
		for (int const b : e.waiting) blocks.push_back({b, m_pieces.block(piece, b)});
		e.num_given += static_cast<int>(e.waiting.size());
		e.waiting.clear();
	}
	m_workers.give(e.run, std::move(blocks));
}

std::shared_ptr<hash_run> arriving_hashes::take(lt::piece_index_t const piece, bool const v1, bool const v2)
{
	m_v1 = v1;
	m_v2 = v2;
	auto const i = m_entries.find(piece);
	if (i == m_entries.end()) return nullptr;
	auto run = std::move(i->second.run);
	m_entries.erase(i);
	return run;
}

void arriving_hashes::forget(lt::piece_index_t const piece) noexcept
{
	auto const i = m_entries.find(piece);
	if (i == m_entries.end()) return;
	if (i->second.run) m_workers.abandon(*i->second.run);
	m_entries.erase(i);
}

void arriving_hashes::clear() noexcept
{
	for (auto const& [piece, e] : m_entries)
		if (e.run) m_workers.abandon(*e.run);
	m_entries.clear();
}

} // namespace slipstream
