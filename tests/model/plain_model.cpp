#include "model/plain_model.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace slipstream::test {

namespace {

std::uint64_t word(serial const number, std::size_t const i)
{ return (number + 1) * 0x9e3779b97f4a7c15u ^ (i * 0xbf58476d1ce4e5b9u); }

constexpr std::size_t words = block_bytes / sizeof(std::uint64_t);

} // namespace

void fill(char* const bytes, serial const number)
{
	for (std::size_t i = 0; i < words; ++i)
	{
		auto const w = word(number, i);
		std::memcpy(bytes + i * sizeof w, &w, sizeof w);
	}
}

bool is_filled(char const* const bytes, serial const number, bool const quick)
{
	for (std::size_t i = 0; i < words; i += quick ? words / 8 - 1 : 1)
	{
		auto const w = word(number, i);
		if (std::memcmp(bytes + i * sizeof w, &w, sizeof w) != 0) return false;
	}
	return true;
}

void plain_pool::let_go(serial const s)
{
	if (s == 0) return;
	auto const i = m_shares.find(s);
	if (i != m_shares.end() && --i->second == 0) m_shares.erase(i);
}

// -- pieces

plain_store::piece& plain_store::open(int const index)
{
	piece& p = m_pieces[index];
	p.blocks.resize(static_cast<std::size_t>(m_shape.num_blocks(lt::piece_index_t(index))));
	return p;
}

bool plain_store::is_whole(int const index, std::vector<serial> const& blocks) const
{
	for (std::size_t b = 0; b < blocks.size(); ++b)
		if (blocks[b] == 0 && !m_shape.is_padding(lt::piece_index_t(index), static_cast<int>(b))) return false;
	return true;
}

bool plain_store::put(int const index, int const block, serial const bytes)
{
	piece& p = open(index);
	m_pool.let_go(std::exchange(p.blocks[static_cast<std::size_t>(block)], bytes));
	return std::exchange(p.verified, false);
}

piece_state plain_store::state(int const index) const
{
	auto const i = m_pieces.find(index);
	if (i == m_pieces.end())
		return m_shape.is_padding(lt::piece_index_t(index)) ? piece_state::complete : piece_state::absent;
	if (i->second.verified) return piece_state::verified;
	return is_whole(index, i->second.blocks) ? piece_state::complete : piece_state::partial;
}

serial plain_store::block(int const index, int const block) const
{
	auto const i = m_pieces.find(index);
	return i == m_pieces.end() ? 0 : i->second.blocks[static_cast<std::size_t>(block)];
}

std::vector<serial> plain_store::blocks(int const index) const
{
	auto const i = m_pieces.find(index);
	if (i != m_pieces.end()) return i->second.blocks;
	return std::vector<serial>(static_cast<std::size_t>(m_shape.num_blocks(lt::piece_index_t(index))));
}

bool plain_store::mark_verified(int const index, std::vector<serial> const& hashed)
{
	piece& p = open(index);
	if (!is_whole(index, hashed)) return false;
	m_pool.hold(hashed);
	m_pool.let_go(p.blocks);
	p = {hashed, true};
	return true;
}

bool plain_store::mark_verified(int const index)
{
	if (state(index) != piece_state::complete && state(index) != piece_state::verified) return false;
	open(index).verified = true;
	return true;
}

bool plain_store::drop_unverified(int const index, int const block)
{
	auto const i = m_pieces.find(index);
	if (i == m_pieces.end() || i->second.verified) return false;
	auto& blocks = i->second.blocks;
	auto const was = std::exchange(blocks[static_cast<std::size_t>(block)], 0);
	m_pool.let_go(was);
	if (was != 0 && std::ranges::all_of(blocks, [](serial const s) { return s == 0; })) m_pieces.erase(i);
	return was != 0;
}

piece_state plain_store::drop(int const index)
{
	auto const was = m_pieces.count(index) != 0 ? state(index) : piece_state::absent;
	if (auto const p = m_pieces.extract(index)) m_pool.let_go(p.mapped().blocks);
	return was;
}

std::vector<int> plain_store::clear()
{
	auto const had = in_state(piece_state::verified);
	for (auto const& [index, p] : m_pieces) m_pool.let_go(p.blocks);
	m_pieces.clear();
	return had;
}

std::int64_t plain_store::num_blocks() const
{
	std::int64_t n = 0;
	for (auto const& [index, p] : m_pieces)
		n += std::count_if(p.blocks.begin(), p.blocks.end(), [](serial const s) { return s != 0; });
	return n;
}

std::vector<int> plain_store::in_state(piece_state const wanted) const
{
	std::vector<int> found;
	for (auto const& [index, p] : m_pieces)
		if (state(index) == wanted) found.push_back(index);
	return found;
}

// -- order

void plain_order::settle(entry& e)
{
	if (e.stands.what == standing::kind::unprotected) e.since = m_now;
	else
	{
		e.was_wanted = true;
		e.uncertain = false;
	}
}

void plain_order::insert(piece_key const key, standing const s, int const blocks)
{
	auto const [i, is_new] = m_entries.try_emplace(key);
	if (!is_new) return;
	i->second.stands = s;
	i->second.blocks = blocks;
	next_age();
	settle(i->second);
}

void plain_order::erase_torrent(std::uint64_t const torrent)
{
	std::erase_if(m_entries, [&](auto const& e) { return e.first.torrent == torrent; });
}

void plain_order::touch(piece_key const key)
{
	auto const i = m_entries.find(key);
	if (i == m_entries.end() || i->second.leaving) return;
	next_age();
	if (i->second.stands.what == standing::kind::unprotected && !i->second.was_wanted) i->second.since = m_now;
}

void plain_order::set_standing(piece_key const key, standing const s)
{
	auto const i = m_entries.find(key);
	if (i == m_entries.end() || i->second.stands == s) return;
	i->second.stands = s;
	if (s.what != standing::kind::unprotected) i->second.until_low = false;
	// The standing of one that is leaving counts when it stays.
	if (!i->second.leaving) settle(i->second);
}

void plain_order::set_uncertain(piece_key const key)
{
	auto const i = m_entries.find(key);
	if (i != m_entries.end() && i->second.stands.what == standing::kind::unprotected) i->second.uncertain = true;
}

std::string plain_order::name(piece_key const key)
{
	auto const text = [](piece_key const k) { return std::to_string(k.torrent) + ":" + std::to_string(k.piece); };
	auto const i = m_entries.find(key);
	if (i == m_entries.end()) return text(key) + " was named and is not verified";
	entry& v = i->second;
	if (v.leaving) return text(key) + " was named twice";
	if (v.stands.what == standing::kind::kept) return text(key) + " was named and is kept";
	// Smaller goes first: spent by age, idle by age, read-ahead by distance.
	auto const rank = [](entry const& e) {
		using order = std::tuple<int, std::int64_t>;
		if (e.stands.what == standing::kind::kept) return order{3, 0};
		if (e.stands.what == standing::kind::ahead) return order{2, -e.stands.distance};
		return order{e.was_wanted ? 0 : 1, static_cast<std::int64_t>(e.since)};
	};
	v.leaving = true;
	v.until_low = false;
	for (auto const& [other, e] : m_entries)
	{
		if (e.leaving) continue;
		bool const in_doubt = v.uncertain || e.uncertain;
		// In doubt is only what is open; that it goes before read-ahead is certain.
		auto const mine = in_doubt && std::get<0>(rank(v)) < 2 ? std::tuple<int, std::int64_t>{0, 0} : rank(v);
		auto const its = in_doubt && std::get<0>(rank(e)) < 2 ? std::tuple<int, std::int64_t>{0, 0} : rank(e);
		++compared;
		if (mine > its) return text(key) + " was named before " + text(other);
	}
	return {};
}

void plain_order::stay(piece_key const key, bool const until_low)
{
	auto const i = m_entries.find(key);
	if (i == m_entries.end() || !i->second.leaving) return;
	i->second.leaving = false;
	i->second.until_low = until_low && i->second.stands.what == standing::kind::unprotected;
	i->second.was_wanted = false; // or it would be named again before all that nobody wanted
	next_age();
	settle(i->second);
}

std::int64_t plain_order::leaving_blocks() const
{
	std::int64_t n = 0;
	for (auto const& [key, e] : m_entries) n += e.leaving ? e.blocks : 0;
	return n;
}

std::int64_t plain_order::unprotected_blocks(std::uint64_t const torrent) const
{
	std::int64_t n = 0;
	for (auto const& [key, e] : m_entries)
		n += key.torrent == torrent && e.stands.what == standing::kind::unprotected ? e.blocks : 0;
	return n;
}

std::pair<std::int64_t, std::int64_t> plain_order::until_low_blocks() const
{
	std::pair<std::int64_t, std::int64_t> n{0, 0};
	for (auto const& [key, e] : m_entries)
	{
		if (!e.until_low) continue;
		n.first += e.uncertain ? 0 : e.blocks;
		n.second += e.blocks;
	}
	return n;
}

bool plain_order::any_spent() const
{ return std::any_of(m_entries.begin(), m_entries.end(), [&](auto const& e) { return is_spent(e.second); }); }

bool plain_order::anyone_may_go() const
{
	return std::any_of(m_entries.begin(), m_entries.end(), [](auto const& e)
		{ return !e.second.leaving && e.second.stands.what != standing::kind::kept; });
}

plain_order::entry const* plain_order::find(piece_key const key) const
{
	auto const i = m_entries.find(key);
	return i == m_entries.end() ? nullptr : &i->second;
}

} // namespace slipstream::test
