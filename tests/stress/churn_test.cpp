// Many threads on real sessions over one memory, as a Go program's goroutines would be: none knows of the others, and any
// call may meet a torrent or a session that another has just ended.
//
// What may be asked of libtorrent's own handles is libtorrent's to say: not while their session is being destroyed. So a
// thread keeps its session alive while it calls one. Ours may be used at any time, and are.
#include "stress/scale.hpp"
#include "support/swarm.hpp"

#include <slipstream/lease.hpp>
#include <slipstream/memory_disk.hpp>

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_info.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace slipstream::test {

namespace {

constexpr std::int64_t most_capacity = 12 << 20;
constexpr int piece_bytes = 64 << 10;

lt::settings_pack quiet_settings()
{
	using sp = lt::settings_pack;
	sp s;
	for (int const off : {sp::enable_dht, sp::enable_lsd, sp::enable_upnp, sp::enable_natpmp
		, sp::enable_outgoing_utp, sp::enable_incoming_utp, sp::close_redundant_connections})
		s.set_bool(off, false);
	s.set_bool(sp::allow_multiple_connections_per_ip, true);
	s.set_str(sp::listen_interfaces, "127.0.0.1:0");
	s.set_int(sp::alert_mask, 0);
	s.set_int(sp::connections_limit, 20);
	return s;
}

struct counts
{
	std::atomic<std::int64_t> added{0}, given{0}, removed{0}, read{0}, lent{0}, missed{0}, deaths{0}, wrong{0}, over{0};
};

// What the threads share.
class world
{
public:
	world()
	{
		torrent_kind const kinds[] = {torrent_kind::v1, torrent_kind::hybrid, torrent_kind::v2};
		for (std::uint32_t i = 0; i < 6; ++i)
			films.push_back(std::make_unique<shared_files>("film" + std::to_string(i)
				, std::vector<file_spec>{{"film" + std::to_string(i), (20 + 9 * i) * piece_bytes - 777}}, kinds[i % 3], piece_bytes, i + 1));
		m_session = make_session();
	}

	[[nodiscard]] std::shared_ptr<lt::session> session()
	{
		std::lock_guard const lock(m_mutex);
		return m_session;
	}
	// The old one dies with the last thread that is using it.
	void replace_session()
	{
		auto next = make_session();
		std::lock_guard const lock(m_mutex);
		m_session.swap(next);
	}
	void end() { m_session.reset(); }

	memory_disk disk{memory_disk_options{.capacity_bytes = most_capacity, .hash_threads = 2, .evict = true}};
	std::vector<std::unique_ptr<shared_files>> films;
	counts count;

private:
	[[nodiscard]] std::shared_ptr<lt::session> make_session() const
	{
		lt::session_params params(quiet_settings());
		params.disk_io_constructor = disk.constructor();
		auto s = std::make_shared<lt::session>(std::move(params));
		s->add_extension(disk.extension());
		return s;
	}

	std::mutex m_mutex;
	std::shared_ptr<lt::session> m_session;
};

// One thread's.
class routine
{
public:
	routine(world& w, std::uint32_t const seed, std::vector<std::unique_ptr<seeder>> const& seeds)
		: m_world(w), m_seeds(seeds), m_random(seed) {}

	void run(std::int64_t const steps)
	{
		for (std::int64_t i = 0; i < steps; ++i) step();
		while (!m_lent.empty()) let_go();
	}

private:
	struct loan { lease bytes; std::string_view want; };

	[[nodiscard]] int pick(int const below) { return int(m_random() % std::uint32_t(below)); }

	void step()
	{
		auto const film = std::size_t(pick(int(m_world.films.size())));
		auto const& files = *m_world.films[film];
		auto const handle = m_world.disk.torrent(files.hashes());
		auto const what = pick(100);
		if (what < 20) add(film);
		else if (what < 24) remove(files);
		else if (what < 60) read(handle, files);
		else if (what < 75) lend(handle, files);
		else if (what < 85) protect(handle, files);
		else if (what < 88) resize();
		else if (what < 95) ask(files);
		else if (what < 99) m_old = {handle, &files};
		else if (pick(3) == 0)
		{
			++m_world.count.deaths;
			m_world.replace_session();
		}
		// One from long ago: of a torrent, or a session, that may be gone.
		if (m_old.files) read(m_old.handle, *m_old.files);
	}

	[[nodiscard]] std::string_view content(shared_files const& files, int const piece) const
	{ return std::string_view(files.content(0)).substr(std::size_t(piece) * piece_bytes, piece_bytes); }
	[[nodiscard]] int any_piece(shared_files const& files)
	{ return pick(int((files.content(0).size() + piece_bytes - 1) / piece_bytes)); }

	void add(std::size_t const film)
	{
		auto const& files = *m_world.films[film];
		auto const session = m_world.session();
		lt::add_torrent_params p;
		p.ti = std::make_shared<lt::torrent_info>(files.torrent_file(), lt::from_span);
		p.save_path = "/nonexistent";
		p.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
		lt::error_code ec;
		auto const torrent = session->add_torrent(std::move(p), ec);
		if (ec || !torrent.is_valid()) return;
		++m_world.count.added;
		try
		{
			if (film < m_seeds.size()) torrent.connect_peer(m_seeds[film]->endpoint());
			for (int i = pick(8); i > 0; --i)
			{
				auto const piece = any_piece(files);
				std::vector<char> bytes(piece_bytes); // libtorrent takes a whole piece, and v2 pads the last one
				std::ranges::copy(content(files, piece), bytes.begin());
				torrent.add_piece(lt::piece_index_t(piece), std::move(bytes), {});
				++m_world.count.given;
			}
		}
		catch (lt::system_error const&) {} // another thread has removed it
	}

	void remove(shared_files const& files)
	{
		auto const session = m_world.session();
		auto const torrent = session->find_torrent(files.hashes().get_best());
		if (!torrent.is_valid()) return;
		try
		{
			session->remove_torrent(torrent, pick(2) ? lt::session::delete_files : lt::remove_flags_t{});
			++m_world.count.removed;
		}
		catch (lt::system_error const&) {}
	}

	// What an application asks of libtorrent now and then.
	void ask(shared_files const& files)
	{
		auto const session = m_world.session();
		auto const torrent = session->find_torrent(files.hashes().get_best());
		if (!torrent.is_valid()) return;
		try
		{
			switch (pick(6))
			{
				case 0: torrent.pause(); break;
				case 1: torrent.resume(); break;
				case 2: torrent.force_recheck(); break;
				case 3: torrent.save_resume_data(lt::torrent_handle::flush_disk_cache); break;
				case 4: torrent.read_piece(lt::piece_index_t(any_piece(files))); break;
				case 5: torrent.clear_error(); break;
			}
		}
		catch (lt::system_error const&) {}
	}

	void read(memory_torrent const& handle, shared_files const& files)
	{
		auto const piece = any_piece(files);
		auto const want = content(files, piece);
		auto const offset = pick(int(want.size()));
		// No further than the file: in a v2 torrent zeros come behind it, up to the end of the piece.
		m_buffer.resize(std::size_t(1 + pick(int(want.size()) - offset)));
		auto const n = handle.read(lt::piece_index_t(piece), offset, m_buffer);
		if (!n)
		{
			++m_world.count.missed;
			return;
		}
		++m_world.count.read;
		if (*n == 0 || want.substr(std::size_t(offset), *n) != std::string_view(m_buffer.data(), *n)) ++m_world.count.wrong;
	}

	void lend(memory_torrent const& handle, shared_files const& files)
	{
		if (m_lent.size() >= 8) let_go();
		auto const piece = any_piece(files);
		auto const want = content(files, piece);
		auto lent = handle.view(lt::piece_index_t(piece), 0, int(want.size()));
		if (!lent) return;
		++m_world.count.lent;
		m_lent.push_back({std::move(*lent), want});
	}

	// Only now, when its torrent and its session may be long gone.
	void let_go()
	{
		auto want = m_lent.front().want;
		for (auto const v : m_lent.front().bytes.views())
		{
			if (want.substr(0, v.size()) != std::string_view(v.data(), v.size())) ++m_world.count.wrong;
			want.remove_prefix(v.size());
		}
		m_lent.pop_front();
	}

	void protect(memory_torrent const& handle, shared_files const& files)
	{
		std::vector<lt::piece_index_t> pieces;
		for (int i = pick(6); i > 0; --i) pieces.push_back(lt::piece_index_t(any_piece(files)));
		std::sort(pieces.begin(), pieces.end());
		pieces.erase(std::unique(pieces.begin(), pieces.end()), pieces.end());
		switch (pick(4))
		{
			case 0: static_cast<void>(handle.set_reader_pieces(pieces)); break;
			case 1: static_cast<void>(handle.set_lookbehind_pieces(pieces)); break;
			case 2: static_cast<void>(handle.set_reserved_pieces(pieces)); break;
			case 3: handle.clear_lookbehind(); static_cast<void>(handle.lookbehind()); break;
		}
	}

	void resize()
	{
		static_cast<void>(m_world.disk.set_capacity_bytes((5 + pick(8)) * std::int64_t{1} << 20));
		if (m_world.disk.stats().peak_bytes > most_capacity) ++m_world.count.over;
	}

	world& m_world;
	std::vector<std::unique_ptr<seeder>> const& m_seeds;
	std::mt19937 m_random;
	std::vector<char> m_buffer;
	std::deque<loan> m_lent;
	struct { memory_torrent handle; shared_files const* files = nullptr; } m_old;
};

} // namespace

TEST(stress, threads_that_know_nothing_of_each_other_see_right_bytes_or_a_clear_no)
{
	world w;
	std::vector<std::unique_ptr<seeder>> seeds;
	for (std::size_t i = 0; i < 2; ++i) seeds.push_back(std::make_unique<seeder>(*w.films[i]));
	auto const steps = scaled(1'500);
	std::vector<std::thread> threads;
	for (std::uint32_t seed = 1; seed <= 4; ++seed)
		threads.emplace_back([&, seed] { routine(w, seed, seeds).run(steps); });
	for (auto& t : threads) t.join();
	w.end();

	auto const& c = w.count;
	RecordProperty("seen", "added " + std::to_string(c.added) + ", pieces given " + std::to_string(c.given)
		+ ", removed " + std::to_string(c.removed) + ", read " + std::to_string(c.read) + ", lent " + std::to_string(c.lent)
		+ ", missed " + std::to_string(c.missed) + ", sessions ended " + std::to_string(c.deaths + 1)
		+ ", forgotten " + std::to_string(w.disk.stats().pieces_forgotten));
	EXPECT_EQ(c.wrong, 0) << "wrong bytes";
	EXPECT_EQ(c.over, 0) << "more than the capacity was in use";
	EXPECT_EQ(w.disk.stats().used_bytes, 0);
	EXPECT_EQ(w.disk.stats().torrents, 0);
	EXPECT_EQ(w.disk.stats().hash_jobs, 0);
	// It was about something.
	EXPECT_GT(c.read + c.lent, steps / 10);
	EXPECT_GT(c.missed, 0);
	EXPECT_GT(c.removed, 0);
}

} // namespace slipstream::test
