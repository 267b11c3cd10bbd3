#include "viewings.hpp"

#include <algorithm>
#include <random>

namespace slipstream::bench {

namespace {

constexpr int ten_seconds = 25; // in pieces

// Writes down what players do.
class recorder
{
public:
	explicit recorder(std::string name) { m_trace.name = std::move(name); }
	void add(event const& e) { m_trace.events.push_back(e); }
	// 0..limit-1. Not of <random>'s distributions, which differ between libraries.
	int any(int const limit) { return static_cast<int>(m_random() % static_cast<std::uint64_t>(limit)); }
	[[nodiscard]] viewing done(std::string comment) { return {std::move(m_trace), std::move(comment)}; }

private:
	trace m_trace;
	std::mt19937_64 m_random{20240229};
};

// One reader on one film.
class player
{
public:
	player(recorder& to, int const reader, std::uint64_t const torrent, int const pieces)
		: m_to(to), m_reader(reader), m_torrent(torrent), m_pieces(pieces)
	{
		m_to.add({event::kind::open, reader, {torrent, 0}, pieces});
	}

	// Reads `count` pieces from where it is, to the end of the film at most.
	void play(int const count)
	{
		for (int i = 0; i < count && !at_end(); ++i)
			m_to.add({event::kind::read, m_reader, {m_torrent, m_position++}, 0});
	}
	void seek(int const piece)
	{
		m_position = std::clamp(piece, 0, m_pieces - 1);
		m_to.add({event::kind::seek, m_reader, {m_torrent, m_position}, 0});
	}
	void close() { m_to.add({event::kind::close, m_reader, {m_torrent, 0}, 0}); }
	[[nodiscard]] int position() const { return m_position; }
	[[nodiscard]] bool at_end() const { return m_position == m_pieces; }

	// Plays one piece; now and then somebody did not understand what was said, and goes back ten seconds, or twice or
	// three times ten.
	void play_and_seek_back()
	{
		play(1);
		if (m_to.any(100) == 0 && !at_end()) seek(m_position - ten_seconds * (1 + m_to.any(3)));
	}

private:
	recorder& m_to;
	int const m_reader;
	std::uint64_t const m_torrent;
	int const m_pieces;
	int m_position = 0;
};

viewing straight_play()
{
	recorder r("straight_play");
	player p(r, 1, 1, 1200);
	p.play(1200);
	p.close();
	return r.done("A film from start to end.");
}

viewing seeks_back()
{
	recorder r("seeks_back");
	player p(r, 1, 1, 1200);
	while (!p.at_end()) p.play_and_seek_back();
	p.close();
	return r.done("A film with seeks back of 10, 20 and 30 seconds, every 40 seconds or so.");
}

viewing two_players()
{
	recorder r("two_players");
	player ahead(r, 1, 1, 1200);
	ahead.play(60);
	player behind(r, 2, 1, 1200);
	while (!behind.at_end())
	{
		ahead.play(1);
		behind.play(1);
	}
	ahead.close();
	behind.close();
	return r.done("Two players on one film, one 60 pieces (24 seconds) behind the other.");
}

viewing skimming()
{
	recorder r("skimming");
	player p(r, 1, 1, 1200);
	std::vector<int> seen;
	for (int i = 0; i < 200; ++i)
	{
		// Forward by some minutes, or back to something seen before.
		int const recent = std::min(static_cast<int>(seen.size()), 8);
		bool const back = recent > 0 && r.any(3) == 0;
		if (back) p.seek(*(seen.end() - 1 - r.any(recent)));
		else p.seek((p.position() + 20 + r.any(300)) % 1200);
		seen.push_back(p.position());
		p.play(3 + r.any(18));
	}
	p.seek(seen.front());
	p.play(300);
	p.close();
	return r.done(
		"Somebody looks for a scene: 200 seeks, a third of them back to one of the last 8 places, then plays.");
}

viewing container_probe()
{
	recorder r("container_probe");
	int watched = 0;
	// Four sittings; each time the player reads the header, the index at the end, and the header again.
	for (int sitting = 0; sitting < 4; ++sitting)
	{
		player p(r, 1, 1, 1200);
		p.play(2);
		p.seek(1196);
		p.play(4);
		p.seek(0);
		p.play(2);
		p.seek(std::max(0, watched - ten_seconds));
		int const end = watched + 300;
		while (p.position() < end && !p.at_end())
		{
			p.play(1);
			// Some players look into the index again when they seek.
			if (r.any(150) != 0 || p.at_end()) continue;
			int const here = p.position();
			p.seek(1196);
			p.play(4);
			p.seek(here - ten_seconds);
		}
		watched = p.position();
		p.close();
	}
	return r.done("A film in four sittings: header, index at the end, header, play on; the index again at seeks.");
}

viewing two_films()
{
	recorder r("two_films");
	player one(r, 1, 1, 1200);
	player other(r, 2, 2, 800);
	while (!one.at_end() || !other.at_end())
	{
		for (int i = 0; i < 3 && !one.at_end(); ++i) one.play_and_seek_back();
		for (int i = 0; i < 2 && !other.at_end(); ++i) other.play_and_seek_back();
	}
	one.close();
	other.close();
	return r.done("Two films at once, at rates of 3 to 2, both with seeks back of 10 to 30 seconds.");
}

} // namespace

std::vector<viewing> all_viewings()
{
	return {straight_play(), seeks_back(), two_players(), skimming(), container_probe(), two_films()};
}

} // namespace slipstream::bench
