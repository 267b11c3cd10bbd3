// Admission: keeps a torrent that does not fit from wanting more than there is room for.
//
// Bounded memory comes from wanting no more than fits: what is refused or evicted after it was
// downloaded was downloaded for nothing. In a crowded memory (see cache.hpp) a torrent may want
//   - when its application says what it reads (set_reader_pieces): those and the reserved pieces, as far as granted;
//   - when it does not: what is in memory and, by index, as many more as fit the torrent's equal share of what readers
//     leave. It then finishes with these, and neither churns nor stalls. One torrent too many for the floor gets none
//     until there is room for it.
// The rest is withheld: its priority is made 0, and given back when it may be wanted again. An
// application that wants a withheld piece gets it by reading there (set_reader_pieces), not by
// raising its priority.
//
// With wanting::told the application does that itself, and nothing here changes a priority but that
// of a piece that is given up.
//
// One torrent's, owned by its plugin. Network thread; what is withheld is kept in the storage,
// where others may ask for it. It decides no eviction.
#pragma once

#include "disk/torrent_storage.hpp"

#include <libtorrent/download_priority.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <vector>

namespace slipstream {

class admission
{
public:
	explicit admission(wanting const who) : m_who(who) {}

	// A piece is being given up: not wanted until a review admits it again, or the application wants it.
	void withhold(torrent_storage& storage, lt::torrent_handle const& torrent, lt::piece_index_t piece);
	// Brings the priorities in line with what fits now. Looks at each piece of the torrent once,
	// unless everything fits.
	void review(torrent_storage& storage, lt::torrent_handle const& torrent);

private:
	[[nodiscard]] std::vector<bool> admitted(torrent_storage& storage
		, std::vector<lt::download_priority_t> const& wanted, std::vector<piece_state> const& states) const;

	wanting const m_who;
};

} // namespace slipstream
