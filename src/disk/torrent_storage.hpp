// One torrent's storage: its pieces, the names it is known by, and the order of what is promised to
// libtorrent about it.
//
// Its half that gives up pieces is torrent_giving_up.cpp.
//
// Made by new_torrent, shared by its session's disk, by operations under way and, for the length of a
// call, by handles. remove() ends it for all of them; what is under way finishes on the blocks it holds.
// Operations take effect when they are called, in the order of the calls; only completions wait:
// a fence's completion comes after those of all hashes that were asked for before it.
//
// The functions under "network thread" belong to the thread of the torrent's session; the rest may
// be called from any thread. It does not find itself (disk_core does). Of libtorrent it asks the
// torrent's state, and a recheck where pieces cannot be forgotten one by one, or one was counted
// twice; all else goes through completions and `forgetting`.
#pragma once

#include "block/mutex.hpp"
#include "cache/cache.hpp"
#include "disk/awaited_blocks.hpp"
#include "disk/completion_queue.hpp"
#include "disk/forgetting.hpp"
#include "store/arriving_hashes.hpp"
#include "store/piece_store.hpp"

#include <libtorrent/download_priority.hpp>
#include <libtorrent/info_hash.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace slipstream {

class disk_core;

class torrent_storage final : public evictee, public std::enable_shared_from_this<torrent_storage>
{
public:
	// `owner` is libtorrent's torrent: kept alive until remove(), and how its plugin finds the
	// storage. `hashes`: what is known of them; a torrent with a v2 hash is hashed as v2 until
	// libtorrent asks for v1 as well.
	torrent_storage(std::shared_ptr<disk_core> core, geometry shape, std::shared_ptr<void> owner
		, lt::info_hash_t const& hashes, std::shared_ptr<completion_queue> completions);

	[[nodiscard]] disk_core& core() const noexcept { return *m_core; }
	[[nodiscard]] piece_store& pieces() noexcept { return m_pieces; }
	[[nodiscard]] piece_store const& pieces() const noexcept { return m_pieces; }
	[[nodiscard]] geometry const& shape() const noexcept { return m_pieces.shape(); }
	[[nodiscard]] bool removed() const noexcept { return m_removed.load(std::memory_order_acquire); }
	[[nodiscard]] lt::info_hash_t info_hashes() const EXCLUDES(m_mutex);
	[[nodiscard]] std::shared_ptr<disk_core> share_core() const noexcept { return m_core; }

	// The cache wants the piece's memory: passed on to the network thread.
	bool evict(int piece) noexcept override;
	// Protections have changed. Passed on likewise.
	void protections_changed();
	// The piece was read.
	void touched(lt::piece_index_t piece) const;
	// The block's next write is told, unless the piece is verified before.
	void await(lt::piece_index_t const piece, int const block) { m_awaited.await(piece, block); }
	// Pieces that are kept from being wanted: by piece the priority to give back, dont_download
	// where nothing is withheld. Empty when nothing is withheld at all.
	using priorities = std::vector<lt::download_priority_t>;
	[[nodiscard]] priorities withheld() const EXCLUDES(m_mutex);
	// Those that were withheld when resume data was saved last.
	[[nodiscard]] priorities withheld_when_saved() const EXCLUDES(m_mutex);
	// The name under which the cache knows this torrent; 0 before enter_cache().
	[[nodiscard]] std::uint64_t cache_id() const noexcept { return m_cache_id.load(std::memory_order_acquire); }

	// -- network thread

	[[nodiscard]] void const* owner() const noexcept { return m_owner.get(); }
	// Learns the torrent's other hashes, and who hears of its pieces.
	void learn(lt::info_hash_t const& hashes) EXCLUDES(m_mutex);
	void report_to(std::weak_ptr<memory_events> events) { m_events = std::move(events); }

	void withhold(lt::piece_index_t piece, lt::download_priority_t priority) EXCLUDES(m_mutex);
	void set_withheld(priorities withheld) EXCLUDES(m_mutex);
	void resume_data_saved() EXCLUDES(m_mutex);

	void enter_cache();
	// The session plugin is here: pieces can be forgotten from now on.
	void attach(lt::torrent_handle torrent, std::weak_ptr<forgetting_host> host);
	void review();
	[[nodiscard]] bool can_forget() const noexcept { return m_forgetting.attached(); }
	// Keeps a write's completion back where the piece may have to be forgotten; takes `done` if so.
	bool hold(lt::piece_index_t piece, write_done& done);
	// Whether one is kept back.
	[[nodiscard]] bool holds(lt::piece_index_t const piece) const { return m_forgetting.holds(piece); }
	// None is kept back for this piece from now on.
	void never_hold(lt::piece_index_t piece) noexcept;
	// Nor for any. Those that are kept back now stay so.
	void hold_none() noexcept { m_may_hold = false; }
	// libtorrent counted a piece of which one is held twice. From now on none is, and a recheck
	// makes it count again: soon, or when the torrent is not paused any more.
	void counted_twice();
	void recheck_if_due();
	// A hash is being delivered at this moment.
	[[nodiscard]] bool delivers_hash() const noexcept { return m_delivers_hash; }
	// Bytes written to such a piece are not kept, and its hash is to be wrong.
	[[nodiscard]] bool is_forgetting(lt::piece_index_t const piece) const { return m_forgetting.is_forgetting(piece); }
	// Gives up a piece, in whatever phase it is; false when it must stay for now.
	bool forget(lt::piece_index_t piece);
	// In a memory that is too small for all: it is not whole here, and libtorrent does not want it.
	// Its peers' blocks are not kept: nobody would read them, and wrong ones would have those
	// blamed who send the rest when it is wanted again.
	[[nodiscard]] bool is_unwanted(lt::piece_index_t piece) const;
	// A check found the whole piece wrong; libtorrent does not clear it. Until it is hashed again,
	// which is when all of it was written anew, it may go as one that is half here.
	void found_wrong(lt::piece_index_t piece);
	// Memory is full, and a block is to take the place of one of a piece that is not
	// verified (a recheck found it wrong, and libtorrent does not clear such a piece): the old one
	// goes first, also where somebody holds it and no room comes of that: libtorrent does not have
	// it. False where there is none.
	bool make_way(lt::piece_index_t piece, int block);
	// A place for what writes_pushed() and cancelled_write_pushed() say: they come when the
	// completion is out, and must not fail.
	void write_begins(lt::piece_index_t const piece) { m_writes.try_emplace(piece); }
	// The writes of the piece that were asked for so far complete with the completions pushed so far.
	void writes_pushed(lt::piece_index_t piece);
	// The completion has just been pushed of a write of the piece that is cancelled, for want of
	// memory or because nobody wants it. (Also in the latter case: it may be wanted before
	// libtorrent hears of this.)
	void cancelled_write_pushed(lt::piece_index_t piece);
	// Whether libtorrent has heard of one that was cancelled and not asked for again: until then it
	// takes the block for one that is being written.
	[[nodiscard]] bool has_heard_of_cancelled() const noexcept;
	// It was made to ask for all of which it has heard; the others stay noted.
	void asked_again() noexcept;
	// The piece is being hashed: whether libtorrent has still to hear that a peer's write of it was
	// cancelled. Forgets what was cancelled so far.
	[[nodiscard]] bool take_unheard_cancelled(lt::piece_index_t piece);
	// One was, of those that an application asked for. libtorrent takes that block for written, and
	// the piece is going to fail its hash; see forgetting::take_names_off, which happens before
	// what is pushed from now on.
	void given_write_cancelled(lt::piece_index_t piece) { m_writes[piece].given_cancelled = true; }
	// An application writes a block. add_piece() writes all that is not finished, so that what is
	// kept back is finished by this: libtorrent has the piece for good, and there is nothing to
	// keep back any more.
	void given(lt::piece_index_t piece);
	void before_hash_of_given(lt::piece_index_t piece);
	void take_names_off(lt::piece_index_t piece);
	void hash_asked(lt::piece_index_t const piece) { m_forgetting.hash_asked(piece); }
	// The piece is whole, and its hash is on the way.
	void hash_begins(lt::piece_index_t piece) noexcept;
	// libtorrent begins a recheck. What is being forgotten is gone at once.
	void recheck_begins();
	// Verified pieces of which a write is held, and which are not being forgotten.
	[[nodiscard]] std::vector<lt::piece_index_t> held_pieces() const;
	// Forgets what nobody wants any more, as `wanted` says, of what is half here and of what a
	// check found wrong.
	void forget_stranded(std::function<bool(lt::piece_index_t)> const& wanted);

	// A block's bytes, new or in place of others.
	void write(lt::piece_index_t piece, int block, block_ref bytes);
	// libtorrent found the piece's hash right: with the blocks of the hash being delivered, if one is.
	void verified(lt::piece_index_t piece);
	// Of verified pieces the cache has to know, and there may have been no memory for that: a second
	// later there may be.
	void tell_cache_what_it_missed() noexcept;
	// libtorrent cleared the piece: it failed, or it is forgotten now.
	void clear(lt::piece_index_t piece);
	void drop_all();
	// The torrent left its session.
	void remove() noexcept;
	// Its completions will never be delivered: destroys those that wait here, now, while what their
	// handlers may call on their way out is alive.
	void drop_fenced() { m_fenced.clear(); }

	// What was hashed of the piece while it arrived, for a hash that is asked for now; null when
	// nothing was.
	[[nodiscard]] std::shared_ptr<hash_run> take_run(lt::piece_index_t const piece, bool const v1, bool const v2)
	{ return m_arriving.take(piece, v1, v2); }
	// A hash begins; the number is for finish_hash().
	[[nodiscard]] std::uint64_t begin_hash();
	// Runs `deliver`, during which verified(piece) means these blocks; then lets fences go.
	template <typename Deliver>
	void finish_hash(std::uint64_t number, lt::piece_index_t piece, std::vector<block_ref> blocks, Deliver deliver)
	{
		m_delivering.emplace(piece, std::move(blocks));
		m_delivers_hash = true;
		// Also when a handler throws: fences must not wait for ever.
		struct at_end
		{
			torrent_storage& storage;
			std::uint64_t number;
			~at_end()
			{
				storage.m_delivers_hash = false;
				storage.m_delivering.reset();
				storage.release_fences(number);
			}
		} const end{*this, number};
		deliver();
	}
	void hash_never_began(std::uint64_t number) noexcept { release_fences(number); }
	// Completes after all hashes begun so far.
	void fence(completion c);

private:
	void release_fences(std::uint64_t finished) noexcept;
	void report_gone(lt::piece_index_t piece);
	void tell_cache(lt::piece_index_t piece);
	[[nodiscard]] bool is_unprotected(lt::piece_index_t piece) const;
	// No write of the piece waits for its completion.
	[[nodiscard]] bool is_settled(lt::piece_index_t piece) const;
	[[nodiscard]] bool is_seeding() const;
	[[nodiscard]] bool is_checking() const;
	// It is verified, and libtorrent can be made to forget it by a recheck alone.
	[[nodiscard]] bool goes_by_recheck(lt::piece_index_t piece) const;
	bool begin_to_forget(lt::piece_index_t piece);
	// Forgets another piece that nobody protects, one that can go without a recheck; false when
	// there is none.
	bool forget_another();
	// Drops the piece that was asked for and every one that nobody protects, and has libtorrent
	// look what is left.
	void shrink_by_recheck(lt::piece_index_t asked);

	std::shared_ptr<disk_core> const m_core;  // before m_pieces: blocks go home first
	piece_store m_pieces;
	std::atomic<bool> m_removed{false};
	std::atomic<std::uint64_t> m_cache_id{0};
	std::atomic<bool> m_review_due{false}; // a step that reviews is on its way
	awaited_blocks m_awaited;

	mutable mutex m_mutex;
	lt::info_hash_t m_hashes GUARDED_BY(m_mutex);
	priorities m_withheld GUARDED_BY(m_mutex);
	priorities m_withheld_when_saved GUARDED_BY(m_mutex);

	// network thread
	arriving_hashes m_arriving;
	std::shared_ptr<void> m_owner;
	std::shared_ptr<completion_queue> const m_completions;
	std::weak_ptr<memory_events> m_events;
	forgetting m_forgetting{*m_completions};
	std::vector<lt::piece_index_t> m_never_held; // sorted
	struct write_history
	{
		std::uint64_t last_push = 0;
		// Since the piece was last hashed or cleared:
		std::uint64_t last_cancelled = 0; // the push of the last cancelled one, of peers' writes
		bool given_cancelled = false;     // one was, of applications' writes
		bool found_wrong = false;         // by a check, as it is here
		[[nodiscard]] std::uint64_t take_last_cancelled() { return std::exchange(last_cancelled, 0); }
		[[nodiscard]] bool take_given_cancelled() { return std::exchange(given_cancelled, false); }
		void begin_anew()
		{
			last_cancelled = 0;
			given_cancelled = found_wrong = false;
		}
	};
	std::map<lt::piece_index_t, write_history> m_writes; // of pieces that were not verified since
	struct pushes { std::uint64_t first = 0, last = 0; };
	std::optional<pushes> m_cancelled; // of completions of cancelled writes that nobody took account of
	bool m_may_hold = true;
	bool m_recheck_due = false;
	bool m_cache_missed_some = false;
	bool m_delivers_hash = false;
	std::uint64_t m_next_hash = 0;
	std::vector<std::uint64_t> m_hashing;                // sorted
	std::list<std::pair<std::uint64_t, ready>> m_fenced; // (first hash it need not wait for, ...)
	std::optional<std::pair<lt::piece_index_t, std::vector<block_ref>>> m_delivering;
};

} // namespace slipstream
