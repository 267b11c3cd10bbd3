// Small messages to peers do not wait for acknowledgements, whoever opened the connection.
#include "memory_session.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>
#include <filesystem>
#include <optional>

using namespace slipstream;
using namespace slipstream::test;

namespace {

std::optional<std::uint16_t> port_of(int const fd, int (*which)(int, sockaddr*, socklen_t*))
{
	sockaddr_in a{};
	socklen_t size = sizeof(a);
	if (which(fd, reinterpret_cast<sockaddr*>(&a), &size) != 0 || a.sin_family != AF_INET) return std::nullopt;
	return ntohs(a.sin_port);
}

// Of this process's socket between the two ports; nothing while there is none.
std::optional<bool> sends_at_once(std::uint16_t const local, std::uint16_t const remote)
{
	for (auto const& entry : std::filesystem::directory_iterator("/proc/self/fd"))
	{
		auto const name = entry.path().filename().string();
		int fd = -1;
		std::from_chars(name.data(), name.data() + name.size(), fd);
		if (port_of(fd, getsockname) != local || port_of(fd, getpeername) != remote) continue;
		int on = 0;
		socklen_t size = sizeof(on);
		if (getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0) return on != 0;
	}
	return std::nullopt;
}

struct two_sessions : ::testing::Test
{
	shared_files files{"film.bin", {{"film.bin", 20 * 65536}}, torrent_kind::v1, 65536};

	// Of the one peer that `torrent` has, once greetings were exchanged.
	static std::optional<bool> at_once_to_its_peer(lt::torrent_handle const& torrent)
	{
		std::vector<lt::peer_info> peers;
		torrent.get_peer_info(peers);
		if (peers.size() != 1 || (peers[0].flags & (lt::peer_info::handshake | lt::peer_info::connecting))) return std::nullopt;
		return sends_at_once(peers[0].local_endpoint.port(), peers[0].ip.port());
	}
};

TEST_F(two_sessions, send_each_other_small_messages_at_once)
{
	memory_session opens{memory_disk({.capacity_bytes = 16 << 20, .evict = true})};
	memory_session accepts{memory_disk({.capacity_bytes = 16 << 20, .evict = true})};
	auto const there = accepts.add(files);
	auto const here = opens.add(files);
	here.connect_peer({lt::make_address("127.0.0.1"), accepts.session().listen_port()});
	std::optional<bool> opened;
	std::optional<bool> accepted;
	ASSERT_TRUE(opens.run_until([&] {
		opened = at_once_to_its_peer(here);
		accepted = at_once_to_its_peer(there);
		return opened && accepted;
	}));
	EXPECT_EQ(opened, true);
	EXPECT_EQ(accepted, true);
}

// What the test above looks at is what libtorrent does not do by itself.
TEST_F(two_sessions, do_not_without_the_extension)
{
	memory_session opens{memory_disk({.capacity_bytes = 16 << 20}), 20, false};
	memory_session accepts{memory_disk({.capacity_bytes = 16 << 20}), 20, false};
	auto const there = accepts.add(files);
	auto const here = opens.add(files);
	here.connect_peer({lt::make_address("127.0.0.1"), accepts.session().listen_port()});
	std::optional<bool> opened;
	ASSERT_TRUE(opens.run_until([&] { opened = at_once_to_its_peer(here); return opened.has_value(); }));
	EXPECT_EQ(opened, false);
}

} // namespace
