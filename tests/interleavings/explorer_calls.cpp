// The calls that explorer makes to a disk, and what their handlers must bring.
#include "interleavings/explorer.hpp"

#include "disk/torrent_storage.hpp"
#include "interleavings/explored_torrent.hpp"

#include <libtorrent/hasher.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>

namespace slipstream::test {

namespace {

bool aborted_by(lt::storage_error const& e) { return e.ec == boost::asio::error::operation_aborted; }

} // namespace

handlers::end explorer::promise(torrent const& t, std::string const& what)
{
	auto name = "#" + std::to_string(m_next_call++) + " " + what;
	note(name + ", torrent " + std::to_string(t.number));
	++m_seen.calls;
	return m_handlers.promise(std::move(name));
}

std::string explorer::content(torrent const& t, int const piece, int const start, int const length) const
{
	auto const p = lt::piece_index_t(piece);
	auto const numbers = t.plain.blocks(piece);
	std::string bytes(numbers.size() * block_bytes, '\0');
	for (std::size_t b = 0; b < numbers.size(); ++b)
		if (numbers[b] != 0) fill(bytes.data() + b * block_bytes, numbers[b]);
	t.shape.clear_padding(p, 0, t.shape.piece_bytes(p), bytes.data());
	return bytes.substr(std::size_t(start), std::size_t(length));
}

// A fence: after every hash of its torrent that was asked for before.
auto explorer::after_hashes(torrent const& t, handlers::end end)
{
	++m_seen.fences;
	std::erase_if(m_hashes_out, [](hash_out const& h) { return h.call->times > 0; });
	std::vector<std::shared_ptr<handlers::call const>> before;
	// What is called after abort() is aborted, and waits for nothing.
	if (t.live()) for (auto const& h : m_hashes_out) if (h.of == &t) before.push_back(h.call);
	return [this, end = std::move(end), before = std::move(before)](auto const&...) {
		end.called();
		for (auto const& h : before) expect(h->times == 1, end.of()->name + ": it comes after " + h->name);
	};
}

void explorer::write(torrent& t, int const piece, int const block)
{
	auto const index = lt::piece_index_t(piece);
	auto end = promise(t, "write " + std::to_string(piece) + ":" + std::to_string(block));
	auto const number = m_next_serial++;
	std::vector<char> bytes(block_bytes);
	fill(bytes.data(), number);
	bool const live = t.live();
	bool const fits = may_write();
	m_handlers.inside([&] {
		t.in->disk->async_write(t.index, {index, block * int(block_bytes), t.shape.block_length(index, block)}, bytes.data(), nullptr
			, [this, end = std::move(end), live, fits](lt::storage_error const& e) {
				end.called();
				if (!live) expect(aborted_by(e), "a write after abort is aborted");
				else expect(bool(e.ec) == !fits, "a write succeeds exactly when there is room");
			}, {});
	});
	if (!live) return;
	if (!fits)
	{
		++m_seen.refused;
		return;
	}
	m_plain_pool.hold(number);
	t.plain.put(piece, block, number);
	if (auto const b = m_core->find_owned_by(t.owner.get())->pieces().block(index, block)) m_written[b.bytes()] = number;
}

// What a peer sends in one go.
void explorer::write_on(torrent& t, int const piece)
{
	for (int n = 1 + pick(24); n > 0 && m_failure.empty(); --n) write(t, piece, missing_block(t, piece));
}

void explorer::read(torrent& t, int const piece, int const start, int const length)
{
	auto const index = lt::piece_index_t(piece);
	int const first = start / int(block_bytes);
	int const last = (start + length - 1) / int(block_bytes);
	std::vector<serial> holds;
	bool works = t.live();
	bool put_together = first != last;
	for (int b = first; b <= last; ++b)
	{
		holds.push_back(t.plain.block(piece, b));
		put_together |= holds.back() == 0;
		works = works && (holds.back() != 0 || t.shape.is_padding(index, b));
	}
	if (works && put_together)
	{
		works = num_held() < m_core->pool.capacity_blocks();
		holds = {m_next_serial++};
	}
	if (works) m_plain_pool.hold(holds);
	m_seen.missed += works ? 0 : 1;
	auto want = works ? content(t, piece, start, length) : std::string();
	auto end = promise(t, "read " + std::to_string(piece) + " from " + std::to_string(start) + ", " + std::to_string(length));
	m_handlers.inside([&] {
		t.in->disk->async_read(t.index, {index, start, length}
			, [this, end = std::move(end), holds, want = std::move(want), works]
				(lt::disk_buffer_holder b, lt::storage_error const& e) mutable {
				end.called();
				expect(bool(e.ec) == !works && bool(b) == works, "a read has what was written before it, or an error");
				if (!b || !works) return;
				expect(std::string_view(b.data(), want.size()) == want, "a read has the bytes of its moment");
				if (m_buffers.size() < 6 && one_in(3)) m_buffers.push_back({std::move(b), std::move(want), std::move(holds)});
				else m_plain_pool.let_go(holds);
			}, {});
	});
}

void explorer::hash(torrent& t, int const piece)
{
	auto const index = lt::piece_index_t(piece);
	auto const state = t.plain.state(piece);
	bool const live = t.live();
	bool const whole = live && (state == piece_state::complete || state == piece_state::verified);
	auto numbers = t.plain.blocks(piece);
	// v1, v2, or both, as libtorrent asks for.
	int const kind = one_in(3) ? pick(3) : 0;
	auto const bytes = whole ? content(t, piece, 0, t.shape.piece_bytes(index)) : std::string();
	auto const right = whole && kind != 1 ? lt::hasher(bytes).final() : lt::sha1_hash();
	std::vector<lt::sha256_hash> right2(kind == 0 ? 0 : std::size_t(t.shape.num_blocks2(index)));
	for (std::size_t b = 0; whole && b < right2.size(); ++b)
		right2[b] = lt::hasher256(std::string_view(bytes).substr(b * block_bytes
			, std::min(std::size_t(block_bytes), std::size_t(t.shape.piece_bytes2(index)) - b * block_bytes))).final();
	std::vector<lt::sha256_hash> hashes2(right2.size());
	lt::span<lt::sha256_hash> const to(hashes2); // inside the handler, which is moved
	if (whole) m_plain_pool.hold(numbers);
	auto end = promise(t, "hash " + std::to_string(piece));
	m_hashes_out.push_back({end.of(), &t});
	m_handlers.inside([&] {
		t.in->disk->async_hash(t.index, index, to, kind == 1 ? lt::disk_job_flags_t{} : lt::disk_interface::v1_hash
			, [this, end = std::move(end), torrent = t.number, piece, numbers, right, right2 = std::move(right2)
				, hashes2 = std::move(hashes2), whole, live, in = t.in]
				(lt::piece_index_t, lt::sha1_hash const& h, lt::storage_error const& e) {
				end.called();
				if (aborted_by(e))
				{
					++m_seen.aborted;
					expect(!live || in->aborted, "a hash is aborted only by abort()");
				}
				else expect(!e.ec && h == right && hashes2 == right2, "a hash is of the piece as it was when it was asked for, or nobody's");
				if (whole && !e.ec) hashed(still_here(torrent), piece, numbers);
				if (whole) m_plain_pool.let_go(numbers);
			});
	});
}

// libtorrent looks at a hash: it is right, and the plugin hears of it; or it is wrong, and the piece is cleared.
void explorer::hashed(torrent* const t, int const piece, std::vector<serial> const& numbers)
{
	++m_seen.hashed;
	if (!t || !t->live()) return;
	if (one_in(4)) return clear(*t, piece);
	auto const storage = m_core->find_owned_by(t->owner.get());
	if (!storage) return fail("a torrent that is here is found by its owner");
	storage->verified(lt::piece_index_t(piece));
	++m_seen.verified;
	expect(t->plain.mark_verified(piece, numbers), "the model agrees that the piece was whole");
	expect(t->verified.count(piece) == 1, "a verified piece is reported");
}

void explorer::hash_block(torrent& t, int const piece, int const block)
{
	auto const index = lt::piece_index_t(piece);
	auto const number = t.plain.block(piece, block);
	bool const inside = block * int(block_bytes) < t.shape.piece_bytes2(index);
	bool const works = t.live() && inside && (number != 0 || t.shape.is_padding(index, block));
	if (works) m_plain_pool.hold(number);
	auto end = promise(t, "hash2 " + std::to_string(piece) + ":" + std::to_string(block));
	m_hashes_out.push_back({end.of(), &t});
	m_handlers.inside([&] {
		t.in->disk->async_hash2(t.index, index, block * int(block_bytes), {}
			, [this, end = std::move(end), number, works, in = t.in](lt::piece_index_t, lt::sha256_hash const&, lt::storage_error const& e) {
				end.called();
				expect(bool(e.ec) == !works || (aborted_by(e) && in->aborted), "a block that is here is hashed");
				if (works) m_plain_pool.let_go(number);
			});
	});
}

void explorer::clear(torrent& t, int const piece)
{
	auto end = promise(t, "clear " + std::to_string(piece));
	m_handlers.inside([&] {
		t.in->disk->async_clear_piece(t.index, lt::piece_index_t(piece), after_hashes(t, std::move(end)));
	});
	if (t.live()) t.plain.drop(piece);
}

void explorer::fence(torrent& t)
{
	auto const which = pick(5);
	static constexpr char const* names[] = {"stop", "release", "rename", "check", "delete"};
	auto end = after_hashes(t, promise(t, names[which]));
	m_handlers.inside([&] {
		auto& disk = *t.in->disk;
		switch (which)
		{
			case 0: disk.async_stop_torrent(t.index, std::move(end)); break;
			case 1: disk.async_release_files(t.index, std::move(end)); break;
			case 2: disk.async_rename_file(t.index, lt::file_index_t(0), "x", std::move(end)); break;
			case 3: disk.async_check_files(t.index, nullptr, {}, std::move(end)); break;
			case 4: disk.async_delete_files(t.index, lt::session::delete_files, std::move(end)); break;
		}
	});
	if (which == 4 && t.live()) t.plain.clear();
}

// What was asked of an index that is no longer in use.
void explorer::stale(torrent const& t)
{
	if (t.in->disk == nullptr) return;
	++m_seen.stale;
	auto const piece = lt::piece_index_t(0);
	std::vector<char> const bytes(block_bytes, 'x');
	auto wrote = promise(t, "write to what is gone");
	auto read = promise(t, "read of what is gone");
	m_handlers.inside([&] {
		t.in->disk->async_write(t.index, {piece, 0, t.shape.block_length(piece, 0)}, bytes.data(), nullptr
			, [this, end = std::move(wrote)](lt::storage_error const& e) {
				end.called();
				expect(aborted_by(e), "a write to what is gone is aborted");
			}, {});
		t.in->disk->async_read(t.index, {piece, 0, 1}
			, [this, end = std::move(read)](lt::disk_buffer_holder b, lt::storage_error const& e) {
				end.called();
				expect(aborted_by(e) && !b, "a read of what is gone is aborted");
			}, {});
	});
}

} // namespace slipstream::test
