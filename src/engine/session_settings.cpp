#include "engine/session_settings.hpp"

#include "engine/address_text.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <libtorrent/alert.hpp>
#include <libtorrent/fingerprint.hpp>

#include <algorithm>
#include <stdexcept>

namespace slipstream {

namespace {

void at_least_one(std::chrono::milliseconds const value, std::string_view const name)
{
	if (value.count() < 1)
		throw std::invalid_argument(fmt::format("{} is {} ms, it must be at least 1 ms", name
			, value.count()));
}

} // namespace

void check(engine_options const& options)
{
	(void)listen_interfaces(options.peer_listen);
	at_least_one(options.metadata_timeout, "metadata_timeout");
	at_least_one(options.read_timeout, "read_timeout");
	at_least_one(options.reader_idle_after, "reader_idle_after");
	if (options.drop_idle_after.count() < 0)
		throw std::invalid_argument(fmt::format("drop_idle_after is {} ms, it must be 0 (never) or more"
			, options.drop_idle_after.count()));
	if (!options.read_ahead.is_valid() || !options.lookbehind.is_valid())
		throw std::invalid_argument("read_ahead and lookbehind must be automatic, 0..2^50 bytes, 0..1000000 millionths of"
			" the capacity, or a time of 0..24 hours");
	for (auto const& peer : options.connect)
		if (peer.port() == 0 || peer.address().is_unspecified())
			throw std::invalid_argument("a peer to connect to needs an address and a port from"
				" 1 to 65535");
}

std::string listen_interfaces(std::vector<std::string> const& addresses)
{
	if (addresses.empty())
		throw std::invalid_argument("peer_listen is empty, it needs at least one ADDR:PORT");
	std::string list;
	for (auto const& text : addresses)
	{
		auto const parsed = endpoint_in(text);
		if (!parsed)
			throw std::invalid_argument(fmt::format("cannot listen on \"{}\": it must be ADDR:PORT,"
				" such as 0.0.0.0:6881 or [::]:6881", text));
		if (!list.empty()) list += ',';
		list += endpoint_text(*parsed);
	}
	return list;
}

void limit_to(std::int64_t const capacity_bytes, lt::settings_pack& p)
{
	using pack = lt::settings_pack;
	// What peers may still send when they are told to stop takes memory: two blocks each, an eighth
	// of it in all.
	auto const connections = std::clamp<std::int64_t>(capacity_bytes / 8 / (2 * block_size_bytes), 8, 200);
	p.set_int(pack::connections_limit, static_cast<int>(connections));

	// What is asked for and on its way when peers are told to stop still arrives, all that the
	// system has received at once, in a buffer of libtorrent's that grows to hold it. So a peer is
	// asked for a 256th of the memory at most: for 256 MiB 1 MiB, which 100 ms away is 10 MB/s. (It
	// holds for peers that do not say how many requests they take, by BEP 10's "reqq": libtorrent
	// believes those that do. They are asked for as much as comes in the least request_queue_time
	// there is.)
	p.set_int(pack::request_queue_time, 1);
	p.set_int(pack::max_out_request_queue, static_cast<int>(std::clamp<std::int64_t>(
		capacity_bytes / block_size_bytes / 256, 16, 500)));

	// What a peer does not take of what it asked for stays lent. All of them together have an
	// eighth of the memory (the budget's "lent"), each the same, less the block that libtorrent
	// adds when it is below the mark; so those that take nothing leave the others their part. A
	// block is the least; beyond 500 KiB, libtorrent's default, it gains nothing.
	p.set_int(pack::send_buffer_watermark, static_cast<int>(std::clamp<std::int64_t>(
		capacity_bytes / 8 / connections - block_size_bytes, block_size_bytes, 500 * 1024)));
}

lt::settings_pack session_settings(engine_options const& options)
{
	using pack = lt::settings_pack;
	pack p;
	p.set_str(pack::user_agent, "Slipstream/" SLIPSTREAM_VERSION);
	p.set_str(pack::peer_fingerprint, lt::generate_fingerprint("SL", SLIPSTREAM_VERSION_MAJOR
		, SLIPSTREAM_VERSION_MINOR));

	// Alerts tell of torrents, never of pieces: those would overflow any queue. At the level
	// "trace" they tell what passes between us and every peer, too.
	auto categories = lt::alert_category::error | lt::alert_category::status;
	if (spdlog::should_log(spdlog::level::trace))
		categories |= lt::alert_category::peer_log | lt::alert_category::torrent_log;
	p.set_int(pack::alert_mask, static_cast<int>(static_cast<std::uint32_t>(categories)));
	p.set_int(pack::alert_queue_size, 10'000);

	// The addresses asked for or an error: a port nobody asked for is found by no peer.
	p.set_str(pack::listen_interfaces, listen_interfaces(options.peer_listen));
	p.set_int(pack::max_retry_port_bind, 0);
	p.set_bool(pack::listen_system_port_fallback, false);

	bool const online = !options.offline;
	p.set_bool(pack::enable_dht, online);
	p.set_bool(pack::enable_lsd, online);
	p.set_bool(pack::enable_upnp, online);
	p.set_bool(pack::enable_natpmp, online);
	bool const named_peers = options.offline || !options.connect.empty();
	// Peers named by the user, and those of offline swarms, may share an address.
	p.set_bool(pack::allow_multiple_connections_per_ip, !online || named_peers);
	// uTP gains nothing on one machine.
	p.set_bool(pack::enable_outgoing_utp, online);

	limit_to(options.memory.capacity_bytes, p);

	// Between two reads a torrent wants nothing and counts as finished. Its peers are wanted again soon.
	p.set_bool(pack::close_redundant_connections, false);
	// The order of pieces is the readers' business.
	p.set_bool(pack::auto_sequential, false);
	// And from the first piece on. libtorrent picks at random, whatever the priorities, as long as
	// it has fewer pieces than this, and (before 2.0.11) counts none of which a write is held.
	p.set_int(pack::initial_picker_threshold, 0);
	// Peers named by the user are tried until they answer; a swarm's many are not pestered.
	p.set_int(pack::min_reconnect_time, named_peers ? 1 : 10);
	p.set_int(pack::max_failcount, named_peers ? 100 : 3);

	p.set_int(pack::max_metadata_size, static_cast<int>(engine::max_torrent_bytes));
	// Saying good-bye to trackers must not hold up a stop.
	p.set_int(pack::stop_tracker_timeout, 1);
	return p;
}

} // namespace slipstream
