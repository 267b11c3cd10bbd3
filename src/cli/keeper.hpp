// Keeps a state folder and an engine alike: what the folder remembers is added, what changes is
// written down.
//
// Owned by `serve`, on its io_context and thread. A change is written within moments of it (the
// file of one torrent, at most one at a time of each), all of it once more at the end, for the
// totals; the DHT's nodes also every half hour. It adds nothing of its own to the engine and
// removes nothing from it.
#pragma once

#include "cli/state_dir.hpp"

#include <slipstream/engine.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace slipstream::cli {

// What an engine can be given of the session that was remembered; what is torn is set aside, and
// nothing given.
[[nodiscard]] std::vector<char> usable_session(std::vector<char> bytes, state_dir& dir);

class keeper
{
public:
	// All must outlive it.
	keeper(boost::asio::io_context& io, engine& torrents, state_dir& dir);

	// Adds what was remembered; answers the ids. What cannot be used is logged, and set aside when
	// it is torn.
	[[nodiscard]] std::vector<std::string> restore(std::vector<state_dir::remembered> const& remembered);
	// Torrents may have changed: looks, and writes what has. On the io_context's thread.
	void look();
	// Writes everything, running the io_context for at most `limit`.
	void finish(std::chrono::milliseconds limit);

private:
	struct seen
	{
		bool paused = false;
		bool has_metadata = false;
		friend bool operator==(seen const&, seen const&) = default;
	};
	struct entry
	{
		seen written;         // what the file says; meaningless before there is one
		bool there = false;   // a file is
		bool saving = false;  // an answer is awaited
		bool again = false;   // and then once more
	};

	[[nodiscard]] expected<std::string> add(state_dir::remembered const& r);
	void save(std::string const& id, seen now);
	void saved(std::string const& id, seen now, boost::system::error_code ec, std::vector<char> const& bytes);
	void save_session();
	void save_session_later();

	boost::asio::io_context& m_io;
	engine& m_engine;
	state_dir& m_dir;
	boost::asio::steady_timer m_session_timer;
	std::map<std::string, entry> m_entries;
	int m_awaited = 0;
	bool m_finishing = false;
	bool m_finished = false;
};

} // namespace slipstream::cli
