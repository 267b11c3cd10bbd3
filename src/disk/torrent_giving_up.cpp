// The half of a torrent's storage that gives up pieces: which may go and when, what is held back
// for that, what libtorrent has to be told before and after.
#include "disk/disk_core.hpp"
#include "disk/torrent_storage.hpp"

#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <new>

namespace slipstream {

namespace {

// Something to do with a storage in its turn, if that is in its session then.
template <typename Do>
class storage_step final : public own_step
{
public:
	storage_step(std::weak_ptr<torrent_storage> storage, Do what) : m_storage(std::move(storage)), m_do(std::move(what)) {}
	void run() override
	{
		if (auto const storage = m_storage.lock(); storage && !storage->removed()) m_do(*storage);
	}

private:
	std::weak_ptr<torrent_storage> const m_storage;
	Do m_do;
};

template <typename Do>
step_due in_turn(std::weak_ptr<torrent_storage> storage, Do what)
{ return step_due{std::make_unique<storage_step<Do>>(std::move(storage), std::move(what))}; }

} // namespace

void torrent_storage::enter_cache()
{
	std::int64_t blocks = 0;
	for (int p = 0; p < shape().num_pieces(); ++p) blocks += shape().num_blocks(lt::piece_index_t(p));
	auto const piece_blocks = shape().num_pieces() == 0 ? 0 : shape().num_blocks(lt::piece_index_t(0));
	m_cache_id.store(m_core->cache.enter(weak_from_this(), blocks, piece_blocks), std::memory_order_release);
}

void torrent_storage::attach(lt::torrent_handle torrent, std::weak_ptr<forgetting_host> host)
{
	m_forgetting.attach(std::move(torrent), std::move(host));
}

// One look does for all changes until then.
void torrent_storage::protections_changed()
{
	if (m_review_due.exchange(true)) return;
	m_completions->push(in_turn(weak_from_this(), [](torrent_storage& s) { s.review(); }));
}

void torrent_storage::review()
{
	m_review_due = false; // before: what changes from now on wants another look
	if (auto const host = m_forgetting.host()) host->review();
}

bool torrent_storage::evict(int const piece) noexcept
{
	try
	{
		return m_completions->push(in_turn(weak_from_this(), [piece](torrent_storage& s) {
			if (s.forget(lt::piece_index_t(piece))) return;
			auto& cache = s.core().cache;
			if (s.goes_by_recheck(lt::piece_index_t(piece))) cache.stays_until_low(s.cache_id(), piece);
			else cache.stays(s.cache_id(), piece);
		}));
	}
	catch (std::bad_alloc const&) { return false; } // it stays, and may be named again
}

bool torrent_storage::make_way(lt::piece_index_t const piece, int const block)
{
	if (!m_pieces.drop_unverified(piece, block)) return false;
	m_arriving.forget(piece); // it is not all in the store any more
	return true;
}

void torrent_storage::touched(lt::piece_index_t const piece) const
{
	m_core->cache.touched(cache_id(), static_cast<int>(piece));
}

bool torrent_storage::hold(lt::piece_index_t const piece, write_done& done)
{
	return m_core->may_have_to_go() && shape().num_blocks(piece) > 1 && m_may_hold
		&& !std::ranges::binary_search(m_never_held, piece) && m_forgetting.hold(piece, done);
}

void torrent_storage::never_hold(lt::piece_index_t const piece) noexcept
{
	auto const at = std::ranges::lower_bound(m_never_held, piece);
	try { if (at == m_never_held.end() || *at != piece) m_never_held.insert(at, piece); }
	catch (std::bad_alloc const&) { hold_none(); }
}

// Not here: libtorrent is in the middle of counting. What is held stays held until then, or it
// would be written in a piece that libtorrent has forgotten by then.
void torrent_storage::counted_twice()
{
	if (!m_may_hold) return;
	m_completions->push(in_turn(weak_from_this(), [](torrent_storage& s) { s.recheck_if_due(); }));
	hold_none();
	m_recheck_due = true;
}

void torrent_storage::recheck_if_due()
{
	if (!m_recheck_due || !can_forget()) return;
	if (is_checking()) m_recheck_due = false; // it is counting
	else if (!(m_forgetting.torrent().flags() & lt::torrent_flags::paused))
	{
		m_recheck_due = false;
		m_forgetting.torrent().force_recheck();
	}
}

bool torrent_storage::is_unprotected(lt::piece_index_t const piece) const
{
	return m_core->cache.standing_of(cache_id(), static_cast<int>(piece)).what == standing::kind::unprotected;
}

bool torrent_storage::forget(lt::piece_index_t const piece)
{
	if (!can_forget() || m_forgetting.is_forgetting(piece)) return false;
	auto const state = m_pieces.state(piece);
	// Complete and not verified: its hash is on the way, and says what it is; or has been, in a check.
	auto const written = m_writes.find(piece);
	bool const is_wrong = written != m_writes.end() && written->second.found_wrong;
	if (state == piece_state::absent || (state == piece_state::complete && !is_wrong)) return false;
	// While libtorrent checks it takes no piece, and may have found this one already.
	if (!is_settled(piece) || is_checking()) return false;
	if (state == piece_state::verified)
	{
		auto const stands = m_core->cache.standing_of(cache_id(), static_cast<int>(piece));
		if (stands.what == standing::kind::kept) return false; // wanted again since it was named
		if (goes_by_recheck(piece))
		{
			// A recheck costs the torrent its peers: not for room that is only being prepared.
			if (!m_core->cache.is_low()) return false;
			// What a recheck finds is libtorrent's for good, too: without this, one recheck would
			// lead to the next. What is being forgotten makes room as well.
			if (!is_seeding() && (m_forgetting.is_forgetting_any() || forget_another())) return false;
			shrink_by_recheck(piece);
			return true;
		}
	}
	if (begin_to_forget(piece)) return true;
	// libtorrent takes it for finished, and does not hash it: nor would it the next time.
	if (auto const i = m_writes.find(piece); i != m_writes.end()) i->second.found_wrong = false;
	return false;
}

bool torrent_storage::goes_by_recheck(lt::piece_index_t const piece) const
{
	if (!can_forget() || m_forgetting.is_forgetting(piece) || m_pieces.state(piece) != piece_state::verified) return false;
	return !m_forgetting.holds(piece) || is_seeding();
}

bool torrent_storage::is_seeding() const
{ return m_forgetting.torrent().status({}).state == lt::torrent_status::seeding; }

bool torrent_storage::is_settled(lt::piece_index_t const piece) const
{
	auto const written = m_writes.find(piece);
	return written == m_writes.end() || written->second.last_push <= m_completions->delivered();
}

bool torrent_storage::is_checking() const
{
	auto const doing = m_forgetting.torrent().status({}).state;
	return doing == lt::torrent_status::checking_files || doing == lt::torrent_status::checking_resume_data;
}

bool torrent_storage::is_unwanted(lt::piece_index_t const piece) const
{
	if (!can_forget() || !m_core->cache.crowded() || !shape().has(piece) || is_forgetting(piece)) return false;
	auto const state = m_pieces.state(piece);
	if (state != piece_state::absent && state != piece_state::partial) return false;
	return m_forgetting.torrent().piece_priority(piece) == lt::dont_download;
}

bool torrent_storage::begin_to_forget(lt::piece_index_t const piece)
{
	bool const has_passed = m_pieces.state(piece) == piece_state::verified;
	if (!m_forgetting.forget(piece, shape().piece_bytes(piece), has_passed)) return false;
	m_core->count.pieces_forgotten.fetch_add(1, std::memory_order_relaxed);
	return true;
}

void torrent_storage::writes_pushed(lt::piece_index_t const piece) { m_writes[piece].last_push = m_completions->pushed(); }

void torrent_storage::cancelled_write_pushed(lt::piece_index_t const piece)
{
	m_writes[piece].last_cancelled = m_completions->pushed();
	if (!m_cancelled) m_cancelled = pushes{m_completions->pushed(), 0};
	m_cancelled->last = m_completions->pushed();
}

bool torrent_storage::has_heard_of_cancelled() const noexcept
{ return m_cancelled && m_cancelled->first <= m_completions->delivered(); }

void torrent_storage::asked_again() noexcept
{
	if (!m_cancelled) return;
	// Where they keep coming, the last one of now has been heard of a second later.
	if (m_cancelled->last > m_completions->delivered()) m_cancelled->first = m_cancelled->last;
	else m_cancelled.reset();
}

void torrent_storage::given(lt::piece_index_t const piece)
{
	if (is_forgetting(piece)) return; // it is our own add_piece()
	if (auto held = m_forgetting.let_go(piece)) m_completions->push(std::move(*held));
}

void torrent_storage::before_hash_of_given(lt::piece_index_t const piece)
{
	auto const written = m_writes.find(piece);
	if (written == m_writes.end() || !written->second.take_given_cancelled() || is_checking()) return;
	m_completions->push(in_turn(weak_from_this(), [piece](torrent_storage& s) { s.take_names_off(piece); }));
}

// While libtorrent checks it takes no piece, and would not clear this one.
void torrent_storage::take_names_off(lt::piece_index_t const piece)
{
	if (!is_checking()) m_forgetting.take_names_off(piece, shape().piece_bytes(piece));
}

bool torrent_storage::take_unheard_cancelled(lt::piece_index_t const piece)
{
	auto const written = m_writes.find(piece);
	return written != m_writes.end() && written->second.take_last_cancelled() > m_completions->delivered();
}

void torrent_storage::hash_begins(lt::piece_index_t const piece) noexcept
{
	if (auto const written = m_writes.find(piece); written != m_writes.end()) written->second.found_wrong = false;
}

bool torrent_storage::forget_another()
{
	for (auto const piece : m_pieces.verified())
	{
		if (!m_forgetting.holds(piece) || !is_unprotected(piece)) continue;
		if (begin_to_forget(piece)) return true;
	}
	return false;
}

std::vector<lt::piece_index_t> torrent_storage::held_pieces() const
{
	std::vector<lt::piece_index_t> held;
	for (auto const piece : m_pieces.verified())
		if (m_forgetting.holds(piece) && !is_forgetting(piece)) held.push_back(piece);
	return held;
}

void torrent_storage::forget_stranded(std::function<bool(lt::piece_index_t)> const& wanted)
{
	for (auto const piece : m_pieces.partial())
		if (!wanted(piece)) static_cast<void>(forget(piece));
	std::vector<lt::piece_index_t> wrong;
	for (auto const& [piece, written] : m_writes)
		if (written.found_wrong && !wanted(piece)) wrong.push_back(piece);
	for (auto const piece : wrong) static_cast<void>(forget(piece));
}

void torrent_storage::recheck_begins()
{
	auto was = m_forgetting.abandon();
	for (auto& [piece, written] : m_writes) written.begin_anew();
	for (auto const piece : was.forgetting)
	{
		m_arriving.forget(piece);
		if (m_pieces.drop(piece) != piece_state::verified) continue;
		m_core->count.pieces_evicted.fetch_add(1, std::memory_order_relaxed);
		report_gone(piece);
	}
	for (auto& done : was.held) m_completions->push(std::move(done));
}

// For pieces that libtorrent has for good, because they came before anything had to be given up,
// through add_piece, or in a torrent that is seeding now. A recheck costs the torrent its peers for
// a moment, so one is to do for long: everything that nobody protects goes. libtorrent looks at
// what there is on a later turn.
void torrent_storage::shrink_by_recheck(lt::piece_index_t const asked)
{
	m_forgetting.torrent().force_recheck(); // and recheck_begins()
	for (auto const piece : m_pieces.verified())
	{
		if (piece != asked && !is_unprotected(piece)) continue;
		m_arriving.forget(piece);
		m_pieces.drop(piece);
		if (auto const host = m_forgetting.host()) host->withhold(piece);
		m_core->count.pieces_evicted.fetch_add(1, std::memory_order_relaxed);
		m_core->count.pieces_forgotten.fetch_add(1, std::memory_order_relaxed);
		report_gone(piece);
	}
}

} // namespace slipstream
