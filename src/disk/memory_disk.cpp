#include <slipstream/memory_disk.hpp>

#include "disk/disk_core.hpp"
#include "disk/extension.hpp"
#include "disk/memory_disk_io.hpp"
#include "disk/torrent_storage.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace slipstream {

// -- memory_torrent

namespace {

// Null when the torrent has left its session, though an operation may still hold its storage.
std::shared_ptr<torrent_storage> alive_or_null(std::weak_ptr<torrent_storage> const& weak)
{
	auto storage = weak.lock();
	return storage && !storage->removed() ? storage : nullptr;
}

} // namespace

bool memory_torrent::alive() const { return alive_or_null(m_storage) != nullptr; }

lt::info_hash_t memory_torrent::info_hashes() const
{
	auto const storage = alive_or_null(m_storage);
	return storage ? storage->info_hashes() : lt::info_hash_t{};
}

expected<int> memory_torrent::num_pieces() const
{
	auto const storage = alive_or_null(m_storage);
	if (!storage) return errc::no_such_torrent;
	return storage->shape().num_pieces();
}

expected<int> memory_torrent::num_verified_pieces() const
{
	auto const storage = alive_or_null(m_storage);
	if (!storage) return errc::no_such_torrent;
	return storage->pieces().num_verified();
}

expected<piece_state> memory_torrent::state(lt::piece_index_t const piece) const
{
	auto const storage = alive_or_null(m_storage);
	if (!storage) return errc::no_such_torrent;
	if (!storage->shape().has(piece)) return errc::no_such_piece;
	return storage->pieces().state(piece);
}

bool memory_torrent::has_piece(lt::piece_index_t const piece) const
{
	auto const s = state(piece);
	return s && (*s == piece_state::complete || *s == piece_state::verified);
}

expected<lease> memory_torrent::view(lt::piece_index_t const piece, int const offset, int const length
	, bool const verified_only) const
{
	auto const storage = alive_or_null(m_storage);
	if (!storage) return errc::no_such_torrent;
	auto const& shape = storage->shape();
	if (!shape.has(piece)) return errc::no_such_piece;
	if (offset < 0 || length <= 0 || offset >= shape.piece_bytes(piece)) return errc::out_of_range;

	auto const end = offset + std::min(length, shape.piece_bytes(piece) - offset);
	auto const first = offset / block_size_bytes;
	auto const count = (end - 1) / block_size_bytes - first + 1;

	// The owner of the bytes: shares of the blocks, and of the core whose pool they come from.
	struct holding
	{
		std::shared_ptr<disk_core> core;
		std::vector<block_ref> blocks;
		std::int64_t counted = 0;
		~holding() { core->lending.came_home(counted); }
	};
	auto held = std::make_shared<holding>();
	held->core = storage->share_core();
	piece_state state{};
	held->blocks = storage->pieces().blocks(piece, first, count, state);
	if (!held->blocks.front() && !shape.is_padding(piece, first)) return errc::not_in_memory;
	if (verified_only && state != piece_state::verified) return errc::not_verified;

	held->counted = std::ranges::count_if(held->blocks, [](block_ref const& b) { return bool(b); });
	held->core->lending.lend(held->counted);

	static constexpr char zeros[block_size_bytes] = {};
	std::vector<lease::view> views;
	views.reserve(held->blocks.size());
	for (int b = first; b < first + count; ++b)
	{
		auto const& block = held->blocks[static_cast<std::size_t>(b - first)];
		if (!block && !shape.is_padding(piece, b)) break;
		auto const from = std::max(offset - b * block_size_bytes, 0);
		auto const to = std::min(end - b * block_size_bytes, block_size_bytes);
		views.emplace_back((block ? block.bytes() : zeros) + from, static_cast<std::size_t>(to - from));
	}
	storage->touched(piece);
	return lease(std::move(views), std::move(held));
}

expected<bool> memory_torrent::tell_when_written(lt::piece_index_t const piece, int const offset) const
{
	auto const storage = alive_or_null(m_storage);
	if (!storage) return errc::no_such_torrent;
	auto const& shape = storage->shape();
	if (!shape.has(piece)) return errc::no_such_piece;
	if (offset < 0 || offset >= shape.piece_bytes(piece)) return errc::out_of_range;
	auto const block = offset / block_size_bytes;
	if (shape.is_padding(piece, block)) return true;
	storage->await(piece, block);
	// After it is awaited: a block that comes in between is either seen here, or told.
	return bool(storage->pieces().block(piece, block));
}

expected<std::size_t> memory_torrent::read(lt::piece_index_t const piece, int const offset
	, std::span<char> const buffer, bool const verified_only) const
{
	auto const wanted = std::min<std::size_t>(buffer.size(), std::size_t{1} << 30);
	auto const lent = view(piece, offset, static_cast<int>(wanted), verified_only);
	if (!lent) return lent.error();
	std::size_t copied = 0;
	for (auto const v : lent->views())
	{
		std::memcpy(buffer.data() + copied, v.data(), v.size());
		copied += v.size();
	}
	return copied;
}

// -- protection

namespace {

expected<protection_granted> protect(std::weak_ptr<torrent_storage> const& weak, cache::protection const kind
	, std::vector<lt::piece_index_t> const& wished)
{
	auto const storage = alive_or_null(weak);
	if (!storage) return errc::no_such_torrent;
	std::vector<int> pieces;
	pieces.reserve(wished.size());
	for (auto const piece : wished)
	{
		if (!storage->shape().has(piece))
			return error(errc::no_such_piece, "piece " + std::to_string(static_cast<int>(piece))
				+ " is outside the torrent; it has " + std::to_string(storage->shape().num_pieces()));
		pieces.push_back(static_cast<int>(piece));
	}
	bool const reads = kind == cache::protection::reader && !pieces.empty();
	auto& cache = storage->core().cache;
	auto const given = cache.protect(storage->cache_id(), kind, std::move(pieces));
	if (reads && given.pieces == 0) return error(errc::no_space, cache.budget_with(storage->cache_id()).text());
	storage->protections_changed();
	cache.make_room();
	return protection_granted{given.pieces, given.blocks * block_size_bytes};
}

} // namespace

expected<protection_granted> memory_torrent::set_reader_pieces(std::vector<lt::piece_index_t> const& pieces) const
{ return protect(m_storage, cache::protection::reader, pieces); }

expected<protection_granted> memory_torrent::set_reserved_pieces(std::vector<lt::piece_index_t> const& pieces) const
{ return protect(m_storage, cache::protection::reserved, pieces); }

expected<protection_granted> memory_torrent::set_lookbehind_pieces(std::vector<lt::piece_index_t> const& pieces) const
{ return protect(m_storage, cache::protection::lookbehind, pieces); }

void memory_torrent::clear_lookbehind() const { static_cast<void>(set_lookbehind_pieces({})); }

bool memory_torrent::is_lookbehind_available(lt::piece_index_t const piece) const
{
	auto const storage = alive_or_null(m_storage);
	if (!storage || !storage->shape().has(piece)) return false;
	auto const granted = storage->core().cache.granted_pieces(storage->cache_id(), cache::protection::lookbehind);
	return std::find(granted.begin(), granted.end(), static_cast<int>(piece)) != granted.end()
		&& storage->pieces().state(piece) == piece_state::verified;
}

lookbehind_stats memory_torrent::lookbehind() const
{
	lookbehind_stats s;
	auto const storage = alive_or_null(m_storage);
	if (!storage) return s;
	for (int const p : storage->core().cache.granted_pieces(storage->cache_id(), cache::protection::lookbehind))
	{
		lt::piece_index_t const piece(p);
		auto const bytes = storage->shape().piece_bytes(piece);
		s.protected_pieces += 1;
		s.protected_bytes += bytes;
		if (storage->pieces().state(piece) != piece_state::verified) continue;
		s.available_pieces += 1;
		s.available_bytes += bytes;
	}
	return s;
}

// -- memory_disk

memory_disk::memory_disk(memory_disk_options const options) : m_core(std::make_shared<disk_core>(options)) {}

lt::disk_io_constructor_type memory_disk::constructor() const
{
	return [core = m_core](lt::io_context& ioc, lt::settings_interface const& settings, lt::counters& counters)
		-> std::unique_ptr<lt::disk_interface>
	{
		return std::make_unique<memory_disk_io>(ioc, settings, counters, core);
	};
}

std::shared_ptr<lt::plugin> memory_disk::extension(std::weak_ptr<memory_events> events, wanting const who) const
{
	return make_extension(m_core, std::move(events), who);
}

namespace {

void put_back(torrent_storage const& storage, lt::add_torrent_params& resume_data)
{
	auto& priorities = resume_data.piece_priorities;
	auto const withheld = storage.withheld_when_saved();
	for (std::size_t i = 0; i < withheld.size(); ++i)
	{
		if (withheld[i] == lt::dont_download) continue;
		// What it leaves out has the default.
		if (priorities.size() <= i) priorities.resize(i + 1, lt::default_priority);
		if (priorities[i] == lt::dont_download) priorities[i] = withheld[i];
	}
}

} // namespace

void memory_disk::put_back_priorities(lt::add_torrent_params& resume_data) const
{
	auto const hashes = resume_data.ti ? resume_data.ti->info_hashes() : resume_data.info_hashes;
	for (auto const& name : names_of(hashes))
		if (auto const storage = m_core->find(name)) return put_back(*storage, resume_data);
}

void memory_disk::put_back_priorities(lt::add_torrent_params& resume_data, lt::torrent_handle const& torrent) const
{
	auto const owner = torrent.native_handle();
	if (auto const storage = m_core->find_owned_by(owner.get())) put_back(*storage, resume_data);
}

memory_torrent memory_disk::torrent(lt::info_hash_t const& hashes) const
{
	for (auto const& name : names_of(hashes))
		if (auto const storage = m_core->find(name)) return memory_torrent(storage);
	return {};
}

memory_torrent memory_disk::torrent(lt::sha1_hash const& hash) const
{
	return memory_torrent(m_core->find(hash));
}

memory_torrent memory_disk::torrent(lt::torrent_handle const& torrent) const
{
	auto const owner = torrent.native_handle();
	return memory_torrent(owner ? m_core->find_owned_by(owner.get()) : nullptr);
}

std::int64_t memory_disk::capacity_bytes() const { return m_core->pool.capacity_blocks() * block_size_bytes; }

expected<std::int64_t> memory_disk::set_capacity_bytes(std::int64_t const bytes)
{ return m_core->set_capacity(bytes); }

expected<std::int64_t> memory_disk::room_for(std::int64_t const size_bytes, int const piece_length_bytes) const
{
	// libtorrent's own bounds; what is counted below then fits its types.
	if (size_bytes < 0 || size_bytes >= std::int64_t{1} << 48 || piece_length_bytes <= 0 || piece_length_bytes > 1 << 30)
		return error(errc::bad_argument, "a torrent has a size of 0 to 2^48 - 1 bytes and a piece length of 1 to 2^30");
	auto const pieces = (size_bytes + piece_length_bytes - 1) / piece_length_bytes;
	auto const piece_blocks = (piece_length_bytes + block_size_bytes - 1) / block_size_bytes;
	if (auto const b = m_core->cache.refusal_of(pieces * piece_blocks, piece_blocks)) return error(errc::no_space, b->text());
	return capacity_bytes();
}

memory_stats memory_disk::stats() const { return m_core->stats(); }

} // namespace slipstream
