#include "interleavings/explorer.hpp"

#include "disk/torrent_storage.hpp"
#include "interleavings/manual_hasher.hpp"
#include "interleavings/seeds.hpp"
#include "store/arriving_hashes.hpp"

#include <libtorrent/hasher.hpp>
#include <libtorrent/operations.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstring>

namespace slipstream::test {

namespace {

constexpr std::int64_t reserved = 8; // disk_core.cpp

bool aborted_by(lt::storage_error const& e) { return e.ec == boost::asio::error::operation_aborted; }

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

// Destroyed with its handler.
class explorer::handler_end
{
public:
	explicit handler_end(std::shared_ptr<call> c) : m_call(std::move(c)) {}
	handler_end(handler_end&&) = default;
	// std::function asks for it; a copy that is made is a handler that was copied.
	handler_end(handler_end const& other) : m_call(other.m_call) { if (m_call) ++m_call->times; }
	~handler_end() { if (m_call) m_call->alive = false; }
	[[nodiscard]] call& of() const { return *m_call; }

private:
	std::shared_ptr<call> m_call;
};

struct explorer::events final : memory_events
{
	explorer& all;
	torrent& of;
	events(explorer& e, torrent& t) : all(e), of(t) {}
	void piece_verified(lt::info_hash_t const&, lt::piece_index_t piece) override;
	void piece_gone(lt::info_hash_t const&, lt::piece_index_t piece) override;
};

struct explorer::torrent
{
	lt::file_storage files;
	geometry shape;
	plain_store plain;
	lt::sha1_hash name;
	session* in = nullptr;
	lt::storage_holder holder;
	lt::storage_index_t index{0};
	std::shared_ptr<events> hears;
	std::shared_ptr<int> owner = std::make_shared<int>();
	std::set<int> verified;       // as the events say

	int const number;

	torrent(lt::file_storage f, plain_pool& pool, int const n) : files(std::move(f)), shape(files), plain(shape, pool), number(n) {}
	[[nodiscard]] bool live() const { return !in->aborted; }
};

void explorer::events::piece_verified(lt::info_hash_t const&, lt::piece_index_t const piece)
{ of.verified.insert(static_cast<int>(piece)); }
void explorer::events::piece_gone(lt::info_hash_t const&, lt::piece_index_t const piece)
{ all.expect(of.verified.erase(static_cast<int>(piece)) == 1, "piece_gone is of a piece that was verified"); }

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

// What was asked of an index that is no longer in use.
void explorer::stale(torrent const& t)
{
	if (t.in->disk == nullptr) return;
	++m_seen.stale;
	auto const piece = lt::piece_index_t(0);
	std::vector<char> const bytes(block_bytes, 'x');
	auto const w = begin_call(t, "write to what is gone");
	t.in->disk->async_write(t.index, {piece, 0, t.shape.block_length(piece, 0)}, bytes.data(), nullptr
		, [this, end = handler_end(w)](lt::storage_error const& e) {
			called(end.of());
			expect(aborted_by(e), "a write to what is gone is aborted");
		}, {});
	auto const r = begin_call(t, "read of what is gone");
	t.in->disk->async_read(t.index, {piece, 0, 1}
		, [this, end = handler_end(r)](lt::disk_buffer_holder b, lt::storage_error const& e) {
			called(end.of());
			expect(aborted_by(e) && !b, "a read of what is gone is aborted");
		}, {});
	m_inside = false;
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
	m_inside = true;
	s.aborted = true;
	s.disk->abort(one_in(2));
	m_inside = false;
}

void explorer::deliver(session& s)
{
	note("a delivery");
	s.ios.restart();
	s.ios.poll_one();
}

// -- calls and their handlers

std::shared_ptr<explorer::call> explorer::begin_call(torrent const& t, std::string name)
{
	auto c = std::make_shared<call>();
	c->name = std::move(name);
	c->number = m_next_call++;
	c->of = &t;
	m_calls.push_back(c);
	note("#" + std::to_string(c->number) + " " + c->name + ", torrent " + std::to_string(t.number));
	++m_seen.calls;
	m_inside = true;
	return c;
}

void explorer::called(call& c)
{
	std::erase_if(m_hashes_out, [&](auto const& h) { return h.get() == &c; });
	auto const which = "#" + std::to_string(c.number) + " " + c.name;
	expect(!m_inside, which + ": its handler ran inside a call");
	expect(++c.times == 1, which + ": its handler ran, or was copied, more than once");
}

bool explorer::may_write() const
{ return num_held() < m_core->pool.capacity_blocks() - reserved; }

std::int64_t explorer::num_held() const
{
	std::set<serial> at_workers;
	for (auto const* const bytes : the_workers().blocks())
		if (auto const i = m_written.find(bytes); i != m_written.end() && !m_plain_pool.is_held(i->second)) at_workers.insert(i->second);
	return m_plain_pool.used() + std::ssize(at_workers);
}

std::string explorer::content(torrent const& t, int const piece, int const start, int const length) const
{
	auto const p = lt::piece_index_t(piece);
	auto const numbers = t.plain.blocks(piece);
	std::string bytes(numbers.size() * block_bytes, '\0');
	for (std::size_t b = 0; b < numbers.size(); ++b)
		if (numbers[b] != 0) fill(bytes.data() + b * block_bytes, numbers[b]);
	t.shape.clear_padding(p, 0, t.shape.piece_bytes(p), bytes.data());
	return bytes.substr(std::size_t(start), std::size_t(length));
}

// A fence: after every hash of its torrent that was asked for before.
auto explorer::after_hashes(torrent const& t, std::shared_ptr<call> const& c)
{
	++m_seen.fences;
	std::vector<std::shared_ptr<call>> before;
	// What is called after abort() is aborted, and waits for nothing.
	if (t.live()) for (auto const& h : m_hashes_out) if (h->of == &t) before.push_back(h);
	return [this, end = handler_end(c), before = std::move(before)](auto const&...) {
		called(end.of());
		for (auto const& h : before)
			expect(h->times == 1, "#" + std::to_string(end.of().number) + " " + end.of().name + ": it comes after hash #"
				+ std::to_string(h->number));
	};
}

void explorer::write(torrent& t, int const piece, int const block)
{
	auto const index = lt::piece_index_t(piece);
	auto const c = begin_call(t, "write " + std::to_string(piece) + ":" + std::to_string(block));
	auto const number = m_next_serial++;
	std::vector<char> bytes(block_bytes);
	fill(bytes.data(), number);
	bool const live = t.live();
	bool const fits = may_write();
	t.in->disk->async_write(t.index, {index, block * int(block_bytes), t.shape.block_length(index, block)}, bytes.data(), nullptr
		, [this, end = handler_end(c), live, fits](lt::storage_error const& e) {
			called(end.of());
			if (!live) expect(aborted_by(e), "a write after abort is aborted");
			else expect(bool(e.ec) == !fits, "a write succeeds exactly when there is room");
		}, {});
	m_inside = false;
	if (!live) return;
	if (!fits)
	{
		++m_seen.refused;
		return;
	}
	m_plain_pool.hold(number);
	t.plain.put(piece, block, number);
	if (auto const b = m_core->find_owned_by(t.owner.get())->pieces().block(index, block)) m_written[b.bytes()] = number;
}

// What a peer sends in one go.
void explorer::write_on(torrent& t, int const piece)
{
	for (int n = 1 + pick(24); n > 0 && m_failure.empty(); --n) write(t, piece, missing_block(t, piece));
}

void explorer::read(torrent& t, int const piece, int const start, int const length)
{
	auto const index = lt::piece_index_t(piece);
	int const first = start / int(block_bytes);
	int const last = (start + length - 1) / int(block_bytes);
	std::vector<serial> holds;
	bool works = t.live();
	bool put_together = first != last;
	for (int b = first; b <= last; ++b)
	{
		holds.push_back(t.plain.block(piece, b));
		put_together |= holds.back() == 0;
		works = works && (holds.back() != 0 || t.shape.is_padding(index, b));
	}
	if (works && put_together)
	{
		works = num_held() < m_core->pool.capacity_blocks();
		holds = {m_next_serial++};
	}
	if (works) m_plain_pool.hold(holds);
	m_seen.missed += works ? 0 : 1;
	auto want = works ? content(t, piece, start, length) : std::string();
	auto const c = begin_call(t, "read " + std::to_string(piece) + " from " + std::to_string(start) + ", " + std::to_string(length));
	t.in->disk->async_read(t.index, {index, start, length}
		, [this, end = handler_end(c), holds, want = std::move(want), works]
			(lt::disk_buffer_holder b, lt::storage_error const& e) mutable {
			called(end.of());
			expect(bool(e.ec) == !works && bool(b) == works, "a read has what was written before it, or an error");
			if (!b || !works) return;
			expect(std::string_view(b.data(), want.size()) == want, "a read has the bytes of its moment");
			if (m_buffers.size() < 6 && one_in(3)) m_buffers.push_back({std::move(b), std::move(want), std::move(holds)});
			else m_plain_pool.let_go(holds);
		}, {});
	m_inside = false;
}

void explorer::hash(torrent& t, int const piece)
{
	auto const index = lt::piece_index_t(piece);
	auto const state = t.plain.state(piece);
	bool const live = t.live();
	bool const whole = live && (state == piece_state::complete || state == piece_state::verified);
	auto numbers = t.plain.blocks(piece);
	// v1, v2, or both, as libtorrent asks for.
	int const kind = one_in(3) ? pick(3) : 0;
	auto const bytes = whole ? content(t, piece, 0, t.shape.piece_bytes(index)) : std::string();
	auto const right = whole && kind != 1 ? lt::hasher(bytes).final() : lt::sha1_hash();
	std::vector<lt::sha256_hash> right2(kind == 0 ? 0 : std::size_t(t.shape.num_blocks2(index)));
	for (std::size_t b = 0; whole && b < right2.size(); ++b)
		right2[b] = lt::hasher256(std::string_view(bytes).substr(b * block_bytes
			, std::min(std::size_t(block_bytes), std::size_t(t.shape.piece_bytes2(index)) - b * block_bytes))).final();
	std::vector<lt::sha256_hash> hashes2(right2.size());
	lt::span<lt::sha256_hash> const to(hashes2); // inside the handler, which is moved
	if (whole) m_plain_pool.hold(numbers);
	auto const c = begin_call(t, "hash " + std::to_string(piece));
	m_hashes_out.push_back(c);
	t.in->disk->async_hash(t.index, index, to, kind == 1 ? lt::disk_job_flags_t{} : lt::disk_interface::v1_hash
		, [this, end = handler_end(c), torrent = t.number, piece, numbers, right, right2 = std::move(right2)
			, hashes2 = std::move(hashes2), whole, live, in = t.in]
			(lt::piece_index_t, lt::sha1_hash const& h, lt::storage_error const& e) {
			called(end.of());
			if (aborted_by(e))
			{
				++m_seen.aborted;
				expect(!live || in->aborted, "a hash is aborted only by abort()");
			}
			else expect(!e.ec && h == right && hashes2 == right2, "a hash is of the piece as it was when it was asked for, or nobody's");
			if (whole && !e.ec) hashed(still_here(torrent), piece, numbers);
			if (whole) m_plain_pool.let_go(numbers);
		});
	m_inside = false;
}

// libtorrent looks at a hash: it is right, and the plugin hears of it; or it is wrong, and the piece is cleared.
void explorer::hashed(torrent* const t, int const piece, std::vector<serial> const& numbers)
{
	++m_seen.hashed;
	if (!t || !t->live()) return;
	if (one_in(4)) return clear(*t, piece);
	auto const storage = m_core->find_owned_by(t->owner.get());
	if (!storage) return fail("a torrent that is here is found by its owner");
	storage->verified(lt::piece_index_t(piece));
	++m_seen.verified;
	expect(t->plain.mark_verified(piece, numbers), "the model agrees that the piece was whole");
	expect(t->verified.count(piece) == 1, "a verified piece is reported");
}

void explorer::hash_block(torrent& t, int const piece, int const block)
{
	auto const index = lt::piece_index_t(piece);
	auto const number = t.plain.block(piece, block);
	bool const inside = block * int(block_bytes) < t.shape.piece_bytes2(index);
	bool const works = t.live() && inside && (number != 0 || t.shape.is_padding(index, block));
	if (works) m_plain_pool.hold(number);
	auto const c = begin_call(t, "hash2 " + std::to_string(piece) + ":" + std::to_string(block));
	m_hashes_out.push_back(c);
	t.in->disk->async_hash2(t.index, index, block * int(block_bytes), {}
		, [this, end = handler_end(c), number, works, in = t.in](lt::piece_index_t, lt::sha256_hash const&, lt::storage_error const& e) {
			called(end.of());
			expect(bool(e.ec) == !works || (aborted_by(e) && in->aborted), "a block that is here is hashed");
			if (works) m_plain_pool.let_go(number);
		});
	m_inside = false;
}

void explorer::clear(torrent& t, int const piece)
{
	auto const c = begin_call(t, "clear " + std::to_string(piece));
	t.in->disk->async_clear_piece(t.index, lt::piece_index_t(piece), after_hashes(t, c));
	m_inside = false;
	if (t.live()) t.plain.drop(piece);
}

void explorer::fence(torrent& t)
{
	auto& disk = *t.in->disk;
	auto const which = pick(5);
	auto const c = begin_call(t, which == 0 ? "stop" : which == 1 ? "release" : which == 2 ? "rename" : which == 3 ? "check" : "delete");
	switch (which)
	{
		case 0: disk.async_stop_torrent(t.index, after_hashes(t, c)); break;
		case 1: disk.async_release_files(t.index, after_hashes(t, c)); break;
		case 2: disk.async_rename_file(t.index, lt::file_index_t(0), "x", after_hashes(t, c)); break;
		case 3: disk.async_check_files(t.index, nullptr, {}, after_hashes(t, c)); break;
		case 4:
			disk.async_delete_files(t.index, lt::session::delete_files, after_hashes(t, c));
			if (t.live()) t.plain.clear();
			break;
	}
	m_inside = false;
}

// -- judgement

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
	for (auto const& c : m_calls)
		expect(c->times == 1 && !c->alive, "#" + std::to_string(c->number) + " " + c->name + ": its handler was called once, and let go");
	expect(m_core->pool.used_blocks() == 0 && m_plain_pool.used() == 0, "every block comes home");
}

} // namespace slipstream::test
