#include "interleavings/explorer.hpp"

#include "disk/torrent_storage.hpp"
#include "interleavings/explored_torrent.hpp"
#include "interleavings/manual_hasher.hpp"
#include "interleavings/seeds.hpp"
#include "store/arriving_hashes.hpp"

#include <algorithm>

namespace slipstream::test {

namespace {

constexpr std::int64_t reserved = 8; // disk_core.cpp

// Two files with padding between them and a short end, in pieces of 1 to 4 blocks.
lt::file_storage files_of(std::uint64_t const r)
{
	int const piece_length = int(block_bytes) << (r % 3);
	lt::file_storage files;
	files.set_piece_length(piece_length);
	auto const first = std::int64_t(r / 3 % 3) * piece_length + std::int64_t(r / 64 % std::uint64_t(piece_length)) + 1;
	files.add_file("film/a", first);
	files.add_file("film/.pad/1", (piece_length - first % piece_length) % piece_length, lt::file_storage::flag_pad_file);
	files.add_file("film/b", piece_length + std::int64_t(r / 1024 % 7) * 5000 + 5);
	files.set_num_pieces(int((files.total_size() + piece_length - 1) / piece_length));
	return files;
}

// Pieces that are hashed while they arrive.
lt::file_storage large_files_of(std::uint64_t const r)
{
	int const piece_length = int(block_bytes) * arriving_hashes::least_blocks;
	lt::file_storage files;
	files.set_piece_length(piece_length);
	files.add_file("film", piece_length + std::int64_t(r % 2) * piece_length + std::int64_t(r / 64 % 3) * 5000);
	files.set_num_pieces(int((files.total_size() + piece_length - 1) / piece_length));
	return files;
}

} // namespace

explorer::explorer(std::uint64_t const seed, std::set<int> left_out)
	: m_seed(seed), m_left_out(std::move(left_out)), m_large(mixed(seed) / 64 % 6 == 0)
	, m_core(std::make_shared<disk_core>(memory_disk_options{.capacity_bytes = memory_disk::min_capacity_bytes}))
{
	m_core->pool.set_capacity(reserved + (m_large ? 44 : 4) + std::int64_t(mixed(seed) % 30));
	for (int i = 0; i < 2; ++i)
	{
		auto s = std::make_unique<session>();
		s->disk = std::make_unique<memory_disk_io>(s->ios, s->settings, s->counters, m_core);
		m_sessions.push_back(std::move(s));
	}
}

explorer::~explorer() { end(); }

std::uint64_t explorer::next() { return m_state = mixed(m_state); }

void explorer::fail(std::string const& what)
{
	if (m_failure.empty()) m_failure = "step " + std::to_string(m_step) + ": " + what;
}

std::string explorer::trace() const
{
	std::string all;
	for (auto const& t : m_trace) all += "  " + t + "\n";
	return all;
}

std::string explorer::run()
{
	for (m_step = 0; m_step < steps_in_a_run && m_failure.empty(); ++m_step)
	{
		if (m_left_out.count(m_step) != 0) continue;
		m_state = mixed(m_seed ^ (std::uint64_t(m_step) << 40));
		step();
		judge();
	}
	end();
	return m_failure;
}

void explorer::step()
{
	auto const what = pick(100);
	if (m_torrents.empty() || what < 3) return add();
	auto& s = *m_sessions[std::size_t(pick(2))];
	if (what < 15) return deliver(s);
	if (what < 25)
	{
		note("a worker takes a job");
		return the_workers().begin();
	}
	if (what < 34 && !the_workers().running.empty())
	{
		note("a worker is done");
		return the_workers().finish(std::size_t(pick(int(the_workers().running.size()))));
	}
	if (what < 36) return remove();
	if (what < 37 && m_step > steps_in_a_run / 2) return abort(s);
	if (what < 39 && !m_gone.empty()) return stale(*m_gone[std::size_t(pick(int(m_gone.size())))]);
	auto* const t = any_torrent();
	if (t == nullptr) return;
	int piece = pick(t->shape.num_pieces());
	int const blocks = t->shape.num_blocks(lt::piece_index_t(piece));
	if (what < 60) return m_large ? write_on(*t, piece) : write(*t, piece, missing_block(*t, piece));
	if (what < 61) return resize();
	if (what < 72)
	{
		int const start = one_in(2) ? 0 : pick(t->shape.piece_bytes(lt::piece_index_t(piece)));
		return read(*t, piece, start, 1 + pick(std::min(int(block_bytes), t->shape.piece_bytes(lt::piece_index_t(piece)) - start)));
	}
	if (what < 82)
	{
		// Mostly one that is whole and not verified yet.
		for (int p = 0; !one_in(4) && p < t->shape.num_pieces(); ++p)
			if (t->plain.state(p) == piece_state::complete) piece = p;
		return hash(*t, piece);
	}
	if (what < 84) return hash_block(*t, piece, pick(blocks));
	if (what < 86) return clear(*t, piece);
	if (what < 92) return fence(*t);
	return lend(*t);
}

// Mostly the first that is missing; now and then one that is here, as in the end game.
int explorer::missing_block(torrent& t, int const piece)
{
	auto const here = t.plain.blocks(piece);
	for (int b = 0; !one_in(6) && b < int(here.size()); ++b)
		if (here[std::size_t(b)] == 0 && !t.shape.is_padding(lt::piece_index_t(piece), b)) return b;
	return pick(int(here.size()));
}

void explorer::resize()
{
	auto const blocks = reserved + (m_large ? 44 : 4) + pick(30);
	note("the capacity is " + std::to_string(blocks) + " blocks");
	m_core->pool.set_capacity(blocks);
}

// -- who is here

explorer::torrent* explorer::any_torrent()
{ return m_torrents.empty() ? nullptr : m_torrents[std::size_t(pick(int(m_torrents.size())))].get(); }

explorer::torrent* explorer::still_here(int const number) const
{
	auto const i = std::find_if(m_torrents.begin(), m_torrents.end(), [&](auto const& t) { return t->number == number; });
	return i == m_torrents.end() ? nullptr : i->get();
}

void explorer::add()
{
	auto& s = *m_sessions[std::size_t(pick(2))];
	if (m_torrents.size() >= 5 || s.aborted) return;
	auto t = std::make_shared<torrent>(m_large ? large_files_of(next()) : files_of(next()), m_plain_pool, m_next_torrent++);
	t->in = &s;
	t->name[0] = static_cast<unsigned char>(1 + pick(3)); // the same torrent twice, now and then
	lt::aux::vector<lt::download_priority_t, lt::file_index_t> const priorities;
	std::string const path = "/nonexistent";
	t->holder = s.disk->new_torrent({t->files, nullptr, path, lt::storage_mode_sparse, priorities, t->name}, t->owner);
	t->index = t->holder;
	t->hears = std::make_shared<events>(*this, *t);
	m_core->find_owned_by(t->owner.get())->report_to(t->hears);
	note("torrent " + std::to_string(t->number) + " is added");
	m_torrents.push_back(std::move(t));
}

void explorer::remove()
{
	if (m_torrents.empty()) return;
	auto const i = m_torrents.begin() + pick(int(m_torrents.size()));
	auto const t = *i;
	m_torrents.erase(i);
	note("torrent " + std::to_string(t->number) + " is removed");
	std::weak_ptr<int> const owner = t->owner;
	t->owner.reset();
	t->holder.reset();
	t->plain.clear();
	expect(owner.expired(), "the removal lets the owner go");
	m_gone.push_back(t);
}

// A view, as a player or a handle on another thread takes it.
void explorer::lend(torrent& t)
{
	if (m_lent.size() < 4 && !one_in(3))
	{
		auto const storage = m_core->find_owned_by(t.owner.get());
		if (!storage) return fail("a torrent that is here is found by its owner");
		int const piece = pick(t.shape.num_pieces());
		piece_state state{};
		lent l{storage->pieces().blocks(lt::piece_index_t(piece), 0, t.shape.num_blocks(lt::piece_index_t(piece)), state)
			, t.plain.blocks(piece), content(t, piece, 0, t.shape.piece_bytes(lt::piece_index_t(piece)))};
		m_plain_pool.hold(l.numbers);
		note("piece " + std::to_string(piece) + " of torrent " + std::to_string(t.number) + " is lent");
		return m_lent.push_back(std::move(l));
	}
	if (!m_lent.empty())
	{
		note("what was lent comes home");
		auto const& l = m_lent.front();
		for (std::size_t b = 0; b < l.blocks.size(); ++b)
		{
			auto const want = std::string_view(l.want).substr(b * block_bytes, block_bytes);
			expect(bool(l.blocks[b]) == (l.numbers[b] != 0), "what is lent is what was here");
			expect(!l.blocks[b] || std::string_view(l.blocks[b].bytes(), want.size()) == want, "lent bytes do not change");
		}
		m_plain_pool.let_go(l.numbers);
		m_lent.erase(m_lent.begin());
	}
	if (m_buffers.empty()) return;
	auto& b = m_buffers.front();
	expect(std::string_view(b.bytes.data(), b.want.size()) == b.want, "the bytes of a buffer do not change");
	m_plain_pool.let_go(b.holds);
	m_buffers.erase(m_buffers.begin());
}

void explorer::abort(session& s)
{
	if (!s.disk) return;
	note("abort");
	s.aborted = true;
	m_handlers.inside([&] { s.disk->abort(one_in(2)); });
}

void explorer::deliver(session& s)
{
	note("a delivery");
	s.ios.restart();
	s.ios.poll_one();
}

// -- judgement

bool explorer::may_write() const
{ return num_held() < m_core->pool.capacity_blocks() - reserved; }

std::int64_t explorer::num_held() const
{
	std::set<serial> at_workers;
	for (auto const* const bytes : the_workers().blocks())
		if (auto const i = m_written.find(bytes); i != m_written.end() && !m_plain_pool.is_held(i->second)) at_workers.insert(i->second);
	return m_plain_pool.used() + std::ssize(at_workers);
}

void explorer::judge()
{
	expect(m_core->pool.used_blocks() == num_held(), "as many blocks are in use as somebody holds: "
		+ std::to_string(m_core->pool.used_blocks()) + ", not " + std::to_string(num_held()));
	for (auto const& t : m_torrents)
	{
		auto const storage = m_core->find_owned_by(t->owner.get());
		if (!storage) return fail("a torrent that is here is found by its owner");
		for (int p = 0; p < t->shape.num_pieces(); ++p)
		{
			auto const want = t->plain.state(p);
			expect(storage->pieces().state(lt::piece_index_t(p)) == want, "a piece's state is what was done to it");
			expect((t->verified.count(p) != 0) == (want == piece_state::verified), "events say which pieces are verified");
		}
	}
	// By its name the torrent that was added last.
	for (auto t = m_torrents.rbegin(); t != m_torrents.rend(); ++t)
	{
		if (std::any_of(m_torrents.rbegin(), t, [&](auto const& later) { return later->name == (*t)->name; })) continue;
		expect(m_core->find((*t)->name) == m_core->find_owned_by((*t)->owner.get()), "a name finds the torrent that was added last");
	}
}

// As sessions end: some torrents are removed before, the rest after; what is under way comes.
void explorer::end()
{
	m_state = mixed(m_seed);
	for (auto& s : m_sessions)
	{
		if (!s->disk) continue;
		while (!m_torrents.empty() && one_in(2)) remove();
		abort(*s);
	}
	while (!m_torrents.empty()) remove();
	for (auto& s : m_sessions)
	{
		while (!the_workers().running.empty()) the_workers().finish(0);
		do s->ios.restart();
		while (s->ios.poll() > 0);
	}
	for (auto& b : m_buffers)
	{
		expect(std::string_view(b.bytes.data(), b.want.size()) == b.want, "a buffer outlives its torrent");
		m_plain_pool.let_go(b.holds);
	}
	m_buffers.clear();
	for (auto const& l : m_lent) m_plain_pool.let_go(l.numbers);
	m_lent.clear();
	for (auto& s : m_sessions) s->disk.reset();
	the_workers().runs.clear(); // abandoned, all of them
	if (!m_failure.empty()) return;
	m_handlers.judge();
	expect(m_core->pool.used_blocks() == 0 && m_plain_pool.used() == 0, "every block comes home");
}

} // namespace slipstream::test
