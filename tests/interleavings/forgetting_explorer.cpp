#include "interleavings/forgetting_explorer.hpp"

#include "disk/extension.hpp"
#include "disk/torrent_storage.hpp"
#include "interleavings/explored_film.hpp"
#include "interleavings/manual_hasher.hpp"
#include "interleavings/seeds.hpp"
#include "model/plain_model.hpp"

#include <algorithm>

namespace slipstream::test {

namespace {

constexpr int least_capacity = 64; // memory_disk::min_capacity_bytes

// Pieces of 1 to 8 blocks, and a last one that may be short.
lt::file_storage files_of(std::uint64_t const r)
{
	static constexpr int blocks[] = {2, 4, 4, 8, 1};
	int const piece_length = int(block_bytes) * blocks[r % 5 == 4 && r / 5 % 3 != 0 ? 1 : r % 5];
	auto const size = std::int64_t(24 + r / 16 % 80) * int(block_bytes) + std::int64_t(r / 2048 % 3) * 5000;
	lt::file_storage files;
	files.set_piece_length(piece_length);
	files.add_file("film", size);
	files.set_num_pieces(int((size + piece_length - 1) / piece_length));
	return files;
}

} // namespace

forgetting_explorer::forgetting_explorer(std::uint64_t const seed, std::set<int> left_out)
	: m_seed(seed), m_left_out(std::move(left_out))
{
	m_state = mixed(seed);
	m_who = one_in(2) ? wanting::told : wanting::limited;
	memory_disk_options options;
	options.capacity_bytes = (least_capacity + pick(40)) * std::int64_t(block_bytes);
	options.evict = true;
	options.hold_always = one_in(2);
	m_core = std::make_shared<disk_core>(options);
	m_settings.set_int(lt::settings_pack::connections_limit, 1 + pick(3));
	m_settings.set_int(lt::settings_pack::max_queued_disk_bytes, (4 + pick(12)) * int(block_bytes));
	m_disk = std::make_unique<memory_disk_io>(m_ios, m_settings, m_counters, m_core);
	m_plugin = make_extension(m_core, m_no_events, m_who);
}

forgetting_explorer::~forgetting_explorer() { end(); }

std::uint64_t forgetting_explorer::next() { return m_state = mixed(m_state); }

void forgetting_explorer::fail(std::string const& what)
{
	if (m_failure.empty()) m_failure = "step " + std::to_string(m_step) + ": " + what;
}

std::string forgetting_explorer::trace() const
{
	// Who goes on and on does so for hundreds of lines.
	constexpr std::size_t first = 150;
	constexpr std::size_t last = 20;
	std::string all;
	for (std::size_t i = 0; i < m_trace.size(); ++i)
	{
		if (i == first && m_trace.size() > first + last)
		{
			i = m_trace.size() - last;
			all += "  ...\n";
		}
		all += "  " + m_trace[i] + "\n";
	}
	return all;
}

std::string forgetting_explorer::run()
{
	for (m_step = 0; m_step < steps_in_a_run && m_failure.empty(); ++m_step)
	{
		if (m_left_out.count(m_step) != 0) continue;
		m_state = mixed(m_seed ^ (std::uint64_t(m_step) << 40));
		step();
		judge();
	}
	settle();
	end();
	return m_failure;
}

void forgetting_explorer::step()
{
	auto const what = pick(100);
	if (m_films.empty() || what < 1) return add();
	auto& f = *m_films[std::size_t(pick(int(m_films.size())))];
	if (what < 2) return remove(f);
	if (what < 4) return resize();
	if (what < 18) return deliver(1 + pick(12));
	if (what < 34)
	{
		for (int n = 1 + pick(4); n > 0; --n) static_cast<void>(work());
		return;
	}
	if (what < 38)
	{
		note("a second passes for torrent " + std::to_string(f.torrent->number));
		f.torrent->tick();
		want_what_is_read(f);
		return;
	}
	if (what < 82) return step_of_peer(f, what - 38);
	step_of_player(f, what - 82);
}

void forgetting_explorer::step_of_peer(film& f, int const what)
{
	auto& t = *f.torrent;
	if (t.is_checking()) return;
	if (t.peers().empty() || (what < 2 && t.peers().size() < 3))
	{
		note("peer " + std::to_string(m_next_peer) + " comes to torrent " + std::to_string(t.number));
		static_cast<void>(t.connect(m_next_peer++, !one_in(4)));
		return;
	}
	auto const peer = t.peers()[std::size_t(pick(int(t.peers().size())))];
	auto const its = "peer " + std::to_string(peer->number);
	if (!peer->shook_hands)
	{
		note(its + " shakes hands");
		return t.shake_hands(*peer, !one_in(3));
	}
	if (!peer->greeted && one_in(3))
	{
		note(its + " greets");
		return t.greet(*peer);
	}
	if (what < 3)
	{
		note(its + " leaves");
		return t.disconnect(*peer);
	}
	if (what < 36) return send(f);
	read(f);
}

void forgetting_explorer::step_of_player(film& f, int const what)
{
	if (what < 9) return protect(f);
	if (what < 12) return lend(f);
	if (what < 16) return take_back();
	if (f.torrent->is_checking() || !one_in(3)) return;
	if (what < 17)
	{
		note("torrent " + std::to_string(f.torrent->number) + " is to be checked");
		return f.torrent->force_recheck();
	}
	int const p = pick(f.torrent->num_pieces());
	if (f.torrent->has_passed(p)) return;
	note(f.text(p) + " is given");
	f.given.insert(p);
	f.torrent->give(p);
}

// -- torrents, the capacity

void forgetting_explorer::add()
{
	if (m_films.size() >= 3) return;
	auto const r = next();
	lt::sha1_hash name;
	name[0] = static_cast<char>(m_next_torrent);
	name[1] = static_cast<char>(1 + r % 3); // whose bytes it has
	auto t = std::make_shared<fake_torrent>(files_of(r / 3), name, fake_torrent::surroundings{*m_disk, m_handlers
		, [this](std::string const& what) { fail(what); }, [this](std::string const& what) { note(what); ++m_seen.rechecks; }
		, [this](fake_torrent& of, int const piece) { begins_to_go(of, piece); }}, m_next_torrent++);
	note("torrent " + std::to_string(t->number) + " is added: " + std::to_string(t->num_pieces()) + " pieces of "
		+ std::to_string(t->shape.num_blocks(lt::piece_index_t(0))) + " blocks");
	m_films.push_back(std::make_shared<film>(*this, std::move(t)));
	auto& f = *m_films.back();
	f.torrent->begin(*m_plugin);
	for (int p = 0; p < f.torrent->num_pieces(); ++p)
	{
		f.wished.push_back(m_who == wanting::limited && !one_in(12));
		if (!f.wished.back()) f.torrent->set_priority(p, 0);
	}
	f.torrent->tick(); // the plugin finds the storage, and reports to nobody
	f.storage()->report_to(f.hears);
	deliver(1);
}

void forgetting_explorer::remove(film& f)
{
	if (one_in(2)) return;
	note("torrent " + std::to_string(f.torrent->number) + " is removed");
	f.torrent->remove();
	auto const i = std::find_if(m_films.begin(), m_films.end(), [&](auto const& each) { return each.get() == &f; });
	m_removed.push_back(*i);
	m_films.erase(i);
}

void forgetting_explorer::resize()
{
	auto const blocks = least_capacity + pick(one_in(6) ? 200 : 40);
	auto const made = m_core->set_capacity(blocks * std::int64_t(block_bytes));
	note("the capacity is to be " + std::to_string(blocks) + " blocks" + (made ? "" : ", which is refused"));
}

// -- peers

void forgetting_explorer::send(film& f)
{
	auto const& peers = f.torrent->peers();
	auto const& peer = peers[std::size_t(pick(int(peers.size())))];
	// What was on its way when it was told to stop.
	if (!peer->shook_hands || (peer->stopped && !one_in(4))) return;
	int const most = peer->stopped ? 1 + pick(2) : 1 + pick(12);
	int const n = send_wanted(f, *peer, most, pick(f.torrent->num_pieces()));
	note("peer " + std::to_string(peer->number) + " sent " + std::to_string(n) + " blocks to torrent "
		+ std::to_string(f.torrent->number));
}

int forgetting_explorer::send_wanted(film& f, fake_peer& peer, int const most, int const from)
{
	auto& t = *f.torrent;
	int sent = 0;
	bool const is_late = one_in(12); // what is not wanted any more
	for (int i = 0; i < t.num_pieces() && sent < most; ++i)
	{
		int const p = (from + i) % t.num_pieces();
		if (t.priority(p) == 0 && !is_late) continue;
		for (int b = 0; b < t.shape.num_blocks(lt::piece_index_t(p)) && sent < most; ++b)
		{
			if (!t.lacks(p, b)) continue;
			bool const lies = one_in(120);
			m_seen.lies += lies ? 1 : 0;
			t.send(peer, p, b, lies);
			++sent;
			if (peer.stopped && most > 2) return sent;
		}
	}
	m_seen.sent += sent;
	return sent;
}

// A peer asks for what it believes we have.
void forgetting_explorer::read(film& f)
{
	auto& t = *f.torrent;
	std::vector<int> here;
	for (int p = 0; p < t.num_pieces(); ++p)
		if (t.has_passed(p)) here.push_back(p);
	if (here.empty()) return;
	int const p = here[std::size_t(pick(int(here.size())))];
	auto const index = lt::piece_index_t(p);
	int const b = pick(t.shape.num_blocks(index));
	int const length = t.shape.block_length(index, b);
	note("block " + std::to_string(b) + " of " + f.text(p) + " is read");
	++m_seen.reads;
	// It may wait until its piece is gone.
	bool const waits = m_reads_waiting > 0 || m_core->lending.lent_blocks() >= m_core->cache.lendable_blocks();
	m_seen.waited += waits ? 1 : 0;
	m_reads_waiting += waits ? 1 : 0;
	m_handlers.inside([&] {
		m_disk->async_read(t.storage(), {index, b * int(block_bytes), length}
			, [this, content = t.content(p, b), length, waits, what = f.text(p), end = m_handlers.promise("read of " + f.text(p))]
			(lt::disk_buffer_holder bytes, lt::storage_error const& e) {
				end.called();
				m_reads_waiting -= waits ? 1 : 0;
				expect(waits || !e.ec, what + " passed, and cannot be read");
				if (e.ec) return;
				expect(is_filled(bytes.data(), content, true) || length < int(block_bytes), what + " reads as it passed");
				m_buffers.push_back({std::move(bytes), content, length});
			}, {});
	});
}

// -- players

void forgetting_explorer::lend(film& f)
{
	auto const s = f.storage();
	if (m_lent.size() >= 4 || f.verified.empty()) return;
	auto at = f.verified.begin();
	std::advance(at, pick(int(f.verified.size())));
	piece_state state{};
	auto const index = lt::piece_index_t(*at);
	lent l{s->pieces().blocks(index, 0, f.torrent->shape.num_blocks(index), state), 0};
	l.counted = std::int64_t(l.blocks.size());
	m_core->lending.lend(l.counted);
	note(f.text(*at) + " is lent");
	m_lent.push_back(std::move(l));
}

void forgetting_explorer::take_back()
{
	if (!m_lent.empty() && one_in(2))
	{
		note("what was lent comes home");
		auto const counted = m_lent.front().counted;
		m_lent.erase(m_lent.begin());
		return m_core->lending.came_home(counted);
	}
	if (m_buffers.empty()) return;
	note("a peer took what it was sent");
	auto const& b = m_buffers.front();
	expect(is_filled(b.bytes.data(), b.content, true) || b.length < int(block_bytes), "the bytes of a buffer do not change");
	m_buffers.erase(m_buffers.begin());
}

// As memory_torrent does it.
void forgetting_explorer::protect(film& f)
{
	auto const s = f.storage();
	auto const kind = one_in(4) ? cache::protection::reserved : one_in(3) ? cache::protection::lookbehind : cache::protection::reader;
	int const n = f.torrent->num_pieces();
	f.position = one_in(5) ? pick(n) : std::min(n - 1, f.position + pick(3));
	std::vector<int> pieces;
	if (!one_in(6))
	{
		for (int i = 0; i < 1 + pick(6); ++i)
		{
			int const p = kind == cache::protection::lookbehind ? f.position - 1 - i : f.position + i;
			if (p >= 0 && p < n) pieces.push_back(p);
		}
	}
	auto const size = pieces.size();
	auto const given = m_core->cache.protect(s->cache_id(), kind, std::move(pieces));
	note("torrent " + std::to_string(f.torrent->number) + (kind == cache::protection::reader ? " is read from " : " keeps near ")
		+ std::to_string(f.position) + ", " + std::to_string(size) + " pieces; granted " + std::to_string(given.pieces));
	s->protections_changed();
	m_core->cache.make_room();
	want_what_is_read(f);
}

// With wanting::told the application does this itself.
void forgetting_explorer::want_what_is_read(film& f)
{
	if (m_who != wanting::told) return;
	auto const read = m_core->cache.granted_pieces(f.storage()->cache_id(), cache::protection::reader);
	for (int p = 0; p < f.torrent->num_pieces(); ++p)
	{
		if (f.torrent->has_passed(p)) continue;
		f.torrent->set_priority(p, std::find(read.begin(), read.end(), p) == read.end() ? 0 : 7);
	}
}

// -- what is under way

void forgetting_explorer::deliver(int const most)
{
	note("deliveries, " + std::to_string(most) + " at most");
	for (int i = 0; i < most; ++i)
	{
		m_ios.restart();
		if (m_ios.poll_one() == 0) return;
	}
}

bool forgetting_explorer::work()
{
	auto& w = the_workers();
	if (!w.running.empty() && (!w.has_queued() || one_in(2))) w.finish(std::size_t(pick(int(w.running.size()))));
	else if (w.has_queued()) w.begin();
	else return false;
	return true;
}

void forgetting_explorer::begins_to_go(fake_torrent& t, int const piece)
{
	auto const f = std::find_if(m_films.begin(), m_films.end(), [&](auto const& each) { return each->torrent.get() == &t; });
	if (f == m_films.end()) return fail("a torrent that was removed forgets");
	if (!(*f)->going.insert(piece).second) return; // add_piece comes twice
	note((*f)->text(piece) + " begins to go");
	++m_seen.began_to_go;
	expect((*f)->stands(piece) != standing::kind::kept, (*f)->text(piece) + " is protected, and begins to go");
}

} // namespace slipstream::test
