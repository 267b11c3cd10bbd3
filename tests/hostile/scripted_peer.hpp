// A peer that does what its script says: seeds that lie, repeat themselves, send what nobody asked for or vanish,
// leechers that ask for what is gone, and leechers that look at every byte.
//
// It connects (plain TCP, from an address of its own, so that who is banned for what it did is told from the others) to the
// session under test, and again whenever the connection ends. It owns its sockets and one thread, on which all of its
// state lives; the public functions may be called from any. It is no client: it hashes nothing, and knows the right bytes
// because the test made them.
#pragma once

#include "hostile/peer_film.hpp"
#include "hostile/wire.hpp"
#include "support/swarm.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace slipstream::test {

struct peer_script
{
	// -- as a seed: it has everything, says so, and unchokes whoever comes
	bool seeds = false;
	// But does not unchoke.
	bool chokes = false;
	// Blocks that are sent with every byte wrong; null: none. Called on the peer's thread.
	std::function<bool(wire::block const&)> corrupt{};
	// Blocks that it is asked for and does not send; null: none. Likewise.
	std::function<bool(wire::block const&)> withholds{};
	// Only where it was asked for a whole piece, which nobody else then shares the blame for. It waits a second for the rest.
	bool corrupts_alone = false;
	// Every block is sent two times.
	bool twice = false;
	// So many right blocks that nobody asked for come with each that somebody did.
	int unasked = 0;
	// Wrong blocks of these come all the time, unasked.
	std::vector<int> pushes{};
	// Cuts the connection in the middle of each n-th block, and comes back; 0: never.
	int vanishes_after = 0;

	// -- as a leecher
	// Asks for what it was told is there, anything, again and again.
	bool leeches = false;
	// Asks for these in a loop, there or not.
	std::vector<int> asks_for{};

	// Connects again when the other side has ended the connection.
	bool returns = true;

	// -- what it understands
	bool fast = true;      // BEP 6
	bool dont_have = true; // BEP 54
	// Says more in a second extension handshake that does not repeat the first (BEP 10).
	bool second_handshake = false;
	// Says nothing of what it understands before shake_hands().
	bool late_handshake = false;
};

struct peer_record
{
	int connections = 0;   // past the handshake
	int lost = 0;          // of these, ended by the other side
	int chokes = 0;
	int unchokes = 0;
	std::int64_t blocks_sent = 0;       // right ones that were asked for
	std::int64_t wrong_blocks_sent = 0; // all others
	std::int64_t asked = 0;
	std::int64_t right_blocks = 0;
	std::int64_t wrong_blocks = 0;      // a byte was wrong, or nobody had asked
	std::int64_t rejects = 0;
	std::set<int> there;                // what the other side says that it has, on this connection
	std::vector<int> hashes_asked;      // pieces: the hashes of their blocks
	std::map<int, int> told_gone;       // pieces of which it said that it has them no more, how often
};

class scripted_peer
{
public:
	// `address`: of 127.0.0.0/8, where it comes from. Connects to `other` at once.
	scripted_peer(peer_film film, peer_script script, std::string const& address, boost::asio::ip::tcp::endpoint other);
	// Of the first file; keeps a reference to them.
	scripted_peer(shared_files const& files, peer_script script, std::string const& address
		, boost::asio::ip::tcp::endpoint other);
	~scripted_peer();
	scripted_peer(scripted_peer const&) = delete;
	scripted_peer& operator=(scripted_peer const&) = delete;

	[[nodiscard]] peer_record record() const;
	// From now on: script.asks_for and script.pushes.
	void ask_for(std::vector<int> pieces);
	void push(std::vector<int> pieces);
	// Sends the extension handshake (BEP 10) that script.late_handshake kept back, on the connection there is.
	void shake_hands();
	// Sends the right hashes of the piece's blocks, asked for or not. The first file's, of a v2 torrent.
	void send_hashes(int piece);
	// Whether it is interested. libtorrent tells of that (peer_info), so that it has read by then what was sent before.
	void tell_interest(bool is_interested);
	// Ends the connection when all is out that was sent, and does not come back.
	void leave();
	[[nodiscard]] std::string const& address() const { return m_address; }

private:
	class connection;
	friend class connection;

	void connect();
	void reconnect();
	template <typename Change> void note(Change change)
	{
		std::lock_guard const lock(m_mutex);
		change(m_record);
	}

	peer_film const m_film;
	std::string const m_address;
	boost::asio::ip::tcp::endpoint const m_other;

	mutable std::mutex m_mutex;
	peer_record m_record; // under the mutex

	// the peer's thread
	boost::asio::io_context m_context{1};
	peer_script m_script;
	boost::asio::steady_timer m_pause{m_context}; // before it connects again
	bool m_over = false;
	std::shared_ptr<connection> m_connection;
	boost::asio::executor_work_guard<boost::asio::io_context::executor_type> m_work{m_context.get_executor()};
	std::thread m_thread;
};

} // namespace slipstream::test
