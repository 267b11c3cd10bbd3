// The session plugin: what the disk cannot do from behind disk_interface. Through it the disk
// learns which pieces passed their hash check, and all of a torrent's hashes; and through it a
// memory that gives up pieces (`evict`) acts on libtorrent: pieces are forgotten, what does not fit
// is kept from being wanted (admission), peers are told what is held and what is gone, blocks whose
// writes were cancelled are asked for again, and hashes that peers send neither stop the torrent
// nor are counted twice (forgetting.hpp). Once a second it looks for what is left to do.
//
// libtorrent asks the disk for hashes and judges them itself; a disk_interface is never told the
// verdict. torrent_plugin::on_piece_pass is, on the network thread, inside the hash's handler.
// One plugin a session, owned by it; the torrent parts find their storage by the identity of libtorrent's
// torrent (what new_torrent was given is what the handle leads to), never by guessing an index.
#pragma once

#include <slipstream/memory_disk.hpp>

#include <libtorrent/extensions.hpp>

#include <memory>

namespace slipstream {

[[nodiscard]] std::shared_ptr<lt::plugin> make_extension(std::shared_ptr<disk_core> core
	, std::weak_ptr<memory_events> events, wanting who);

} // namespace slipstream
