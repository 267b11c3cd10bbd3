#include <slipstream_binding/memory.hpp>

#include "guard.hpp"
#include "hashes.hpp"

#include <slipstream/memory_disk.hpp>

#include <map>
#include <mutex>

namespace slipstream::binding {

// Storages and their numbers. Numbers rise and are never used again, so that the map is in the
// order of their age.
class memory::impl
{
public:
	explicit impl(memory_disk d) : disk(std::move(d)) {}

	std::int64_t number_of(memory_torrent const& storage)
	{
		std::scoped_lock const l(m_mutex);
		for (auto at = m_storages.begin(); at != m_storages.end();)
		{
			if (at->second == storage) return at->first;
			// Those that are gone stay gone.
			if (at->second.alive()) ++at;
			else at = m_storages.erase(at);
		}
		m_storages.emplace(++m_last, storage);
		return m_last;
	}

	memory_torrent storage_of(std::int64_t const number) const
	{
		std::scoped_lock const l(m_mutex);
		auto const at = m_storages.find(number);
		return at == m_storages.end() ? memory_torrent() : at->second;
	}

	memory_disk disk;

private:
	mutable std::mutex m_mutex;
	std::map<std::int64_t, memory_torrent> m_storages;
	std::int64_t m_last = 0;
};

namespace {

std::vector<lt::piece_index_t> indices(std::vector<int> const& pieces)
{
	std::vector<lt::piece_index_t> result;
	result.reserve(pieces.size());
	for (int const p : pieces) result.emplace_back(p);
	return result;
}

granted_record granted(expected<protection_granted> e)
{
	auto const g = value_or_fail(std::move(e));
	return {g.pieces, g.bytes};
}

} // namespace

memory::memory(memory_options const& options, outcome& out)
{
	guarded(out, [&] {
		m_impl = std::make_shared<impl>(memory_disk({.capacity_bytes = options.capacity_bytes
			, .hash_threads = options.hash_threads, .evict = options.evict, .hold_always = options.hold_always}));
	});
}

memory::memory(memory_disk d) : m_impl(std::make_shared<impl>(std::move(d))) {}

memory_disk const* memory::disk() const { return m_impl ? &m_impl->disk : nullptr; }

std::int64_t memory::number_of(memory_torrent const& storage) const
{ return m_impl ? m_impl->number_of(storage) : 0; }

memory_torrent memory::storage_of(std::int64_t const storage) const
{ return m_impl ? m_impl->storage_of(storage) : memory_torrent(); }

std::int64_t memory::capacity_bytes() const { return m_impl ? m_impl->disk.capacity_bytes() : 0; }

std::int64_t memory::set_capacity_bytes(std::int64_t const capacity, outcome& out) const
{
	return guarded(out, [&]() -> std::int64_t {
		if (!m_impl) fail(fault_closed, "there is no memory disk");
		return value_or_fail(m_impl->disk.set_capacity_bytes(capacity));
	});
}

void memory::room_for(std::int64_t const size_bytes, int const piece_length_bytes, outcome& out) const
{
	guarded(out, [&] {
		if (!m_impl) fail(fault_closed, "there is no memory disk");
		static_cast<void>(value_or_fail(m_impl->disk.room_for(size_bytes, piece_length_bytes)));
	});
}

memory_record memory::stats() const
{
	return guarded_or(memory_record(), [&] {
		if (!m_impl) return memory_record();
		auto const s = m_impl->disk.stats();
		return memory_record{s.capacity_bytes, s.writable_bytes, s.used_bytes, s.peak_bytes, s.mapped_bytes, s.torrents
			, s.hash_jobs, s.blocks_written, s.blocks_read, s.reads_missed, s.reads_copied, s.writes_refused, s.pieces_hashed
			, s.pieces_verified, s.pieces_evicted, s.pieces_forgotten, s.protectable_bytes, s.lookbehind_bytes
			, s.lookbehind_available_bytes};
	});
}

std::int64_t memory::storage(bytes const& v1, bytes const& v2, outcome& out) const
{
	return guarded(out, [&]() -> std::int64_t {
		auto const found = m_impl ? m_impl->disk.torrent(hashes_of(v1, v2)) : memory_torrent();
		if (!found.alive()) fail(fault_no_such_torrent, "no torrent with that info-hash is in memory");
		return m_impl->number_of(found);
	});
}

bool memory::alive(std::int64_t const storage) const
{ return guarded_or(false, [&] { return storage_of(storage).alive(); }); }

bytes memory::v1_hash(std::int64_t const storage) const
{ return guarded_or(bytes(), [&] { return v1_of(storage_of(storage).info_hashes()); }); }

bytes memory::v2_hash(std::int64_t const storage) const
{ return guarded_or(bytes(), [&] { return v2_of(storage_of(storage).info_hashes()); }); }

int memory::num_pieces(std::int64_t const storage, outcome& out) const
{ return guarded(out, [&] { return value_or_fail(storage_of(storage).num_pieces()); }); }

int memory::num_verified_pieces(std::int64_t const storage, outcome& out) const
{ return guarded(out, [&] { return value_or_fail(storage_of(storage).num_verified_pieces()); }); }

int memory::piece_state(std::int64_t const storage, int const piece, outcome& out) const
{
	return guarded(out, [&] { return static_cast<int>(value_or_fail(storage_of(storage).state(lt::piece_index_t(piece)))); });
}

bool memory::has_piece(std::int64_t const storage, int const piece) const
{ return guarded_or(false, [&] { return storage_of(storage).has_piece(lt::piece_index_t(piece)); }); }

std::int64_t memory::read(std::int64_t const storage, char* const buffer, std::size_t const size, int const piece
	, int const offset, bool const verified_only, outcome& out) const
{
	return guarded(out, [&]() -> std::int64_t {
		return static_cast<std::int64_t>(value_or_fail(storage_of(storage).read(lt::piece_index_t(piece), offset, {buffer, size}
			, verified_only)));
	});
}

granted_record memory::set_reader_pieces(std::int64_t const storage, std::vector<int> const& pieces, outcome& out) const
{ return guarded(out, [&] { return granted(storage_of(storage).set_reader_pieces(indices(pieces))); }); }

granted_record memory::set_reserved_pieces(std::int64_t const storage, std::vector<int> const& pieces, outcome& out) const
{ return guarded(out, [&] { return granted(storage_of(storage).set_reserved_pieces(indices(pieces))); }); }

granted_record memory::set_lookbehind_pieces(std::int64_t const storage, std::vector<int> const& pieces, outcome& out) const
{ return guarded(out, [&] { return granted(storage_of(storage).set_lookbehind_pieces(indices(pieces))); }); }

void memory::clear_lookbehind(std::int64_t const storage, outcome& out) const
{ guarded(out, [&] { static_cast<void>(value_or_fail(storage_of(storage).set_lookbehind_pieces({}))); }); }

bool memory::is_lookbehind_available(std::int64_t const storage, int const piece) const
{ return guarded_or(false, [&] { return storage_of(storage).is_lookbehind_available(lt::piece_index_t(piece)); }); }

lookbehind_record memory::lookbehind(std::int64_t const storage, outcome& out) const
{
	return guarded(out, [&] {
		auto const s = storage_of(storage);
		if (!s.alive()) fail(fault_no_such_torrent, "there is no such storage");
		auto const l = s.lookbehind();
		return lookbehind_record{l.protected_pieces, l.available_pieces, l.protected_bytes, l.available_bytes};
	});
}

} // namespace slipstream::binding
