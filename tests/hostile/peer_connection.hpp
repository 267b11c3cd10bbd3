// One connection of a scripted peer: what its script says, message by message. The peer's thread; kept alive by what it
// waits for until close() or drop(). It does not connect again: the peer does.
#pragma once

#include "hostile/scripted_peer.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>

namespace slipstream::test {

class scripted_peer::connection : public std::enable_shared_from_this<connection>
{
public:
	explicit connection(scripted_peer& peer);
	void start();
	// `by_us`: otherwise the other side did it.
	void close(bool by_us);
	void shake_hands();
	void send_hashes(int piece);
	void tell_interest(bool is_interested);
	void leave();
	// The peer ends.
	void drop();

private:
	[[nodiscard]] peer_script const& script() const { return m_peer.m_script; }
	[[nodiscard]] peer_film const& film() const { return m_peer.m_film; }
	[[nodiscard]] std::uint32_t any() { return static_cast<std::uint32_t>(m_random()); }
	template <typename Next> void read_then(Next next);
	void greet();
	void read_message();
	void handle(std::uint8_t m, std::string_view payload);
	void send(std::string message);
	void write_next();

	// -- as a seed

	void serve(wire::block const& b);
	// See peer_script::corrupts_alone.
	void keep(wire::block const& b);
	void let_go();
	void send_wrong(wire::block const& b);

	// -- at its own pace

	void tick();

	// -- as a leecher

	void ask();
	std::optional<wire::block> next();
	void look_at(std::string_view payload);

	struct kept_blocks
	{
		std::set<wire::block> blocks;
		std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
	};

	scripted_peer& m_peer;
	boost::asio::ip::tcp::socket m_socket;
	boost::asio::steady_timer m_tick;
	std::string m_in;
	std::deque<std::string> m_out;
	std::map<wire::block, std::chrono::steady_clock::time_point> m_asked;
	std::set<wire::block> m_ever_asked; // an answer may come late, when it was given up
	std::map<int, kept_blocks> m_kept;  // by piece
	std::mt19937 m_random;
	int m_served = 0;
	bool m_fast = false;
	bool m_greeted = false;
	bool m_interested = false;
	bool m_choked = true;
	bool m_vanish = false;
	bool m_leave = false;
	bool m_closed = false;
};

} // namespace slipstream::test
