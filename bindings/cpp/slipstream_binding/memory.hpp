// The memory disk and the storage of each torrent, for other languages: slipstream::memory_disk
// with numbers for memory_torrent handles.
//
// A handle: copies share one disk. Any thread, at any time, after the death of every session too. A
// storage number names one storage for ever: it is not used again, so one whose torrent left
// answers no_such_torrent, also when the same torrent is added again.
#pragma once

#include <slipstream_binding/outcome.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace slipstream { class memory_disk; class memory_torrent; }
namespace libtorrent { struct info_hash_t; }

namespace slipstream::binding {

struct memory_options
{
	std::int64_t capacity_bytes = 256 << 20;
	int hash_threads = 0;
	bool evict = true;
	bool hold_always = false;
};

// As slipstream::memory_stats.
struct memory_record
{
	std::int64_t capacity_bytes = 0;
	std::int64_t writable_bytes = 0;
	std::int64_t used_bytes = 0;
	std::int64_t peak_bytes = 0;
	std::int64_t mapped_bytes = 0;
	std::int64_t torrents = 0;
	std::int64_t hash_jobs = 0;
	std::int64_t blocks_written = 0;
	std::int64_t blocks_read = 0;
	std::int64_t reads_missed = 0;
	std::int64_t reads_copied = 0;
	std::int64_t writes_refused = 0;
	std::int64_t pieces_hashed = 0;
	std::int64_t pieces_verified = 0;
	std::int64_t pieces_evicted = 0;
	std::int64_t pieces_forgotten = 0;
	std::int64_t protectable_bytes = 0;
	std::int64_t lookbehind_bytes = 0;
	std::int64_t lookbehind_available_bytes = 0;
};

struct granted_record
{
	int pieces = 0;
	std::int64_t bytes = 0;
};

struct lookbehind_record
{
	int protected_pieces = 0;
	int available_pieces = 0;
	std::int64_t protected_bytes = 0;
	std::int64_t available_bytes = 0;
};

class memory
{
public:
	// Errors: bad_argument, with the range; the object is then closed.
	memory(memory_options const& options, outcome& out);
#ifndef SWIG
	explicit memory(memory_disk disk);
	// Null when it could not be made.
	[[nodiscard]] memory_disk const* disk() const;
	[[nodiscard]] std::int64_t number_of(memory_torrent const& storage) const;
	[[nodiscard]] memory_torrent storage_of(std::int64_t storage) const;
#endif

	[[nodiscard]] std::int64_t capacity_bytes() const;
	// Answers the capacity that resulted. Errors: bad_argument, with the sum.
	std::int64_t set_capacity_bytes(std::int64_t capacity, outcome& out) const;
	// Errors: no_space, with the sum; bad_argument.
	void room_for(std::int64_t size_bytes, int piece_length_bytes, outcome& out) const;
	[[nodiscard]] memory_record stats() const;

	// The number of a torrent's storage, by its hashes (raw: 20 bytes or none, 32 bytes or none).
	// Errors: no_such_torrent, bad_argument.
	[[nodiscard]] std::int64_t storage(bytes const& v1, bytes const& v2, outcome& out) const;
	// Below: errors no_such_torrent, and those of slipstream::memory_torrent.
	[[nodiscard]] bool alive(std::int64_t storage) const;
	[[nodiscard]] bytes v1_hash(std::int64_t storage) const;
	[[nodiscard]] bytes v2_hash(std::int64_t storage) const;
	[[nodiscard]] int num_pieces(std::int64_t storage, outcome& out) const;
	[[nodiscard]] int num_verified_pieces(std::int64_t storage, outcome& out) const;
	// As slipstream::piece_state: 0 absent, 1 partial, 2 complete, 3 verified.
	[[nodiscard]] int piece_state(std::int64_t storage, int piece, outcome& out) const;
	[[nodiscard]] bool has_piece(std::int64_t storage, int piece) const;
	// Copies up to `size` bytes of the piece from `offset` on; answers how many. 0 with an error.
	std::int64_t read(std::int64_t storage, char* buffer, std::size_t size, int piece, int offset, bool verified_only, outcome& out) const;
	granted_record set_reader_pieces(std::int64_t storage, std::vector<int> const& pieces, outcome& out) const;
	granted_record set_reserved_pieces(std::int64_t storage, std::vector<int> const& pieces, outcome& out) const;
	granted_record set_lookbehind_pieces(std::int64_t storage, std::vector<int> const& pieces, outcome& out) const;
	void clear_lookbehind(std::int64_t storage, outcome& out) const;
	[[nodiscard]] bool is_lookbehind_available(std::int64_t storage, int piece) const;
	[[nodiscard]] lookbehind_record lookbehind(std::int64_t storage, outcome& out) const;

private:
	class impl;
	std::shared_ptr<impl> m_impl;
};

} // namespace slipstream::binding
