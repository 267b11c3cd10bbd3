// A libtorrent session in a swarm, on a memory disk or on libtorrent's own disk (for comparison, and for honest leechers),
// with a record of whom it banned, lost and blamed, by address. For tests/hostile. One thread.
#pragma once

#include "support/swarm.hpp"

#include <slipstream/memory_disk.hpp>

#include <libtorrent/extensions.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace lt = libtorrent;

namespace slipstream::test {

// Hears of pieces that failed their hash and whose blocks name a peer, which is then to blame. (A piece that is forgotten
// fails too, and names nobody.) A session's plugin; libtorrent calls it on its network thread, blamed() may be called on any.
class blame_record final : public lt::plugin
{
public:
	// "piece: who sent each block".
	[[nodiscard]] std::vector<std::string> blamed() const;
	std::shared_ptr<lt::torrent_plugin> new_torrent(lt::torrent_handle const&, lt::client_data_t) override;

private:
	struct state
	{
		std::mutex mutex;
		std::vector<std::string> blamed;
	};
	class part;
	std::shared_ptr<state> const m_state = std::make_shared<state>();
};

struct swarm_options
{
	// None: libtorrent's own, in a folder that is removed.
	std::optional<memory_disk> disk{};
	int connections = 20;
	// Of 127.0.0.0/8.
	std::string address = "127.0.0.1";
};

class swarm_session
{
public:
	explicit swarm_session(swarm_options options);
	~swarm_session();

	lt::torrent_handle add(shared_files const& files, bool by_magnet = false);
	// Runs alerts until `done`, a minute at most; answers whether it came. Looks at the memory's use each time.
	[[nodiscard]] bool run_until(std::function<bool()> const& done);
	[[nodiscard]] boost::asio::ip::tcp::endpoint endpoint();
	// The addresses of the peers that are connected now.
	[[nodiscard]] std::vector<std::string> connected(lt::torrent_handle const& torrent) const;
	// For a test that fails.
	[[nodiscard]] std::string dump() const;

	std::shared_ptr<blame_record> const blame = std::make_shared<blame_record>();
	std::vector<std::string> banned; // addresses
	std::vector<std::string> parted; // "address: why"
	std::vector<std::string> errors;
	int failed = 0;                  // pieces whose hash was wrong, forgotten ones included
	std::int64_t most_used = 0;      // of the memory

private:
	void count(lt::alert* a);

	std::string const m_address;
	temporary_folder m_folder;
	std::optional<memory_disk> m_disk;
	std::unique_ptr<lt::session> m_session;
};

} // namespace slipstream::test
