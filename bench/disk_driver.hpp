// A disk_interface under a bench: an io_context with its own network thread, as a session has one, and content whose
// every byte is known.
//
// `content` is one torrent's shape and bytes: 64 templates of 16 KiB, of which each block is one with its torrent's and its own
// number stamped at the start, so that no two blocks are alike and the source stays in the processor's cache, as what a
// socket just delivered does. Its hashes are computed beforehand. One thread at a time uses contents, all of them.
// `disk_driver` owns the disk and the directory in /dev/shm that libtorrent's disks put their files in. A work runs on
// its network thread from measure() to done(); nothing else runs there. It checks nothing by itself.
#pragma once

#include "measure.hpp"

#include <libtorrent/disk_interface.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/io_context.hpp>
#include <libtorrent/performance_counters.hpp>
#include <libtorrent/settings_pack.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace slipstream::bench {

inline constexpr int block_bytes = 16 * 1024;

enum class protocol { v1, v2 };

class content
{
public:
	content(std::string name, std::int64_t num_blocks, int piece_blocks, protocol kind, std::uint64_t seed);

	[[nodiscard]] std::shared_ptr<lt::file_storage const> files() const { return m_files; }
	[[nodiscard]] std::int64_t num_blocks() const { return m_num_blocks; }
	[[nodiscard]] int piece_blocks() const { return m_piece_blocks; }
	[[nodiscard]] int num_pieces() const { return m_files->num_pieces(); }
	[[nodiscard]] protocol kind() const { return m_kind; }
	[[nodiscard]] lt::sha1_hash info_hash() const;
	[[nodiscard]] lt::peer_request request(std::int64_t block) const;

	// The block's bytes, valid until the next call, of any content.
	[[nodiscard]] char const* block(std::int64_t index);
	// Whether `bytes` are the block's from `offset` on.
	[[nodiscard]] bool equals(std::int64_t index, int offset, char const* bytes, int length);
	// Whether they begin with the block's stamp.
	[[nodiscard]] bool stamped(std::int64_t index, char const* bytes) const;

	void compute_hashes();
	[[nodiscard]] bool is_right(int piece, lt::sha1_hash const& v1) const { return m_v1.at(std::size_t(piece)) == v1; }
	[[nodiscard]] bool is_right(int piece, std::vector<lt::sha256_hash> const& v2) const;

private:
	std::int64_t const m_num_blocks;
	int const m_piece_blocks;
	protocol const m_kind;
	std::uint64_t const m_seed;
	std::shared_ptr<lt::file_storage const> m_files;
	std::vector<lt::sha1_hash> m_v1;
	std::vector<lt::sha256_hash> m_v2;
};

// "ours", "mmap", "posix", "vectors".
[[nodiscard]] std::vector<std::string> const& all_disks();

class disk_driver
{
public:
	// `capacity_bytes`: of ours. `hashing_threads`: of all.
	disk_driver(std::string const& disk, std::int64_t capacity_bytes, int hashing_threads);
	~disk_driver();
	disk_driver(disk_driver const&) = delete;
	disk_driver& operator=(disk_driver const&) = delete;

	// Runs `work` on the network thread and returns when done() was called there: what that took.
	moment measure(std::function<void()> work);
	void done();

	// -- network thread

	[[nodiscard]] lt::disk_interface& disk() { return *m_disk; }
	[[nodiscard]] lt::io_context& ios() { return m_ios; }
	[[nodiscard]] lt::storage_holder add(content const& c);

private:
	std::string m_directory;
	lt::io_context m_ios;
	lt::settings_pack m_settings;
	lt::counters m_counters;
	std::unique_ptr<lt::disk_interface> m_disk;
	moment m_end;
	bool m_done = false;
};

} // namespace slipstream::bench
