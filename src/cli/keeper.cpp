#include "cli/keeper.hpp"

#include "engine/info_hash_text.hpp"
#include "engine/torrent_source.hpp"

#include <boost/asio/bind_executor.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_info.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <set>
#include <utility>

namespace slipstream::cli {
namespace {

constexpr std::chrono::minutes session_interval{30};

void complain_unless(expected<std::string> const& done)
{
	if (!done) spdlog::error("the state cannot be written: {}", done.error().detail);
}

} // namespace

std::vector<char> usable_session(std::vector<char> bytes, state_dir& dir)
{
	if (bytes.empty()) return {};
	try
	{
		static_cast<void>(lt::read_session_params({bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())}));
		return bytes;
	}
	catch (std::exception const& e)
	{
		auto const aside = dir.set_session_aside();
		spdlog::warn("the remembered DHT nodes cannot be used ({}); {}", e.what()
			, aside ? "their file is now " + *aside : aside.error().detail);
		return {};
	}
}

keeper::keeper(boost::asio::io_context& io, engine& torrents, state_dir& dir)
	: m_io(io)
	, m_engine(torrents)
	, m_dir(dir)
	, m_session_timer(io)
{
	save_session_later();
}

std::vector<std::string> keeper::restore(std::vector<state_dir::remembered> const& remembered)
{
	std::vector<std::string> ids;
	for (state_dir::remembered const& r : remembered)
	{
		auto const id = add(r);
		if (id)
		{
			auto const found = m_engine.find(*id);
			m_entries[*id] = {{found && found->paused, found && !found->files.empty()}, true, false, false};
			ids.push_back(*id);
			// A link of a v2 hash alone whose metadata has a v1 hash as well: it is called by that now.
			if (*id != r.id && m_dir.save(*id, r.bytes)) complain_unless(m_dir.forget(r.id));
			continue;
		}
		if (!id.error().is(errc::bad_torrent) && !id.error().is(errc::too_large))
		{
			spdlog::warn("remembered torrent {}: {}; its file is left alone", r.id, id.error().detail);
			continue;
		}
		auto const aside = m_dir.set_aside(r.id);
		spdlog::warn("remembered torrent {}: {}; {}", r.id, id.error().detail
			, aside ? "its file is now " + *aside : aside.error().detail);
	}
	return ids;
}

// A file that was renamed or copied is not taken for the torrent that its name says.
expected<std::string> keeper::add(state_dir::remembered const& r)
{
	auto const params = parse_resume_data(r.bytes, 2 * engine::max_torrent_bytes);
	if (!params) return params.error();
	auto const hashes = params->ti ? params->ti->info_hashes() : params->info_hashes;
	if (!names(r.id, hashes)) return error(errc::bad_torrent, "it is of another torrent, " + id_of(hashes));
	return m_engine.add_resume_data(r.bytes);
}

void keeper::look()
{
	// An engine that ends has no torrents any more, which is no reason to forget them.
	if (m_finished) return;
	std::set<std::string> here;
	for (torrent_summary const& t : m_engine.torrents())
	{
		here.insert(t.id);
		seen const now{t.paused, !t.files.empty()};
		entry const& known = m_entries[t.id];
		if (m_finishing || !known.there || known.written != now) save(t.id, now);
	}
	for (auto at = m_entries.begin(); at != m_entries.end();)
	{
		if (here.contains(at->first))
		{
			++at;
			continue;
		}
		complain_unless(m_dir.forget(at->first));
		at = m_entries.erase(at);
	}
}

void keeper::save(std::string const& id, seen const now)
{
	entry& known = m_entries[id];
	known.again = known.saving;
	if (known.saving) return;
	known.saving = true;
	++m_awaited;
	m_engine.async_resume_data(id, boost::asio::bind_executor(m_io.get_executor()
		, [this, id, now](boost::system::error_code const ec, std::vector<char> const& bytes)
		{ saved(id, now, ec, bytes); }));
}

void keeper::saved(std::string const& id, seen const now, boost::system::error_code const ec, std::vector<char> const& bytes)
{
	--m_awaited;
	// A torrent that was removed in the meantime is not written: its file went, or goes, with it.
	if (auto const known = m_entries.find(id); known != m_entries.end())
	{
		known->second.saving = false;
		if (!ec)
		{
			auto const done = m_dir.save(id, bytes);
			complain_unless(done);
			if (done) known->second.there = true;
			if (done) known->second.written = now;
		}
		else if (ec != make_error_code(errc::no_such_torrent))
		{
			spdlog::warn("torrent {} cannot be remembered: {}", id, ec.message());
		}
		if (std::exchange(known->second.again, false)) m_finishing ? save(id, now) : look();
	}
	if (m_finishing && m_awaited == 0) m_io.stop();
}

void keeper::save_session()
{
	if (auto const state = m_engine.session_state(); !state.empty()) complain_unless(m_dir.save_session(state));
}

void keeper::save_session_later()
{
	m_session_timer.expires_after(session_interval);
	m_session_timer.async_wait([this](boost::system::error_code const ec) {
		if (ec) return;
		save_session();
		save_session_later();
	});
}

void keeper::finish(std::chrono::milliseconds const limit)
{
	m_session_timer.cancel();
	m_finishing = true;
	save_session();
	look();
	if (m_awaited > 0)
	{
		m_io.restart();
		m_io.run_for(limit);
	}
	m_finished = true;
	if (m_awaited > 0) spdlog::warn("{} torrents did not say in time what is to be remembered; what was written before stands", m_awaited);
}

} // namespace slipstream::cli
