// One session's disk: translates libtorrent's disk_interface into operations on storages, and their
// outcomes into completions. Translation only: no policy, no bytes of its own.
//
// Made by memory_disk::constructor() for its session, which owns it. All virtuals are called on the
// network thread, except free_disk_buffer() (any thread) and hashed() (a worker). Operations take
// effect in the call; their handlers are moved into completions and run later from the completion
// queue. It may die only when no worker holds a job of it: abort() cancels, the destructor waits.
#pragma once

#include "disk/completion_queue.hpp"
#include "disk/disk_core.hpp"
#include "disk/lt_compat.hpp"
#include "disk/storage_slots.hpp"
#include "disk/torrent_storage.hpp"

#include <libtorrent/disk_observer.hpp>
#include <libtorrent/io_context.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/performance_counters.hpp>
#include <libtorrent/settings_pack.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace slipstream {

class memory_disk_io final
	: public lt::disk_interface
	, public lt_compat::buffer_owner
	, private hash_sink
{
public:
	memory_disk_io(lt::io_context& ioc, lt::settings_interface const& settings, lt::counters& counters
		, std::shared_ptr<disk_core> core);
	~memory_disk_io() override;

	lt::storage_holder new_torrent(lt::storage_params const& params
		, std::shared_ptr<void> const& torrent) override;
	void remove_torrent(lt::storage_index_t index) override;

	// -- bytes (memory_disk_io.cpp)

	void async_read(lt::storage_index_t index, lt::peer_request const& r
		, std::function<void(lt::disk_buffer_holder, lt::storage_error const&)> handler
		, lt::disk_job_flags_t flags) override;
	bool async_write(lt::storage_index_t index, lt::peer_request const& r, char const* buf
		, std::shared_ptr<lt::disk_observer> observer
		, std::function<void(lt::storage_error const&)> handler, lt::disk_job_flags_t flags) override;
	void async_hash(lt::storage_index_t index, lt::piece_index_t piece, lt::span<lt::sha256_hash> v2
		, lt::disk_job_flags_t flags
		, std::function<void(lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&)> handler) override;
	void async_hash2(lt::storage_index_t index, lt::piece_index_t piece, int offset
		, lt::disk_job_flags_t flags
		, std::function<void(lt::piece_index_t, lt::sha256_hash const&, lt::storage_error const&)> handler) override;
	void free_disk_buffer(char* buffer) override;

	// -- the life of a storage (memory_disk_control.cpp)

	void async_check_files(lt::storage_index_t index, lt::add_torrent_params const* resume_data
		, lt::aux::vector<std::string, lt::file_index_t> links
		, std::function<void(lt::status_t, lt::storage_error const&)> handler) override;
	void async_stop_torrent(lt::storage_index_t index, std::function<void()> handler) override;
	void async_release_files(lt::storage_index_t index, std::function<void()> handler) override;
	void async_move_storage(lt::storage_index_t index, std::string path, lt::move_flags_t flags
		, std::function<void(lt::status_t, std::string const&, lt::storage_error const&)> handler) override;
	void async_rename_file(lt::storage_index_t index, lt::file_index_t file, std::string name
		, std::function<void(std::string const&, lt::file_index_t, lt::storage_error const&)> handler) override;
	void async_delete_files(lt::storage_index_t index, lt::remove_flags_t options
		, std::function<void(lt::storage_error const&)> handler) override;
	void async_set_file_priority(lt::storage_index_t index
		, lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities
		, std::function<void(lt::storage_error const&
			, lt::aux::vector<lt::download_priority_t, lt::file_index_t>)> handler) override;
	void async_clear_piece(lt::storage_index_t index, lt::piece_index_t piece
		, std::function<void(lt::piece_index_t)> handler) override;

	void update_stats_counters(lt::counters& counters) const override;
	std::vector<lt::open_file_state> get_status(lt::storage_index_t index) const override;
	void abort(bool wait) override;
	void submit_jobs() override;
	void settings_updated() override;

private:
	class hash;
	class piece_hash;
	class block_hash;

	void hashed(std::unique_ptr<hash_job> job) noexcept override;
	// The storage, unless the disk was aborted or the index is not in use.
	[[nodiscard]] std::shared_ptr<torrent_storage> live(lt::storage_index_t index) const;
	// Delivers `c` when everything asked of the storage before is delivered; a null storage has
	// nothing to wait for.
	void fence(std::shared_ptr<torrent_storage> const& storage, completion c);
	void start(std::unique_ptr<hash> job, std::shared_ptr<torrent_storage> const& storage);

	// A read that waits until less is lent. Its storage may go meanwhile.
	struct waiting_read
	{
		std::weak_ptr<torrent_storage> storage;
		lt::peer_request request;
		read_done done;
	};
	void read_or_wait(std::shared_ptr<torrent_storage> const& storage, lt::peer_request const& r, read_done done);
	// Of those that wait, as many as may be served now, in order.
	void serve_waiting_reads();
	// Ends those of the storage, or of one of its pieces, before what fences them.
	void end_waiting_reads(torrent_storage const& storage, boost::system::error_code why
		, std::optional<lt::piece_index_t> piece = std::nullopt);

	[[nodiscard]] lt::disk_buffer_holder read(torrent_storage const& storage, lt::peer_request const& r
		, lt::storage_error& error);
	[[nodiscard]] lt::storage_error write(torrent_storage& storage, lt::peer_request const& r
		, char const* bytes);

	std::shared_ptr<disk_core> const m_core;
	lt::io_context& m_ioc;
	lt::settings_interface const& m_settings;
	lt::counters& m_counters;
	std::shared_ptr<completion_queue> const m_completions;
	std::shared_ptr<write_watermark> const m_watermark = std::make_shared<write_watermark>();
	std::shared_ptr<room_listener> const m_room;
	std::shared_ptr<room_listener> const m_read_room;
	std::atomic<int> m_hash_jobs{0}; // with the workers

	// network thread
	storage_slots<torrent_storage> m_storages;
	std::deque<waiting_read> m_waiting_reads;
	std::uint32_t m_num_reads = 0;
	std::uint32_t m_num_writes = 0;
	bool m_aborted = false;
	std::int64_t m_connections = 0; // as told to the cache
};

} // namespace slipstream
