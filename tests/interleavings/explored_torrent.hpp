// A session and a torrent of explorer, and what is known of them. Owned by their explorer; one thread.
#pragma once

#include "interleavings/explorer.hpp"
#include "support/disk_harness.hpp"

#include <memory>
#include <set>
#include <utility>

namespace slipstream::test {

// A disk and the io_context it posts to.
struct explorer::session
{
	lt::io_context ios;
	shared_settings settings{lt::settings_pack{}};
	lt::counters counters;
	std::unique_ptr<memory_disk_io> disk;
	bool aborted = false;
};

struct explorer::events final : memory_events
{
	explorer& all;
	torrent& of;
	events(explorer& e, torrent& t) : all(e), of(t) {}
	void piece_verified(lt::info_hash_t const&, lt::piece_index_t piece) override;
	void piece_gone(lt::info_hash_t const&, lt::piece_index_t piece) override;
};

struct explorer::torrent
{
	lt::file_storage files;
	geometry shape;
	plain_store plain;
	lt::sha1_hash name;
	session* in = nullptr;
	lt::storage_holder holder;
	lt::storage_index_t index{0};
	std::shared_ptr<events> hears;
	std::shared_ptr<int> owner = std::make_shared<int>();
	std::set<int> verified; // as the events say

	int const number;

	torrent(lt::file_storage f, plain_pool& pool, int const n) : files(std::move(f)), shape(files), plain(shape, pool), number(n) {}
	[[nodiscard]] bool live() const { return !in->aborted; }
};

inline void explorer::events::piece_verified(lt::info_hash_t const&, lt::piece_index_t const piece)
{ of.verified.insert(static_cast<int>(piece)); }
inline void explorer::events::piece_gone(lt::info_hash_t const&, lt::piece_index_t const piece)
{ all.expect(of.verified.erase(static_cast<int>(piece)) == 1, "piece_gone is of a piece that was verified"); }

} // namespace slipstream::test
