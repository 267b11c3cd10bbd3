// A disk_interface, run as a session would run it: an io_context with its own network thread,
// settings, counters, and handlers whose every call is recorded.
//
// A disk_harness owns all of it, and a temporary directory for disks that want one. Its functions
// may be called from the test's thread, which waits for them, or inside event(), where several
// calls make one batch. What a call started is a `pending` result: wait() has a deadline, nothing
// sleeps. Buffers in results must be given up before the harness is destroyed, as a session does
// before its disk dies. It is not a session: no peers, no picker, no hash checks of its own.
#pragma once

#include "support/handler_record.hpp"
#include "support/test_torrent.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/disk_interface.hpp>
#include <libtorrent/io_context.hpp>
#include <libtorrent/performance_counters.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>

#include <boost/asio/executor_work_guard.hpp>

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace slipstream::test {

struct read_result
{
	lt::disk_buffer_holder buffer;
	lt::storage_error error;
	int length = 0;  // what was asked for
	[[nodiscard]] std::string_view bytes() const
	{
		return buffer ? std::string_view(buffer.data(), static_cast<std::size_t>(length))
			: std::string_view();
	}
};
struct write_result { lt::storage_error error; bool over_watermark = false; };
struct hash_result
{
	lt::piece_index_t piece{-1};
	lt::sha1_hash v1;
	std::vector<lt::sha256_hash> v2;   // as the handler found its own vector
	bool same_memory = false;          // the handler's vector is the one the span pointed into
	lt::storage_error error;
};
struct hash2_result { lt::piece_index_t piece{-1}; lt::sha256_hash hash; lt::storage_error error; };
struct move_result { lt::status_t status{}; std::string path; lt::storage_error error; };
struct check_result { lt::status_t status{}; lt::storage_error error; };
struct rename_result { std::string name; lt::file_index_t file{-1}; lt::storage_error error; };
struct delete_result { lt::storage_error error; };
struct priority_result
{
	lt::storage_error error;
	lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities;
};
struct clear_result { lt::piece_index_t piece{-1}; };
struct done_result {};

// Settings that may change while a disk's threads read them, as a session's may.
class shared_settings final : public lt::settings_interface
{
public:
	explicit shared_settings(lt::settings_pack pack) : m_pack(std::move(pack)) {}
	void set_str(int name, std::string val) override;
	void set_int(int name, int val) override;
	void set_bool(int name, bool val) override;
	bool has_val(int name) const override;
	std::string const& get_str(int name) const override;
	int get_int(int name) const override;
	bool get_bool(int name) const override;

private:
	mutable std::mutex m_mutex;
	lt::settings_pack m_pack;
};

enum class submit { yes, no };

class disk_harness
{
public:
	// One torrent's storage on the disk. Belongs to the harness.
	struct storage
	{
		test_torrent const* content = nullptr;
		lt::storage_index_t index{0};
		lt::storage_holder holder;
		// What libtorrent's torrent object stands for: owns the metadata, and is gone after the
		// removal, unless the disk keeps it.
		std::shared_ptr<lt::torrent_info> torrent;
		std::weak_ptr<lt::torrent_info> owner;
	};

	explicit disk_harness(lt::disk_io_constructor_type const& make
		, lt::settings_pack const& settings = {});
	~disk_harness();
	disk_harness(disk_harness const&) = delete;
	disk_harness& operator=(disk_harness const&) = delete;

	// Runs `work` on the network thread as one event, then submit_jobs(); inside an event it just
	// runs it.
	void event(std::function<void()> const& work, submit s = submit::yes);
	// Everything that was posted before has run.
	void settle() { event([] {}, submit::no); }
	// Calls the disk on the network thread, watched as the functions below are.
	void call(std::function<void(lt::disk_interface&)> const& f);

	// `folder`: below the harness's directory; the same folder names the same files for disks that
	// have files.
	storage& add(test_torrent const& content, std::string const& folder = "a");
	void remove(storage& s);

	pending<read_result> read(storage const& s, lt::piece_index_t piece, int start, int length
		, lt::disk_job_flags_t flags = {});
	pending<read_result> read(storage const& s, block_range const& b)
	{ return read(s, b.piece, b.start, b.length); }
	// The bytes are lent for the call alone and overwritten after it.
	pending<write_result> write(storage const& s, lt::piece_index_t piece, int start
		, std::string_view bytes
		, std::shared_ptr<lt::disk_observer> observer = nullptr, lt::disk_job_flags_t flags = {});
	pending<write_result> write(storage const& s, block_range const& b)
	{ return write(s, b.piece, b.start, s.content->bytes(b)); }
	// Writes every block of the torrent (of the piece), waits, and throws when one fails.
	void write_all(storage const& s);
	void write_piece(storage const& s, lt::piece_index_t piece);

	// Hashes as the torrent's kind wants: v1, v2 or both.
	pending<hash_result> hash(storage const& s, lt::piece_index_t piece
		, lt::disk_job_flags_t extra = {});
	pending<hash_result> hash(storage const& s, lt::piece_index_t piece, int v2_blocks
		, lt::disk_job_flags_t flags);
	pending<hash2_result> hash2(storage const& s, lt::piece_index_t piece, int start);
	pending<move_result> move(storage const& s, std::string const& folder);
	pending<done_result> release_files(storage const& s);
	pending<check_result> check_files(storage const& s, lt::add_torrent_params const* resume);
	pending<done_result> stop_torrent(storage const& s);
	pending<rename_result> rename(storage const& s, lt::file_index_t file, std::string const& name);
	pending<delete_result> delete_files(storage const& s, lt::remove_flags_t options);
	pending<priority_result> set_priorities(storage const& s
		, lt::aux::vector<lt::download_priority_t, lt::file_index_t> priorities);
	pending<clear_result> clear_piece(storage const& s, lt::piece_index_t piece);

	std::shared_ptr<watermark_observer> make_observer() const
	{ return std::make_shared<watermark_observer>(m_network); }
	// After update_stats_counters().
	std::int64_t counter(int which);
	void change_setting(int name, int value);
	[[nodiscard]] std::string path(std::string const& folder) const
	{ return m_directory + "/" + folder; }

	void abort(bool wait);
	// What the end of a session does: removes all storages, aborts, runs the io_context dry and
	// joins the network thread. The disk still lives, so that buffers can be given back.
	void finish();
	// finish(), then destroys the disk.
	void destroy();

	// After finish(): what handlers met that they must not. Empty for a disk that keeps the rules.
	[[nodiscard]] std::vector<std::string> broken_handler_rules() const;

private:
	template <typename Result, typename Start>
	pending<Result> launch(char const* name, Start const& start);

	std::string m_directory;
	lt::io_context m_ios;
	boost::asio::executor_work_guard<lt::io_context::executor_type> m_work;
	shared_settings m_settings;
	lt::counters m_counters;
	std::shared_ptr<network_state> m_network = std::make_shared<network_state>();
	std::unique_ptr<lt::disk_interface> m_disk;
	std::vector<std::unique_ptr<storage>> m_storages;
	std::vector<std::shared_ptr<call_record>> m_records;
	std::promise<void> m_ran_dry;
	std::thread m_thread;
	bool m_finished = false;
};

} // namespace slipstream::test
