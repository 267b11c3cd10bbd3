#include "failures/draft_disk.hpp"

#include <libtorrent/file_storage.hpp>
#include <libtorrent/hasher.hpp>
#include <libtorrent/performance_counters.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace slipstream::test {

arena::arena() : m_memory(static_cast<std::size_t>(slot_bytes) * num_slots, '\xdd')
{
	for (std::size_t i = num_slots; i > 0; --i) m_free.push_back(i - 1);
}

std::size_t arena::slot(char const* const inside) const
{ return static_cast<std::size_t>(inside - m_memory.data()) / slot_bytes; }

char* arena::take()
{
	if (m_free.empty()) throw std::runtime_error("the arena is full");
	auto const i = m_free.back();
	m_free.pop_back();
	m_shares[i] = 1;
	return m_memory.data() + i * slot_bytes;
}

void arena::share(char const* const inside) { ++m_shares[slot(inside)]; }

void arena::give_back(char const* const inside)
{
	auto const i = slot(inside);
	if (m_shares[i] == 0 || --m_shares[i] > 0) return;
	std::memset(m_memory.data() + i * slot_bytes, 0xdd, slot_bytes);
	m_free.push_back(i);
}

namespace {

using hash_handler
	= std::function<void(lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const&)>;
using hash2_handler
	= std::function<void(lt::piece_index_t, lt::sha256_hash const&, lt::storage_error const&)>;
using priorities = lt::aux::vector<lt::download_priority_t, lt::file_index_t>;

lt::storage_error error_of(boost::system::error_code const ec)
{ return {ec, lt::operation_t::file_read}; }

class draft_disk final : public lt::disk_interface, lt::buffer_allocator_interface
{
public:
	draft_disk(lt::io_context& ios, std::shared_ptr<arena> memory, fault const f)
		: m_ios(ios), m_memory(std::move(memory)), m_fault(f)
	{ m_memory->tables.clear(); }

	~draft_disk() override
	{
		// The dead disk's tables stay where they were: failure 3 looks at them.
		if (has(fault::pointer_outlives_session)) return;
		m_memory->tables.clear();
	}

	lt::storage_holder new_torrent(lt::storage_params const& p, std::shared_ptr<void> const&) override
	{
		auto& tables = m_memory->tables;
		std::size_t i = 0;
		while (i < tables.size() && tables[i].alive) ++i;
		if (i == tables.size()) tables.emplace_back();
		tables[i] = {&p.files, {}, true};
		return {lt::storage_index_t(static_cast<std::uint32_t>(i)), *this};
	}

	void remove_torrent(lt::storage_index_t const i) override
	{
		if (has(fault::pointer_outlives_session)) return;
		for (auto const& b : torrent(i).blocks) drop(b.second);
		torrent(i) = {};
	}

	void async_read(lt::storage_index_t const i, lt::peer_request const& r
		, std::function<void(lt::disk_buffer_holder, lt::storage_error const&)> handler
		, lt::disk_job_flags_t) override
	{
		auto find = [this, i, r] {
			auto const& blocks = torrent(i).blocks;
			auto const b = blocks.find({r.piece, r.start / arena::slot_bytes});
			if (b == blocks.end()) return lt::disk_buffer_holder();
			if (!has(fault::span_escapes) && !has(fault::reallocates)
				&& !has(fault::frees_what_it_never_allocated) && !has(fault::keeps_the_callers_bytes))
				m_memory->share(b->second);
			return lt::disk_buffer_holder(*this, b->second + r.start % arena::slot_bytes, r.length);
		};
		run_now_or_later([this, find, h = std::move(handler)] {
			auto buffer = std::make_shared<lt::disk_buffer_holder>(find());
			boost::asio::post(m_ios, [buffer, h] {
				auto const e = *buffer ? lt::storage_error() : error_of(boost::asio::error::eof);
				h(std::move(*buffer), e);
			});
		});
	}

	bool async_write(lt::storage_index_t const i, lt::peer_request const& r, char const* const bytes
		, std::shared_ptr<lt::disk_observer>, std::function<void(lt::storage_error const&)> handler
		, lt::disk_job_flags_t) override
	{
		char* block = nullptr;
		if (has(fault::keeps_the_callers_bytes)) block = const_cast<char*>(bytes);
		else
		{
			block = m_memory->take();
			std::memcpy(block, bytes, static_cast<std::size_t>(r.length));
		}
		run_now_or_later([this, i, r, block, h = std::move(handler)] {
			if (has(fault::reallocates)) move_piece(i, r.piece);
			auto& place = torrent(i).blocks[{r.piece, r.start / arena::slot_bytes}];
			char* const before = std::exchange(place, block);
			if (before != nullptr) drop(before);
			boost::asio::post(m_ios, [h] { h({}); });
		});
		return false;
	}

	void async_hash(lt::storage_index_t const i, lt::piece_index_t const piece
		, lt::span<lt::sha256_hash>, lt::disk_job_flags_t, hash_handler handler) override
	{
		bool const shares = !has(fault::raw_pointers_to_worker) && !has(fault::keeps_the_callers_bytes);
		std::vector<std::pair<char*, int>> blocks;
		int left = torrent(i).files->piece_size(piece);
		for (int b = 0; left > 0; ++b, left -= arena::slot_bytes)
		{
			auto const found = torrent(i).blocks.find({piece, b});
			if (found == torrent(i).blocks.end()) break;
			if (shares) m_memory->share(found->second);
			blocks.emplace_back(found->second, std::min(left, arena::slot_bytes));
		}
		// The worker: whatever the network thread does in this event happens first.
		boost::asio::post(m_ios, [this, blocks, shares, piece, h = std::move(handler)] {
			lt::hasher sum;
			for (auto const& [bytes, length] : blocks) sum.update({bytes, length});
			if (shares) for (auto const& b : blocks) m_memory->give_back(b.first);
			h(piece, sum.final(), {});
		});
	}

	void async_hash2(lt::storage_index_t, lt::piece_index_t const piece, int, lt::disk_job_flags_t
		, hash2_handler h) override
	{
		boost::asio::post(m_ios, [piece, h] {
			h(piece, {}, error_of(boost::asio::error::operation_not_supported));
		});
	}

	void async_clear_piece(lt::storage_index_t const i, lt::piece_index_t const piece
		, std::function<void(lt::piece_index_t)> handler) override
	{
		std::erase_if(torrent(i).blocks, [&](auto const& b) {
			if (b.first.first != piece) return false;
			drop(b.second);
			return true;
		});
		boost::asio::post(m_ios, [piece, h = std::move(handler)] { h(piece); });
	}

	void async_release_files(lt::storage_index_t, std::function<void()> h) override
	{ if (h) boost::asio::post(m_ios, h); }
	void async_stop_torrent(lt::storage_index_t, std::function<void()> h) override
	{ if (h) boost::asio::post(m_ios, h); }
	void async_move_storage(lt::storage_index_t, std::string p, lt::move_flags_t
		, std::function<void(lt::status_t, std::string const&, lt::storage_error const&)> h) override
	{ boost::asio::post(m_ios, [p, h] { h(lt::status_t::no_error, p, {}); }); }
	void async_check_files(lt::storage_index_t, lt::add_torrent_params const*
		, lt::aux::vector<std::string, lt::file_index_t>
		, std::function<void(lt::status_t, lt::storage_error const&)> h) override
	{ boost::asio::post(m_ios, [h] { h(lt::status_t::no_error, {}); }); }
	void async_rename_file(lt::storage_index_t, lt::file_index_t const f, std::string name
		, std::function<void(std::string const&, lt::file_index_t, lt::storage_error const&)> h) override
	{ boost::asio::post(m_ios, [f, name, h] { h(name, f, {}); }); }
	void async_delete_files(lt::storage_index_t, lt::remove_flags_t
		, std::function<void(lt::storage_error const&)> h) override
	{ boost::asio::post(m_ios, [h] { h({}); }); }
	void async_set_file_priority(lt::storage_index_t, priorities p
		, std::function<void(lt::storage_error const&, priorities)> h) override
	{ boost::asio::post(m_ios, [p, h] { h({}, p); }); }

	void update_stats_counters(lt::counters& c) const override
	{ c.set_value(lt::counters::disk_blocks_in_use, m_memory->in_use()); }
	std::vector<lt::open_file_state> get_status(lt::storage_index_t) const override { return {}; }
	void abort(bool) override {}
	void submit_jobs() override {}
	void settings_updated() override {}

	void free_disk_buffer(char* const inside) override
	{
		if (has(fault::never_frees) || has(fault::span_escapes) || has(fault::reallocates)
			|| has(fault::keeps_the_callers_bytes))
			return;
		m_memory->give_back(inside);
	}

private:
	[[nodiscard]] bool has(fault const f) const { return m_fault == f; }
	[[nodiscard]] draft_torrent& torrent(lt::storage_index_t const i)
	{ return m_memory->tables[static_cast<std::uint32_t>(i)]; }

	// Failure 4: the work is done later, and looks its torrent up then.
	void run_now_or_later(std::function<void()> work)
	{
		if (has(fault::index_reused)) boost::asio::post(m_ios, std::move(work));
		else work();
	}

	// The store's own share. Bytes of a caller are not in the arena: nothing to give back.
	void drop(char const* const block)
	{
		if (!has(fault::keeps_the_callers_bytes)) m_memory->give_back(block);
	}

	// Failure 5: what a growing vector does to its elements.
	void move_piece(lt::storage_index_t const i, lt::piece_index_t const piece)
	{
		for (auto& [place, block] : torrent(i).blocks)
		{
			if (place.first != piece) continue;
			char* const moved = m_memory->take();
			std::memcpy(moved, block, arena::slot_bytes);
			m_memory->give_back(std::exchange(block, moved));
		}
	}

	lt::io_context& m_ios;
	std::shared_ptr<arena> m_memory;
	fault const m_fault;
};

} // namespace

lt::disk_io_constructor_type draft_disk_constructor(std::shared_ptr<arena> memory, fault const f)
{
	return [memory = std::move(memory), f](lt::io_context& ios, lt::settings_interface const&
		, lt::counters&) {
		return std::make_unique<draft_disk>(ios, memory, f);
	};
}

std::optional<std::string> read_through_raw_pointer(arena const& memory
	, lt::storage_index_t const index, lt::piece_index_t const piece, int const length)
{
	auto const i = static_cast<std::uint32_t>(index);
	if (i >= memory.tables.size() || !memory.tables[i].alive) return std::nullopt;
	auto const found = memory.tables[i].blocks.find({piece, 0});
	if (found == memory.tables[i].blocks.end()) return std::nullopt;
	return std::string(found->second, static_cast<std::size_t>(length));
}

} // namespace slipstream::test
