#include "engine/core.hpp"

#include "engine/alert_pump.hpp"
#include "engine/info_hash_text.hpp"
#include "engine/piece_wakeup.hpp"
#include "engine/reader_impl.hpp"
#include "engine/session_settings.hpp"
#include "engine/steadfast_peers.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_flags.hpp>

#include <algorithm>
#include <stdexcept>

namespace slipstream {

namespace {

// libtorrent wants a path; nothing is ever written below it.
constexpr char const* nowhere = "/slipstream-keeps-everything-in-memory";

constexpr std::size_t max_dropped = 64;

// Nodes that were known; what was saved by another program, or is torn, is of no use and of no harm.
void restore(lt::session_params& params, std::vector<char> const& state)
{
	if (state.empty()) return;
	try
	{
		params.dht_state = lt::read_session_params({state.data(), static_cast<std::ptrdiff_t>(state.size())}
			, lt::session::save_dht_state).dht_state;
	}
	catch (std::exception const& e) { spdlog::warn("the state of an earlier session cannot be read: {}", e.what()); }
}

} // namespace

core::core(std::shared_ptr<engine_loop> loop, memory_disk disk, engine_options options)
	: m_loop(std::move(loop))
	, m_environment{m_loop->context(), std::move(disk), std::move(options)}
	, m_alerts(std::make_unique<alert_pump>(*this))
{
	m_environment.count_peers_again = [this] { count_peers_again(); };
	m_environment.shares_changed = [this](torrent_entry const* const but) {
		for (auto const& torrent : m_torrents)
			if (torrent.get() != but) torrent->shares_changed();
	};
	m_environment.settle_others = [this](torrent_entry const* const but) {
		bool any = false;
		for (auto const& torrent : m_torrents)
			if (torrent.get() != but) any |= torrent->settle();
		return any;
	};
	m_environment.drop = [this](std::string const& id) { drop(id); };
	set_windows(windows());
}

core::~core() = default;

void core::set_windows(window_extents const& extents)
{
	m_environment.options.read_ahead = extents.read_ahead;
	m_environment.options.lookbehind = extents.lookbehind;
	m_environment.reader_shares.set_extents(extents.lookbehind, extents.read_ahead);
	m_environment.shares_changed(nullptr);
}

void core::count_peers_again()
{
	if (!m_session) return;
	lt::settings_pack changed;
	m_one_failure_more = !m_one_failure_more;
	changed.set_int(lt::settings_pack::max_failcount
		, session_settings(m_environment.options).get_int(lt::settings_pack::max_failcount) + (m_one_failure_more ? 1 : 0));
	m_session->apply_settings(std::move(changed));
}

// The latest, where it changed more than once.
void core::capacity_changed()
{
	if (!m_session) return;
	m_environment.shares_changed(nullptr);
	lt::settings_pack changed;
	limit_to(m_environment.disk.capacity_bytes(), changed);
	m_session->apply_settings(std::move(changed));
}

void core::start()
{
	lt::session_params params(session_settings(m_environment.options));
	restore(params, m_environment.options.session_state);
	params.disk_io_constructor = m_environment.disk.constructor();
	m_session = std::make_unique<lt::session>(std::move(params));

	m_wakeup = std::make_shared<piece_wakeup>(m_loop, weak_from_this());
	m_session->add_extension(m_environment.disk.extension(m_wakeup, wanting::told));
	m_session->add_extension(steadfast_peers());
	m_session->set_alert_notify([loop = m_loop, weak = weak_from_this()] {
		loop->post([weak] { if (auto const c = weak.lock()) c->m_alerts->pump(); });
	});

	// Answered by libtorrent's thread after it opened the sockets, so the alerts about them are there.
	bool const listening = m_session->is_listening();
	m_alerts->pump();
	if (!listening)
		throw std::runtime_error(fmt::format("none of the addresses for peers can be listened on ({})"
			, m_alerts->listen_failures().empty() ? "no reason given" : m_alerts->listen_failures()));
}

lt::session_proxy core::shut_down()
{
	if (!m_session) return {};
	for (auto const& torrent : m_torrents) torrent->removed(errc::cancelled);
	m_torrents.clear();
	m_session->set_alert_notify({});
	lt::session_proxy rest = m_session->abort();
	m_session.reset();
	return rest;
}

void core::make_offline(lt::add_torrent_params& params) const
{
	params.trackers.clear();
	params.tracker_tiers.clear();
	params.url_seeds.clear();
	params.http_seeds.clear();
	params.dht_nodes.clear();
	params.peers.clear();
	params.flags |= lt::torrent_flags::disable_dht | lt::torrent_flags::disable_lsd
		| lt::torrent_flags::disable_pex | lt::torrent_flags::override_trackers
		| lt::torrent_flags::override_web_seeds;
}

error core::duplicate_of(lt::info_hash_t const& hashes) const
{
	auto const torrent = entry_of(hashes);
	return {errc::duplicate, torrent ? torrent->id() : id_of(hashes)};
}

expected<std::string> core::add(lt::add_torrent_params params, bool const paused)
{
	if (!m_session) return errc::cancelled;
	auto const hashes = params.ti ? params.ti->info_hashes() : params.info_hashes;
	params.save_path = nowhere;
	// Nothing is fetched but what readers want; a link that selects files does not change that.
	params.file_priorities.clear();
	params.piece_priorities.clear();
	// Paused until its peers are known: libtorrent connects at once to those it knows when a torrent is
	// resumed, and to others with its tick, a second later.
	params.flags = lt::torrent_flags::default_dont_download | lt::torrent_flags::duplicate_is_error
		| lt::torrent_flags::apply_ip_filter | lt::torrent_flags::paused;
	if (m_environment.options.offline) make_offline(params);

	lt::torrent_handle handle;
	try
	{
		lt::error_code ec;
		handle = m_session->add_torrent(params, ec);
		if (ec == lt::errors::duplicate_torrent) return duplicate_of(hashes);
		if (ec)
			return error(errc::bad_torrent, fmt::format("libtorrent refuses the torrent: {}", ec.message()));
	}
	catch (std::exception const& e)
	{
		return error(errc::bad_torrent, fmt::format("libtorrent refuses the torrent: {}", e.what()));
	}
	auto const torrent = std::make_shared<torrent_entry>(m_environment, handle, params);
	m_torrents.push_back(torrent);
	std::erase(m_dropped, torrent->id());
	if (paused) torrent->set_paused(true);
	torrent->start();
	m_environment.changed();
	spdlog::info("torrent {}: added", torrent->id());
	return torrent->id();
}

expected<std::string> core::remove(std::string_view const id)
{
	auto const found = find(id);
	if (!found) return found.error();
	auto const& torrent = *found;
	auto const last = torrent->payload();
	m_removed_payload.downloaded_bytes += last.downloaded_bytes;
	m_removed_payload.uploaded_bytes += last.uploaded_bytes;
	std::erase(m_torrents, torrent);
	torrent->removed(errc::no_such_torrent);
	try { m_session->remove_torrent(torrent->handle()); }
	catch (lt::system_error const& e) { spdlog::debug("torrent {}: {}", torrent->id(), e.what()); }
	m_environment.changed();
	spdlog::info("torrent {}: removed", torrent->id());
	return torrent->id();
}

void core::drop(std::string const& id)
{
	auto const removed = remove(id);
	if (!removed) return;
	spdlog::info("torrent {}: dropped, nobody read it for {} ms", id, m_environment.options.drop_idle_after.count());
	m_dropped.push_back(id);
	if (m_dropped.size() > max_dropped) m_dropped.pop_front();
}

expected<std::shared_ptr<torrent_entry>> core::find(std::string_view const id) const
{
	if (auto const wanted = normalized_id(id))
		for (auto const& torrent : m_torrents)
			if (*wanted == torrent->id() || names(*wanted, torrent->hashes())) return torrent;
	if (std::find(m_dropped.begin(), m_dropped.end(), normalized_id(id)) != m_dropped.end())
		return error(errc::no_such_torrent, fmt::format("the torrent {:.64} was dropped, because nobody had read it for {}; add it again", id
			, extent_text(extent::time(m_environment.options.drop_idle_after))));
	return error(errc::no_such_torrent, fmt::format("there is no torrent {:.64}", id));
}

std::vector<torrent_summary> core::torrents() const
{
	std::vector<torrent_summary> result;
	result.reserve(m_torrents.size());
	for (auto const& torrent : m_torrents) result.push_back(torrent->summary());
	return result;
}

expected<std::shared_ptr<reader::impl>> core::open(std::string_view const id, int const file_index)
{
	auto const found = find(id);
	if (!found) return found.error();
	auto const file = (*found)->file(file_index);
	if (!file) return file.error();
	auto r = make_reader(*found, (*found)->hashes(), *file);
	(*found)->attach(r);
	return r;
}

std::shared_ptr<reader::impl> core::open(readable_torrent const& torrent, stream::file_geometry const& file)
{
	auto r = make_reader(torrent.entry, torrent.hashes, file);
	bool const passed = m_loop->post([r, weak = torrent.entry] {
		auto const entry = weak.lock();
		if (entry && !entry->is_removed()) return entry->attach(r);
		r->torrent_gone(errc::no_such_torrent);
	});
	return passed ? r : nullptr;
}

std::shared_ptr<reader::impl> core::make_reader(std::weak_ptr<torrent_entry> torrent, lt::info_hash_t const& hashes
	, stream::file_geometry const& file)
{
	return std::make_shared<reader::impl>(m_loop, std::move(torrent), m_environment.disk, hashes, file
		, m_environment.reader_shares.next_number(), m_environment.options.read_timeout);
}

std::vector<char> core::session_state() const
{
	if (!m_session) return {};
	lt::session_params const state = m_session->session_state(lt::session::save_dht_state);
	if (state.dht_state.nodes.empty() && state.dht_state.nodes6.empty()) return {};
	return lt::write_session_params_buf(state, lt::session::save_dht_state);
}

std::shared_ptr<torrent_entry> core::entry_of(lt::torrent_handle const& handle) const
{
	auto const at = std::find_if(m_torrents.begin(), m_torrents.end()
		, [&](auto const& torrent) { return torrent->handle() == handle; });
	return at == m_torrents.end() ? nullptr : *at;
}

std::shared_ptr<torrent_entry> core::entry_of(lt::info_hash_t const& hashes) const
{
	auto const at = std::find_if(m_torrents.begin(), m_torrents.end()
		, [&](auto const& torrent) { return same_torrent(torrent->hashes(), hashes); });
	return at == m_torrents.end() ? nullptr : *at;
}

void core::piece_verified(lt::info_hash_t const& torrent, lt::piece_index_t const piece)
{
	if (auto const entry = entry_of(torrent)) entry->piece_verified(piece);
}

void core::piece_gone(lt::info_hash_t const& torrent, lt::piece_index_t const piece)
{
	if (auto const entry = entry_of(torrent)) entry->piece_gone(piece);
}

void core::block_written(lt::info_hash_t const& torrent, lt::piece_index_t const piece)
{
	if (auto const entry = entry_of(torrent)) entry->block_written(piece);
}

void core::piece_failed(lt::info_hash_t const& torrent, lt::piece_index_t const piece)
{
	if (auto const entry = entry_of(torrent)) entry->piece_failed(piece);
}

payload_totals core::payload() const
{
	auto total = m_removed_payload;
	for (auto const& torrent : m_torrents)
	{
		auto const s = torrent->payload();
		total.downloaded_bytes += s.downloaded_bytes;
		total.uploaded_bytes += s.uploaded_bytes;
	}
	return total;
}

void core::listening_on(boost::asio::ip::tcp::endpoint const& endpoint)
{
	if (std::find(m_endpoints.begin(), m_endpoints.end(), endpoint) == m_endpoints.end())
		m_endpoints.push_back(endpoint);
}

} // namespace slipstream
