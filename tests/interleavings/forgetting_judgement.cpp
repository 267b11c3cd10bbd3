// What must hold after each step of forgetting_explorer, and in the end.
#include "interleavings/forgetting_explorer.hpp"

#include "disk/torrent_storage.hpp"
#include "interleavings/explored_film.hpp"
#include "interleavings/manual_hasher.hpp"
#include "interleavings/seeds.hpp"

#include <algorithm>

namespace slipstream::test {

void forgetting_explorer::judge()
{
	auto const used = m_core->pool.used_blocks();
	expect(used <= std::max(m_core->pool.capacity_blocks(), m_used), std::to_string(used) + " blocks are in use, of "
		+ std::to_string(m_core->pool.capacity_blocks()));
	m_used = used;
	expect(m_core->stats().handlers == m_handlers.outstanding(), "statistics say how many handlers have not been called");
	for (auto const& f : m_films) judge(*f);
	if (m_step % 8 == 0) judge_blocks();
}

void forgetting_explorer::judge(film& f)
{
	auto const s = f.storage();
	if (!s) return fail("a torrent that is here is found by its owner");
	auto& t = *f.torrent;
	auto const states = s->pieces().states();
	auto const withheld = s->withheld();
	auto const held = s->held_pieces();
	for (int p = 0; p < t.num_pieces(); ++p)
	{
		bool const is_verified = states[std::size_t(p)] == piece_state::verified;
		expect((f.verified.count(p) != 0) == is_verified, f.text(p) + " is not what the events say");
		if (!t.is_checking()) expect(!t.has_passed(p) || is_verified, f.text(p) + " is claimed, and is not in memory");
		bool const is_withheld = !withheld.empty() && withheld[std::size_t(p)] != lt::dont_download;
		m_seen.withheld += is_withheld ? 1 : 0;
		if (f.wished[std::size_t(p)])
			expect(t.priority(p) != 0 || is_withheld, f.text(p) + " is unwanted, and nobody knows how much it was wanted");
	}
	for (auto const p : held)
		expect(t.priority(static_cast<int>(p)) != 0, f.text(static_cast<int>(p)) + " passed, is held, and is not wanted");
	for (auto const& peer : t.peers())
	{
		if (!peer->greeted || !peer->knows_dont_have) continue;
		for (int p = 0; p < t.num_pieces(); ++p)
			// One that is going was told of, or is not any more.
			expect(f.going.count(p) != 0 || (peer->believes.count(p) != 0) == t.has_passed(p)
				, "peer " + std::to_string(peer->number) + " was told something wrong of " + f.text(p));
	}
}

// Every block that is in use has somebody who has it.
void forgetting_explorer::judge_blocks()
{
	std::set<char const*> held;
	auto const add = [&](block_ref const& b) { if (b) held.insert(b.bytes()); };
	for (auto const* const films : {&m_films, &m_removed})
		for (auto const& f : *films)
		{
			auto const s = f->storage();
			if (!s) continue;
			for (int p = 0; p < f->torrent->num_pieces(); ++p)
			{
				piece_state state{};
				auto const index = lt::piece_index_t(p);
				for (auto const& b : s->pieces().blocks(index, 0, f->torrent->shape.num_blocks(index), state)) add(b);
			}
		}
	for (auto const& l : m_lent) for (auto const& b : l.blocks) add(b);
	for (auto const& b : m_buffers) held.insert(b.bytes.data());
	for (auto const* const bytes : the_workers().blocks()) held.insert(bytes);
	// On their way: buffers of reads, and pieces whose hash was computed.
	auto const others = std::ssize(held) - m_core->pool.used_blocks();
	expect(others <= 0, "as many blocks are in use as somebody holds");
	if (m_handlers.outstanding() == 0) expect(others == 0, std::to_string(-others) + " blocks are in use that nobody holds");
}

// -- the end

// Everyone does what is due, until nothing more happens.
void forgetting_explorer::settle()
{
	if (!m_failure.empty()) return;
	note("everyone does what is due");
	m_state = mixed(m_seed);
	for (int quiet = 0, round = 0; quiet < 4 && m_failure.empty(); ++round)
	{
		quiet = settle_once() ? 0 : quiet + 1;
		judge();
		if (round > 400) return fail("it goes on and on");
	}
	if (m_failure.empty()) judge_settled();
}

bool forgetting_explorer::settle_once()
{
	while (!m_lent.empty() || !m_buffers.empty()) take_back();
	bool any = false;
	while (work() || m_handlers.outstanding() > 0)
	{
		m_ios.restart();
		if (m_ios.poll() == 0 && the_workers().idle()) break;
	}
	m_ios.restart();
	m_ios.poll();
	for (auto const& f : m_films)
	{
		auto& t = *f->torrent;
		t.tick();
		want_what_is_read(*f);
		if (t.is_checking())
		{
			any = true;
			continue;
		}
		if (t.peers().empty()) static_cast<void>(t.connect(m_next_peer++, true));
		auto const peer = t.peers().front();
		if (!peer->shook_hands) t.shake_hands(*peer, true);
		if (!peer->greeted) t.greet(*peer);
		auto const sent = peer->stopped || t.waits_to_ask() ? 0 : send_wanted(*f, *peer, 4, f->position);
		if (sent > 0) note(std::to_string(sent) + " blocks are sent to torrent " + std::to_string(t.number));
		any = any || sent > 0;
	}
	return any;
}

void forgetting_explorer::judge_settled()
{
	++m_seen.settled;
	auto const budget = m_core->cache.current_budget();
	for (auto const& f : m_films)
	{
		auto const s = f->storage();
		for (auto const& peer : f->torrent->peers())
			expect(!peer->stopped, "peer " + std::to_string(peer->number) + " waits for ever");
		for (int const p : m_core->cache.granted_pieces(s->cache_id(), cache::protection::reader))
		{
			++m_seen.awaited;
			if (f->is_never_hashed(p)) continue;
			if (f->torrent->priority(p) == 0 && m_who == wanting::limited && !f->wished[std::size_t(p)]) continue;
			expect(f->torrent->has_passed(p), f->text(p) + " was granted to a reader, and never comes; " + budget.text());
		}
		for (int p = 0; p < f->torrent->num_pieces(); ++p)
		{
			auto const state = s->pieces().state(lt::piece_index_t(p));
			if (f->torrent->priority(p) == 0 && m_core->cache.crowded() && !f->is_never_hashed(p))
				expect(state != piece_state::partial && state != piece_state::complete
					, f->text(p) + " is not verified, nobody wants it, and it stays");
			if (f->torrent->priority(p) == 0 || f->torrent->has_passed(p)) continue;
			if (f->is_never_hashed(p)) ++m_seen.never_hashed;
			else fail(f->text(p) + " is wanted, and never comes");
		}
	}
	expect(m_core->pool.used_blocks() <= m_core->pool.capacity_blocks(), "what there is fits the capacity");
}

void forgetting_explorer::end()
{
	if (!m_disk) return;
	m_state = mixed(m_seed);
	auto const drain = [&] {
		while (!the_workers().running.empty()) the_workers().finish(0);
		do m_ios.restart();
		while (m_ios.poll() > 0);
	};
	for (auto const& f : m_films)
		if (one_in(2)) f->torrent->remove();
	if (one_in(2)) drain();
	m_disk->abort(one_in(2));
	for (auto const& f : m_films)
		if (!f->torrent->removed()) f->torrent->remove();
	drain();
	for (auto const* const films : {&m_films, &m_removed})
		for (auto const& f : *films) expect(f->torrent->gone(), "a torrent that stops hears that it has");
	m_buffers.clear();
	for (auto const& l : m_lent) m_core->lending.came_home(l.counted);
	m_lent.clear();
	m_films.clear();
	m_removed.clear();
	m_plugin.reset();
	drain();
	m_disk.reset();
	m_seen.cancelled = m_core->count.writes_refused;
	if (!m_failure.empty()) return;
	m_handlers.judge();
	expect(m_core->pool.used_blocks() == 0, "every block comes home");
	expect(m_core->lending.lent_blocks() == 0, "everything lent comes home");
}

} // namespace slipstream::test
