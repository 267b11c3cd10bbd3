// The engine: a libtorrent session on a memory disk, and readers that turn files of its torrents into
// seekable streams of verified bytes (unless engine_options::early says otherwise).
//
// One engine owns one lt::session, one memory_disk and one thread, on which all of its state lives:
// public calls are carried there and answered, so they may come from any thread but must not come
// from a handler that the engine itself is running. (Reading what is in memory is not: it happens
// where it is asked for.) Handlers of asynchronous calls are posted to their associated executor.
// The destructor stops everything: waiting reads complete with `cancelled`. It knows nothing of
// HTTP, and it is not needed to use the memory disk alone.
#pragma once

#include <slipstream/error.hpp>
#include <slipstream/extent.hpp>
#include <slipstream/lease.hpp>
#include <slipstream/memory_disk.hpp>
#include <slipstream/torrent_use.hpp>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipstream {

struct engine_options
{
	// `evict` and `hold_always` are not looked at: an engine always makes room, and downloads again
	// what is wanted again.
	memory_disk_options memory;
	// Where peers may connect to: ADDR:PORT, IPv6 in brackets; port 0 picks a free one.
	std::vector<std::string> peer_listen{"0.0.0.0:6881", "[::]:6881"};
	// Peers to connect to for every torrent that is added.
	std::vector<boost::asio::ip::tcp::endpoint> connect;
	// No DHT, local service discovery, UPnP, NAT-PMP, and no trackers, web seeds, or peers named in
	// a magnet link: peers come from `connect` and by connecting to us.
	bool offline = false;
	// A magnet link whose metadata did not arrive in this time fails with metadata_timeout.
	std::chrono::milliseconds metadata_timeout{60'000};
	// A read whose bytes did not arrive in this time fails with read_timeout.
	std::chrono::milliseconds read_timeout{120'000};
	// What a reader asks for beyond its position, and what stays in memory behind it. A share is of
	// the capacity, and all readers that read divide it; bytes are for each reader; a time is what
	// the reader was seen to take in it (a player that seeks by a new connection is supposed to
	// take what the last reader of the file took), and the default until that is known. No more
	// than fits: readers share what can be protected equally, and of each one's part lookbehind has
	// half at most where read-ahead wants the rest. `automatic` read-ahead is what the reader takes
	// in ten seconds, and 64 MiB until that is known; at most a quarter of the capacity, and never
	// less than an eighth of it, 1..64 MiB.
	extent read_ahead;
	extent lookbehind = extent::share(250'000);
	// A reader that has not read for so long is idle: it keeps what others do not need, and what it
	// needs to go on. When nobody has read a torrent for so long, what was kept for its readers may
	// go as well.
	std::chrono::milliseconds reader_idle_after{60'000};
	// True: readers get bytes as soon as they came from a peer, before the hash of their piece is
	// known. They may be wrong then, whatever a peer likes to send, and are not taken back; early()
	// counts them. They are of this torrent and place, or not there: never another's, and never
	// memory that was not written.
	bool early = false;
	// A torrent that nobody has read for so long is removed, and its memory given back. 0: none is.
	std::chrono::milliseconds drop_idle_after{0};
	// What engine::session_state() of an earlier engine answered, or nothing. What cannot be read
	// of it is not used.
	std::vector<char> session_state;
	// Called on the engine's thread when torrents came, went, were paused or resumed, or got their
	// metadata: what resume_data() and torrents() say has changed. It must return soon, throw
	// nothing, and not call the engine.
	std::function<void()> on_change;
};

// See engine_options.
struct window_extents
{
	extent read_ahead;
	extent lookbehind;
	friend bool operator==(window_extents const&, window_extents const&) = default;
};

// Payload bytes since the engine started, of torrents that were removed, too. They never go down.
struct payload_totals
{
	std::int64_t downloaded_bytes = 0;
	std::int64_t uploaded_bytes = 0;
};

// What readers got with engine_options::early before it was verified, since the engine started.
// They never go down.
struct early_totals
{
	std::int64_t lent_bytes = 0;
	// Of these, of pieces whose hash was found wrong then; about: what was lent of a piece that was
	// given up before it was whole is counted with what is lent of it when it comes again.
	std::int64_t failed_bytes = 0;
};

enum class torrent_phase
{
	metadata,  // waits for the metadata of a magnet link
	checking,  // libtorrent looks at what is there
	ready,     // files are known, readers can be opened
	failed,    // see torrent_summary::failure
};

struct file_entry
{
	int index = 0;             // libtorrent's file index: what URLs carry
	std::string path;          // inside the torrent, '/' between parts; for display only
	std::string name;          // the last part
	std::int64_t size_bytes = 0;
	bool pad = false;          // a pad file (BEP 47): not offered to people
};

// The files of a torrent, which do not change: copies share one list, so that to look at a torrent
// of many files is cheap.
class file_table
{
public:
	file_table() = default;  // empty
	file_table(std::initializer_list<file_entry> files) : file_table(std::vector<file_entry>(files)) {}
	file_table(std::vector<file_entry> files) : m_list(std::make_shared<std::vector<file_entry> const>(std::move(files))) {}

	[[nodiscard]] std::vector<file_entry> const& list() const
	{
		static std::vector<file_entry> const none;
		return m_list ? *m_list : none;
	}
	operator std::vector<file_entry> const&() const { return list(); }
	[[nodiscard]] auto begin() const { return list().begin(); }
	[[nodiscard]] auto end() const { return list().end(); }
	[[nodiscard]] bool empty() const { return list().empty(); }
	[[nodiscard]] std::size_t size() const { return list().size(); }
	[[nodiscard]] file_entry const& at(std::size_t const i) const { return list().at(i); }

private:
	std::shared_ptr<std::vector<file_entry> const> m_list;
};

// What does not change of a torrent, once its metadata is here.
struct torrent_files
{
	std::string id;
	std::string name;
	file_table files;
};

struct torrent_summary
{
	lt::info_hash_t hashes;
	std::string id;            // lower-case hex: the v1 hash (40) when there is one, else the v2 hash (64)
	std::string name;          // empty until known
	torrent_phase phase = torrent_phase::metadata;
	std::optional<error> failure;
	bool paused = false;       // by pause(): no peers; what is in memory can be read
	torrent_use use = torrent_use::added;
	// When it will be removed unless somebody reads it before; see engine_options::drop_idle_after.
	std::optional<std::chrono::system_clock::time_point> drops_at;
	file_table files;          // empty until the metadata is known
	std::int64_t size_bytes = 0;
	int piece_length_bytes = 0;
	int num_pieces = 0;
	int verified_pieces = 0;        // in memory and verified now
	int peers = 0;
	int readers = 0;
	std::int64_t download_rate_bytes_s = 0;
	std::int64_t upload_rate_bytes_s = 0;
	std::int64_t downloaded_bytes = 0;  // payload, this session
	std::int64_t uploaded_bytes = 0;
};

// Pieces [first, first + count), all in this state.
struct piece_run
{
	int first = 0;
	int count = 0;
	piece_state state = piece_state::absent;
	friend bool operator==(piece_run const&, piece_run const&) = default;
};

struct peer_entry
{
	boost::asio::ip::tcp::endpoint endpoint;
	std::string client;        // as it calls itself: any bytes
	bool outgoing = false;     // we connected to it
	bool seed = false;         // it has everything
	int progress_ppm = 0;      // what it has, in millionths
	std::int64_t download_rate_bytes_s = 0;  // payload, as all that follows; from it
	std::int64_t upload_rate_bytes_s = 0;
	std::int64_t downloaded_bytes = 0;
	std::int64_t uploaded_bytes = 0;
};

// A reader as it is now.
struct reader_entry
{
	std::string torrent_id;
	int file_index = 0;
	std::int64_t position_bytes = 0;
	std::int64_t size_bytes = 0;
	int first_piece = 0;       // its window: [first_piece, end_piece), equal where it has none yet
	int end_piece = 0;
	std::int64_t lookbehind_bytes = 0;  // that may be kept behind it
	std::optional<std::int64_t> consumed_bytes_s;  // as far as it was seen
	bool waiting = false;      // for bytes at its position
	bool idle = false;         // has not read for engine_options::reader_idle_after
};

struct torrent_details
{
	torrent_summary summary;
	std::vector<peer_entry> peers;
	std::vector<piece_run> pieces;  // all of them, in order; empty until the metadata is known
	std::vector<reader_entry> readers;
};

// A position in a file, and the bytes from there on as they become available. Made by engine::open.
// Calls may come from any thread, one at a time, and one async_lease at a time. Destroying it
// cancels a waiting lease and gives up its window. It holds no more of the engine than a name:
// outliving the engine is harmless.
class reader
{
public:
	class impl;  // src/engine
	explicit reader(std::shared_ptr<impl> i);
	~reader();
	reader(reader const&) = delete;
	reader& operator=(reader const&) = delete;

	[[nodiscard]] std::int64_t size_bytes() const;
	[[nodiscard]] std::int64_t position_bytes() const;
	// 0..size_bytes. Cancels a waiting lease. Errors: out_of_range (the position stays).
	[[nodiscard]] expected<std::int64_t> seek(std::int64_t position_bytes);

	// What is in memory at the position, verified, up to max_bytes, and moves the position behind
	// it: at once, and in the calling thread. Empty when nothing is, at the end of the file, and
	// when only async_lease can say what is wrong.
	[[nodiscard]] lease take(std::size_t max_bytes);

	// Completes with void(boost::system::error_code, lease): between 1 and max_bytes verified bytes
	// (but see engine_options::early) from the position on, and moves the position behind them; an
	// empty lease at the end of the file. Waits for the piece to arrive without polling. Errors:
	// cancelled, read_timeout, no_space, no_such_torrent, torrent_failed; bad_argument for
	// max_bytes == 0 or while another lease is waited for.
	template <typename CompletionToken>
	auto async_lease(std::size_t max_bytes, CompletionToken&& token)
	{
		return boost::asio::async_initiate<CompletionToken, void(boost::system::error_code, lease)>(
			[this, max_bytes](auto handler) {
				auto const executor = boost::asio::get_associated_executor(handler);
				auto const shared = std::make_shared<decltype(handler)>(std::move(handler));
				start_lease(max_bytes
					, [shared, work = boost::asio::make_work_guard(executor)]
					(boost::system::error_code const ec, lease l) {
						boost::asio::post(work.get_executor(), [shared, ec, lent = std::move(l)]() mutable
							{ std::move(*shared)(ec, std::move(lent)); });
					});
			}, token);
	}

	// The same for callers without an executor: copies up to buffer.size() bytes, waits in the calling
	// thread. 0 at the end of the file. Not from the engine's own thread.
	[[nodiscard]] expected<std::size_t> read(std::span<char> buffer);

	// Completes a waiting lease with `cancelled`; the reader can be used again.
	void cancel();

	// Why the last lease failed, for people: for no_space it has the sum. Empty when none did.
	[[nodiscard]] std::string failure() const;

private:
	void start_lease(std::size_t max_bytes, std::function<void(boost::system::error_code, lease)> done);
	std::shared_ptr<impl> m_impl;
};

class engine
{
public:
	// Starts the session. Throws std::invalid_argument for options out of range, std::runtime_error when
	// none of the peer_listen addresses can be listened on.
	explicit engine(engine_options options);
	~engine();
	engine(engine const&) = delete;
	engine& operator=(engine const&) = delete;

	// `uri`: a magnet link, or the path of a torrent file. Answers the torrent's id; its metadata may
	// still be on its way. Errors: bad_magnet, bad_torrent, too_large, duplicate (the detail is the id).
	[[nodiscard]] expected<std::string> add(std::string_view uri);
	// A magnet link and nothing else: for callers that must not reach files. Errors: bad_magnet,
	// duplicate.
	[[nodiscard]] expected<std::string> add_magnet(std::string_view uri);
	// The bytes of a torrent file, at most max_torrent_bytes.
	[[nodiscard]] expected<std::string> add_torrent_file(std::span<char const> bytes);
	static constexpr std::size_t max_torrent_bytes = 32u << 20;
	// A torrent as async_resume_data() of an earlier engine told it: with its metadata where that
	// was known, paused if it was. At most twice max_torrent_bytes. What was in memory is not there
	// any more. Errors: as above; bad_torrent for what is no resume data.
	[[nodiscard]] expected<std::string> add_resume_data(std::span<char const> bytes);

	// Its readers' reads complete with no_such_torrent, its memory is given back. Errors:
	// no_such_torrent.
	[[nodiscard]] expected<std::string> remove(std::string_view id);

	// `id`: any hash of the torrent in hex, either case: v1 (40), v2 (64) or truncated v2 (40).
	[[nodiscard]] expected<torrent_summary> find(std::string_view id) const;
	[[nodiscard]] std::vector<torrent_summary> torrents() const;
	// Its files alone, which costs nothing: libtorrent is not asked. Errors: no_such_torrent,
	// no_metadata (it cannot be read yet: async_wait_ready tells when it can), and what the torrent
	// failed with.
	[[nodiscard]] expected<std::shared_ptr<torrent_files const>> files(std::string_view id) const;
	// The same with what takes longer to gather. Errors: no_such_torrent.
	[[nodiscard]] expected<torrent_details> details(std::string_view id) const;
	[[nodiscard]] std::vector<reader_entry> readers() const;

	// A paused torrent has no peers; reads of what is not in memory wait, until it is resumed or
	// they time out. Idempotent; they answer the torrent's id. Errors: no_such_torrent.
	[[nodiscard]] expected<std::string> pause(std::string_view id);
	[[nodiscard]] expected<std::string> resume(std::string_view id);

	// Completes with void(boost::system::error_code) when the torrent can be read, or cannot any more:
	// no_such_torrent, metadata_timeout, torrent_failed, cancelled.
	template <typename CompletionToken>
	auto async_wait_ready(std::string_view id, CompletionToken&& token)
	{
		return boost::asio::async_initiate<CompletionToken, void(boost::system::error_code)>(
			[this, id = std::string(id)](auto handler) {
				auto const executor = boost::asio::get_associated_executor(handler);
				auto const shared = std::make_shared<decltype(handler)>(std::move(handler));
				start_wait_ready(id, [shared, work = boost::asio::make_work_guard(executor)]
					(boost::system::error_code const ec) {
						boost::asio::post(work.get_executor(), [shared, ec] { std::move(*shared)(ec); });
					});
			}, token);
	}

	// Completes with void(boost::system::error_code, std::vector<char>): libtorrent's resume data
	// of a torrent, as it is written to files: metadata, trackers, peers, totals, whether pause()
	// was called; no pieces, since those go with the memory. Errors: no_such_torrent,
	// torrent_failed, cancelled.
	template <typename CompletionToken>
	auto async_resume_data(std::string_view id, CompletionToken&& token)
	{
		return boost::asio::async_initiate<CompletionToken, void(boost::system::error_code, std::vector<char>)>(
			[this, id = std::string(id)](auto handler) {
				auto const executor = boost::asio::get_associated_executor(handler);
				auto const shared = std::make_shared<decltype(handler)>(std::move(handler));
				start_resume_data(id, [shared, work = boost::asio::make_work_guard(executor)]
					(boost::system::error_code const ec, std::vector<char> bytes) {
						boost::asio::post(work.get_executor(), [shared, ec, data = std::move(bytes)]() mutable
							{ std::move(*shared)(ec, std::move(data)); });
					});
			}, token);
	}
	// The DHT's nodes and this node's identity, for engine_options::session_state. Empty where
	// there are no nodes.
	[[nodiscard]] std::vector<char> session_state() const;

	// A reader at the start of a file. Errors: no_such_torrent, no_metadata, no_such_file,
	// torrent_failed.
	[[nodiscard]] expected<std::unique_ptr<reader>> open(std::string_view id, int file_index);

	// Connects to a peer for one torrent. Errors: no_such_torrent.
	[[nodiscard]] expected<std::string> connect(std::string_view id, boost::asio::ip::tcp::endpoint peer);

	// Where peers can reach us; what port 0 became.
	[[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> peer_endpoints() const;
	[[nodiscard]] memory_disk const& memory() const;
	// What readers' windows are, now and from now on. Errors: bad_argument (nothing changes), cancelled.
	[[nodiscard]] window_extents windows() const;
	[[nodiscard]] expected<window_extents> set_windows(window_extents const& extents);
	[[nodiscard]] payload_totals payload() const;
	[[nodiscard]] early_totals early() const;

	// Stops: no call is served any more, waiting ones complete with `cancelled`. The destructor
	// calls it. Idempotent. Returns when libtorrent's session has ended, which may wait for a name
	// that the system is resolving.
	void stop();

private:
	void start_resume_data(std::string id, std::function<void(boost::system::error_code, std::vector<char>)> done);
	void start_wait_ready(std::string id, std::function<void(boost::system::error_code)> done);
	class impl;
	std::unique_ptr<impl> m_impl;
};

} // namespace slipstream
