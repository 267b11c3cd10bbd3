#include "cli/address.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cstdint>

namespace slipstream::cli {

namespace ip = boost::asio::ip;

expected<ip::tcp::endpoint> parse_address(std::string_view const text)
{
	error const wrong(errc::bad_argument, fmt::format(
		"'{}' is not ADDR:PORT; give one like 127.0.0.1:8090, or [::1]:8090 for IPv6", text));
	std::size_t const colon = text.rfind(':');
	if (colon == std::string_view::npos) return wrong;
	std::string_view host = text.substr(0, colon);
	std::string_view const port_text = text.substr(colon + 1);
	bool const bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
	if (bracketed) host = host.substr(1, host.size() - 2);

	std::uint16_t port = 0;
	auto const [end, failure] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
	if (port_text.empty() || failure != std::errc{} || end != port_text.data() + port_text.size())
		return wrong;
	boost::system::error_code ec;
	ip::address const address = ip::make_address(std::string(host), ec);
	if (ec || address.is_v6() != bracketed) return wrong;
	return ip::tcp::endpoint(address, port);
}

std::string address_text(ip::tcp::endpoint const& where)
{
	std::string const address = where.address().to_string();
	return where.address().is_v6() ? fmt::format("[{}]:{}", address, where.port())
		: fmt::format("{}:{}", address, where.port());
}

std::string url_of(ip::tcp::endpoint const& where, bool const tls)
{
	return (tls ? "https://" : "http://") + address_text(where);
}

std::string local_url_of(ip::tcp::endpoint const& where, bool const tls)
{
	if (!where.address().is_unspecified()) return url_of(where, tls);
	ip::address const loopback = where.address().is_v6() ? ip::address(ip::address_v6::loopback())
		: ip::address(ip::address_v4::loopback());
	return url_of({loopback, where.port()}, tls);
}

} // namespace slipstream::cli
