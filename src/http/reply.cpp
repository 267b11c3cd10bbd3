#include "http/reply.hpp"

#include <nlohmann/json.hpp>

namespace slipstream::http {

reply problem(wire::status const status, std::string const& detail)
{
	nlohmann::ordered_json document;
	document["status"] = static_cast<unsigned>(status);
	document["title"] = std::string(wire::obsolete_reason(status));
	document["detail"] = detail;
	reply r;
	r.status = status;
	r.content_type = "application/problem+json";
	r.body = document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
	return r;
}

reply problem(error const& e)
{
	return problem(status_of(e.code), e.detail);
}

wire::status status_of(error_code const ec) noexcept
{
	if (ec.category() != category()) return wire::status::internal_server_error;
	switch (static_cast<errc>(ec.value()))
	{
		case errc::bad_argument:
		case errc::bad_torrent:
		case errc::bad_magnet: return wire::status::bad_request;
		case errc::too_large: return wire::status::payload_too_large;
		case errc::no_such_torrent:
		case errc::no_such_file: return wire::status::not_found;
		case errc::duplicate: return wire::status::conflict;
		// The torrent is on its way out of the engine, or the engine of the program.
		case errc::no_metadata:
		case errc::cancelled: return wire::status::service_unavailable;
		case errc::metadata_timeout:
		case errc::read_timeout: return wire::status::gateway_timeout;
		case errc::no_space: return wire::status::insufficient_storage;
		case errc::torrent_failed: return wire::status::bad_gateway;
		case errc::no_such_piece:
		case errc::not_in_memory:
		case errc::not_verified:
		case errc::out_of_range: break;
	}
	return wire::status::internal_server_error;
}

} // namespace slipstream::http
