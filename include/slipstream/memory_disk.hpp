// The memory disk: storage for libtorrent sessions that keeps torrents in RAM, under one capacity.
//
//   slipstream::memory_disk disk({.capacity_bytes = 256 << 20});
//   lt::session_params params;
//   params.disk_io_constructor = disk.constructor();
//   lt::session session(std::move(params));
//   session.add_extension(disk.extension());    // pieces are then known to be verified, and with `evict` can go
//
// A memory_disk is a handle: copies share one store, and with it the capacity. It owns a share of the
// store and nothing of a session. The store lives until the last handle, session, memory_torrent in a
// call, or lease that uses it is gone; using a handle when every session has died is defined: there
// are no torrents then, and calls on handles to their storage answer `no_such_torrent`.
// Every function here may be called from any thread, those of libtorrent's included.
// It is not a cache over a disk: what it does not hold is nowhere.
#pragma once

#include <slipstream/error.hpp>
#include <slipstream/lease.hpp>

#include <libtorrent/info_hash.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/sha1_hash.hpp>
#include <libtorrent/units.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace libtorrent { struct plugin; struct add_torrent_params; struct torrent_handle; }

namespace slipstream {

class disk_core;        // the shared store; src/disk
class torrent_storage;  // one torrent's; src/disk

// libtorrent's block, and ours: 16 KiB (BEP 3).
inline constexpr int block_size_bytes = 16 * 1024;

struct memory_disk_options
{
	// Bytes of torrent data kept at most, over all torrents of all sessions: at least
	// memory_disk::min_capacity_bytes. Rounded down to whole blocks.
	std::int64_t capacity_bytes = std::int64_t{256} << 20;
	// Threads that hash pieces, 1..64. 0: as many as the largest hashing_threads
	// setting of the sessions that use the disk.
	int hash_threads = 0;
	// False: when the capacity is reached, writes fail with no_space_on_device and nothing leaves
	// memory. True: verified pieces that nobody protects make room, and libtorrent is made to
	// forget them, in sessions that have an extension(); a torrent that does not fit wants no more
	// than fits. See docs/design.md, "Forgetting".
	bool evict = false;
	// With `evict`: true keeps every piece ready to be forgotten, also while everything fits,
	// because the capacity may shrink or torrents may come. False does so only when not everything
	// fits; what came before is then given up by a recheck, which costs the torrent its peers for a
	// while. The price before libtorrent 2.0.11: have_piece() and num_pieces do not count such
	// pieces (memory_torrent::has_piece() does). A torrent all of whose pieces have passed is
	// seeding to libtorrent even so, and shrinks by a recheck. And before 2.0.11 set
	// `initial_picker_threshold` to 0 as well: libtorrent picks at random until it counts as many
	// pieces.
	bool hold_always = false;
};

// Who sees to it that torrents which do not all fit (`evict`) want no more than fits.
enum class wanting
{
	// The extension: what does not fit has priority 0 in libtorrent until it does.
	limited,
	// The application, which says what it reads (set_reader_pieces) and wants nothing else. The
	// extension makes forgotten pieces priority 0, and gives nothing back.
	told,
};

// A snapshot; the figures are of nearly, not exactly, one moment.
struct memory_stats
{
	std::int64_t capacity_bytes = 0;
	std::int64_t writable_bytes = 0;  // of the capacity; the rest is for putting reads together
	std::int64_t used_bytes = 0;      // every block in use, held by leases and buffers included
	std::int64_t peak_bytes = 0;      // the most that used_bytes ever was
	std::int64_t mapped_bytes = 0;    // memory taken from the system for blocks
	std::int64_t lent_bytes = 0;      // with peers' send buffers and leases now; a block of two peers counts twice
	std::int64_t torrents = 0;        // storages alive now
	std::int64_t hash_jobs = 0;       // queued or running now
	std::int64_t handlers = 0;        // calls of libtorrent's that were not answered yet; writes that are held are among them
	std::int64_t blocks_written = 0;  // since the start, as all below
	std::int64_t blocks_read = 0;
	std::int64_t reads_missed = 0;    // reads for what was not in memory
	std::int64_t reads_copied = 0;    // reads that straddled two blocks
	std::int64_t writes_refused = 0;  // for want of capacity
	std::int64_t pieces_hashed = 0;
	std::int64_t pieces_verified = 0; // counted when an extension() is installed, as the next
	std::int64_t pieces_evicted = 0;  // gave up their memory for others
	std::int64_t pieces_forgotten = 0; // libtorrent was made to give up, partial ones included
	std::int64_t protectable_bytes = 0; // what protections may add up to now; see src/cache/budget.hpp
	std::int64_t lookbehind_bytes = 0; // protected now, over all torrents
	std::int64_t lookbehind_available_bytes = 0; // of these, verified and in memory
};

enum class piece_state
{
	absent,    // no block of it is in memory
	partial,   // some blocks are
	complete,  // all are; whether the hash is right is not known (yet)
	verified,  // all are, and libtorrent found the hash right. Needs extension().
};

// What of a wish to protect pieces was granted: the first `pieces` of those asked for, and what
// they hold.
struct protection_granted
{
	int pieces = 0;
	std::int64_t bytes = 0;
};

struct lookbehind_stats
{
	int protected_pieces = 0;          // granted
	int available_pieces = 0;          // of these, verified and in memory now
	std::int64_t protected_bytes = 0;
	std::int64_t available_bytes = 0;
};

// One torrent's storage, as a handle that never dangles: once the torrent left its session, every call
// answers `no_such_torrent`, also if the same torrent is added again.
class memory_torrent
{
public:
	memory_torrent() = default;

	[[nodiscard]] bool alive() const;
	// Empty hashes once it is gone.
	[[nodiscard]] lt::info_hash_t info_hashes() const;
	[[nodiscard]] expected<int> num_pieces() const;
	// How many are in memory and verified now.
	[[nodiscard]] expected<int> num_verified_pieces() const;
	// Errors: no_such_torrent, no_such_piece.
	[[nodiscard]] expected<piece_state> state(lt::piece_index_t piece) const;
	// True when the whole piece is in memory; verified, where an extension() can tell.
	[[nodiscard]] bool has_piece(lt::piece_index_t piece) const;

	// Lends bytes [offset, offset + length) of a piece; fewer when the piece ends before or a block in
	// between is not there (at least one byte, or an error). `verified_only` wants a verified piece.
	// Errors: no_such_torrent, no_such_piece, out_of_range, not_in_memory, not_verified.
	[[nodiscard]] expected<lease> view(lt::piece_index_t piece, int offset, int length
		, bool verified_only = true) const;
	// The same, copied to `buffer`; answers the number of bytes copied.
	[[nodiscard]] expected<std::size_t> read(lt::piece_index_t piece, int offset
		, std::span<char> buffer, bool verified_only = true) const;

	// Protection from eviction. Each call replaces what was set before, in order of importance; the
	// answer says how much of it was granted: all torrents' protections together never exceed the
	// capacity less what downloads need. Reader pieces are granted first, then reserved, then
	// lookbehind; other torrents keep what they have. Of the reader pieces (nearest first) the
	// first two are never evicted and the rest only when nothing unprotected is left; reserved and
	// lookbehind pieces are never evicted. Pieces need not be in memory yet. A torrent that nobody
	// read or wanted may be one too many, when torrents do not all fit: set_reader_pieces then
	// answers no_space, with the sum, and nothing changes. Errors: no_such_torrent, no_such_piece
	// (nothing changes), no_space.
	[[nodiscard]] expected<protection_granted> set_reader_pieces(std::vector<lt::piece_index_t> const& nearest_first) const;
	[[nodiscard]] expected<protection_granted> set_reserved_pieces(std::vector<lt::piece_index_t> const& pieces) const;
	[[nodiscard]] expected<protection_granted> set_lookbehind_pieces(std::vector<lt::piece_index_t> const& nearest_first) const;
	void clear_lookbehind() const;
	// Somebody waits for the block that has this offset of the piece, verified or not:
	// memory_events::block_written says when it is written next; once, and not after the piece was
	// verified. Answers whether it is in memory already. Errors: no_such_torrent, no_such_piece,
	// out_of_range.
	[[nodiscard]] expected<bool> tell_when_written(lt::piece_index_t piece, int offset) const;
	// Granted, verified and in memory: seeking there costs no download.
	[[nodiscard]] bool is_lookbehind_available(lt::piece_index_t piece) const;
	[[nodiscard]] lookbehind_stats lookbehind() const;

	// The same storage, alive or not.
	friend bool operator==(memory_torrent const& a, memory_torrent const& b) noexcept
	{ return !a.m_storage.owner_before(b.m_storage) && !b.m_storage.owner_before(a.m_storage); }

private:
	friend class memory_disk;
	explicit memory_torrent(std::weak_ptr<torrent_storage> storage) : m_storage(std::move(storage)) {}
	std::weak_ptr<torrent_storage> m_storage;
};

// What goes up from the disk. Called on the network thread of the torrent's session (but for the
// last), in the middle of libtorrent's work: return soon, take no lock that is held while calling
// libtorrent, throw nothing.
class memory_events
{
public:
	virtual ~memory_events() = default;
	// The piece's hash was found right: its bytes can be had from memory_torrent::view.
	virtual void piece_verified(lt::info_hash_t const& torrent, lt::piece_index_t piece) = 0;
	// The piece was verified and is no longer in memory.
	virtual void piece_gone(lt::info_hash_t const& torrent, lt::piece_index_t piece) = 0;
	// A block that memory_torrent::tell_when_written() was asked about is in memory. Its piece is
	// not verified.
	virtual void block_written(lt::info_hash_t const& /*torrent*/, lt::piece_index_t /*piece*/) {}
	// The piece was downloaded and its hash found wrong: its blocks are no longer in memory, but
	// for those of one that a recheck found wrong, which are written anew one by one.
	virtual void piece_failed(lt::info_hash_t const& /*torrent*/, lt::piece_index_t /*piece*/) {}
	// The capacity is another. Unlike the others this comes on the thread that set it, from within
	// set_capacity_bytes().
	virtual void capacity_changed(std::int64_t /*bytes*/) {}
};

class memory_disk
{
public:
	// One piece of the smallest useful kind and something for reads: 1 MiB.
	static constexpr std::int64_t min_capacity_bytes = std::int64_t{1} << 20;

	// Throws std::invalid_argument, with the range in its message, for options outside theirs.
	explicit memory_disk(memory_disk_options options = {});

	// For lt::session_params::disk_io_constructor, of any number of sessions.
	[[nodiscard]] lt::disk_io_constructor_type constructor() const;
	// For lt::session::add_extension: tells the disk which pieces libtorrent verified, and with
	// `evict` has libtorrent forget what goes. Without it nothing is evicted: a full memory refuses
	// writes, whatever `evict` says. One for each session; `events`, when given and alive, hears
	// about that session's pieces.
	[[nodiscard]] std::shared_ptr<lt::plugin> extension(std::weak_ptr<memory_events> events = {}
		, wanting who = wanting::limited) const;

	// Resume data that libtorrent saves of a torrent in memory says priority 0 for the pieces that
	// the extension keeps from being wanted. This puts the application's priorities back: to be
	// called with the params of the torrent's last save_resume_data_alert before they are written.
	// Nothing changes when the torrent is not here, or nothing was withheld.
	void put_back_priorities(lt::add_torrent_params& resume_data) const;
	// The same for the torrent of one session, where several sessions have it.
	void put_back_priorities(lt::add_torrent_params& resume_data, lt::torrent_handle const& torrent) const;

	// The storage of a torrent, found by any of its hashes. Where several sessions have the same torrent,
	// the one that was added last. A handle that is not alive when there is none.
	// The v1 hash of a hybrid torrent that came as a v2-only magnet link is known with extension() only.
	[[nodiscard]] memory_torrent torrent(lt::info_hash_t const& hashes) const;
	[[nodiscard]] memory_torrent torrent(lt::sha1_hash const& v1_or_truncated_v2) const;
	// That of the handle's own session, where several sessions have the same torrent.
	[[nodiscard]] memory_torrent torrent(lt::torrent_handle const& torrent) const;

	[[nodiscard]] std::int64_t capacity_bytes() const;
	// Takes effect at once: nothing more is stored until what is in use is below it, and pieces
	// that may go are evicted. Memory is given back to the system. Errors: bad_argument, with the
	// sum, when it is below min_capacity_bytes or what the torrents that do not fit need.
	[[nodiscard]] expected<std::int64_t> set_capacity_bytes(std::int64_t bytes);
	// Whether a torrent of this size can be streamed through the capacity. Errors: bad_argument (a
	// size outside 0..2^48 - 1, or a piece length outside 1..2^30); no_space, with the sum in its
	// detail, when the torrent does not fit and its pieces are too large for anything to be kept. A
	// session is told the same: such a torrent stops with errc::no_space when it is added.
	[[nodiscard]] expected<std::int64_t> room_for(std::int64_t size_bytes, int piece_length_bytes) const;
	[[nodiscard]] memory_stats stats() const;

private:
	std::shared_ptr<disk_core> m_core;
};

} // namespace slipstream
