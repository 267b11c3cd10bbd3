#include <slipstream_binding/session.hpp>

#include "hashes.hpp"
#include "session_core.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/session_stats.hpp>
#include <libtorrent/torrent_info.hpp>

namespace slipstream::binding {

namespace {

session_core& core_of(std::shared_ptr<session_core> const& core)
{
	if (!core) fail(fault_closed, "the session was never started");
	return *core;
}

} // namespace

session::session(session_params const& params, memory const& disk, int const flags, outcome& out)
{ guarded(out, [&] { m_core = session_core::start(params.params(), disk, flags); }); }

// Not left to the core's destructor: the last to let go of the core may be libtorrent's thread,
// which cannot wait for itself.
session::~session() { close(); }

void session::close() const { guarded_or(0, [&] { if (m_core) m_core->close(); return 0; }); }

bool session::closed() const { return !m_core || m_core->closed(); }

std::int64_t session::add_torrent(add_params const& params, outcome& out) const
{
	return guarded(out, [&]() -> std::int64_t {
		session_core& core = core_of(m_core);
		session_core::use const s(core);
		lt::add_torrent_params p = params.params();
		// Two sessions must not share what one of them changes.
		if (p.ti) p.ti = std::make_shared<lt::torrent_info>(*p.ti);
		return core.enter(s->add_torrent(std::move(p)))->number;
	});
}

void session::remove_torrent(std::int64_t const torrent, outcome& out) const
{
	guarded(out, [&] {
		session_core& core = core_of(m_core);
		auto const entry = core.entry(torrent);
		session_core::use const s(core);
		s->remove_torrent(entry->handle);
		entry->removed = true;
		entry->changed.wake();
	});
}

std::int64_t session::find_torrent(bytes const& v1, bytes const& v2, outcome& out) const
{
	return guarded(out, [&]() -> std::int64_t {
		session_core& core = core_of(m_core);
		auto const wanted = hashes_of(v1, v2);
		session_core::use const s(core);
		std::vector<lt::sha1_hash> names; // as libtorrent files them: v1, and the first 20 bytes of v2
		if (wanted.has_v1()) names.push_back(wanted.v1);
		if (wanted.has_v2()) names.emplace_back(wanted.v2.data());
		for (auto const& name : names)
			if (auto const h = s->find_torrent(name); h.is_valid() && same_torrent(h.info_hashes(), wanted)) return core.enter(h)->number;
		fail(fault_no_such_torrent, "the session has no torrent with that info-hash");
	});
}

std::vector<std::int64_t> session::torrents(outcome& out) const
{
	return guarded(out, [&] {
		session_core& core = core_of(m_core);
		session_core::use const s(core);
		std::vector<std::int64_t> result;
		for (auto const& h : s->get_torrents()) result.push_back(core.enter(h)->number);
		return result;
	});
}

int session::listen_port(outcome& out) const
{ return guarded(out, [&] { return static_cast<int>(session_core::use(core_of(m_core))->listen_port()); }); }

bool session::is_listening(outcome& out) const
{ return guarded(out, [&] { return session_core::use(core_of(m_core))->is_listening(); }); }

void session::apply_settings(settings const& pack, outcome& out) const
{ guarded(out, [&] { session_core::use(core_of(m_core))->apply_settings(pack.pack()); }); }

settings session::get_settings(outcome& out) const
{
	// Not through `guarded`'s default: it is a value with a constructor of its own.
	return guarded(out, [&] { return settings(session_core::use(core_of(m_core))->get_settings()); });
}

void session::pause(outcome& out) const { guarded(out, [&] { session_core::use(core_of(m_core))->pause(); }); }

void session::resume(outcome& out) const { guarded(out, [&] { session_core::use(core_of(m_core))->resume(); }); }

bool session::is_paused(outcome& out) const
{ return guarded(out, [&] { return session_core::use(core_of(m_core))->is_paused(); }); }

void session::add_dht_node(std::string const& host, int const port, outcome& out) const
{
	guarded(out, [&] {
		if (port < 1 || port > 65535) fail(fault_bad_argument, "a port is 1 to 65535, not " + std::to_string(port));
		if (host.empty() || host.find('\0') != std::string::npos) fail(fault_bad_argument, "\"" + host + "\" is no host's name");
		session_core::use(core_of(m_core))->add_dht_node({host, port});
	});
}

bytes session::state(outcome& out) const
{
	return guarded(out, [&] {
		auto const buffer = lt::write_session_params_buf(session_core::use(core_of(m_core))->session_state());
		return bytes(buffer.begin(), buffer.end());
	});
}

void session::post_torrent_updates(outcome& out) const
{ guarded(out, [&] { session_core::use(core_of(m_core))->post_torrent_updates(); }); }

void session::post_session_stats(outcome& out) const
{ guarded(out, [&] { session_core::use(core_of(m_core))->post_session_stats(); }); }

void session::post_dht_stats(outcome& out) const
{ guarded(out, [&] { session_core::use(core_of(m_core))->post_dht_stats(); }); }

alert_batch session::pop_alerts(outcome& out) const
{
	return guarded(out, [&] {
		session_core& core = core_of(m_core);
		alert_batch batch;
		session_core::use const s(core);
		std::scoped_lock const one_at_a_time(core.popping);
		std::vector<lt::alert*> alerts;
		s->pop_alerts(&alerts);
		batch.m_alerts.reserve(alerts.size());
		for (lt::alert const* const a : alerts) batch.m_alerts.push_back(record_of(*a, core));
		return batch;
	});
}

stopper session::make_stopper() const { return stopper(m_core); }

bool session::wait_for_alerts(stopper const& until, std::int64_t const timeout_ms, outcome& out) const
{
	return guarded(out, [&] {
		session_core& core = core_of(m_core);
		auto const deadline = deadline_in(timeout_ms);
		for (;;)
		{
			auto const seen = core.alerts.seen();
			if (session_core::use(core)->wait_for_alert(lt::time_duration(0)) != nullptr) return true;
			if (until.stopped() || !core.alerts.wait(seen, deadline)) return false;
		}
	});
}

std::vector<std::string> session::stats_metrics()
{
	return guarded_or(std::vector<std::string>(), [] {
		std::vector<std::string> names;
		for (auto const& m : lt::session_stats_metrics())
		{
			auto const at = static_cast<std::size_t>(m.value_index);
			if (names.size() <= at) names.resize(at + 1);
			names[at] = m.name;
		}
		return names;
	});
}

} // namespace slipstream::binding
