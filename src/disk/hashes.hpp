// What one async_hash or async_hash2 carries through the workers and back: the job they compute,
// the handler that is waiting, and the storage whose fences wait for it.
//
// Made and delivered on the network thread; in between a worker owns it. It holds the io_context open, so
// that its handler is delivered however soon the session ends.
#pragma once

#include "disk/completion_queue.hpp"
#include "disk/memory_disk_io.hpp"
#include "disk/torrent_storage.hpp"
#include "store/hasher.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <chrono>
#include <optional>

namespace slipstream {

class memory_disk_io::hash : public hash_job, public delivery
{
public:
	hash(lt::piece_index_t const piece_, lt::io_context& ioc, lt::counters& counters)
		: piece(piece_), m_counters(counters), m_work(ioc.get_executor()) {}

	lt::piece_index_t const piece;
	lt::storage_error error; // set before the job starts: it never will, and this is the outcome

	// To be computed: the storage's fences wait for it, and room for its completion is kept.
	void begin(std::shared_ptr<torrent_storage> storage)
	{
		m_ready = make_ready(hash_done{});
		m_number = storage->begin_hash();
		m_storage = std::move(storage);
	}
	[[nodiscard]] std::uint64_t number() const noexcept { return m_number; }
	// The job as a completion.
	[[nodiscard]] static ready completed(std::unique_ptr<hash> job) noexcept
	{
		ready r = std::move(job->m_ready);
		std::get<hash_done>(r.front()).job = std::move(job);
		return r;
	}

	void deliver() final
	{
		if (!m_storage) return call();
		if (cancelled) error = {boost::asio::error::operation_aborted, lt::operation_t::file_read};
		else account();
		m_storage->finish_hash(m_number, piece, takes_the_piece() ? std::move(blocks) : std::vector<block_ref>{}
			, [this] { call(); });
	}

private:
	virtual void call() = 0;
	// Whether `blocks` are all of the piece's.
	[[nodiscard]] virtual bool takes_the_piece() const = 0;

	void account()
	{
		auto const n = static_cast<std::int64_t>(blocks.size());
		auto const us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
		m_storage->core().count.pieces_hashed.fetch_add(takes_the_piece() ? 1 : 0, std::memory_order_relaxed);
		m_counters.inc_stats_counter(lt::counters::num_read_back, n);
		m_counters.inc_stats_counter(lt::counters::disk_hash_time, us);
		m_counters.inc_stats_counter(lt::counters::disk_job_time, us);
	}

	lt::counters& m_counters;
	boost::asio::executor_work_guard<lt::io_context::executor_type> m_work;
	std::shared_ptr<torrent_storage> m_storage;
	std::uint64_t m_number = 0;
	ready m_ready;
};

class memory_disk_io::piece_hash final : public hash
{
public:
	using handler_type = std::function<void(lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&)>;
	piece_hash(lt::piece_index_t const p, handler_type h, lt::io_context& ioc, lt::counters& counters)
		: hash(p, ioc, counters), m_handler(std::move(h)) {}

private:
	void call() override { m_handler(piece, v1, error); }
	bool takes_the_piece() const override { return true; }
	handler_type m_handler; // owns the memory behind v2
};

class memory_disk_io::block_hash final : public hash
{
public:
	using handler_type = std::function<void(lt::piece_index_t, lt::sha256_hash const&, lt::storage_error const&)>;
	block_hash(lt::piece_index_t const p, handler_type h, lt::io_context& ioc, lt::counters& counters)
		: hash(p, ioc, counters), m_handler(std::move(h)) { v2 = lt::span<lt::sha256_hash>(&m_hash, 1); }

private:
	void call() override { m_handler(piece, m_hash, error); }
	bool takes_the_piece() const override { return false; }
	handler_type m_handler;
	lt::sha256_hash m_hash;
};

} // namespace slipstream
