// Forgetting: makes an unmodified libtorrent give up a piece that it has already verified, so that
// it never claims what memory no longer holds. One torrent's; the only code that knows how. When a
// piece may go is torrent_storage's to say, what becomes of its priority admission's.
//
// libtorrent has no call for this (its issue 5086). What it has is a piece picker that keeps a
// piece's download entry, though the piece has passed and is announced and served, until every
// block's write has completed. So in a torrent that may have to give up pieces, the completion of
// one block of each piece is kept back, a block that a peer sent. To forget a piece then, in one go
// on the network thread:
//
//   1 mark it: writes to it are dropped, its hash will be a hash of zeros. Reads still answer.
//   2 add_piece(overwrite_existing): every other block is ours now, no peer can be blamed for it
//   3 complete the write that was kept back with operation_aborted: its block is "not had"
//   4 add_piece again: the piece is complete once more, and libtorrent asks for its hash
// and from there libtorrent does the rest:
//   5 the hash is wrong, no block names a peer: to libtorrent bad data found on disk. Nobody is blamed, the
//     piece bit is cleared, requests that wait for it are rejected, and async_clear_piece is called
//   6 cleared(), inside that call: the piece is locked, has not passed, and nobody can ask for it yet. Its priority is
//     made 0, or it would be asked for again at once; the blocks go home, and peers that understand BEP 54 are told
//     lt_donthave.
// The priority must not be made 0 before that: the picker counts a piece that passed, is not
// flushed and is not wanted twice (as unwanted and as had), and one such piece too many makes the
// torrent "finished" for good. Because the bytes stay readable until 6, no read of a peer fails on
// the way.
//
// The phases of a piece here: free -> held (hold) -> forgetting (forget) -> free (cleared). A piece
// that is only partly downloaded is forgotten the same way without step 2, after which libtorrent
// would ask for a hash, and again after 4; it need not be held, but every completion of its writes
// must have been delivered: add_piece leaves alone a block that is being written, and the peer that
// sent it would be blamed. A piece of a single block cannot be held: cancelling its only write
// takes the download entry away together with the record that it had passed, and libtorrent would
// count it as passed for ever.
//
// What it costs: a hash_failed_alert and num_piece_failed for each piece forgotten; before
// libtorrent 2.0.11, have_piece() and num_pieces count only pieces of which nothing is held. While
// a block's write is held, libtorrent's counter queued_write_bytes counts it, and the connection
// that brought it is kept in memory, closed or not.
//
// Hashes from a peer (BEP 52), which libtorrent 2.0.8 takes whether it asked or not, are a danger
// when they are right. A hybrid torrent they stop as inconsistent, when the piece is not "had": one
// of which a write is held, or one that was given up. The extension undoes that in the same moment
// (torrent_part::on_pause): no peer is lost; a torrent_error_alert and a torrent_resumed_alert are
// seen, and the torrent's active time begins anew. In a torrent of v2 alone they make a held piece
// pass once more, which counts it twice, as a priority of 0 does above. libtorrent asks for them
// when a piece has failed: of that one no write is held from then on (torrent_storage::never_hold).
// It asks for piece layers that it did not have when the torrent was added (a magnet link's), and
// goes on asking: of such a torrent no write is held at all, and pieces go by rechecks (hold_none).
// And who sends them unasked can do so for every piece: once one passes twice none is held in that
// torrent any more, and a recheck makes libtorrent count again (counted_twice).
//
// Not for a torrent that libtorrent calls seeding (every piece has passed, held or not): it does
// not ask again for what it forgot; see torrent_storage::shrink_by_recheck.
//
// Owned by its torrent's storage. Network thread only.
#pragma once

#include "disk/completion_queue.hpp"

#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/units.hpp>

#include <memory>
#include <map>
#include <optional>
#include <vector>

namespace slipstream {

// What forgetting needs of the torrent's plugin. Network thread.
class forgetting_host
{
public:
	// Makes the piece unwanted, and remembers how much it was wanted.
	virtual void withhold(lt::piece_index_t piece) = 0;
	// Tells peers that it is gone (BEP 54).
	virtual void tell_peers(lt::piece_index_t piece) = 0;
	// Protections have changed: what may be wanted has, too.
	virtual void review() = 0;

protected:
	~forgetting_host() = default;
};

class forgetting
{
public:
	// Told of handlers that are called here.
	explicit forgetting(completion_queue& completions) : m_completions(completions) {}

	// From the extension.
	void attach(lt::torrent_handle torrent, std::weak_ptr<forgetting_host> host);
	[[nodiscard]] bool attached() const noexcept { return !m_host.expired(); }
	// Those that were attached.
	[[nodiscard]] lt::torrent_handle const& torrent() const noexcept { return m_torrent; }
	[[nodiscard]] std::shared_ptr<forgetting_host> host() const noexcept { return m_host.lock(); }

	// Keeps `done` back, and takes it, unless one is held for the piece or it is being forgotten.
	bool hold(lt::piece_index_t piece, write_done& done);
	[[nodiscard]] bool holds(lt::piece_index_t const piece) const { return m_held.count(piece) != 0; }
	[[nodiscard]] bool is_forgetting(lt::piece_index_t const piece) const { return m_forgetting.count(piece) != 0; }
	[[nodiscard]] bool is_forgetting_any() const noexcept { return !m_forgetting.empty(); }

	// Begins. `has_passed`: its hash was found right. Precondition: attached, not begun, and either
	// holds(piece) or the piece has not passed and none of its writes waits for its completion.
	// False when libtorrent has nothing to forget: it is clearing the piece already.
	bool forget(lt::piece_index_t piece, int piece_bytes, bool has_passed);
	// A piece that an application gave is not whole for want of memory, and its hash is on its way
	// to be wrong: takes the names of peers off its other blocks. Every completion of the peers'
	// writes must have been delivered. Its blocks are not kept from now on; cleared() ends that.
	void take_names_off(lt::piece_index_t piece, int piece_bytes);
	// libtorrent asks for the piece's hash.
	void hash_asked(lt::piece_index_t piece);
	// What is held for a piece that truly failed its hash, to be completed as not had.
	[[nodiscard]] std::optional<write_done> release(lt::piece_index_t piece);
	// What is held for the piece, to be completed as written: it is libtorrent's for good.
	[[nodiscard]] std::optional<write_done> let_go(lt::piece_index_t piece);
	// All that is held, to be completed as written: those pieces are libtorrent's for good.
	[[nodiscard]] std::vector<write_done> release_all();
	// libtorrent begins a recheck and knows of no piece any more: it will clear none. What is held,
	// to be completed as not had (a written block would be the only one it knew of its piece), and
	// the pieces that were being forgotten.
	struct abandoned
	{
		std::vector<write_done> held;
		std::vector<lt::piece_index_t> forgetting;
	};
	[[nodiscard]] abandoned abandon();
	// libtorrent cleared the piece; when it was verified it is not wanted from now on, and peers
	// hear that. Answers whether that was the end of forgetting it.
	bool cleared(lt::piece_index_t piece, bool was_verified);

private:
	void complete(write_done& done);

	completion_queue& m_completions;
	lt::torrent_handle m_torrent;
	std::weak_ptr<forgetting_host> m_host;
	std::map<lt::piece_index_t, write_done> m_held;
	std::map<lt::piece_index_t, bool> m_forgetting; // and whether libtorrent has asked for its hash
};

} // namespace slipstream
