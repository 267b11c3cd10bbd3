#include "soak/hostile_process.hpp"

#include "hostile/scripted_peer.hpp"

#include <csignal>
#include <cstdio>
#include <list>
#include <stdexcept>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace slipstream::soak {

namespace {

using test::peer_script;

// Nobody lies about a film that is v2 alone: when a piece of one fails, libtorrent 2.0.8 asks peers for the hashes of its blocks, and
// where one turns that down (its own seeds do) it writes beyond an array (hash_picker::hashes_rejected), on any disk.
std::vector<peer_script> scripts(int const num_pieces, bool const is_v2_only)
{
	std::vector<int> all;
	for (int i = 0; i < num_pieces; ++i) all.push_back(i);
	return {
		{.seeds = true, .corrupts_alone = !is_v2_only},
		{.seeds = true, .twice = true},
		{.seeds = true, .unasked = 4},
		{.seeds = true, .vanishes_after = 20},
		{.asks_for = all, .dont_have = false},
		{.leeches = true},
	};
}

hostile_figures sum(std::list<test::scripted_peer> const& peers)
{
	hostile_figures f;
	for (auto const& p : peers)
	{
		auto const r = p.record();
		f.connections += r.connections;
		f.wrong_blocks_sent += r.wrong_blocks_sent;
		f.right_blocks += r.right_blocks;
		f.wrong_blocks += r.wrong_blocks;
		f.rejects += r.rejects;
	}
	return f;
}

[[noreturn]] void run(std::vector<noise_film> const& films, int const ask, int const answer)
try
{
	::prctl(PR_SET_PDEATHSIG, SIGKILL);
	std::uint16_t port = 0;
	if (::read(ask, &port, sizeof port) != sizeof port) ::_exit(1);
	std::list<test::scripted_peer> peers;
	for (auto const& film : films)
	{
		auto const pieces = static_cast<int>((film.size_bytes() + film.piece_length_bytes() - 1) / film.piece_length_bytes());
		for (auto& script : scripts(pieces, film.is_v2_only()))
			peers.emplace_back(test::peer_film{film.torrent_file()
				, [&film](std::int64_t const at, std::size_t const size) { return film.bytes(at, size); }}
				, std::move(script), "127.0.1." + std::to_string(peers.size() + 1)
				, boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
	}
	char over = 0;
	if (::read(ask, &over, 1) != 1) ::_exit(1);
	auto const figures = sum(peers);
	peers.clear();
	::_exit(::write(answer, &figures, sizeof figures) == sizeof figures ? 0 : 1);
}
catch (std::exception const& e)
{
	std::fprintf(stderr, "soak: the hostile process: %s\n", e.what());
	::_exit(1);
}

} // namespace

hostile_process::hostile_process(std::vector<noise_film> const& films)
{
	int asks[2];
	int answers[2];
	if (::pipe(asks) != 0) throw std::runtime_error("no pipe");
	if (::pipe(answers) != 0)
	{
		::close(asks[0]);
		::close(asks[1]);
		throw std::runtime_error("no pipe");
	}
	m_pid = ::fork();
	if (m_pid == 0)
	{
		::close(asks[1]);
		::close(answers[0]);
		run(films, asks[0], answers[1]);
	}
	::close(asks[0]);
	::close(answers[1]);
	m_ask = asks[1];
	m_answer = answers[0];
	if (m_pid < 0) throw std::runtime_error("no hostile process");
}

hostile_process::~hostile_process()
{
	::close(m_ask);
	::close(m_answer);
	if (m_pid <= 0) return;
	::kill(m_pid, SIGKILL);
	::waitpid(m_pid, nullptr, 0);
}

void hostile_process::begin(boost::asio::ip::tcp::endpoint const& engine)
{
	auto const port = engine.port();
	if (::write(m_ask, &port, sizeof port) != sizeof port) throw std::runtime_error("the hostile process has ended");
}

hostile_figures hostile_process::end()
{
	char const over = 1;
	hostile_figures f;
	if (::write(m_ask, &over, 1) != 1 || ::read(m_answer, &f, sizeof f) != sizeof f)
		throw std::runtime_error("the hostile process has ended");
	return f;
}

} // namespace slipstream::soak
