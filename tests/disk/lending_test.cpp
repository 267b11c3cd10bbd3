// What is lent to peers: it has a bound, beyond it reads wait, and a player plays on at the floor itself while leechers
// keep what they were sent.
#include "forgetting_film.hpp"
#include "hostile/wire.hpp"
#include "support/disk_harness.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <memory>
#include <string>

using namespace slipstream;
using namespace slipstream::test;

namespace {

using tcp = boost::asio::ip::tcp;

// -- at the disk's interface

constexpr int block = block_size_bytes;
constexpr std::int64_t smallest = memory_disk::min_capacity_bytes; // 64 blocks, of which 8 may be lent

// Larger than the smallest memory, so that what is lent is bounded; a part of it is here.
struct lending : ::testing::Test
{
	memory_disk memory{{.capacity_bytes = smallest, .evict = true}};
	disk_harness disk{memory.constructor()};
	test_torrent const film{{"film", protocol::v1, 16 * block, {8 * 16 * block}}};
	disk_harness::storage& s = disk.add(film);

	std::vector<pending<read_result>> read(int const count)
	{
		std::vector<pending<read_result>> all;
		disk.event([&] {
			for (int i = 0; i < count; ++i) all.push_back(disk.read(s, film.blocks()[std::size_t(i % 16)]));
		});
		disk.settle();
		disk.settle(); // what was posted, too, and what that posted
		return all;
	}
	static long count_done(std::vector<pending<read_result>>& all)
	{ return std::ranges::count_if(all, [](auto& r) { return r.called(); }); }
};

TEST_F(lending, reads_beyond_what_may_be_lent_wait_for_what_comes_home)
{
	disk.write_piece(s, lt::piece_index_t(0));
	auto all = read(20);
	EXPECT_EQ(count_done(all), 8);
	EXPECT_EQ(memory.stats().lent_bytes, 8 * block);
	for (std::size_t i = 0; i < all.size(); ++i)
	{
		auto& r = all[i].wait(); // each makes room for one more
		EXPECT_FALSE(r.error.ec) << i;
		EXPECT_EQ(r.bytes(), film.bytes(film.blocks()[i % 16])) << i;
		r.buffer.reset();
	}
	disk.settle();
	EXPECT_EQ(memory.stats().lent_bytes, 0);
	disk.destroy();
	EXPECT_TRUE(disk.broken_handler_rules().empty());
}

TEST_F(lending, what_players_hold_is_counted_and_waits_for_nothing)
{
	disk.write_piece(s, lt::piece_index_t(0));
	auto const handle = memory.torrent(film.info()->info_hashes());
	auto held = handle.view(lt::piece_index_t(0), 0, 16 * block, false);
	ASSERT_TRUE(held.has_value());
	EXPECT_EQ(memory.stats().lent_bytes, 16 * block);
	auto all = read(1);
	EXPECT_EQ(count_done(all), 0);
	held = lease();
	EXPECT_FALSE(all[0].wait().error.ec);
	all[0].wait().buffer.reset();
	disk.destroy();
}

TEST_F(lending, a_larger_capacity_lets_reads_go_on)
{
	disk.write_piece(s, lt::piece_index_t(0));
	auto all = read(12);
	EXPECT_EQ(count_done(all), 8);
	ASSERT_TRUE(memory.set_capacity_bytes(64 * smallest).has_value());
	for (auto& r : all) EXPECT_FALSE(r.wait().error.ec);
	for (auto& r : all) r.wait().buffer.reset();
	disk.destroy();
}

TEST_F(lending, stopping_removing_clearing_and_the_end_answer_the_reads_that_wait)
{
	disk.write_piece(s, lt::piece_index_t(0));
	auto const unfinished = [&](std::vector<pending<read_result>>& all)
	{
		std::vector<boost::system::error_code> how;
		for (std::size_t i = 8; i < all.size(); ++i) how.push_back(all[i].wait().error.ec);
		for (std::size_t i = 0; i < 8; ++i) all[i].wait().buffer.reset();
		disk.settle();
		EXPECT_EQ(memory.stats().lent_bytes, 0);
		return how;
	};
	using ::testing::Each;
	boost::system::error_code const aborted = boost::asio::error::operation_aborted;
	auto all = read(12);
	disk.stop_torrent(s).wait();
	EXPECT_THAT(unfinished(all), Each(aborted));
	all = read(12);
	disk.clear_piece(s, lt::piece_index_t(0)).wait();
	EXPECT_THAT(unfinished(all), Each(boost::system::error_code(boost::asio::error::eof)));
	disk.write_piece(s, lt::piece_index_t(0));
	all = read(12);
	disk.remove(s);
	EXPECT_THAT(unfinished(all), Each(aborted));
	auto& again = disk.add(film);
	disk.write_piece(again, lt::piece_index_t(0));
	std::vector<pending<read_result>> last;
	for (int i = 0; i < 12; ++i) last.push_back(disk.read(again, film.blocks()[std::size_t(i)]));
	disk.abort(false);
	EXPECT_THAT(unfinished(last), Each(aborted));
	disk.destroy();
	EXPECT_TRUE(disk.broken_handler_rules().empty());
}

// What peers and players are given are the blocks that are stored, at their addresses.
TEST_F(lending, copies_nothing)
{
	disk.write_piece(s, lt::piece_index_t(0));
	auto const handle = memory.torrent(film.info()->info_hashes());
	auto const held = handle.view(lt::piece_index_t(0), 0, 16 * block, false);
	ASSERT_TRUE(held.has_value());
	ASSERT_EQ(held->views().size(), 16u);
	for (std::size_t i = 0; i < 16; ++i)
	{
		disk.settle();
		auto const again = handle.view(lt::piece_index_t(0), int(i) * block + 100, 200, false);
		ASSERT_TRUE(again.has_value());
		EXPECT_EQ(again->views().front().data(), held->views()[i].data() + 100);
	}
	auto const before = memory.stats().used_bytes;
	EXPECT_EQ(before, 16 * block);
	disk.destroy();
}

TEST_F(lending, gives_a_peer_the_block_itself)
{
	disk.write_piece(s, lt::piece_index_t(0));
	auto const handle = memory.torrent(film.info()->info_hashes());
	std::vector<char const*> stored;
	{
		auto const held = handle.view(lt::piece_index_t(0), 0, 8 * block, false);
		ASSERT_TRUE(held.has_value());
		for (auto const view : held->views()) stored.push_back(view.data());
	}
	auto all = read(8);
	for (std::size_t i = 0; i < 8; ++i)
	{
		EXPECT_EQ(all[i].wait().buffer.data(), stored[i]) << i;
		all[i].wait().buffer.reset();
	}
	EXPECT_EQ(memory.stats().peak_bytes, 16 * block);
	disk.destroy();
}

TEST_F(lending, a_read_that_comes_while_others_wait_waits_behind_them)
{
	disk.write_piece(s, lt::piece_index_t(0));
	auto all = read(10);
	ASSERT_EQ(count_done(all), 8);
	pending<read_result> last;
	disk.event([&] {
		all[0].wait().buffer.reset(); // room for one, which has not been given to those that wait yet
		last = disk.read(s, film.blocks()[0]);
	});
	disk.settle();
	disk.settle();
	EXPECT_TRUE(all[8].called());
	EXPECT_FALSE(all[9].called());
	EXPECT_FALSE(last.called());
	for (std::size_t i = 1; i < 10; ++i) all[i].wait().buffer.reset();
	EXPECT_FALSE(last.wait().error.ec);
	last.wait().buffer.reset();
	disk.destroy();
}

TEST_F(lending, clearing_a_piece_ends_no_reads_of_others)
{
	disk.write_piece(s, lt::piece_index_t(0));
	disk.write_piece(s, lt::piece_index_t(1));
	auto lent = read(8);
	ASSERT_EQ(count_done(lent), 8);
	auto gone = disk.read(s, film.blocks()[3]);
	auto stays = disk.read(s, film.blocks()[16]);
	disk.clear_piece(s, lt::piece_index_t(0)).wait();
	EXPECT_TRUE(gone.wait().error.ec);
	EXPECT_FALSE(stays.called());
	for (auto& r : lent) r.wait().buffer.reset();
	EXPECT_FALSE(stays.wait().error.ec);
	stays.wait().buffer.reset();
	disk.destroy();
}

// -- in a swarm

// A leecher that asks for what it is told and takes nothing of it until take() is called. Plain TCP; each call has a
// deadline.
class stubborn_leecher
{
public:
	stubborn_leecher(shared_files const& files, tcp::endpoint const& other, int const number)
	{
		m_socket.open(tcp::v4());
		m_socket.set_option(boost::asio::socket_base::receive_buffer_size(4096));
		timeval const deadline{60, 0};
		::setsockopt(m_socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
		m_socket.bind(tcp::endpoint(boost::asio::ip::make_address("127.0.1." + std::to_string(number + 1)), 0));
		m_socket.connect(other);
		auto const hash = files.hashes().get_best();
		send(wire::handshake({hash.data(), std::size_t(hash.size())}, "-ST0000-12345678901" + std::to_string(number % 10), true));
		send(wire::message(wire::have_none) + wire::message(wire::interested));
		std::string greeting(wire::handshake_bytes, 0);
		boost::asio::read(m_socket, boost::asio::buffer(greeting));
		while (next().id != wire::unchoke) {}
	}

	void ask(std::vector<int> const& pieces)
	{
		std::string all;
		for (int const piece : pieces)
			for (int at = 0; at < piece_bytes; at += block)
			{
				all += wire::message(wire::request, {piece, at, block});
				++m_asked;
			}
		send(all);
	}

	// All that was asked for, until each is answered. Wrong blocks, and how many came.
	std::pair<int, int> take(shared_files const& files)
	{
		int wrong = 0;
		int came = 0;
		while (m_asked > 0)
		{
			auto const m = next();
			m_asked -= m.id == wire::reject || m.id == wire::piece;
			if (m.id != wire::piece) continue;
			++came;
			auto const at = std::size_t(wire::read_int(m.payload, 0)) * piece_bytes + std::size_t(wire::read_int(m.payload, 4));
			wrong += std::string_view(m.payload).substr(8) != std::string_view(files.content(0)).substr(at, m.payload.size() - 8);
		}
		return {wrong, came};
	}

	static constexpr int piece_bytes = 32 * block;

private:
	struct message { int id; std::string payload; };

	void send(std::string const& bytes) { boost::asio::write(m_socket, boost::asio::buffer(bytes)); }
	message next()
	{
		std::string head(4, 0);
		boost::asio::read(m_socket, boost::asio::buffer(head));
		std::string body(std::size_t(wire::read_int(head, 0)), 0);
		boost::asio::read(m_socket, boost::asio::buffer(body));
		return body.empty() ? message{-1, {}} : message{std::uint8_t(body[0]), body.substr(1)};
	}

	boost::asio::io_context m_context;
	tcp::socket m_socket{m_context};
	int m_asked = 0;
};

TEST(lending_in_a_swarm, at_the_floor_a_player_plays_on_while_leechers_take_nothing)
{
	// 12 connections, pieces of 32 blocks: 8 + 2 * 12 + 4 * 32 = 160 blocks are seven eighths of 183, and 22 may be lent. Each
	// of eight leechers wants to keep 31.
	constexpr int floor_blocks = 183;
	constexpr int piece = stubborn_leecher::piece_bytes;
	constexpr int count = 40;
	shared_files const files("film", {{"film", count * piece}}, torrent_kind::v1, piece);
	seeder_options patient;
	patient.close_redundant_connections = false;
	seeder const seed(files, patient);
	{
		memory_disk const below({.capacity_bytes = (floor_blocks - 1) * block, .evict = true});
		memory_session mine(below, 12);
		auto const t = mine.add(files);
		ASSERT_TRUE(mine.run_until([&] { return bool(t.status().errc); })) << "it is the floor";
	}
	memory_session mine(memory_disk({.capacity_bytes = floor_blocks * block, .evict = true}), 12);
	lt::settings_pack s;
	s.set_int(lt::settings_pack::send_buffer_low_watermark, 500 * 1024);
	s.set_int(lt::settings_pack::send_buffer_watermark, 500 * 1024);
	s.set_int(lt::settings_pack::send_socket_buffer_size, 4096);
	s.set_int(lt::settings_pack::unchoke_slots_limit, -1);
	mine.session().apply_settings(std::move(s));
	auto const t = mine.add(files);
	ASSERT_TRUE(mine.run_until([&] { return t.status().state >= lt::torrent_status::downloading; }));
	t.connect_peer(seed.endpoint());
	auto const memory = mine.disk().torrent(files.hashes());
	auto const there = [&](int const p) { auto const is = memory.state(lt::piece_index_t(p)); return is && *is == piece_state::verified; };

	std::vector<std::unique_ptr<stubborn_leecher>> leechers;
	for (int at = 0; at + 2 <= count; ++at)
	{
		ASSERT_TRUE(memory.set_reader_pieces(pieces_of(at, at + 2)).has_value());
		ASSERT_TRUE(mine.run_until([&] { return there(at) && there(at + 1); })) << at << ", lent "
			<< mine.disk().stats().lent_bytes / block << ", in use " << mine.disk().stats().used_bytes / block;
		if (leechers.size() == 8) continue;
		leechers.push_back(std::make_unique<stubborn_leecher>(files
			, tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), mine.session().listen_port()), int(leechers.size())));
		leechers.back()->ask({at, at + 1});
	}
	EXPECT_LE(mine.disk().stats().lent_bytes, floor_blocks / 8 * block);
	EXPECT_LE(mine.disk().stats().peak_bytes, mine.disk().capacity_bytes());
	// And they, too, get what they asked for, or hear that it is gone.
	int all = 0;
	for (auto const& leecher : leechers)
	{
		auto const [wrong, came] = leecher->take(files);
		EXPECT_EQ(wrong, 0);
		all += came;
	}
	EXPECT_GT(all, 0);
	EXPECT_THAT(mine.disconnects, ::testing::IsEmpty());
	EXPECT_EQ(t.status().total_failed_bytes, 0);
	EXPECT_EQ(mine.bans, 0);
}

} // namespace
