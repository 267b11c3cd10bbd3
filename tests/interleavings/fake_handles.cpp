// What libtorrent exports of torrents and connections, as far as src/disk uses it, for those of fake_torrent.hpp.
#include "interleavings/fake_torrent.hpp"

#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/torrent_flags.hpp>

#include <utility>
#include <vector>

namespace {

// lt::torrent_handle's own pointer: an explicit instantiation may name what is private.
using pointer_member = std::weak_ptr<lt::torrent> lt::torrent_handle::*;
pointer_member handle_pointer();
template <pointer_member Member>
struct opens { friend pointer_member handle_pointer() { return Member; } };
template struct opens<&lt::torrent_handle::m_torrent>;

std::shared_ptr<slipstream::test::fake_torrent> fake(lt::torrent_handle const& h)
{
	auto const t = (h.*handle_pointer()).lock();
	return {t, reinterpret_cast<slipstream::test::fake_torrent*>(t.get())};
}

slipstream::test::fake_peer& fake(lt::peer_connection_handle const& h)
{ return *reinterpret_cast<slipstream::test::fake_peer*>(h.native_handle().get()); }

} // namespace

lt::torrent_handle slipstream::test::fake_torrent::handle()
{
	lt::torrent_handle h;
	h.*handle_pointer() = std::shared_ptr<lt::torrent>(shared_from_this(), reinterpret_cast<lt::torrent*>(this));
	return h;
}

namespace libtorrent {

std::shared_ptr<torrent> torrent_handle::native_handle() const { return (this->*handle_pointer()).lock(); }
info_hash_t torrent_handle::info_hashes() const { return info_hash_t(fake(*this)->name); }
torrent_flags_t torrent_handle::flags() const { return {}; }
torrent_status torrent_handle::status(status_flags_t) const { return fake(*this)->status(); }
void torrent_handle::force_recheck() const { fake(*this)->force_recheck(); }

void torrent_handle::add_piece(piece_index_t const piece, char const* const bytes, add_piece_flags_t const flags) const
{ fake(*this)->add_piece(static_cast<int>(piece), bytes, bool(flags & overwrite_existing)); }

void torrent_handle::piece_priority(piece_index_t const piece, download_priority_t const priority) const
{ fake(*this)->set_priority(static_cast<int>(piece), static_cast<std::uint8_t>(priority)); }

download_priority_t torrent_handle::piece_priority(piece_index_t const piece) const
{ return download_priority_t(static_cast<std::uint8_t>(fake(*this)->priority(static_cast<int>(piece)))); }

void torrent_handle::prioritize_pieces(std::vector<std::pair<piece_index_t, download_priority_t>> const& pieces) const
{ for (auto const& [piece, priority] : pieces) piece_priority(piece, priority); }

std::vector<download_priority_t> torrent_handle::get_piece_priorities() const
{
	std::vector<download_priority_t> all;
	for (int p = 0; p < fake(*this)->num_pieces(); ++p) all.push_back(piece_priority(piece_index_t(p)));
	return all;
}

connection_type peer_connection_handle::type() const { return connection_type::bittorrent; }
bool peer_connection_handle::is_connecting() const { return false; }
bool peer_connection_handle::in_handshake() const { return !fake(*this).shook_hands; }
void peer_connection_handle::send_buffer(char const* const bytes, int const size) { fake(*this).received(bytes, size); }

} // namespace libtorrent
