#include "engine/address_text.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cstdint>

namespace slipstream {

std::optional<boost::asio::ip::tcp::endpoint> endpoint_in(std::string_view const text)
{
	auto const colon = text.rfind(':');
	if (colon == std::string_view::npos) return std::nullopt;
	std::string_view host = text.substr(0, colon);
	std::string_view const port_text = text.substr(colon + 1);

	std::uint16_t port = 0;
	char const* const end = port_text.data() + port_text.size();
	auto const [stop, failed] = std::from_chars(port_text.data(), end, port);
	if (port_text.empty() || failed != std::errc{} || stop != end) return std::nullopt;

	bool const bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
	if (bracketed) host = host.substr(1, host.size() - 2);
	boost::system::error_code ec;
	auto const address = boost::asio::ip::make_address(std::string(host), ec);
	if (ec || address.is_v6() != bracketed) return std::nullopt;
	return boost::asio::ip::tcp::endpoint(address, port);
}

std::string endpoint_text(boost::asio::ip::tcp::endpoint const& where)
{
	auto const host = where.address().to_string();
	return where.address().is_v6() ? fmt::format("[{}]:{}", host, where.port()) : fmt::format("{}:{}", host, where.port());
}

} // namespace slipstream
