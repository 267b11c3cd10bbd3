// Shares: what each reader of an engine may have protected, by the rule of stream/allotment.hpp.
// What is shared out is memory, of which a piece takes whole blocks: a reader of pieces smaller
// than one gets fewer bytes of its file for it.
//
// Owned by what the torrents share; the engine's thread, but for next_number(). Torrents tell what
// their readers are like, and ask what came of it. It protects nothing, and does not tell who has
// to look again: whoever changed something does.
#pragma once

#include "stream/allotment.hpp"

#include <slipstream/extent.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>

namespace slipstream {

class shares
{
public:
	struct facts
	{
		int piece_length_bytes = 1;                      // of which memory takes whole blocks
		std::int64_t size_bytes = 0;                     // of its file
		std::int64_t probed_bytes = 0;                   // of the file, that are in memory; its part of them
		std::optional<std::int64_t> consumed_bytes_s{};  // as far as known
		bool idle = false;

		friend bool operator==(facts const&, facts const&) = default;
	};

	// Any thread. Readers have numbers that are not used again; earlier ones come first where not
	// even the heads fit.
	[[nodiscard]] std::uint64_t next_number() { return ++m_last_number; }
	// Answer whether anybody's portion may have changed. A consumption that changed little is not news.
	bool tell(std::uint64_t reader, facts const& f);
	bool forget(std::uint64_t reader);
	void set_extents(extent const& lookbehind, extent const& read_ahead);

	// Of the file's bytes, what it takes in memory being shared out. Nothing for a reader that is
	// not known.
	[[nodiscard]] stream::portion of(std::uint64_t reader, std::int64_t capacity_bytes, std::int64_t protectable_bytes);

private:
	struct member
	{
		facts is;
		stream::portion has;
	};
	void share_out();

	extent m_lookbehind;
	extent m_read_ahead;
	std::atomic<std::uint64_t> m_last_number{0};
	std::map<std::uint64_t, member> m_members;
	std::int64_t m_capacity_bytes = 0;     // for which they were shared out
	std::int64_t m_protectable_bytes = 0;
	bool m_changed = false;                // since then
};

} // namespace slipstream
