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
// Readers tell us the future, so there is nothing to guess: a clock or frequency sketch would
// estimate what the windows say.
//
// Only a new piece needs memory: its entry is what the lists are made of (Boost.Intrusive), so that
// nothing else can fail.
//
// Not thread-safe; the cache owns it under its lock. Naming is O(1), moving a piece O(log n).
#pragma once

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include <cstdint>
#include <map>
#include <optional>

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
	// A piece of so many blocks was verified. Nothing happens when it is known, or when there is no
	// memory for it (std::bad_alloc).
	void insert(piece_key key, standing s, int blocks);
	// A piece left memory, for whatever reason. Nothing happens when it is unknown.
	void erase(piece_key key) noexcept;
	void erase_torrent(std::uint64_t torrent) noexcept;
	// It was read: last to go among the idle.
	void touch(piece_key key) noexcept;
	void set_standing(piece_key key, standing s) noexcept;

	// The first to go, or nothing when all that is left is kept.
	[[nodiscard]] std::optional<piece_key> victim() const noexcept;
	// The same of the spent alone.
	[[nodiscard]] std::optional<piece_key> spent_victim() const noexcept;
	// It was asked to go: not named again, whatever its standing becomes, until erased.
	void mark_leaving(piece_key key) noexcept;
	// It could not go. If nobody wants it, everything else that is unprotected is named first.
	void stay(piece_key key) noexcept;
	// Nor could this one, but it will when it is named while memory is low.
	void stay_until_low(piece_key key) noexcept;

	// Of all.
	[[nodiscard]] std::int64_t blocks() const noexcept { return m_blocks; }
	// Of those that are leaving.
	[[nodiscard]] std::int64_t leaving_blocks() const noexcept { return m_leaving_blocks; }
	// Of those that stay until memory is low: since they did, nobody wanted them, and they were not
	// named again.
	[[nodiscard]] std::int64_t until_low_blocks() const noexcept { return m_until_low_blocks; }

	[[nodiscard]] bool contains(piece_key key) const { return m_entries.count(key) != 0; }
	[[nodiscard]] std::size_t size() const noexcept { return m_entries.size(); }

private:
	enum class place : std::uint8_t { spent, idle, ahead, kept, leaving };
	struct entry : boost::intrusive::list_base_hook<>, boost::intrusive::set_base_hook<boost::intrusive::optimize_size<true>>
	{
		piece_key key;
		int blocks = 0;
		place where = place::idle;
		standing stands;
		bool was_wanted = false;   // ahead or kept since it was verified, or since it stayed last
		bool is_until_low = false; // in m_until_low_blocks
	};
	struct nearer
	{
		bool operator()(entry const& a, entry const& b) const noexcept
		{ return a.stands.distance != b.stands.distance ? a.stands.distance < b.stands.distance : a.key < b.key; }
	};
	using entries = std::map<piece_key, entry>; // sorted, so that a torrent's pieces are together

	[[nodiscard]] entry* find(piece_key key) noexcept;
	void take_out(entry& e) noexcept;
	void put_in(entry& e) noexcept;
	void set_until_low(entry& e, bool is) noexcept;
	entries::iterator erase(entries::iterator i) noexcept;

	entries m_entries; // first: the others are made of them
	boost::intrusive::list<entry> m_spent;
	boost::intrusive::list<entry> m_idle;
	boost::intrusive::set<entry, boost::intrusive::compare<nearer>> m_ahead;
	std::int64_t m_blocks = 0;
	std::int64_t m_leaving_blocks = 0;
	std::int64_t m_until_low_blocks = 0;
};

} // namespace slipstream
