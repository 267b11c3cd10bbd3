#include "cli/address.hpp"

#include "engine/address_text.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

namespace slipstream::cli {

namespace ip = boost::asio::ip;

expected<ip::tcp::endpoint> parse_address(std::string_view const text)
{
	if (auto const where = endpoint_in(text)) return *where;
	return error(errc::bad_argument, fmt::format(
		"'{}' is not ADDR:PORT; give one like 127.0.0.1:8090, or [::1]:8090 for IPv6", text));
}

std::string url_of(ip::tcp::endpoint const& where, bool const tls)
{
	return (tls ? "https://" : "http://") + endpoint_text(where);
}

std::string local_url_of(ip::tcp::endpoint const& where, bool const tls)
{
	if (!where.address().is_unspecified()) return url_of(where, tls);
	ip::address const loopback = where.address().is_v6() ? ip::address(ip::address_v6::loopback())
		: ip::address(ip::address_v4::loopback());
	return url_of({loopback, where.port()}, tls);
}

} // namespace slipstream::cli
