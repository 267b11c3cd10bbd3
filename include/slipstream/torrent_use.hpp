// Whether somebody uses a torrent; src/stream/life.hpp says who moves it from one to the next.
//
// A value that nobody owns; any thread. It does not say whether the torrent is paused or has failed.
#pragma once

namespace slipstream {

enum class torrent_use
{
	added,  // nobody has read it yet
	used,   // somebody has a reader of it
	idle,   // somebody did
};

} // namespace slipstream
