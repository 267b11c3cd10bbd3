// The life of a torrent, as far as somebody uses it: whether it is read, since when it is not, and
// what that ends.
//
// Phases, and who moves them; all moves are made by users():
//   added -> used     somebody reads it
//   used  -> idle     the last of these left
//   idle  -> used     somebody came back
// and from added and idle it can be dropped: first what is protected of its memory, which others
// may then take, then the torrent itself. Both are the owner's doing, at the times that are told
// here.
//
// A value without a clock of its own. It knows neither memory nor libtorrent.
#pragma once

#include <slipstream/torrent_use.hpp>

#include <chrono>
#include <optional>

namespace slipstream::stream {

class life
{
public:
	using clock = std::chrono::steady_clock;

	explicit life(clock::time_point const now) : m_since(now) {}

	// So many read it from now on. Answers whether it is in another phase now.
	bool users(clock::time_point now, int count);
	// Somebody waits for it, or has done so until now: its time without users begins anew.
	void touch(clock::time_point const now) { m_since = now; }
	[[nodiscard]] torrent_use use() const { return m_use; }
	// When it will have been without users for so long. Nothing while it has some.
	[[nodiscard]] std::optional<clock::time_point> unused_for(clock::duration time) const;

private:
	torrent_use m_use = torrent_use::added;
	clock::time_point m_since;  // in this phase, or touched
};

} // namespace slipstream::stream
