#include "model/random_steps.hpp"
#include "store/hasher.hpp"

#include <libtorrent/hasher.hpp>

#include <algorithm>

namespace slipstream::test {

namespace {

// Two files with padding between them, in pieces of 1 to 8 blocks; the last block is short.
geometry random_shape(std::mt19937_64& random)
{
	int const piece_length = int(block_bytes) << (random() % 4);
	lt::file_storage files;
	files.set_piece_length(piece_length);
	auto const first = std::int64_t(random() % 20) * piece_length + std::int64_t(random() % std::uint64_t(piece_length)) + 1;
	files.add_file("film/a", first);
	files.add_file("film/.pad/1", (piece_length - first % piece_length) % piece_length + (random() % 4 == 0 ? piece_length : 0)
		, lt::file_storage::flag_pad_file);
	files.add_file("film/b", std::int64_t(1 + random() % 40) * piece_length / 2 + 5);
	files.set_num_pieces(int((files.total_size() + piece_length - 1) / piece_length));
	return geometry(files);
}

} // namespace

random_steps::random_steps(std::uint64_t const seed)
	: m_seed(seed)
	, m_random(seed)
	, m_pool(64 + pick(most_capacity - 64), reserved_blocks)
	, m_cache(m_pool, true)
{
	change_connections();
	enter();
	enter();
}

void random_steps::fail(std::string const& what)
{
	if (m_failure.empty()) m_failure = "step " + std::to_string(m_step) + ": " + what;
}

random_steps::torrent* random_steps::any_torrent()
{
	return m_torrents.empty() ? nullptr : m_torrents[std::size_t(pick(std::int64_t(m_torrents.size())))].get();
}

bool random_steps::run(std::int64_t const steps, left_out const& without)
{
	for (auto const last = m_step + steps; m_step < last && m_failure.empty(); ++m_step)
	{
		auto const i = static_cast<std::size_t>(m_step);
		if (i < without.size() && without[i]) continue;
		step();
		judge();
		if (m_step % 4096 == 0) judge_everything();
	}
	m_seen.compared = m_plain_order.compared;
	return m_failure.empty();
}

// A step's own numbers, whatever other steps did.
void random_steps::begin_step(std::mt19937_64& random, std::uint64_t const seed, std::int64_t const number)
{ random.seed(seed * 0x9e3779b97f4a7c15u + static_cast<std::uint64_t>(number) + 1); }

random_steps::kind_of_step const& random_steps::kind_at(std::int64_t const what)
{
	using r = random_steps;
	static constexpr kind_of_step kinds[] = {{450, "write", &r::write}, {600, "read", &r::read}
		, {690, "begin a hash", &r::begin_hash}, {790, "finish a hash", &r::finish_hash}, {840, "lend, or take back", &r::lend}
		, {870, "put a read together", &r::put_together}, {940, "protect", &r::protect}, {980, "make room", &r::make_room}
		, {984, "drop a piece", &r::drop_piece}, {986, "ask for shares", &r::ask_for_shares}, {989, "change the capacity", &r::change_capacity}
		, {992, "change the connections", &r::change_connections}, {995, "change what is wanted", &r::change_wanting}
		, {997, "a torrent enters", &r::enter}, {999, "a torrent leaves", &r::leave}, {1000, "clear, perhaps", &r::maybe_clear}};
	return *std::find_if(std::begin(kinds), std::end(kinds), [&](auto const& k) { return what < k.below; });
}

char const* random_steps::name_of_step(std::uint64_t const seed, std::int64_t const number)
{
	std::mt19937_64 random;
	begin_step(random, seed, number);
	return kind_at(std::int64_t(random() % 1000)).name;
}

void random_steps::step()
{
	begin_step(m_random, m_seed, m_step);
	auto const& kind = kind_at(pick(1000));
	give_up_what_is_due();
	(this->*kind.does)();
}

void random_steps::maybe_clear() { if (one_in(4)) clear(); }

// Leaves out halves of what is left, then quarters, and so on.
std::vector<std::int64_t> shortest_trace(std::uint64_t const seed, std::int64_t steps, int attempts)
{
	random_steps::left_out without(static_cast<std::size_t>(steps), false);
	for (std::size_t chunk = without.size() / 2; chunk > 0 && attempts > 0; chunk /= 2)
		for (std::size_t at = 0; at < static_cast<std::size_t>(steps) && attempts > 0; at += chunk)
		{
			auto trial = without;
			for (std::size_t i = at; i < std::min(at + chunk, trial.size()); ++i) trial[i] = true;
			if (trial == without) continue;
			--attempts;
			random_steps r(seed);
			if (r.run(steps, trial)) continue;
			without = std::move(trial);
			steps = r.step_number(); // it may fail earlier now
		}
	std::vector<std::int64_t> left;
	for (std::int64_t i = 0; i < steps; ++i)
		if (!without[static_cast<std::size_t>(i)]) left.push_back(i);
	return left;
}

// -- blocks

// The pool hands out a block exactly when there is room, and then has one more.
unique_block random_steps::take(bool const reserved)
{
	auto const limit = m_pool.capacity_blocks() - (reserved ? 0 : reserved_blocks);
	auto const before = m_pool.used_blocks();
	auto block = reserved ? m_pool.acquire_reserved() : m_pool.acquire();
	expect(bool(block) == (before < limit), "a block is handed out exactly when the capacity has room");
	if (!block) return block;
	expect(m_pool.used_blocks() == before + 1 && m_pool.used_blocks() <= m_pool.capacity_blocks()
		, "what is handed out is counted, and within the capacity");
	fill(block.bytes(), m_next_serial);
	m_plain_pool.hold(m_next_serial);
	return block;
}

void random_steps::write()
{
	torrent* const t = any_torrent();
	if (t == nullptr) return;
	if (one_in(100)) t->focus = t->any_piece();
	int piece = (t->focus + int(pick(3))) % t->shape().num_pieces();
	auto const state = t->plain.state(piece);
	if ((state == piece_state::complete || state == piece_state::verified) && !one_in(50))
	{
		t->focus = (t->focus + 1) % t->shape().num_pieces();
		return make_room();
	}
	// Mostly the first that is missing; now and then one that is here, as in the end game.
	int block = int(pick(t->shape().num_blocks(lt::piece_index_t(piece))));
	auto const here = t->plain.blocks(piece);
	for (int b = 0; !one_in(10) && b < int(here.size()); ++b)
		if (here[std::size_t(b)] == 0 && !t->shape().is_padding(lt::piece_index_t(piece), b)) block = b;

	auto bytes = take(false);
	make_room();
	if (!bytes && make_way(*t, piece, block)) bytes = take(false);
	if (!bytes)
	{
		++m_seen.refused;
		return;
	}
	++m_seen.writes;
	bool const was = t->store.put(lt::piece_index_t(piece), block, std::move(bytes).freeze());
	expect(was == t->plain.put(piece, block, m_next_serial++), "put() says whether the piece was verified");
	if (was) gone(*t, piece);
}

bool random_steps::make_way(torrent& t, int const piece, int const block)
{
	bool const was = t.store.drop_unverified(lt::piece_index_t(piece), block);
	expect(was == t.plain.drop_unverified(piece, block), "a block of a piece that is not verified can be dropped alone");
	return was;
}

void random_steps::read()
{
	torrent* const t = any_torrent();
	if (t == nullptr) return;
	int const piece = one_in(3) ? t->focus : t->any_piece();
	int const n = t->shape().num_blocks(lt::piece_index_t(piece));
	int const block = int(pick(n));
	auto const got = t->store.block(lt::piece_index_t(piece), block);
	auto const want = t->plain.block(piece, block);
	expect(bool(got) == (want != 0), "a block is here when it was put and not dropped");
	if (!got || want == 0) return;
	expect(is_filled(got.bytes(), want, !one_in(16)), "a block has the bytes that were put");
	m_cache.touched(t->id, piece);
	if (m_cache.crowded() && m_plain_order.unprotected_blocks(t->id) <= t->share) m_plain_order.touch(t->key(piece));
}

// A player's lease or a peer's buffer: held while other things happen.
void random_steps::lend()
{
	torrent* const t = any_torrent();
	if (t != nullptr && m_loans.size() < 6 && !one_in(3))
	{
		int const piece = t->any_piece();
		piece_state state{};
		loan l{t->store.blocks(lt::piece_index_t(piece), 0, t->shape().num_blocks(lt::piece_index_t(piece)), state)
			, t->plain.blocks(piece)};
		expect(state == t->plain.state(piece), "the state that comes with blocks is the piece's");
		m_plain_pool.hold(l.numbers);
		m_loans.push_back(std::move(l));
		return;
	}
	if (m_loans.empty()) return;
	std::swap(m_loans.back(), m_loans[std::size_t(pick(std::int64_t(m_loans.size())))]);
	auto const& l = m_loans.back();
	for (std::size_t i = 0; i < l.blocks.size(); ++i)
	{
		expect(bool(l.blocks[i]) == (l.numbers[i] != 0), "a lease holds what was here");
		if (l.blocks[i]) expect(is_filled(l.blocks[i].bytes(), l.numbers[i], true), "lent bytes do not change");
	}
	m_plain_pool.let_go(l.numbers);
	m_loans.pop_back();
}

// A block of scratch, for a read that straddles two; comes home as libtorrent returns it: by an address inside.
void random_steps::put_together()
{
	auto scratch = take(true);
	if (!scratch) return;
	auto const number = m_next_serial++;
	if (one_in(2))
	{
		m_loans.emplace_back();
		m_loans.back().blocks.push_back(std::move(scratch).freeze());
		m_loans.back().numbers.push_back(number);
		return;
	}
	block_ref::take_back(std::move(scratch).freeze().lend(std::size_t(pick(block_bytes))));
	m_plain_pool.let_go(number);
}

// -- pieces

void random_steps::begin_hash()
{
	torrent* const t = any_torrent();
	if (t == nullptr || m_hashing.size() >= 6) return;
	auto const whole = t->plain.in_state(piece_state::complete);
	if (whole.empty()) return;
	int const piece = whole[std::size_t(pick(std::int64_t(whole.size())))];
	piece_state state{};
	auto const index = lt::piece_index_t(piece);
	auto shares = t->store.blocks(index, 0, t->shape().num_blocks(index), state);
	expect(state == piece_state::complete, "a piece with all its blocks is complete");
	auto numbers = t->plain.blocks(piece);
	m_plain_pool.hold(numbers);
	auto const held = std::find_if(m_torrents.begin(), m_torrents.end(), [&](auto const& p) { return p.get() == t; });
	m_hashing.push_back(std::make_unique<hashing>(hashing{*held, piece, std::move(shares), std::move(numbers)}));
}

void random_steps::finish_hash()
{
	if (m_hashing.empty()) return;
	std::swap(m_hashing.back(), m_hashing[std::size_t(pick(std::int64_t(m_hashing.size())))]);
	auto const job = std::move(m_hashing.back());
	m_hashing.pop_back();
	torrent& t = *job->of;
	auto const index = lt::piece_index_t(job->piece);

	if (one_in(64))
	{
		// Truly computed, from the blocks as they were: what was written since must not show.
		hash_job real;
		real.blocks = job->blocks;
		real.bytes1 = t.shape().piece_bytes(index);
		compute(real);
		std::string bytes(job->numbers.size() * block_bytes, '\0');
		for (std::size_t b = 0; b < job->numbers.size(); ++b)
			if (job->numbers[b] != 0) fill(bytes.data() + b * block_bytes, job->numbers[b]);
		expect(real.v1 == lt::hasher(bytes.data(), real.bytes1).final(), "a hash is of the bytes that were put");
	}

	m_plain_pool.let_go(job->numbers);
	if (t.id == 0) return; // left meanwhile
	if (one_in(12)) // it failed
	{
		auto const was = t.plain.drop(job->piece);
		expect(t.store.drop(index) == was, "drop() says what the piece was");
		if (was == piece_state::verified) gone(t, job->piece);
		return;
	}
	// With what was hashed, though it was written again or dropped meanwhile; or with whatever is here.
	if (one_in(8))
		expect(t.store.mark_verified(index) == t.plain.mark_verified(job->piece), "only a whole piece is verified");
	else
		expect(t.store.mark_verified(index, std::move(job->blocks)) == t.plain.mark_verified(job->piece, job->numbers)
			, "a piece is verified with the blocks that were hashed");
	if (t.plain.state(job->piece) == piece_state::verified) verified(t, job->piece);
}

void random_steps::drop_piece()
{
	torrent* const t = any_torrent();
	if (t == nullptr) return;
	int const piece = t->any_piece();
	auto const was = t->plain.drop(piece);
	expect(t->store.drop(lt::piece_index_t(piece)) == was, "drop() says what the piece was");
	if (was == piece_state::verified) gone(*t, piece);
}

void random_steps::clear()
{
	torrent* const t = any_torrent();
	if (t == nullptr) return;
	auto had = t->store.verified();
	static_cast<void>(t->store.take_all());
	std::sort(had.begin(), had.end());
	auto const want = t->plain.clear();
	expect(std::equal(had.begin(), had.end(), want.begin(), want.end()
		, [](lt::piece_index_t const a, int const b) { return static_cast<int>(a) == b; }), "verified() names them");
	for (int const piece : want) gone(*t, piece);
}

void random_steps::verified(torrent& t, int const piece)
{
	++m_seen.verified;
	auto const all = standings(t);
	auto const s = all.find(piece);
	m_cache.verified(t.id, piece);
	m_plain_order.insert(t.key(piece), s == all.end() ? standing{} : s->second, t.shape().num_blocks(lt::piece_index_t(0)));
}

void random_steps::gone(torrent& t, int const piece)
{
	m_cache.gone(t.id, piece);
	m_plain_order.erase(t.key(piece));
}

// -- who is here

void random_steps::enter()
{
	if (m_torrents.size() >= 4) return;
	auto const shape = random_shape(m_random);
	auto const t = std::make_shared<torrent>(*this, shape);
	std::int64_t blocks = 0;
	for (int p = 0; p < shape.num_pieces(); ++p) blocks += shape.num_blocks(lt::piece_index_t(p));
	t->id = m_cache.enter(t, blocks, shape.num_blocks(lt::piece_index_t(0)));
	t->share = m_share;
	m_torrents.push_back(t);
	learn_standings(true);
}

void random_steps::leave()
{
	if (m_torrents.empty()) return;
	auto const i = m_torrents.begin() + pick(std::int64_t(m_torrents.size()));
	auto const t = *i;
	m_torrents.erase(i);
	m_cache.leave(t->id);
	m_plain_order.erase_torrent(t->id);
	static_cast<void>(t->store.take_all());
	t->plain.clear();
	for (auto const kind : all_protections)
		expect(m_cache.granted_for(t->id, kind).pieces == 0 && m_cache.granted_pieces(t->id, kind).empty()
			, "nothing is granted to a torrent that left");
	for (int p = 0; p < t->shape().num_pieces(); ++p)
		expect(m_cache.standing_of(t->id, p) == standing{}, "no piece of a torrent that left stands");
	// Too late, as from another thread: nothing comes of it.
	m_cache.verified(t->id, 0);
	m_cache.stays(t->id, 0);
	m_cache.stays_until_low(t->id, 2);
	m_cache.gone(t->id, 1);
	expect(m_cache.protect(t->id, cache::protection::reader, {0, 1}).pieces == 0, "nothing is protected for a torrent that left");
	t->id = 0;
	learn_standings(true);
}

} // namespace slipstream::test
