#include "hostile/swarm_session.hpp"

#include <libtorrent/alert_types.hpp>
#include <libtorrent/extensions/smart_ban.hpp>
#include <libtorrent/extensions/ut_metadata.hpp>
#include <libtorrent/magnet_uri.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/posix_disk_io.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_info.hpp>

#include <algorithm>
#include <chrono>

namespace slipstream::test {

// -- who is blamed

class blame_record::part final : public lt::torrent_plugin
{
public:
	part(lt::torrent_handle torrent, std::shared_ptr<state> record)
		: m_torrent(std::move(torrent)), m_record(std::move(record)) {}

	void on_piece_failed(lt::piece_index_t const piece) override
	{
		std::vector<lt::partial_piece_info> queue;
		m_torrent.get_download_queue(queue);
		auto text = std::to_string(static_cast<int>(piece)) + ":";
		for (auto const& q : queue)
			for (int i = 0; q.piece_index == piece && i < q.blocks_in_piece; ++i)
				text += " " + q.blocks[i].peer().address().to_string();
		std::lock_guard const lock(m_record->mutex);
		m_record->blamed.push_back(std::move(text));
	}

private:
	lt::torrent_handle const m_torrent;
	std::shared_ptr<state> const m_record;
};

std::shared_ptr<lt::torrent_plugin> blame_record::new_torrent(lt::torrent_handle const& torrent, lt::client_data_t)
{ return std::make_shared<part>(torrent, m_state); }

std::vector<std::string> blame_record::blamed() const
{
	std::lock_guard const lock(m_state->mutex);
	return m_state->blamed;
}

// -- the session

namespace {

// A session's plugin that is nothing but a torrent plugin for each.
class every_torrent final : public lt::plugin
{
public:
	using maker = std::shared_ptr<lt::torrent_plugin> (*)(lt::torrent_handle const&, lt::client_data_t);
	explicit every_torrent(maker const make) : m_make(make) {}
	std::shared_ptr<lt::torrent_plugin> new_torrent(lt::torrent_handle const& t, lt::client_data_t const d) override
	{ return m_make(t, d); }

private:
	maker const m_make;
};

} // namespace

swarm_session::swarm_session(swarm_options options)
	: m_address(std::move(options.address)), m_disk(std::move(options.disk))
{
	using sp = lt::settings_pack;
	sp s;
	for (int const off : {sp::enable_dht, sp::enable_lsd, sp::enable_upnp, sp::enable_natpmp, sp::close_redundant_connections
		, sp::enable_outgoing_utp})
		s.set_bool(off, false);
	s.set_str(sp::listen_interfaces, m_address + ":0");
	// Without it the system chooses where a connection to loopback comes from, and that is 127.0.0.1.
	s.set_str(sp::outgoing_interfaces, m_address);
	// One encrypted handshake in about a hundred fails (the other side says "invalid info-hash"), and libtorrent connects again
	// without: an honest peer would be seen to part.
	s.set_int(sp::out_enc_policy, sp::pe_disabled);
	s.set_int(sp::connections_limit, options.connections);
	s.set_int(sp::min_reconnect_time, 1);
	s.set_int(sp::alert_queue_size, 100'000);
	s.set_int(sp::alert_mask, int(lt::alert_category::error | lt::alert_category::peer | lt::alert_category::connect
		| lt::alert_category::piece_progress | lt::alert_category::status));
	// No peer exchange: peers would connect to each other, and twice to us.
	lt::session_params params(std::move(s), {});
	params.extensions.push_back(std::make_shared<every_torrent>(&lt::create_smart_ban_plugin));
	params.extensions.push_back(std::make_shared<every_torrent>(&lt::create_ut_metadata_plugin));
	if (m_disk) params.disk_io_constructor = m_disk->constructor();
	else params.disk_io_constructor = lt::posix_disk_io_constructor;
	m_session = std::make_unique<lt::session>(std::move(params));
	if (m_disk) m_session->add_extension(m_disk->extension());
	m_session->add_extension(blame);
}

swarm_session::~swarm_session() = default;

lt::torrent_handle swarm_session::add(shared_files const& files, bool const by_magnet)
{
	lt::add_torrent_params p;
	if (by_magnet) p = lt::parse_magnet_uri(files.magnet());
	else p.ti = std::make_shared<lt::torrent_info>(files.torrent_file(), lt::from_span);
	p.save_path = m_folder.path().string();
	p.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
	return m_session->add_torrent(std::move(p));
}

bool swarm_session::run_until(std::function<bool()> const& done)
{
	auto const end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
	while (!done())
	{
		if (m_disk) most_used = std::max(most_used, m_disk->stats().used_bytes);
		if (std::chrono::steady_clock::now() > end) return false;
		m_session->wait_for_alert(std::chrono::milliseconds(10));
		std::vector<lt::alert*> alerts;
		m_session->pop_alerts(&alerts);
		for (auto* const a : alerts) count(a);
	}
	return true;
}

boost::asio::ip::tcp::endpoint swarm_session::endpoint()
{
	if (!run_until([&] { return m_session->listen_port() != 0; })) throw std::runtime_error("the session does not listen");
	return {boost::asio::ip::make_address(m_address), m_session->listen_port()};
}

std::vector<std::string> swarm_session::connected(lt::torrent_handle const& torrent) const
{
	std::vector<lt::peer_info> peers;
	torrent.get_peer_info(peers);
	std::vector<std::string> addresses;
	for (auto const& p : peers)
		if (!(p.flags & (lt::peer_info::handshake | lt::peer_info::connecting))) addresses.push_back(p.ip.address().to_string());
	return addresses;
}

void swarm_session::count(lt::alert* const a)
{
	if (lt::alert_cast<lt::hash_failed_alert>(a)) ++failed;
	if (auto const* b = lt::alert_cast<lt::peer_ban_alert>(a)) banned.push_back(b->endpoint.address().to_string());
	if (auto const* d = lt::alert_cast<lt::peer_disconnected_alert>(a))
	{
		parted.push_back(d->endpoint.address().to_string() + ": " + d->error.message() + " (" + lt::operation_name(d->op)
			+ ", reason " + std::to_string(static_cast<int>(d->reason)) + ")");
		// Who is banned for one block that is known to be wrong has no alert of its own.
		if (d->error == lt::errors::peer_banned) banned.push_back(d->endpoint.address().to_string());
	}
	if (lt::alert_cast<lt::torrent_error_alert>(a) || lt::alert_cast<lt::file_error_alert>(a)) errors.push_back(a->message());
}

std::string swarm_session::dump() const
{
	std::string o = "\nfailed " + std::to_string(failed);
	for (auto const& b : banned) o += "\nbanned " + b;
	for (auto const& b : blame->blamed()) o += "\nblamed " + b;
	for (auto const& p : parted) o += "\nparted " + p;
	for (auto const& e : errors) o += "\nerror " + e;
	if (!m_disk) return o;
	auto const m = m_disk->stats();
	return o + "\nused " + std::to_string(m.used_bytes / block_size_bytes) + " of " + std::to_string(m.capacity_bytes / block_size_bytes)
		+ " peak " + std::to_string(m.peak_bytes / block_size_bytes) + " evicted " + std::to_string(m.pieces_evicted)
		+ " forgotten " + std::to_string(m.pieces_forgotten) + " refused " + std::to_string(m.writes_refused)
		+ " missed " + std::to_string(m.reads_missed);
}

} // namespace slipstream::test
