#include "soak/player.hpp"

#include <algorithm>

namespace slipstream::soak {

namespace {

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
constexpr std::size_t part_bytes = 256 * 1024;
constexpr int looks = 40; // seeks of one stream

} // namespace

player::player(programme& p, habit const h, std::uint32_t const number)
	: m_programme(p), m_habit(h), m_random(number), m_buffer(part_bytes), m_thread([this] { run(); }) {}

std::int64_t player::up_to(std::int64_t const most)
{
	return std::uniform_int_distribution<std::int64_t>(0, std::max<std::int64_t>(most, 0))(m_random);
}

void player::run()
{
	while (!m_programme.is_over())
	{
		auto const film = static_cast<std::size_t>(up_to(std::ssize(m_programme.films()) - 1));
		auto const id = m_programme.wait_for(film);
		if (!id) return;
		auto r = m_programme.player_engine().open(*id, 0);
		if (r)
		{
			++m_programme.seen().streams;
			watch(film, **r);
		}
		// It may have been taken off since.
		else if (!r.error().is(errc::no_such_torrent))
		{
			++m_programme.seen().unexpected;
			m_programme.complain(film, 0, "cannot be opened: " + r.error().detail);
		}
	}
}

void player::watch(std::size_t const film, reader& r)
{
	std::int64_t const size = r.size_bytes();
	if (m_habit == habit::sequential)
	{
		static_cast<void>(play(film, r, size + 1));
		return;
	}
	auto o = seek(film, r, up_to(size));
	for (int i = 0; i < looks && o == outcome::fine && !m_programme.is_over(); ++i)
		switch (m_habit)
		{
			case habit::sequential: break;
			case habit::seeks_back:
				o = play(film, r, mebibyte + up_to(4 * mebibyte));
				if (o == outcome::fine) o = seek(film, r, std::max<std::int64_t>(0, r.position_bytes() - up_to(4 * mebibyte)));
				break;
			case habit::jumps:
				o = seek(film, r, up_to(size));
				if (o == outcome::fine) o = play(film, r, up_to(600'000));
				if (o == outcome::at_end) o = outcome::fine;
				break;
			case habit::slow:
				o = play(film, r, 64 * 1024);
				m_programme.pause(std::chrono::milliseconds(30));
				break;
			case habit::vanishes:
				o = play(film, r, up_to(100'000));
				if (o != outcome::fine) break;
				o = seek(film, r, up_to(size));
				leave_waiting(r);
				return;
		}
}

void player::leave_waiting(reader& r)
{
	r.async_lease(part_bytes, [](boost::system::error_code, lease const&) {});
	++m_programme.seen().vanished;
}

player::outcome player::play(std::size_t const film, reader& r, std::int64_t size_bytes)
{
	auto& seen = m_programme.seen();
	while (size_bytes > 0 && !m_programme.is_over())
	{
		std::int64_t const at = r.position_bytes();
		auto const part = std::span(m_buffer).first(static_cast<std::size_t>(std::min<std::int64_t>(size_bytes, part_bytes)));
		auto const got = r.read(part);
		if (!got) return failed(film, r, got.error());
		if (*got == 0) return outcome::at_end;
		if (auto const wrong = m_programme.films()[film].count_wrong(at, part.first(*got)))
		{
			seen.wrong_bytes += wrong;
			m_programme.complain(film, at, std::to_string(wrong) + " wrong bytes of " + std::to_string(*got));
		}
		seen.verified_bytes += static_cast<std::int64_t>(*got);
		size_bytes -= static_cast<std::int64_t>(*got);
	}
	return m_programme.is_over() ? outcome::off : outcome::fine;
}

player::outcome player::seek(std::size_t const film, reader& r, std::int64_t const position_bytes)
{
	++m_programme.seen().seeks;
	auto const moved = r.seek(position_bytes);
	return moved ? outcome::fine : failed(film, r, moved.error());
}

player::outcome player::failed(std::size_t const film, reader const& r, error const& e)
{
	auto& seen = m_programme.seen();
	if (e.is(errc::no_such_torrent)) ++seen.interrupted;
	else
	{
		++(e.is(errc::read_timeout) ? seen.stalls : seen.unexpected);
		m_programme.complain(film, r.position_bytes(), e.detail);
	}
	return outcome::off;
}

} // namespace slipstream::soak
