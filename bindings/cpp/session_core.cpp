#include "session_core.hpp"

#include "hashes.hpp"
#include "torrent_demand.hpp"

#include <libtorrent/address.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/write_resume_data.hpp>

#include <algorithm>
#include <charconv>

namespace slipstream::binding {

namespace {

// Bits of the flags that a session starts with, as in libtorrent 1.
constexpr int add_default_plugins = 1;
constexpr int start_default_features = 2;
constexpr int start_paused = 4;

// How many torrents that were removed keep their numbers, for alerts that were not popped yet.
constexpr std::size_t remembered_torrents = 256;

// Wakes who waits for something of one torrent. libtorrent's, network thread only; it dies with the
// torrent.
class torrent_watch final : public lt::torrent_plugin
{
public:
	explicit torrent_watch(std::shared_ptr<torrent_entry> entry) : m_entry(std::move(entry)) {}
	~torrent_watch() override
	{
		m_entry->removed = true;
		m_entry->changed.wake();
	}

	void on_files_checked() override { m_entry->changed.wake(); }
	void on_state(lt::torrent_status::state_t) override { m_entry->changed.wake(); }
	bool on_pause() override { m_entry->changed.wake(); return false; }
	bool on_resume() override { m_entry->changed.wake(); return false; }

private:
	std::shared_ptr<torrent_entry> const m_entry;
};

// Sees torrents come, and resume data. libtorrent's, network thread only.
class session_watch final : public lt::plugin
{
public:
	explicit session_watch(std::weak_ptr<session_core> core) : m_core(std::move(core)) {}

	std::shared_ptr<lt::torrent_plugin> new_torrent(lt::torrent_handle const& torrent, lt::client_data_t) override
	{
		auto const core = m_core.lock();
		return core ? std::make_shared<torrent_watch>(core->enter(torrent)) : nullptr;
	}

	lt::feature_flags_t implemented_features() override { return alert_feature; }

	// Nothing is thrown into libtorrent.
	void on_alert(lt::alert const* const alert) noexcept override
	try
	{
		auto const core = m_core.lock();
		if (!core) return;
		if (auto const* const saved = lt::alert_cast<lt::save_resume_data_alert>(alert))
		{
			auto params = saved->params;
			core->disk().disk()->put_back_priorities(params, saved->handle);
			auto const data = lt::write_resume_data_buf(params);
			answer(*core->enter(saved->handle), {data.begin(), data.end()}, {});
		}
		else if (auto const* const failed = lt::alert_cast<lt::save_resume_data_failed_alert>(alert))
			answer(*core->enter(failed->handle), {}, failed->error.message());
	}
	catch (...) {}

private:
	static void answer(torrent_entry& entry, bytes data, std::string error)
	{
		{
			std::scoped_lock const l(entry.resume_mutex);
			++entry.resume_count;
			entry.resume_data = std::move(data);
			entry.resume_error = std::move(error);
		}
		entry.changed.wake();
	}

	std::weak_ptr<session_core> const m_core;
};

} // namespace

wait_point::deadline deadline_in(std::int64_t const timeout_ms)
{
	if (timeout_ms < 0) return std::nullopt;
	// A year is for ever, and does not overflow.
	return std::chrono::steady_clock::now() + std::chrono::milliseconds(std::min<std::int64_t>(timeout_ms, 31'536'000'000));
}

torrent_entry::torrent_entry(std::int64_t const n, lt::torrent_handle h)
	: number(n), handle(std::move(h)), demand(std::make_unique<torrent_demand>(*this)) {}

torrent_entry::~torrent_entry() = default;

void stopper::stop() const
{
	if (!m_state || m_state->stopped.exchange(true)) return;
	if (auto const core = m_state->core.lock()) guarded_or(0, [&] { core->wake_all(); return 0; });
}

stopper::stopper(std::shared_ptr<session_core> core) : m_state(std::make_shared<state>()) { m_state->core = core; }

bool stopper::stopped() const { return !m_state || m_state->stopped; }

session_core::use::use(session_core& core) : m_core(core)
{
	std::scoped_lock const l(core.m_mutex);
	if (core.m_closing) fail(fault_closed, "the session is closed");
	++core.m_users;
}

session_core::use::~use()
{
	std::scoped_lock const l(m_core.m_mutex);
	if (--m_core.m_users == 0) m_core.m_idle.notify_all();
}

std::shared_ptr<session_core> session_core::start(lt::session_params params, memory disk, int const flags)
{
	using pack = lt::settings_pack;
	if (!disk.disk()) fail(fault_closed, "the memory disk is closed");
	if ((flags & add_default_plugins) == 0) params.extensions.clear();
	if ((flags & start_default_features) == 0)
		for (int const feature : {pack::enable_dht, pack::enable_lsd, pack::enable_upnp, pack::enable_natpmp})
			params.settings.set_bool(feature, false);
	params.disk_io_constructor = disk.disk()->constructor();

	std::shared_ptr<session_core> core(new session_core(std::move(disk)));
	auto session = std::make_unique<lt::session>(std::move(params)
		, (flags & start_paused) != 0 ? lt::session_handle::paused : lt::session_flags_t{});
	session->add_extension(core->disk().disk()->extension(core->weak_from_this()));
	session->add_extension(std::make_shared<session_watch>(core->weak_from_this()));
	session->set_alert_notify([weak = core->weak_from_this()] {
		if (auto const c = weak.lock()) c->alerts.wake();
	});
	core->m_session = std::move(session);
	return core;
}

session_core::~session_core() { close(); }

void session_core::close()
{
	std::unique_ptr<lt::session> session;
	{
		std::unique_lock l(m_mutex);
		if (m_closing)
		{
			m_idle.wait(l, [&] { return m_ended; });
			return;
		}
		m_closing = true;
	}
	// Waiting is no use of the session, but what waits may be about to use it.
	wake_all();
	{
		std::unique_lock l(m_mutex);
		m_idle.wait(l, [&] { return m_users == 0; });
		session = std::move(m_session);
	}
	if (session) session->set_alert_notify({});
	session.reset(); // waits for libtorrent's threads
	{
		std::scoped_lock const l(m_mutex);
		m_ended = true;
		m_by_handle.clear();
		m_by_number.clear();
	}
	m_idle.notify_all();
}

bool session_core::closed() const
{
	std::scoped_lock const l(m_mutex);
	return m_closing;
}

std::shared_ptr<torrent_entry> session_core::enter(lt::torrent_handle const& handle)
{
	std::scoped_lock const l(m_mutex);
	auto const at = m_by_handle.find(handle);
	if (at != m_by_handle.end()) return at->second;
	prune();
	auto entry = std::make_shared<torrent_entry>(++m_last, handle);
	m_by_handle.emplace(handle, entry);
	m_by_number.emplace(entry->number, entry);
	return entry;
}

// The oldest of those that are gone, when there are many more of these than need be.
void session_core::prune()
{
	auto const gone = static_cast<std::size_t>(std::count_if(m_by_number.begin(), m_by_number.end()
		, [](auto const& e) { return !e.second->handle.is_valid(); }));
	if (gone < 2 * remembered_torrents) return;
	auto excess = gone - remembered_torrents;
	for (auto at = m_by_number.begin(); at != m_by_number.end() && excess > 0;)
	{
		if (at->second->handle.is_valid()) { ++at; continue; }
		m_by_handle.erase(at->second->handle);
		at = m_by_number.erase(at);
		--excess;
	}
}

std::shared_ptr<torrent_entry> session_core::entry(std::int64_t const torrent) const
{
	std::shared_ptr<torrent_entry> entry;
	{
		std::scoped_lock const l(m_mutex);
		if (m_closing) fail(fault_closed, "the session is closed");
		if (auto const at = m_by_number.find(torrent); at != m_by_number.end()) entry = at->second;
	}
	if (!entry || entry->removed || !entry->handle.is_valid())
		fail(fault_no_such_torrent, "the torrent was removed from its session");
	return entry;
}

memory_torrent session_core::storage(torrent_entry& torrent) const
{
	std::scoped_lock const l(torrent.storage_mutex);
	if (!torrent.storage.alive()) torrent.storage = m_disk.disk()->torrent(torrent.handle);
	return torrent.storage;
}

std::vector<std::shared_ptr<torrent_entry>> session_core::entries() const
{
	std::scoped_lock const l(m_mutex);
	std::vector<std::shared_ptr<torrent_entry>> result;
	for (auto const& [number, entry] : m_by_number) result.push_back(entry);
	return result;
}

void session_core::wake_all()
{
	alerts.wake();
	for (auto const& e : entries()) e->changed.wake();
}

void session_core::piece_verified(lt::info_hash_t const& torrent, lt::piece_index_t const piece)
{
	for (auto const& e : entries()) e->demand->piece_verified(torrent, piece);
}

void session_core::piece_gone(lt::info_hash_t const& torrent, lt::piece_index_t const piece)
{
	for (auto const& e : entries()) e->demand->piece_gone(torrent, piece);
}

lt::tcp::endpoint parse_endpoint(std::string const& text)
{
	auto const wrong = [&] [[noreturn]] {
		fail(fault_bad_argument, "\"" + text + "\" is not ADDR:PORT with an IP address (IPv6 in brackets) and a port from 1 to 65535");
	};
	auto const colon = text.rfind(':');
	if (colon == std::string::npos || text.find('\0') != std::string::npos) wrong();
	std::string host = text.substr(0, colon);
	bool const bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
	if (bracketed) host = host.substr(1, host.size() - 2);
	std::uint16_t port = 0;
	auto const [stop, failed] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
	lt::error_code ec;
	auto const address = lt::make_address(host, ec);
	if (ec || failed != std::errc{} || stop != text.data() + text.size() || port == 0 || address.is_v6() != bracketed) wrong();
	return {address, port};
}

std::string text_of(lt::tcp::endpoint const& endpoint)
{
	auto const host = endpoint.address().to_string();
	return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

std::vector<lt::download_priority_t> parse_priorities(std::vector<int> const& priorities)
{
	std::vector<lt::download_priority_t> result;
	result.reserve(priorities.size());
	for (int const p : priorities)
	{
		if (p < 0 || p > 7) fail(fault_bad_argument, "a priority is 0 (not wanted) to 7, not " + std::to_string(p));
		result.emplace_back(static_cast<std::uint8_t>(p));
	}
	return result;
}

} // namespace slipstream::binding
