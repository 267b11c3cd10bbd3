// An HTTP client that reads a stream as a player would, and measures it.
//
// Runs on the io_context it is given, in the calling thread; one request at a time.
#pragma once

#include <slipstream/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace slipstream::cli {

struct fetch_request
{
	boost::asio::ip::tcp::endpoint server;
	std::string target;
	std::string range;  // of the Range header; empty: none
	// Hears the bytes of the body, in order; false ends the fetch with `cancelled`.
	std::function<bool(std::span<char const>)> on_bytes;
};

struct fetched
{
	unsigned status = 0;
	std::string content_range;
	std::int64_t size_bytes = 0;                    // of the body
	std::chrono::steady_clock::duration first_byte{};  // from the request sent to the body's first byte
	std::chrono::steady_clock::duration all{};         // from the request sent to the last
};

// Errors: torrent_failed, with a sentence, when the answer could not be had whole; cancelled when
// `interrupted` said so.
[[nodiscard]] expected<fetched> fetch(boost::asio::io_context& io, fetch_request const& wanted
	, std::function<bool()> const& interrupted);

} // namespace slipstream::cli
