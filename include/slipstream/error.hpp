// Errors that cross Slipstream's interfaces, and `expected`, which carries either a value or one of them.
//
// What is expected to happen (a bad file, a torrent that was removed, no space) is a value of type
// `error`; exceptions are thrown by constructors and at start-up alone.
#pragma once

#include <boost/system/error_code.hpp>

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace slipstream {

enum class errc
{
	bad_argument = 1,      // a value outside its range; the detail says which
	bad_torrent,           // not a torrent file, or one that cannot be used
	bad_magnet,            // not a magnet link
	too_large,             // more than a stated limit
	no_such_torrent,       // never added, or removed
	no_such_file,          // the torrent has no file of that index
	no_such_piece,         // index outside the torrent
	not_in_memory,         // the bytes are not here (never written, or gone)
	not_verified,          // the bytes are here and their hash has not been checked yet
	out_of_range,          // an offset or a length outside the piece or file
	duplicate,             // the torrent is there already
	no_metadata,           // the torrent's metadata has not arrived
	metadata_timeout,      // no peer sent the metadata in time
	read_timeout,          // the wanted bytes did not arrive in time
	no_space,              // the memory's capacity is reached
	cancelled,             // the wait was cancelled, the reader closed or the engine stopped
	torrent_failed,        // libtorrent stopped the torrent with an error; the detail says which
};

[[nodiscard]] boost::system::error_category const& category() noexcept;
[[nodiscard]] boost::system::error_code make_error_code(errc e) noexcept;

// A code, and a sentence for people: what was wrong, where, and what would be right.
struct error
{
	boost::system::error_code code;
	std::string detail;

	error(errc e, std::string what) : code(make_error_code(e)), detail(std::move(what)) {}
	explicit error(errc e) : code(make_error_code(e)), detail(code.message()) {}
	[[nodiscard]] bool is(errc e) const noexcept { return code == make_error_code(e); }
};

// The part of C++23's std::expected that is used here.
template <typename T>
class [[nodiscard]] expected
{
public:
	expected(T value) : m_value(std::in_place_index<0>, std::move(value)) {}
	expected(slipstream::error e) : m_value(std::in_place_index<1>, std::move(e)) {}
	expected(errc e) : m_value(std::in_place_index<1>, e) {}

	[[nodiscard]] bool has_value() const noexcept { return m_value.index() == 0; }
	explicit operator bool() const noexcept { return has_value(); }
	// Precondition: has_value(); otherwise std::bad_variant_access.
	[[nodiscard]] T& value() & { return std::get<0>(m_value); }
	[[nodiscard]] T const& value() const& { return std::get<0>(m_value); }
	[[nodiscard]] T&& value() && { return std::get<0>(std::move(m_value)); }
	[[nodiscard]] T* operator->() { return &value(); }
	[[nodiscard]] T const* operator->() const { return &value(); }
	[[nodiscard]] T& operator*() & { return value(); }
	[[nodiscard]] T const& operator*() const& { return value(); }
	[[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
	// Precondition: !has_value().
	[[nodiscard]] slipstream::error const& error() const { return std::get<1>(m_value); }

private:
	std::variant<T, slipstream::error> m_value;
};

} // namespace slipstream

template <>
struct boost::system::is_error_code_enum<slipstream::errc> : std::true_type {};
