#include "interleavings/fake_torrent.hpp"

#include "model/plain_model.hpp"

#include <libtorrent/bdecode.hpp>
#include <libtorrent/hasher.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/torrent_flags.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <map>
#include <tuple>

namespace slipstream::test {

fake_torrent::fake_torrent(lt::file_storage files, lt::sha1_hash const hash, surroundings around, int const n)
	: number(n), name(hash), shape(files), m_around(std::move(around)), m_files(std::move(files))
{
	m_pieces.reserve(std::size_t(num_pieces()));
	for (int p = 0; p < num_pieces(); ++p) m_pieces.emplace_back(shape.num_blocks(lt::piece_index_t(p)));
}

void fake_torrent::begin(lt::plugin& session)
{
	lt::aux::vector<lt::download_priority_t, lt::file_index_t> const priorities;
	std::string const path = "/nonexistent";
	m_storage = m_around.disk.new_torrent({m_files, nullptr, path, lt::storage_mode_sparse, priorities, name}, shared_from_this());
	m_part = session.new_torrent(handle(), {});
	m_state = lt::torrent_status::checking_resume_data;
	m_around.calls.inside([&] {
		m_around.disk.async_check_files(m_storage, nullptr, {}, [self = shared_from_this(), end = m_around.calls.promise("check")]
			(lt::status_t, lt::storage_error const& e) {
			end.called();
			if (!self->m_aborted && !e.ec) self->files_checked();
		});
	});
}

void fake_torrent::remove()
{
	m_aborted = true;
	for (auto const& p : m_peers) p->connected = false;
	m_peers.clear();
	m_around.calls.inside([&] {
		m_around.disk.async_stop_torrent(m_storage, [self = shared_from_this(), end = m_around.calls.promise("stop")] {
			end.called();
			self->m_part.reset();
			self->m_storage.reset();
			self->m_gone = true;
		});
	});
}

bool fake_torrent::is_checking() const
{ return m_state == lt::torrent_status::checking_files || m_state == lt::torrent_status::checking_resume_data; }

bool fake_torrent::all_passed() const
{
	for (int p = 0; p < num_pieces(); ++p)
		if (!has_passed(p)) return false;
	return true;
}

// Who has everything needs none.
bool fake_torrent::has_picker() const
{ return std::ranges::any_of(m_pieces, [](known_piece const& p) { return !p.have; }); }

bool fake_torrent::lacks_what_it_wants() const
{ return std::ranges::any_of(m_pieces, [](known_piece const& p) { return p.priority > 0 && !p.have && !p.entry.has_passed(); }); }

bool fake_torrent::lacks(int const p, int const b) const
{
	auto const& piece = m_pieces[std::size_t(p)];
	return !m_aborted && !is_checking() && !piece.have && !piece.entry.is_locked() && !piece.entry.is_begun(b);
}

bool fake_torrent::waits_to_ask() const
{
	auto const lacking = std::ranges::count_if(m_pieces, [](known_piece const& p) {
		return p.priority != 0 && !p.have && !p.entry.has_passed();
	});
	bool const may_change = std::ranges::any_of(m_pieces, [&](known_piece const& p) {
		return !p.have && !p.entry.is_begun() && (p.priority == 0 || lacking > 1);
	});
	return m_waits_to_ask && lacking > 0 && may_change;
}

bool fake_torrent::is_never_hashed(int const p) const
{
	auto const& piece = m_pieces[std::size_t(p)];
	auto const& entry = piece.entry;
	return piece.undone && !piece.have && !entry.has_passed() && !entry.is_hashing() && !entry.is_locked() && entry.is_finished();
}

lt::torrent_status fake_torrent::status() const
{
	lt::torrent_status s;
	s.state = !is_checking() && all_passed() ? lt::torrent_status::seeding : m_state;
	s.pieces.resize(num_pieces());
	for (int p = 0; p < num_pieces(); ++p)
		if (has_passed(p)) s.pieces.set_bit(lt::piece_index_t(p));
	return s;
}

std::uint64_t fake_torrent::content(int const piece, int const block) const
{ return (std::uint64_t(name[1]) << 32) | (std::uint64_t(piece) << 8) | std::uint64_t(block); }

lt::sha1_hash const& fake_torrent::right_hash(int const piece) const
{
	static std::map<std::tuple<int, int, int>, lt::sha1_hash> known;
	auto const size = shape.piece_bytes(lt::piece_index_t(piece));
	auto const [i, is_new] = known.try_emplace({int(name[1]), piece, size});
	if (!is_new) return i->second;
	lt::hasher h;
	std::vector<char> bytes(block_bytes);
	for (int b = 0; b < shape.num_blocks(lt::piece_index_t(piece)); ++b)
	{
		fill(bytes.data(), content(piece, b));
		h.update({bytes.data(), shape.block_length(lt::piece_index_t(piece), b)});
	}
	return i->second = h.final();
}

// -- the download entry

void fake_torrent::flushed_if_all(known_piece& p)
{
	if (!p.entry.is_flushed()) return;
	p.entry.close();
	p.have = true;
	// The next picker knows no priorities.
	if (!has_picker()) for (auto& each : m_pieces) each.priority = 4;
}

void fake_torrent::finished(int const piece, int const block, std::shared_ptr<fake_peer> const& by)
{
	auto& p = at(piece);
	if (!p.have && p.entry.finished(block, by)) flushed_if_all(p);
}

void fake_torrent::cancelled(int const piece, int const block)
{
	auto& p = at(piece);
	if (!p.entry.cancelled(block)) return;
	// Not where a piece is being forgotten, or has failed.
	m_waits_to_ask |= p.priority != 0 && !p.entry.has_passed() && !p.entry.is_hashing() && !p.entry.is_locked();
	p.undone |= p.given[std::size_t(block)] > 0;
	if (p.entry.is_begun() || p.entry.is_hashing()) return;
	expect(!p.entry.has_passed(), text(piece) + " counts as passed for ever: its last write was cancelled");
	p.entry.close();
}

// -- writing

void fake_torrent::write(int const piece, int const block, char const* const bytes, std::shared_ptr<fake_peer> const by)
{
	auto const index = lt::piece_index_t(piece);
	bool const was_finished = at(piece).is_finished();
	auto const what = "write " + std::to_string(piece) + ":" + std::to_string(block) + " of torrent " + std::to_string(number);
	m_around.calls.inside([&] {
		bool const stop = m_around.disk.async_write(m_storage, {index, block * int(block_bytes), shape.block_length(index, block)}, bytes, by
			, [self = shared_from_this(), piece, block, by, end = m_around.calls.promise(what)](lt::storage_error const& e) {
				end.called();
				self->written(piece, block, by, e);
			}, {});
		if (by) by->stopped |= stop;
	});
	auto& p = at(piece);
	if (!by) ++p.given[std::size_t(block)];
	if (!p.have) p.entry.writing(block, by);
	if (!was_finished && p.is_finished()) verify(piece);
}

void fake_torrent::written(int const piece, int const block, std::shared_ptr<fake_peer> const& by, lt::storage_error const& e)
{
	if (!by) --at(piece).given[std::size_t(block)];
	if (m_aborted) return;
	if (by && !by->connected && !e.ec) return finished(piece, block, nullptr);
	if (!e.ec) return finished(piece, block, by);
	expect(e.ec == boost::asio::error::operation_aborted, "a write in a memory that gives up pieces fails by being cancelled");
	// add_piece's is taken for written.
	if (by) cancelled(piece, block);
}

void fake_torrent::send(fake_peer& peer, int const piece, int const block, bool const is_wrong)
{
	m_waits_to_ask = false;
	if (!lacks(piece, block)) return; // redundant
	std::vector<char> bytes(block_bytes);
	fill(bytes.data(), content(piece, block) + (is_wrong ? std::uint64_t{1} << 60 : 0));
	if (is_wrong) at(piece).lies.insert(block);
	else at(piece).lies.erase(block);
	write(piece, block, bytes.data(), peer.shared_from_this());
}

void fake_torrent::add_piece(int const piece, char const* const bytes, bool const overwrite)
{
	if (!has_picker() || m_aborted || (at(piece).have && !overwrite)) return;
	expect(!at(piece).have, text(piece) + " is had for good: add_piece would do nothing to it");
	if (overwrite && has_passed(piece)) m_around.begins_to_go(*this, piece);
	for (int b = 0; b < at(piece).entry.num_blocks(); ++b)
		if (overwrite || !at(piece).entry.is_written(b))
			write(piece, b, bytes + std::ptrdiff_t(b) * std::ptrdiff_t(block_bytes), nullptr);
}

void fake_torrent::give(int const piece)
{
	auto const num_blocks = std::size_t(at(piece).entry.num_blocks());
	std::vector<char> bytes(num_blocks * block_bytes);
	for (std::size_t b = 0; b < num_blocks; ++b) fill(bytes.data() + b * block_bytes, content(piece, int(b)));
	add_piece(piece, bytes.data(), false);
}

// -- hashing

void fake_torrent::verify(int const piece)
{
	at(piece).entry.hash_begins();
	at(piece).undone = false;
	m_around.calls.inside([&] {
		m_around.disk.async_hash(m_storage, lt::piece_index_t(piece), {}, lt::disk_interface::v1_hash
			, [self = shared_from_this(), piece, end = m_around.calls.promise("hash " + text(piece))]
			(lt::piece_index_t, lt::sha1_hash const& h, lt::storage_error const& e) {
				end.called();
				self->hashed(piece, h, e);
			});
	});
}

void fake_torrent::hashed(int const piece, lt::sha1_hash const& hash, lt::storage_error const& e)
{
	auto& p = at(piece);
	if (m_aborted || p.have) return;
	p.entry.hash_ends();
	expect(!p.entry.is_open() || p.entry.is_begun(), text(piece) + " has an entry of no block: its writes were cancelled before its hash, and it may never come");
	if (!p.entry.is_finished() || e.ec) return;
	if (hash == right_hash(piece)) passes(piece);
	else fails(piece);
}

void fake_torrent::passes(int const piece)
{
	auto& p = at(piece);
	expect(!p.entry.has_passed(), text(piece) + " passes while it has passed");
	p.entry.passes();
	flushed_if_all(p);
	for (auto const& peer : m_peers)
		if (peer->shook_hands) peer->believes.insert(piece);
	m_part->on_piece_pass(lt::piece_index_t(piece));
}

void fake_torrent::fails(int const piece)
{
	auto& p = at(piece);
	expect(!p.lies.empty() || !p.entry.names_anybody(), text(piece) + " was right, and an honest peer is blamed for it");
	p.entry.fails();
	m_around.calls.inside([&] {
		m_around.disk.async_clear_piece(m_storage, lt::piece_index_t(piece)
			, [self = shared_from_this(), piece, end = m_around.calls.promise("clear " + text(piece))](lt::piece_index_t) {
				end.called();
				if (!self->m_aborted && self->has_picker()) self->at(piece).entry.close();
			});
	});
}

// -- checking

void fake_torrent::force_recheck()
{
	if (m_aborted || is_checking()) return;
	m_around.note("torrent " + std::to_string(number) + " is checked");
	m_waits_to_ask = false; // the peers that come afterwards are asked for everything
	for (auto const& p : m_peers) p->connected = false;
	m_peers.clear();
	for (auto& p : m_pieces)
	{
		p.entry.close();
		p.have = p.undone = false;
	}
	++m_recheck;
	m_state = lt::torrent_status::checking_resume_data;
	m_part->on_state(m_state);
	m_around.calls.inside([&] {
		m_around.disk.async_release_files(m_storage, [end = m_around.calls.promise("release")] { end.called(); });
		m_around.disk.async_check_files(m_storage, nullptr, {}, [self = shared_from_this(), end = m_around.calls.promise("check")]
			(lt::status_t const s, lt::storage_error const& e) {
			end.called();
			if (self->m_aborted || e.ec) return;
			if (s == lt::status_t::no_error) return self->files_checked();
			self->m_state = lt::torrent_status::checking_files;
			self->m_next_to_check = 0;
			self->check_next();
			self->check_next();
		});
	});
}

void fake_torrent::check_next()
{
	if (m_next_to_check == num_pieces())
	{
		if (m_checking == 0) files_checked();
		return;
	}
	int const piece = m_next_to_check++;
	++m_checking;
	m_around.calls.inside([&] {
		m_around.disk.async_hash(m_storage, lt::piece_index_t(piece), {}, lt::disk_interface::v1_hash | lt::disk_interface::volatile_read
			, [self = shared_from_this(), piece, end = m_around.calls.promise("check of " + text(piece))]
			(lt::piece_index_t, lt::sha1_hash const& h, lt::storage_error const& e) {
				end.called();
				--self->m_checking;
				if (self->m_aborted) return;
				if (!e.ec && h == self->right_hash(piece))
				{
					self->at(piece).entry.close();
					self->at(piece).have = true;
				}
				self->check_next();
			});
	});
}

void fake_torrent::files_checked()
{
	m_state = lt::torrent_status::downloading;
	if (!has_picker()) for (auto& each : m_pieces) each.priority = 4;
	m_part->on_files_checked();
}

// -- peers

std::shared_ptr<fake_peer> fake_torrent::connect(int const n, bool const knows_dont_have)
{
	auto p = std::make_shared<fake_peer>();
	p->number = n;
	p->knows_dont_have = knows_dont_have;
	p->part = m_part->new_connection(lt::peer_connection_handle(
		std::shared_ptr<lt::peer_connection>(p, reinterpret_cast<lt::peer_connection*>(p.get()))));
	m_peers.push_back(p);
	return p;
}

// Our bitfield goes out, and knows of what is flushed; then comes the peer's.
void fake_torrent::shake_hands(fake_peer& peer, bool const speaks)
{
	peer.shook_hands = true;
	for (int p = 0; p < num_pieces(); ++p)
		if (has_flushed(p)) peer.believes.insert(p);
	if (speaks) peer.part->on_have_none();
}

void fake_torrent::greet(fake_peer& peer)
{
	peer.greeted = true;
	std::string const text = peer.knows_dont_have ? "d1:md11:lt_donthavei7eee" : "d1:mdee";
	lt::error_code ec;
	auto const message = lt::bdecode(text, ec);
	peer.part->on_extension_handshake(message);
}

void fake_torrent::disconnect(fake_peer& peer)
{
	auto const self = peer.shared_from_this();
	peer.connected = false;
	std::erase(m_peers, self);
	for (auto& p : m_pieces) p.entry.disconnected(self);
}

void fake_torrent::tick()
{
	m_part->tick();
	for (auto const& p : m_peers) p->part->tick();
}

void fake_torrent::set_priority(int const piece, int const priority)
{
	if (!has_picker() || m_aborted) return;
	if (at(piece).priority == 0 && priority > 0 && !at(piece).entry.is_open() && !at(piece).have) ++m_looks_at_peers;
	if ((at(piece).priority == 0) != (priority == 0)) m_waits_to_ask = false;
	bool const lacked = lacks_what_it_wants();
	at(piece).priority = priority;
	if (lacked && priority == 0 && !lacks_what_it_wants()) ++m_times_finished;
}

} // namespace slipstream::test
