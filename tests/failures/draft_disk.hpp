// A toy memory disk that can be given the faults of the draft that Slipstream replaces, one at a
// time.
//
// It exists so that each check of the seven failures can be seen to fail. All its memory is an
// arena that the test owns and that is never returned to the system: what would be a read of freed
// memory in the draft is here a read of a slot that was filled with 0xdd or taken by other bytes.
// So the faults show as wrong bytes, every time, without undefined behaviour. Network thread alone;
// v1 torrents without padding. Without a fault it is right in what the checks look at. It is not an
// example to build on.
#pragma once

#include <libtorrent/disk_interface.hpp>
#include <libtorrent/io_context.hpp>
#include <libtorrent/session_params.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace slipstream::test {

enum class fault
{
	none,
	span_escapes,                  // 1: reads lend the store's memory without a share of it
	never_frees,                   // 2: free_disk_buffer does nothing
	frees_what_it_never_allocated, // 2: free_disk_buffer frees the store's own block
	pointer_outlives_session,      // 3: a look-up keeps a raw pointer to the disk's tables
	index_reused,                  // 4: operations find their torrent by index when they run
	reallocates,                   // 5: a piece is one vector, which moves when it grows
	keeps_the_callers_bytes,       // 6: a const_cast in place of a copy
	raw_pointers_to_worker,        // 7: the hash job carries pointers, no shares
};

struct draft_torrent
{
	lt::file_storage const* files = nullptr;
	std::map<std::pair<lt::piece_index_t, int>, char*> blocks;
	bool alive = false;
};

// The memory of all disks of one test, those that ended included.
class arena
{
public:
	static constexpr int slot_bytes = 16 * 1024;
	static constexpr int num_slots = 256;

	arena();
	[[nodiscard]] char* take();              // with one share
	void share(char const* inside);
	void give_back(char const* inside);      // the last share frees: fills with 0xdd
	[[nodiscard]] int in_use() const { return num_slots - static_cast<int>(m_free.size()); }

	// What a disk knows of its torrents. A new disk starts at the same place, as an allocator would
	// have it.
	std::vector<draft_torrent> tables;

private:
	[[nodiscard]] std::size_t slot(char const* inside) const;
	std::vector<char> m_memory;
	std::array<int, num_slots> m_shares{};
	std::vector<std::size_t> m_free;         // the last given back is the first taken
};

[[nodiscard]] lt::disk_io_constructor_type draft_disk_constructor(std::shared_ptr<arena> memory
	, fault f);

// Failure 3's way to the bytes from outside: the place where the disk had its tables.
[[nodiscard]] std::optional<std::string> read_through_raw_pointer(arena const& memory
	, lt::storage_index_t index, lt::piece_index_t piece, int length);

} // namespace slipstream::test
