// The eviction order: which verified piece goes first when memory is wanted. It names victims and frees
// nothing.
//
// Every verified piece is in exactly one of these, first to go at the top:
//   1 spent   a reader passed it and its lookbehind has moved on: not wanted again unless someone seeks.
//             Oldest first.
//   2 idle    no reader ever had it in its window, or it could not go when it was named. Least recently used first.
//   3 ahead   in a reader's read-ahead. Farthest from its reader first.
//   4 kept    what is being read, lookbehind, reserved pieces. Never named.
//     leaving named, and on its way out.
// Readers tell us the future, so there is nothing to guess: a clock or frequency sketch would estimate what
// the windows say.
//
// A value; not thread-safe; the cache owns it under its lock. Naming is O(1), moving a piece O(log n).
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace slipstream {

// A piece of any torrent on the disk; `torrent` is a number that the cache never reuses.
struct piece_key
{
	std::uint64_t torrent = 0;
	int piece = 0;
	friend bool operator==(piece_key const&, piece_key const&) = default;
	friend auto operator<=>(piece_key const&, piece_key const&) = default;
};

// How a piece is protected. `distance` is from the reader, in pieces; for `ahead` only.
struct standing
{
	enum class kind { unprotected, ahead, kept } what = kind::unprotected;
	int distance = 0;
	friend bool operator==(standing const&, standing const&) = default;
};

class eviction_order
{
public:
	// A piece was verified. Nothing happens when it is known.
	void insert(piece_key key, standing s);
	// A piece left memory, for whatever reason. Nothing happens when it is unknown.
	void erase(piece_key key);
	void erase_torrent(std::uint64_t torrent);
	// It was read: last to go among the idle.
	void touch(piece_key key);
	void set_standing(piece_key key, standing s);

	// The first to go, or nothing when all that is left is kept.
	[[nodiscard]] std::optional<piece_key> victim() const;
	// The same of the spent alone.
	[[nodiscard]] std::optional<piece_key> spent_victim() const;
	// It was asked to go: not named again, whatever its standing becomes, until erased.
	void mark_leaving(piece_key key);
	// It could not go. If nobody wants it, everything else that is unprotected is named first.
	void stay(piece_key key);

	[[nodiscard]] bool contains(piece_key key) const { return m_entries.count(key) != 0; }
	[[nodiscard]] std::size_t size() const noexcept { return m_entries.size(); }

private:
	enum class place { spent, idle, ahead, kept, leaving };
	struct entry
	{
		place where = place::idle;
		standing stands;
		bool was_wanted = false;  // ahead or kept since it was verified, or since it stayed last
		std::list<piece_key>::iterator position; // in m_spent or m_idle
	};
	using entries = std::map<piece_key, entry>; // sorted, so that a torrent's pieces are together

	void take_out(piece_key key, entry& e);
	void put_in(piece_key key, entry& e);

	entries m_entries;
	std::list<piece_key> m_spent;
	std::list<piece_key> m_idle;
	std::set<std::pair<int, piece_key>> m_ahead; // by distance
};

} // namespace slipstream
