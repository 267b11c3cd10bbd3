// A film in a memory that is much smaller, so that it is forgotten all the time, two honest seeds of it, and what a test asks
// of them. For tests/hostile. One thread.
#pragma once

#include "hostile/scripted_peer.hpp"
#include "hostile/swarm_session.hpp"

#include <libtorrent/peer_info.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace slipstream::test {

inline constexpr int film_piece_bytes = 64 * 1024;

inline std::string name_of_kind(::testing::TestParamInfo<torrent_kind> const& info)
{
	return info.param == torrent_kind::v1 ? "v1" : info.param == torrent_kind::v2 ? "v2" : "hybrid";
}

// An honest seed at an address of its own.
inline seeder_options honest_at(std::string address)
{
	seeder_options o;
	o.close_redundant_connections = false;
	o.address = std::move(address);
	return o;
}

class forgetful_film
{
public:
	static constexpr int count = 80; // pieces
	static constexpr int in_memory = 32;
	static constexpr int window = 8;

	// A magnet link's seeds are connected at once, since its metadata comes from them.
	explicit forgetful_film(torrent_kind const kind, int const connections = 12, bool const by_magnet = false)
		: files("film.bin", {{"film.bin", count * film_piece_bytes - 5000}}, kind, film_piece_bytes)
		, first(files, honest_at("127.0.0.2"))
		, second(files, honest_at("127.0.0.3"))
		, mine({.disk = disk, .connections = connections})
	{
		torrent = mine.add(files, by_magnet);
		if (by_magnet) connect_honest_seeds();
		EXPECT_TRUE(mine.run_until([&] { return torrent.status().state >= lt::torrent_status::downloading; }));
	}

	void connect_honest_seeds()
	{
		torrent.connect_peer(first.endpoint());
		torrent.connect_peer(second.endpoint());
		EXPECT_TRUE(mine.run_until([&] { return honest_seeds() == 2; }));
	}
	// A peer of this kind, from an address of its own, that is there when this returns.
	scripted_peer& meet(peer_script script)
	{
		auto& peer = peers.emplace_back(files, std::move(script), "127.0.1." + std::to_string(peers.size() + 1), mine.endpoint());
		EXPECT_TRUE(mine.run_until([&] { return peer.record().connections > 0; })) << peer.address();
		return peer;
	}

	// Plays pieces [begin, end) and compares every byte. Stops at the first that does not come.
	void play(int const begin, int const end)
	{
		for (int at = begin; at < end; ++at)
		{
			read_at(at);
			ASSERT_TRUE(mine.run_until([&] { return verified(at); })) << "piece " << at << dump();
			ASSERT_EQ(right(at), true) << "piece " << at;
		}
	}
	void read_at(int const at)
	{
		std::vector<lt::piece_index_t> pieces;
		for (int i = at; i < std::min(count, at + window); ++i) pieces.emplace_back(i);
		EXPECT_TRUE(memory().set_reader_pieces(pieces).has_value());
	}
	[[nodiscard]] memory_torrent memory() const { return disk.torrent(files.hashes()); }
	[[nodiscard]] bool verified(int const piece) const
	{
		auto const s = memory().state(lt::piece_index_t(piece));
		return s && *s == piece_state::verified;
	}
	[[nodiscard]] std::set<int> in_state(piece_state const state) const
	{
		std::set<int> all;
		for (int i = 0; i < count; ++i)
			if (auto const s = memory().state(lt::piece_index_t(i)); s && *s == state) all.insert(i);
		return all;
	}
	[[nodiscard]] std::set<int> all_verified() const { return in_state(piece_state::verified); }
	// Empty: the piece is not in memory.
	[[nodiscard]] std::optional<bool> right(int const piece) const
	{
		std::vector<char> bytes(film_piece_bytes);
		auto const n = memory().read(lt::piece_index_t(piece), 0, bytes);
		if (!n) return std::nullopt;
		auto const want = std::string_view(files.content(0)).substr(std::size_t(piece) * film_piece_bytes, film_piece_bytes);
		return *n >= want.size() && std::string_view(bytes.data(), want.size()) == want;
	}
	// Everything in memory is right. (What goes while this looks is not looked at.)
	void all_is_right() const
	{
		for (int const piece : all_verified()) EXPECT_NE(right(piece), false) << piece;
	}

	[[nodiscard]] int honest_seeds() const
	{
		auto const all = mine.connected(torrent);
		return int(std::count(all.begin(), all.end(), "127.0.0.2") + std::count(all.begin(), all.end(), "127.0.0.3"));
	}
	// The honest seeds are here, and were all the time; the cap held, and nothing went wrong with the torrent.
	void all_is_well()
	{
		EXPECT_EQ(honest_seeds(), 2) << dump();
		for (auto const* const honest : {"127.0.0.2", "127.0.0.3"})
		{
			EXPECT_THAT(mine.banned, ::testing::Not(::testing::Contains(honest))) << dump();
			EXPECT_THAT(mine.parted, ::testing::Not(::testing::Contains(::testing::StartsWith(std::string(honest) + ":")))) << dump();
		}
		EXPECT_THAT(mine.errors, ::testing::IsEmpty());
		auto const m = disk.stats();
		EXPECT_LE(mine.most_used, m.capacity_bytes);
		EXPECT_LE(m.peak_bytes, m.capacity_bytes);
		EXPECT_GT(m.pieces_forgotten, 10) << "the memory was not too small";
	}
	// And nobody sent anything wrong, as far as libtorrent knows.
	void nobody_is_blamed()
	{
		EXPECT_THAT(mine.banned, ::testing::IsEmpty()) << dump();
		EXPECT_THAT(mine.blame->blamed(), ::testing::IsEmpty()) << dump();
		EXPECT_EQ(torrent.status().total_failed_bytes, 0);
		EXPECT_LE(mine.failed, disk.stats().pieces_forgotten) << "a piece is hashed once to be forgotten";
	}
	// For a test that fails.
	[[nodiscard]] std::string dump()
	{
		auto o = "\n" + mine.dump() + "\n";
		for (auto* const seed : {&first, &second})
			for (auto const& d : seed->departures()) o += "an honest seed says: " + d + "\n";
		auto const have = torrent.status(lt::torrent_handle::query_pieces).pieces;
		for (int i = 0; i < count; ++i)
		{
			auto const s = memory().state(lt::piece_index_t(i));
			o += s ? "apcv"[int(*s)] : '?';
			o += have.size() > i && have[lt::piece_index_t(i)] ? '+' : '-';
			o += char('0' + int(std::uint8_t(torrent.piece_priority(lt::piece_index_t(i)))));
			o += ' ';
		}
		// What libtorrent is at: blocks that are asked for (r), being written (w) or there (f), and whom it asks.
		for (auto const& part : torrent.get_download_queue())
		{
			o += "\npart " + std::to_string(static_cast<int>(part.piece_index)) + " ";
			for (int i = 0; i < part.blocks_in_piece; ++i) o += "-rwf"[int(part.blocks[i].state)];
		}
		std::vector<lt::peer_info> all;
		torrent.get_peer_info(all);
		for (auto const& p : all)
			o += "\npeer " + p.ip.address().to_string() + (p.flags & lt::peer_info::remote_choked ? " chokes" : "")
				+ (p.flags & lt::peer_info::interesting ? " interests" : "") + (p.flags & lt::peer_info::snubbed ? " snubbed" : "")
				+ " has 79: " + (p.pieces.size() > 79 && p.pieces[lt::piece_index_t(79)] ? "yes" : "no")
				+ " asked " + std::to_string(p.download_queue_length) + " timed out " + std::to_string(p.timed_out_requests);
		return o;
	}

	shared_files files;
	seeder first;
	seeder second;
	memory_disk disk{{.capacity_bytes = in_memory * film_piece_bytes, .evict = true, .hold_always = true}};
	swarm_session mine;
	lt::torrent_handle torrent;
	std::list<scripted_peer> peers; // before the session ends
};

} // namespace slipstream::test
