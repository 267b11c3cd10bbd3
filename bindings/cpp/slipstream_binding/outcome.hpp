// How calls of the bindings say that they failed: every function that can is given an `outcome`,
// sets it, and answers something harmless. Nothing is thrown to a foreign language.
//
// A value, owned by the caller, used by one thread at a time. An outcome that was failed into once
// may be used again: each call sets it anew. It says nothing about calls other than the last.
#pragma once

#include <string>

namespace slipstream { struct error; }

namespace slipstream::binding {

// What SWIG turns into the language's strings of bytes, as opposed to text.
using bytes = std::string;

// The kinds of failure. 1 to 17 are slipstream::errc, in its order.
enum fault : int
{
	fault_none = 0,
	fault_bad_argument,
	fault_bad_torrent,
	fault_bad_magnet,
	fault_too_large,
	fault_no_such_torrent,
	fault_no_such_file,
	fault_no_such_piece,
	fault_not_in_memory,
	fault_not_verified,
	fault_out_of_range,
	fault_duplicate,
	fault_no_metadata,
	fault_metadata_timeout,
	fault_read_timeout,
	fault_no_space,
	fault_cancelled,
	fault_torrent_failed,

	fault_closed = 100,         // the session (or the reader) was closed before the call, or by it
	fault_unknown_setting,      // libtorrent has no setting of that name and type
	fault_libtorrent,           // an error code of libtorrent or the system; see category() and value()
	fault_internal,             // anything else that was thrown; the message is what it said
};

class outcome
{
public:
	[[nodiscard]] bool ok() const noexcept { return m_kind == fault_none; }
	[[nodiscard]] int kind() const noexcept { return m_kind; }
	// A sentence: what was wrong, where, and what would be right.
	[[nodiscard]] std::string const& message() const noexcept { return m_message; }
	// Of the error code, where there was one: its category ("slipstream", "libtorrent", "system",
	// ...) and number.
	[[nodiscard]] std::string const& category() const noexcept { return m_category; }
	[[nodiscard]] int value() const noexcept { return m_value; }

#ifndef SWIG
	void clear() noexcept;
	void fail(fault kind, std::string message, std::string category = {}, int value = 0) noexcept;
	void fail(error const& e) noexcept;
	// To be called from a catch (...): says what was caught.
	void fail_with_current_exception() noexcept;
#endif

private:
	int m_kind = fault_none;
	int m_value = 0;
	std::string m_message;
	std::string m_category;
};

} // namespace slipstream::binding
