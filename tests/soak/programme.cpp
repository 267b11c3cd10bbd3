#include "soak/programme.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <future>
#include <memory>
#include <stdexcept>

namespace slipstream::soak {

namespace {

constexpr std::chrono::minutes patience{2};
constexpr int most_complaints = 5;

char const* letter_of(expected<piece_state> const& state)
{
	if (!state) return "?";
	switch (*state)
	{
		case piece_state::absent: return "-";
		case piece_state::partial: return "p";
		case piece_state::complete: return "c";
		case piece_state::verified: return "V";
	}
	return "?";
}

// The pieces before and after one: - absent, p partial, c complete, V verified.
std::string pieces_around(memory_torrent const& torrent, int const piece)
{
	std::string text;
	for (int p = std::max(piece - 16, 0); p < piece + 16; ++p)
		text += fmt::format("{}{}", p == piece ? ">" : "", letter_of(torrent.state(lt::piece_index_t(p))));
	return text;
}

} // namespace

programme::programme(engine& e, std::vector<noise_film> const& films)
	: m_engine(e), m_films(films), m_ids(films.size()) {}

void programme::bring(std::size_t const film)
{
	auto const id = m_engine.add_torrent_file(m_films[film].torrent_file());
	if (!id) throw std::runtime_error(id.error().detail);
	auto const answer = std::make_shared<std::promise<boost::system::error_code>>();
	auto ready = answer->get_future();
	m_engine.async_wait_ready(*id, [answer](boost::system::error_code const ec) { answer->set_value(ec); });
	if (ready.wait_for(patience) != std::future_status::ready)
		throw std::runtime_error(m_films[film].name() + " does not become ready");
	if (auto const ec = ready.get()) throw boost::system::system_error(ec, m_films[film].name());
	{
		std::lock_guard const lock(m_mutex);
		m_ids[film] = *id;
	}
	m_changed.notify_all();
}

void programme::take_off(std::size_t const film)
{
	std::optional<std::string> id;
	{
		std::lock_guard const lock(m_mutex);
		id.swap(m_ids[film]);
	}
	if (id && m_engine.remove(*id)) ++m_seen.removals;
}

std::optional<std::string> programme::wait_for(std::size_t const film)
{
	std::unique_lock lock(m_mutex);
	m_changed.wait(lock, [&] { return m_over || m_ids[film]; });
	return m_over ? std::nullopt : m_ids[film];
}

void programme::end()
{
	{
		std::lock_guard const lock(m_mutex);
		m_over = true;
	}
	m_changed.notify_all();
}

void programme::pause(std::chrono::milliseconds const time)
{
	std::unique_lock lock(m_mutex);
	m_changed.wait_for(lock, time, [&] { return m_over.load(); });
}

void programme::complain(std::size_t const film, std::int64_t const position_bytes, std::string const& what)
{
	if (++m_complaints > most_complaints) return;
	int const piece = static_cast<int>(position_bytes / m_films[film].piece_length_bytes());
	std::string text = fmt::format("soak: {} at byte {} (piece {}): {}\n", m_films[film].name(), position_bytes, piece, what);
	for (torrent_summary const& t : m_engine.torrents())
	{
		auto const memory = m_engine.memory().torrent(t.hashes);
		text += fmt::format("  {}: phase {}, {} peers, {} readers, {} of {} pieces verified, {} bytes/s\n", t.name
			, static_cast<int>(t.phase), t.peers, t.readers, t.verified_pieces, t.num_pieces, t.download_rate_bytes_s);
		if (t.name == m_films[film].name()) text += "  pieces around: " + pieces_around(memory, piece) + '\n';
	}
	auto const m = m_engine.memory().stats();
	text += fmt::format("  memory: {} used of {}, {} protectable, {} lookbehind, {} evicted, {} forgotten, {} writes refused\n"
		, m.used_bytes, m.capacity_bytes, m.protectable_bytes, m.lookbehind_bytes, m.pieces_evicted, m.pieces_forgotten
		, m.writes_refused);
	std::fputs(text.c_str(), stderr);
	spdlog::dump_backtrace();
}

} // namespace slipstream::soak
