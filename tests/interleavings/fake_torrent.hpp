// libtorrent's torrent, by hand: as much of it as a disk and a session's plugin can see. fake_handles.cpp defines the functions
// of lt::torrent_handle and lt::peer_connection_handle that src/disk calls, so that the linker takes nothing of the real
// ones, and the real plugin acts on this.
//
// It keeps libtorrent 2.0.8's rules as src/disk/forgetting.hpp describes them: a download entry for each piece until all its
// writes have completed; a hash as soon as every block is written or being written; what a cancelled write, add_piece, a
// wrong hash and a recheck do to the entry; who is blamed. Pieces are v1's and nothing is padded.
//
// It judges what libtorrent would suffer from: an honest peer that is blamed, a piece that counts as passed for ever, or that is
// not asked for again.
// Owned by its explorer, one thread. It decides nothing: peers send, read and come when the explorer says so.
#pragma once

#include "block/block_pool.hpp"
#include "interleavings/download_entry.hpp"
#include "interleavings/fake_peer.hpp"
#include "interleavings/handlers.hpp"
#include "store/geometry.hpp"

#include <libtorrent/disk_interface.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_status.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace slipstream::test {

class fake_torrent final : public std::enable_shared_from_this<fake_torrent>
{
public:
	struct surroundings
	{
		lt::disk_interface& disk;
		handlers& calls;
		std::function<void(std::string const&)> fail;
		std::function<void(std::string const&)> note;
		// A piece that has passed is about to be forgotten.
		std::function<void(fake_torrent&, int)> begins_to_go;
	};

	fake_torrent(lt::file_storage files, lt::sha1_hash name, surroundings around, int number);
	// Into the session; its storage is its own.
	void begin(lt::plugin& session);
	// Out of it: as libtorrent does, the storage goes when what was asked of it has stopped.
	void remove();
	[[nodiscard]] bool removed() const { return m_aborted; }
	[[nodiscard]] bool gone() const { return m_gone; }

	int const number;
	lt::sha1_hash const name;
	geometry const shape;

	// -- what libtorrent knows

	[[nodiscard]] int num_pieces() const { return shape.num_pieces(); }
	[[nodiscard]] bool has_passed(int const p) const { return m_pieces[std::size_t(p)].entry.has_passed() || m_pieces[std::size_t(p)].have; }
	[[nodiscard]] bool has_flushed(int const p) const { return m_pieces[std::size_t(p)].have; }
	[[nodiscard]] int priority(int const p) const { return m_pieces[std::size_t(p)].priority; }
	[[nodiscard]] bool is_checking() const;
	[[nodiscard]] bool all_passed() const;
	// The block is neither here nor on its way to be, and may be asked for.
	[[nodiscard]] bool lacks(int piece, int block) const;
	// A peer's write was cancelled and nothing has made libtorrent look at its peers since: nobody is asked for that block. (Where
	// nothing can be wanted or unwanted for a moment, see asking_again.hpp, it asks for all there is, its "end game".)
	[[nodiscard]] bool waits_to_ask() const;
	// libtorrent's defect: a write was cancelled while add_piece() wrote the same block. The one undid what makes the piece
	// finished, the other finished it without a look. Nothing but a recheck helps.
	[[nodiscard]] bool is_never_hashed(int piece) const;
	// How often libtorrent looked what each peer could send: when a piece of which nothing is here came to be wanted. What was
	// cancelled is asked for again then.
	[[nodiscard]] int looks_at_peers() const { return m_looks_at_peers; }
	// How often it ceased to want the last piece that it lacked: libtorrent has finished then, and says so.
	[[nodiscard]] int times_finished() const { return m_times_finished; }
	[[nodiscard]] lt::torrent_status status() const;
	[[nodiscard]] lt::torrent_handle handle();
	[[nodiscard]] lt::torrent_plugin& part() { return *m_part; }
	[[nodiscard]] std::vector<std::shared_ptr<fake_peer>> const& peers() const { return m_peers; }

	// -- what happens to it

	std::shared_ptr<fake_peer> connect(int number, bool knows_dont_have);
	// `speaks`: it says what it has; one that has nothing may be silent.
	void shake_hands(fake_peer& peer, bool speaks);
	void greet(fake_peer& peer);
	void disconnect(fake_peer& peer);
	// `is_wrong`: other bytes than the film's.
	void send(fake_peer& peer, int piece, int block, bool is_wrong);
	void give(int piece);
	// Of a piece that was found wrong: whoever lied has nothing to do with what comes from now on.
	void forget_lies(int piece) { at(piece).lies.clear(); }
	void tick();

	// -- lt::torrent_handle

	void add_piece(int piece, char const* bytes, bool overwrite);
	void set_priority(int piece, int priority);
	void force_recheck();

	// The bytes of a block are made from this number, and are the same in every run.
	[[nodiscard]] std::uint64_t content(int piece, int block) const;
	[[nodiscard]] lt::sha1_hash const& right_hash(int piece) const;

private:
	// What libtorrent knows of a piece. Where it has no download entry, that is closed.
	struct known_piece
	{
		explicit known_piece(int const num_blocks) : given(std::size_t(num_blocks)), entry(num_blocks) {}

		int priority = 4;
		bool have = false;   // passed and flushed: no entry any more
		std::set<int> lies;  // blocks that were sent last with other bytes
		std::vector<int> given; // writes of add_piece() under way, for each block
		bool undone = false; // one was, by the end of a peer's write of its block, and no hash was asked for since
		download_entry entry;

		[[nodiscard]] bool is_finished() const { return have || entry.is_finished(); }
	};

	[[nodiscard]] known_piece& at(int const p) { return m_pieces[std::size_t(p)]; }
	[[nodiscard]] bool has_picker() const;
	[[nodiscard]] bool lacks_what_it_wants() const;
	void expect(bool const holds, std::string const& what) const { if (!holds) m_around.fail(what); }
	[[nodiscard]] std::string text(int const p) const { return "piece " + std::to_string(p) + " of torrent " + std::to_string(number); }

	void flushed_if_all(known_piece& p);
	void finished(int piece, int block, std::shared_ptr<fake_peer> const& by);
	void cancelled(int piece, int block);
	void write(int piece, int block, char const* bytes, std::shared_ptr<fake_peer> by);
	void written(int piece, int block, std::shared_ptr<fake_peer> const& by, lt::storage_error const& e);
	void verify(int piece);
	void hashed(int piece, lt::sha1_hash const& hash, lt::storage_error const& e);
	void passes(int piece);
	void fails(int piece);
	void check_next();
	void files_checked();

	surroundings m_around;
	lt::file_storage const m_files;
	lt::storage_holder m_storage;
	std::shared_ptr<lt::torrent_plugin> m_part;
	std::vector<known_piece> m_pieces;
	std::vector<std::shared_ptr<fake_peer>> m_peers;
	lt::torrent_status::state_t m_state = lt::torrent_status::downloading;
	int m_next_to_check = 0;
	int m_checking = 0;      // hashes on their way
	int m_looks_at_peers = 0;
	int m_times_finished = 0;
	int m_recheck = 0;       // how many there were: hashes of an earlier one say nothing
	bool m_waits_to_ask = false;
	bool m_aborted = false;
	bool m_gone = false;

public:
	// Read requests need it.
	[[nodiscard]] lt::storage_index_t storage() const { return m_storage; }
};

} // namespace slipstream::test
