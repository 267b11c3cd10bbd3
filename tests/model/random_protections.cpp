// The steps that concern the cache: what is protected, who is asked to go, and the comparison with the model.
#include "model/random_steps.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace slipstream::test {

// -- what is to be kept

void random_steps::protect()
{
	torrent* const t = any_torrent();
	if (t == nullptr) return;
	auto const kind = all_protections[std::size_t(pick(3))];
	std::vector<int> pieces;
	if (!one_in(10))
	{
		// A window, ahead or behind, somewhere near the download; now and then just any pieces.
		int const n = t->shape().num_pieces();
		int const size = int(pick(12));
		int const at = one_in(8) ? t->any_piece() : t->focus;
		for (int i = 0; i < size; ++i)
		{
			int const p = kind == cache::protection::reader ? at + i
				: kind == cache::protection::lookbehind ? at - 1 - i : t->any_piece();
			if (p >= 0 && p < n && std::find(pieces.begin(), pieces.end(), p) == pieces.end()) pieces.push_back(p);
		}
	}
	bool const was_busy = t->wanting || !t->wished[cache::protection::reader].empty();
	bool const refused = kind == cache::protection::reader && !pieces.empty() && !was_busy && m_cache.crowded()
		&& !m_cache.budget_with(t->id).holds();
	auto const given = m_cache.protect(t->id, kind, pieces);
	expect(!refused || given.pieces == 0, "a reader that breaks the floor is granted nothing");
	if (kind == cache::protection::reader && !pieces.empty() && given.pieces == 0)
	{
		// Refused: the wish is as it was, though what was granted was worked out anew.
		learn_standings(true);
		return;
	}
	expect(given.pieces <= int(pieces.size()), "no more is granted than was wished");
	m_seen.grants_cut += given.pieces < int(pieces.size());
	t->wished[kind] = std::move(pieces);
	bool const is_busy = t->wanting || !t->wished[cache::protection::reader].empty();
	learn_standings(is_busy != was_busy);
	make_room();
}

// As the header of cache says it: of the reader's pieces two are kept, the rest is read-ahead; a piece of several
// kinds is kept when one of them keeps it.
std::map<int, standing> random_steps::standings(torrent& t)
{
	std::map<int, standing> now;
	for (auto const kind : all_protections)
	{
		auto const granted = m_cache.granted_pieces(t.id, kind);
		auto const& wished = t.wished[kind];
		expect(granted.size() <= wished.size() && std::equal(granted.begin(), granted.end(), wished.begin())
			, "what is granted is a prefix of what was wished");
		for (int i = 0; i < int(granted.size()); ++i)
		{
			auto& s = now[granted[std::size_t(i)]];
			if (kind != cache::protection::reader || i < 2) s = {standing::kind::kept, 0};
			else if (s.what != standing::kind::kept) s = {standing::kind::ahead, i};
		}
	}
	return now;
}

void random_steps::learn_standings(bool const anew)
{
	m_plain_order.next_age();
	for (auto const& t : m_torrents)
	{
		auto const now = standings(*t);
		std::vector<int> verified = t->plain.in_state(piece_state::verified);
		for (int const piece : verified)
		{
			auto const s = now.find(piece);
			m_plain_order.set_standing(t->key(piece), s == now.end() ? standing{} : s->second);
		}
		if (anew) for (auto const& [kind, wished] : t->wished)
			for (int const piece : wished) m_plain_order.set_uncertain(t->key(piece));
	}
	judge_grants();
}

// How many pieces of each kind fit, when `open` blocks are wanted beside the first reserved one.
std::map<cache::protection, int> random_steps::fitting(torrent& t, std::int64_t left, std::int64_t open)
{
	auto const piece_blocks = t.shape().num_blocks(lt::piece_index_t(0));
	std::map<cache::protection, int> n;
	std::set<int> fit;
	for (auto const kind : all_protections)
	{
		n[kind] = 0;
		for (int const piece : t.wished[kind])
		{
			auto const opens = kind == cache::protection::reserved ? open : 0;
			bool const is_new = fit.count(piece) == 0;
			if (is_new && piece_blocks + opens > left) break;
			left -= opens + (is_new ? piece_blocks : 0);
			open -= opens;
			fit.insert(piece);
			++n[kind];
		}
	}
	return n;
}

void random_steps::judge_grants()
{
	auto const b = m_cache.current_budget();
	// Where everything fits there is nothing to keep free for what comes.
	auto const protectable = m_cache.crowded() ? b.protectable_blocks() : b.capacity_blocks - b.scratch_blocks;
	expect(m_cache.protectable_blocks() == protectable, "what can be protected is the budget's sum, or all there is");
	std::int64_t sum = 0;
	for (auto const& t : m_torrents)
	{
		auto const piece_blocks = t->shape().num_blocks(lt::piece_index_t(0));
		auto const now = standings(*t);
		std::int64_t blocks = 0;
		for (auto const kind : all_protections) blocks += m_cache.granted_for(t->id, kind).blocks;
		expect(blocks == std::int64_t(now.size()) * piece_blocks, "a granted piece is counted once, as a whole piece");
		sum += blocks;
		if (m_torrents.size() == 1)
		{
			// Nobody else: as far as it fits, in the order of the kinds; a kind ends at the first piece that does not fit. A
			// reserved one that was not here when it was granted needs room for what will be open, if nothing was.
			bool const is_busy = t->wanting || !t->wished[cache::protection::reader].empty();
			auto const open = is_busy || !m_cache.crowded() ? 0 : budget::open_pieces * piece_blocks;
			auto const without = fitting(*t, protectable, 0);
			auto const with = fitting(*t, protectable, open);
			for (auto const kind : all_protections)
			{
				auto const n = m_cache.granted_for(t->id, kind).pieces;
				if (kind == cache::protection::lookbehind && with != without) continue; // has what reserved ones leave
				expect(n >= with.at(kind) && n <= without.at(kind), "as much is granted as fits");
			}
		}
		int const piece = t->any_piece();
		auto const s = now.find(piece);
		expect(m_cache.standing_of(t->id, piece) == (s == now.end() ? standing{} : s->second), "a piece stands as granted");
	}
	expect(sum <= protectable, "protections add up to no more than can be protected");
	expect(protectable <= m_pool.capacity_blocks() - reserved_blocks, "what can be protected fits the capacity");
}

// -- what changes the sum

void random_steps::change_capacity()
{
	auto const most = one_in(3) ? m_pool.used_blocks() + 16 : most_capacity;
	auto const blocks = least_capacity + pick(std::max<std::int64_t>(most - least_capacity, 1));
	m_pool.set_capacity(blocks);
	m_cache.change_capacity();
	learn_standings(true);
	make_room();
	if (one_in(4)) m_pool.trim();
}

void random_steps::change_connections()
{
	auto const now = pick(40);
	m_cache.change_connections(now - m_connections);
	m_connections = now;
	learn_standings(true);
}

void random_steps::change_wanting()
{
	torrent* const t = any_torrent();
	if (t == nullptr) return;
	t->wanting = !t->wanting;
	m_cache.set_wanting(t->id, t->wanting);
	learn_standings(true);
}

// From here on who has more than its share gains nothing by being read.
void random_steps::ask_for_shares()
{
	std::int64_t together = 0, one = 0;
	for (auto const& t : m_torrents)
	{
		t->share = m_cache.share_blocks(t->id);
		expect(t->share == 0 || t->wished[cache::protection::reader].empty(), "a torrent that is read has no share");
		expect(t->share == 0 || one == 0 || t->share == one, "shares are equal");
		one = std::max(one, t->share);
		together += t->share;
	}
	if (!m_torrents.empty()) m_share = one;
	for (auto const kind : all_protections) together += m_cache.granted_blocks(kind);
	expect(one == 0 || together <= m_pool.capacity_blocks() - reserved_blocks, "shares fit beside what is granted");
}

// -- room

bool random_steps::torrent::evict(int const piece) noexcept
{
	bool const goes = !steps.one_in(30);
	steps.m_named.push_back({this, piece, goes});
	return goes;
}

void random_steps::make_room()
{
	m_named.clear();
	auto const headroom = m_pool.headroom_blocks();
	auto const wanted = m_cache.wanted_free_blocks();
	std::int64_t total = 0;
	for (auto const& t : m_torrents)
		for (int p = 0; p < t->shape().num_pieces(); ++p) total += t->shape().num_blocks(lt::piece_index_t(p));
	bool const crowded = total > m_pool.capacity_blocks() - reserved_blocks;
	expect(m_cache.crowded() == crowded, "memory is crowded when not all torrents fit");
	expect(m_cache.is_low() == (crowded && std::max<std::int64_t>(headroom, 0) < wanted), "memory is low when room is wanted");
	// Reader pieces that are not here are to have room as well, but for blocks that have it: all that is in use for neither a
	// verified piece nor, for all the cache knows, a peer or player.
	std::int64_t awaited = 0;
	for (auto const& t : m_torrents)
	{
		auto const pieces = m_cache.granted_pieces(t->id, cache::protection::reader);
		for (int const piece : std::set<int>(pieces.begin(), pieces.end()))
			if (t->plain.state(piece) != piece_state::verified) awaited += t->shape().num_blocks(lt::piece_index_t(0));
	}
	auto begun = m_pool.capacity_blocks() - reserved_blocks - headroom;
	for (auto const& [key, e] : m_plain_order.entries()) begun -= e.blocks;
	begun -= crowded ? m_pool.capacity_blocks() / 8 : begun;
	awaited -= std::max<std::int64_t>(begun, 0);
	auto const prepared = std::max(wanted, std::min(wanted + awaited, m_pool.capacity_blocks() / 4));
	expect(m_cache.prepared_free_blocks() == prepared, "room is made for what readers wait for");
	bool const low = crowded && headroom < prepared;

	m_cache.make_room(); // calls evict()
	expect(low || m_named.empty(), "nobody is named while there is room");
	if (!low) return;
	for (auto const& n : m_named)
	{
		++m_seen.named;
		expect(headroom + m_plain_order.leaving_blocks() < prepared, "no more pieces are named than room is wanted");
		auto const room = headroom + m_plain_order.leaving_blocks();
		auto const* const e = m_plain_order.find(n.of->key(n.piece));
		if (e != nullptr && room >= wanted && room + m_plain_order.until_low_blocks().first >= prepared)
			expect(e->uncertain || m_plain_order.is_spent(*e), "nobody goes in the place of what goes when memory is low");
		if (auto const wrong = m_plain_order.name(n.of->key(n.piece)); !wrong.empty()) fail(wrong);
	}
	auto const room = headroom + m_plain_order.leaving_blocks();
	bool const is_prepared = room >= wanted && room + m_plain_order.until_low_blocks().second >= prepared;
	m_seen.prepared += room < prepared && is_prepared;
	expect(room >= prepared || (is_prepared ? !m_plain_order.any_spent() : !m_plain_order.anyone_may_go())
		, "as many pieces are named as room is wanted");
	for (auto const& n : m_named)
		if (n.goes) n.of->asked.push_back({n.piece, m_step + pick(60)});
		else m_plain_order.stay(n.of->key(n.piece));
}

// As the disk does it: what was protected since it was named stays.
void random_steps::give_up_what_is_due()
{
	for (auto const& t : m_torrents)
	{
		for (std::size_t i = 0; i < t->asked.size();)
		{
			auto const [piece, at] = t->asked[i];
			if (at > m_step)
			{
				++i;
				continue;
			}
			t->asked[i] = t->asked.back();
			t->asked.pop_back();
			if (m_cache.standing_of(t->id, piece).what == standing::kind::kept || one_in(20))
			{
				++m_seen.stayed;
				bool const until_low = one_in(2);
				if (until_low) m_cache.stays_until_low(t->id, piece);
				else m_cache.stays(t->id, piece);
				m_plain_order.stay(t->key(piece), until_low);
				continue;
			}
			++m_seen.given_up;
			auto const was = t->plain.drop(piece);
			expect(t->store.drop(lt::piece_index_t(piece)) == was, "drop() says what the piece was");
			gone(*t, piece);
		}
	}
}

// -- comparison

void random_steps::judge()
{
	expect(m_pool.used_blocks() == m_plain_pool.used(), "as many blocks are in use as somebody holds");
	if (torrent* const t = any_torrent())
	{
		expect(t->store.num_blocks() == t->plain.num_blocks(), "a store counts its blocks");
		int const piece = t->any_piece();
		expect(t->store.state(lt::piece_index_t(piece)) == t->plain.state(piece), "a piece's state is what happened to it");
	}
}

void random_steps::judge_everything()
{
	std::set<serial> held;
	for (auto const& t : m_torrents)
	{
		for (int p = 0; p < t->shape().num_pieces(); ++p)
		{
			auto const index = lt::piece_index_t(p);
			piece_state state{};
			auto const got = t->store.blocks(index, 0, t->shape().num_blocks(index), state);
			auto const want = t->plain.blocks(p);
			expect(state == t->plain.state(p), "a piece's state is what happened to it");
			for (std::size_t b = 0; b < got.size(); ++b)
			{
				expect(bool(got[b]) == (want[b] != 0), "a block is here when it was put and not dropped");
				if (got[b]) expect(is_filled(got[b].bytes(), want[b], false), "a block has the bytes that were put");
				if (want[b] != 0) held.insert(want[b]);
			}
		}
		auto const verified = t->plain.in_state(piece_state::verified);
		expect(t->store.num_verified() == int(verified.size()), "a store counts its verified pieces");
		expect(t->store.partial().size() == t->plain.in_state(piece_state::partial).size(), "a store lists its partial pieces");
	}
	for (auto const& l : m_loans) held.insert(l.numbers.begin(), l.numbers.end());
	for (auto const& h : m_hashing) held.insert(h->numbers.begin(), h->numbers.end());
	held.erase(0);
	expect(m_pool.used_blocks() == std::int64_t(held.size()), "every block in use is somebody's");
	judge_grants();
}

bool random_steps::end()
{
	while (!m_torrents.empty()) leave();
	m_hashing.clear();
	judge_everything(); // only loans are left
	m_loans.clear();
	expect(m_pool.used_blocks() == 0, "every block comes home");
	m_pool.trim();
	expect(m_pool.mapped_bytes() == 0, "every region goes back to the system");
	return m_failure.empty();
}

} // namespace slipstream::test
