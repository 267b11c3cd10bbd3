// Completions: what libtorrent is told about finished operations, always later and always on its
// network thread.
//
// Each kind is a struct that owns the handler and everything the handler is given, so nothing it
// touches can be gone when it runs; it is moved along, never copied (a copy of a hash handler would
// have another vector behind its span), and called exactly once. The queue collects completions
// from the network thread and from hash workers and delivers them in order, a batch a post: the
// post goes out with the first of a batch, so delivery depends on nobody calling submit_jobs().
//
// A completion that is promised to come, of a hash or behind one, must not be lost for want of
// memory when it is due, on a thread that could tell nobody: so what it takes to queue it (`ready`)
// is had when it is promised, and the post's memory is the queue's own. For all others memory is
// used again: in its stride the queue takes none.
#pragma once

#include "block/mutex.hpp"
#include "disk/lt_compat.hpp"
#include "disk/write_watermark.hpp"

#include <libtorrent/aux_/vector.hpp>
#include <libtorrent/download_priority.hpp>
#include <libtorrent/error_code.hpp>
#include <libtorrent/io_context.hpp>
#include <libtorrent/sha1_hash.hpp>
#include <libtorrent/units.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace slipstream {

struct read_done
{
	std::function<void(lt::disk_buffer_holder, lt::storage_error const&)> handler;
	lt::disk_buffer_holder buffer;
	lt::storage_error error;
	void operator()() { handler(std::move(buffer), error); }
};

struct write_done
{
	std::function<void(lt::storage_error const&)> handler;
	lt::storage_error error;
	std::shared_ptr<write_watermark> watermark;
	int length;
	bool was_held = false;
	void operator()()
	{
		// Before the handler, so that one that throws does not leave the bytes counted for ever.
		if (!was_held) watermark->delivered(length);
		handler(error);
	}
};

// Hashes are delivered by the job that computed them: there is more to do around the handler.
class delivery
{
public:
	virtual ~delivery() = default;
	virtual void deliver() = 0;
};

struct hash_done
{
	std::unique_ptr<delivery> job;
	bool is_early = false; // push_early()
	void operator()() { job->deliver(); }
};

struct check_done
{
	std::function<void(lt::status_t, lt::storage_error const&)> handler;
	lt::status_t status;
	lt::storage_error error;
	void operator()() { handler(status, error); }
};

struct move_done
{
	std::function<void(lt::status_t, std::string const&, lt::storage_error const&)> handler;
	std::string path;
	lt::storage_error error;
	void operator()() { handler(lt_compat::no_error(), path, error); }
};

struct rename_done
{
	std::function<void(std::string const&, lt::file_index_t, lt::storage_error const&)> handler;
	std::string name;
	lt::file_index_t file;
	lt::storage_error error;
	void operator()() { handler(name, file, error); }
};

struct priority_done
{
	using priorities = lt::aux::vector<lt::download_priority_t, lt::file_index_t>;
	std::function<void(lt::storage_error const&, priorities)> handler;
	priorities given;
	lt::storage_error error;
	void operator()() { handler(error, std::move(given)); }
};

struct delete_done
{
	std::function<void(lt::storage_error const&)> handler;
	lt::storage_error error;
	void operator()() { handler(error); }
};

struct clear_done
{
	std::function<void(lt::piece_index_t)> handler;
	lt::piece_index_t piece;
	void operator()() { handler(piece); }
};

// Stop and release: libtorrent may pass no handler at all.
struct plain_done
{
	std::function<void()> handler;
	void operator()() { if (handler) handler(); }
};

// What the disk wants done on its own network thread, asked for from any.
class own_step
{
public:
	virtual ~own_step() = default;
	virtual void run() = 0;
};

struct step_due
{
	std::unique_ptr<own_step> step;
	void operator()() { step->run(); }
};

using completion = std::variant<read_done, write_done, hash_done, check_done, move_done, rename_done
	, priority_done, delete_done, clear_done, plain_done, step_due>;

// One completion, and all the memory it takes to queue it.
using ready = std::list<completion>;
[[nodiscard]] inline ready make_ready(completion c)
{
	ready r;
	r.push_back(std::move(c));
	return r;
}

// Owned by its disk (one session's); posts keep it alive.
class completion_queue : public std::enable_shared_from_this<completion_queue>
{
public:
	// `outstanding`: how many handlers were promised, by any queue that shares it, and have not
	// been called.
	completion_queue(lt::io_context& ioc, std::shared_ptr<std::atomic<std::int64_t>> outstanding)
		: m_ioc(ioc), m_outstanding(std::move(outstanding)) {}

	// libtorrent asks for something. The queue itself counts what it delivers; who calls a handler
	// without it says so. What is never called, where an io_context was stopped early or there was
	// no memory, stays outstanding.
	void promised() noexcept { m_outstanding->fetch_add(1, std::memory_order_relaxed); }
	void kept() noexcept { m_outstanding->fetch_sub(1, std::memory_order_relaxed); }

	// Any thread. False, and nothing is done, once closed. Where there is no memory std::bad_alloc
	// is thrown, and nothing is done either.
	bool push(completion c) EXCLUDES(m_mutex);
	bool push(ready r) noexcept EXCLUDES(m_mutex) { return queue(std::move(r), false); }
	// A hash that is to be delivered before everything that was pushed and not delivered. Not
	// counted below.
	bool push_early(hash_done h) EXCLUDES(m_mutex);
	// Nothing is delivered any more; drops what was not, which is something only where an io_context was
	// stopped early.
	void close() EXCLUDES(m_mutex);
	// Pushed and not delivered yet. Any thread.
	[[nodiscard]] int size() const noexcept { return m_size.load(std::memory_order_relaxed); }
	// How many were pushed so far, and how many of these, the first ones, delivered. Any thread;
	// what the calling thread pushed before is counted.
	[[nodiscard]] std::uint64_t pushed() const noexcept { return m_pushed.load(std::memory_order_relaxed); }
	[[nodiscard]] std::uint64_t delivered() const noexcept { return m_delivered.load(std::memory_order_relaxed); }

private:
	struct post;
	template <typename T> struct post_memory;
	bool queue(ready r, bool at_front) noexcept EXCLUDES(m_mutex);
	void count_and_post(bool at_front) REQUIRES(m_mutex);
	void post_delivery() REQUIRES(m_mutex);
	void deliver() EXCLUDES(m_mutex);

	// More than are delivered at a time, as a rule.
	static constexpr std::size_t most_spare = 128;

	lt::io_context& m_ioc;
	std::shared_ptr<std::atomic<std::int64_t>> const m_outstanding;
	std::atomic<int> m_size{0};
	std::atomic<std::uint64_t> m_pushed{0};
	std::atomic<std::uint64_t> m_delivered{0};
	mutex m_mutex;
	std::list<completion> m_waiting GUARDED_BY(m_mutex);
	std::list<completion> m_spare GUARDED_BY(m_mutex); // to be used again; empty ones
	bool m_posted GUARDED_BY(m_mutex) = false; // a deliver() is on its way
	bool m_closed GUARDED_BY(m_mutex) = false; // m_ioc may be gone
	std::list<completion> m_delivered_ones; // to be spare ones from the next delivery on; network thread
	alignas(std::max_align_t) std::byte m_post_memory[256]; // the one post's that is on its way
};

} // namespace slipstream
