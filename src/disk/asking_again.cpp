#include "disk/asking_again.hpp"

#include <libtorrent/download_priority.hpp>

#include <optional>

namespace slipstream {

namespace {

struct candidates
{
	int wanted = 0;                            // pieces that are wanted and of which nothing is here
	std::optional<lt::piece_index_t> least;    // of these, the one that is wanted least
	std::optional<lt::piece_index_t> unwanted; // one of which nothing is here, either
};

candidates look(std::vector<lt::download_priority_t> const& priorities
	, std::function<bool(lt::piece_index_t)> const& is_absent)
{
	candidates c;
	auto least = lt::top_priority;
	for (std::size_t i = 0; i < priorities.size(); ++i)
	{
		lt::piece_index_t const piece(static_cast<int>(i));
		if (!is_absent(piece)) continue;
		if (priorities[i] == lt::dont_download)
		{
			c.unwanted = piece;
			continue;
		}
		++c.wanted;
		if (c.least && priorities[i] > least) continue;
		least = priorities[i];
		c.least = piece;
	}
	return c;
}

} // namespace

// A piece that comes to be wanted, or ceases to be, makes libtorrent look at every peer. Were the only wanted one
// unwanted for a moment, the torrent would have finished for that moment, and said so: then another is wanted for one,
// at the price of a few of its blocks.
void ask_again(lt::torrent_handle const& torrent, std::function<bool(lt::piece_index_t)> const& is_absent)
{
	auto const priorities = torrent.get_piece_priorities();
	auto const c = look(priorities, is_absent);
	if (c.wanted > 1)
	{
		auto const was = priorities[static_cast<std::size_t>(static_cast<int>(*c.least))];
		torrent.piece_priority(*c.least, lt::dont_download);
		torrent.piece_priority(*c.least, was);
	}
	else if (c.wanted == 1 && c.unwanted)
	{
		torrent.piece_priority(*c.unwanted, lt::low_priority);
		torrent.piece_priority(*c.unwanted, lt::dont_download);
	}
}

} // namespace slipstream
