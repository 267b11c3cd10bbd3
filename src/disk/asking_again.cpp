#include "disk/asking_again.hpp"

#include <libtorrent/download_priority.hpp>
#include <libtorrent/units.hpp>

#include <algorithm>
#include <optional>

namespace slipstream {

namespace {

struct candidates
{
	int lacking = 0;                           // pieces that are wanted and not whole
	std::optional<lt::piece_index_t> least;    // of these, and of which nothing is here, the one that is wanted least
	std::optional<lt::piece_index_t> unwanted; // one of which nothing is here, either
};

candidates look(std::vector<lt::download_priority_t> const& priorities, std::vector<piece_state> const& states)
{
	candidates c;
	auto least = lt::top_priority;
	auto const num = std::min(priorities.size(), states.size()); // of a torrent without metadata libtorrent knows no priorities
	for (std::size_t i = 0; i < num; ++i)
	{
		lt::piece_index_t const piece(static_cast<int>(i));
		bool const is_absent = states[i] == piece_state::absent;
		if (priorities[i] == lt::dont_download)
		{
			if (is_absent) c.unwanted = piece;
			continue;
		}
		c.lacking += is_absent || states[i] == piece_state::partial ? 1 : 0;
		if (!is_absent) continue;
		if (c.least && priorities[i] > least) continue;
		least = priorities[i];
		c.least = piece;
	}
	return c;
}

} // namespace

// A piece that comes to be wanted, or ceases to be, makes libtorrent look at every peer, on a later
// turn. Were the only one that is lacking unwanted for a moment, the torrent would have finished
// for that moment, and said so: then another is wanted for one, which is over before libtorrent
// looks. One that is begun is never unwanted for a moment: if its entry is empty by then,
// libtorrent asks for it no more.
bool ask_again(lt::torrent_handle const& torrent, std::vector<piece_state> const& states)
{
	auto const priorities = torrent.get_piece_priorities();
	auto const c = look(priorities, states);
	if (c.least && c.lacking > 1)
	{
		auto const was = priorities[static_cast<std::size_t>(static_cast<int>(*c.least))];
		torrent.piece_priority(*c.least, lt::dont_download);
		torrent.piece_priority(*c.least, was);
	}
	else if (c.lacking > 0 && c.unwanted)
	{
		torrent.piece_priority(*c.unwanted, lt::low_priority);
		torrent.piece_priority(*c.unwanted, lt::dont_download);
	}
	else return c.lacking == 0;
	return true;
}

} // namespace slipstream
