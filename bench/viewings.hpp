// Viewings: how people and players go through films, played out and recorded as traces.
//
// A film here has pieces of 256 KiB; at 5 Mbit/s a piece is 0.4 s, and ten seconds are 25 pieces. What is random comes
// from a fixed seed: the same traces on every machine.
#pragma once

#include "trace.hpp"

#include <string>
#include <vector>

namespace slipstream::bench {

struct viewing
{
	trace recorded;
	std::string comment;
};

// straight_play, seeks_back, two_players, skimming, container_probe, two_films.
[[nodiscard]] std::vector<viewing> all_viewings();

} // namespace slipstream::bench
