#include <slipstream_binding/session.hpp>

#include "hashes.hpp"
#include "session_core.hpp"

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/magnet_uri.hpp>
#include <libtorrent/read_resume_data.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_info.hpp>

namespace slipstream::binding {

namespace {

// libtorrent wants a path; nothing is ever written below it.
constexpr char const* nowhere = "/slipstream-keeps-everything-in-memory";
// As engine::max_torrent_bytes.
constexpr std::size_t max_torrent_bytes = 32u << 20;

lt::add_torrent_params fresh()
{
	lt::add_torrent_params p;
	p.save_path = nowhere;
	return p;
}

void check_size(bytes const& content)
{
	if (content.size() > max_torrent_bytes)
		fail(fault_too_large, "a torrent file and resume data have at most " + std::to_string(max_torrent_bytes)
			+ " bytes, this has " + std::to_string(content.size()));
}

lt::info_hash_t hashes_in(lt::add_torrent_params const& p) { return p.ti ? p.ti->info_hashes() : p.info_hashes; }

template <typename Load>
lt::add_torrent_params loaded(fault const kind, char const* const what, Load&& load)
{
	try
	{
		lt::add_torrent_params p = load();
		if (p.save_path.empty()) p.save_path = nowhere;
		return p;
	}
	catch (lt::system_error const& e) { fail(kind, std::string(what) + ": " + e.code().message()); }
}

} // namespace

session_params::session_params() : m_params(std::make_unique<lt::session_params>()) {}

void session_params::restore(bytes const& state, outcome& out)
{ guarded(out, [&] { *m_params = lt::read_session_params(lt::span<char const>(state)); }); }

session_params::session_params(session_params const& other) : m_params(std::make_unique<lt::session_params>(*other.m_params)) {}

session_params::~session_params() = default;

void session_params::set_settings(settings const& pack) { m_params->settings = pack.pack(); }

settings session_params::get_settings() const { return settings(m_params->settings); }

add_params::add_params() : m_params(std::make_unique<lt::add_torrent_params>(fresh())) {}

add_params::add_params(add_params const& other) : m_params(std::make_unique<lt::add_torrent_params>(*other.m_params)) {}

add_params::~add_params() = default;

void add_params::from_magnet(std::string const& uri, outcome& out)
{
	guarded(out, [&] {
		*m_params = loaded(fault_bad_magnet, "not a magnet link", [&] { return lt::parse_magnet_uri(uri); });
	});
}

void add_params::from_torrent_file(bytes const& content, outcome& out)
{
	guarded(out, [&] {
		check_size(content);
		*m_params = loaded(fault_bad_torrent, "not a torrent file", [&] { return lt::load_torrent_buffer(content); });
	});
}

void add_params::from_resume_data(bytes const& data, outcome& out)
{
	guarded(out, [&] {
		check_size(data);
		*m_params = loaded(fault_bad_torrent, "not resume data", [&] { return lt::read_resume_data(data); });
	});
}

void add_params::from_info_hash(bytes const& v1, bytes const& v2, outcome& out)
{
	guarded(out, [&] {
		auto const hashes = hashes_of(v1, v2);
		*m_params = fresh();
		m_params->info_hashes = hashes;
	});
}

void add_params::add_metadata(bytes const& torrent_file, outcome& out)
{
	guarded(out, [&] {
		check_size(torrent_file);
		auto const other = loaded(fault_bad_torrent, "not a torrent file", [&] { return lt::load_torrent_buffer(torrent_file); });
		if (!same_torrent(other.ti->info_hashes(), hashes_in(*m_params)))
			fail(fault_bad_torrent, "the torrent file is of another torrent");
		m_params->ti = other.ti;
		m_params->info_hashes = other.ti->info_hashes();
	});
}

bytes add_params::v1_hash() const { return v1_of(hashes_in(*m_params)); }
bytes add_params::v2_hash() const { return v2_of(hashes_in(*m_params)); }
std::string add_params::name() const { return m_params->ti ? m_params->ti->name() : m_params->name; }
void add_params::set_name(std::string const& name) { m_params->name = name; }
void add_params::set_save_path(std::string const& path) { m_params->save_path = path; }
std::uint64_t add_params::flags() const { return static_cast<std::uint64_t>(m_params->flags); }
void add_params::set_flags(std::uint64_t const flags) { m_params->flags = lt::torrent_flags_t(flags); }

void add_params::add_tracker(std::string const& url, int const tier)
{
	// Shorter lists of tiers mean that the last one goes on.
	m_params->tracker_tiers.resize(m_params->trackers.size(), m_params->tracker_tiers.empty() ? 0 : m_params->tracker_tiers.back());
	m_params->trackers.push_back(url);
	m_params->tracker_tiers.push_back(tier);
}

void add_params::add_peer(std::string const& endpoint, outcome& out)
{ guarded(out, [&] { m_params->peers.push_back(parse_endpoint(endpoint)); }); }

void add_params::add_url_seed(std::string const& url) { m_params->url_seeds.push_back(url); }

void add_params::set_file_priorities(std::vector<int> const& priorities, outcome& out)
{ guarded(out, [&] { m_params->file_priorities = parse_priorities(priorities); }); }

void add_params::set_piece_priorities(std::vector<int> const& priorities, outcome& out)
{ guarded(out, [&] { m_params->piece_priorities = parse_priorities(priorities); }); }

void add_params::set_limits(int const upload, int const download, int const uploads, int const connections)
{
	m_params->upload_limit = upload;
	m_params->download_limit = download;
	m_params->max_uploads = uploads;
	m_params->max_connections = connections;
}

} // namespace slipstream::binding
