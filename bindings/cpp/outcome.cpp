#include <slipstream_binding/outcome.hpp>

#include "guard.hpp"

#include <libtorrent/error_code.hpp>

#include <exception>

namespace slipstream::binding {

static_assert(fault_bad_argument == static_cast<int>(errc::bad_argument)
	&& fault_torrent_failed == static_cast<int>(errc::torrent_failed), "faults follow slipstream::errc");

void fail(error const& e)
{
	if (e.code.category() == category()) fail(static_cast<fault>(e.code.value()), e.detail);
	throw boost::system::system_error(e.code, e.detail);
}

void outcome::clear() noexcept
{
	m_kind = fault_none;
	m_value = 0;
	m_message.clear();
	m_category.clear();
}

void outcome::fail(fault const kind, std::string message, std::string category, int const value) noexcept
{
	m_kind = kind;
	m_value = value;
	m_message = std::move(message);
	m_category = std::move(category);
}

void outcome::fail(error const& e) noexcept
try
{
	bool const ours = e.code.category() == slipstream::category();
	fail(ours ? static_cast<fault>(e.code.value()) : fault_libtorrent, e.detail, e.code.category().name(), e.code.value());
}
catch (...) { m_kind = fault_internal; }

void outcome::fail_with_current_exception() noexcept
try
{
	try { throw; }
	catch (failure const& f) { fail(f.kind, f.message); }
	catch (boost::system::system_error const& e)
	{
		fault kind = fault_libtorrent;
		if (e.code() == lt::errors::invalid_torrent_handle) kind = fault_no_such_torrent;
		else if (e.code() == lt::errors::duplicate_torrent) kind = fault_duplicate;
		else if (e.code() == lt::errors::invalid_session_handle) kind = fault_closed;
		fail(kind, e.what(), e.code().category().name(), e.code().value());
	}
	catch (std::invalid_argument const& e) { fail(fault_bad_argument, e.what()); }
	catch (std::exception const& e) { fail(fault_internal, e.what()); }
	catch (...) { fail(fault_internal, "an unknown exception"); }
}
// No memory for the message.
catch (...) { m_kind = fault_internal; }

} // namespace slipstream::binding
