// Torrents by the ten thousand, sessions by the thousand: nothing is left behind.
#include "stress/scale.hpp"

#include <slipstream/lease.hpp>
#include <slipstream/memory_disk.hpp>

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/hasher.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_info.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <malloc.h>
#include <unistd.h>

namespace slipstream::test {

namespace {

constexpr int piece_bytes = 32 << 10;
constexpr int num_pieces = 3;

std::string content_of(std::uint64_t const number)
{
	std::string bytes(std::size_t(num_pieces * piece_bytes - 100), '\0');
	auto x = (number + 1) * 0x9e3779b97f4a7c15u;
	for (char& c : bytes)
	{
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		c = static_cast<char>(x);
	}
	return bytes;
}

std::shared_ptr<lt::torrent_info> torrent_of(std::uint64_t const number, std::string const& content)
{
	lt::file_storage files;
	files.add_file("film" + std::to_string(number), std::int64_t(content.size()));
	lt::create_torrent t(files, piece_bytes, lt::create_torrent::v1_only);
	for (int p = 0; p < num_pieces; ++p)
		t.set_hash(lt::piece_index_t(p), lt::hasher(std::string_view(content).substr(std::size_t(p * piece_bytes), piece_bytes)).final());
	std::vector<char> file;
	lt::bencode(std::back_inserter(file), t.generate());
	return std::make_shared<lt::torrent_info>(file, lt::from_span);
}

std::unique_ptr<lt::session> session_on(memory_disk const& disk)
{
	using sp = lt::settings_pack;
	sp s;
	for (int const off : {sp::enable_dht, sp::enable_lsd, sp::enable_upnp, sp::enable_natpmp
		, sp::enable_outgoing_utp, sp::enable_incoming_utp})
		s.set_bool(off, false);
	s.set_str(sp::listen_interfaces, "127.0.0.1:0");
	s.set_int(sp::alert_mask, 0);
	lt::session_params params(std::move(s));
	params.disk_io_constructor = disk.constructor();
	auto session = std::make_unique<lt::session>(std::move(params));
	session->add_extension(disk.extension());
	return session;
}

lt::torrent_handle add(lt::session& session, std::shared_ptr<lt::torrent_info> info)
{
	lt::add_torrent_params p;
	p.ti = std::move(info);
	p.save_path = "/nonexistent";
	p.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
	return session.add_torrent(std::move(p));
}

// Freed memory that malloc keeps is not of interest.
std::int64_t resident_bytes()
{
	::malloc_trim(0);
	std::ifstream statm("/proc/self/statm");
	std::int64_t size = 0;
	std::int64_t resident = 0;
	statm >> size >> resident;
	return resident * ::sysconf(_SC_PAGESIZE);
}

} // namespace

TEST(stress, ten_thousand_torrents_are_added_and_removed_under_load)
{
	memory_disk disk({.capacity_bytes = 16 << 20, .hash_threads = 2});
	auto session = session_on(disk);
	std::atomic<std::int64_t> next{0};
	std::atomic<int> wrong{0};
	std::atomic<int> seen{0};
	auto const total = scaled(10'000);
	auto const come_and_go = [&] {
		for (auto n = next++; n < total; n = next++)
		{
			auto const content = content_of(std::uint64_t(n));
			auto const info = torrent_of(std::uint64_t(n), content);
			auto const torrent = add(*session, info);
			torrent.add_piece(lt::piece_index_t(0), content.data(), {});
			torrent.add_piece(lt::piece_index_t(1), content.data() + piece_bytes, {});
			auto const handle = disk.torrent(info->info_hashes());
			char bytes[1000];
			if (auto const got = handle.read(lt::piece_index_t(1), 20'000, bytes, false))
			{
				++seen;
				if (content.compare(piece_bytes + 20'000, *got, bytes, *got) != 0) ++wrong;
			}
			session->remove_torrent(torrent, n % 2 ? lt::session::delete_files : lt::remove_flags_t{});
		}
	};
	std::vector<std::thread> threads;
	for (int i = 0; i < 3; ++i) threads.emplace_back(come_and_go);
	for (auto& t : threads) t.join();
	EXPECT_EQ(wrong, 0);
	EXPECT_GT(seen, 0);
	session.reset();
	EXPECT_EQ(disk.stats().torrents, 0);
	EXPECT_EQ(disk.stats().used_bytes, 0);
}

TEST(stress, sessions_that_live_and_die_leave_no_memory_behind)
{
	memory_disk disk({.capacity_bytes = 16 << 20, .hash_threads = 2, .evict = true});
	std::vector<std::string> contents;
	std::vector<std::shared_ptr<lt::torrent_info>> infos;
	for (std::uint64_t i = 0; i < 4; ++i)
	{
		contents.push_back(content_of(i));
		infos.push_back(torrent_of(i, contents.back()));
	}
	auto const lives = scaled(100);
	std::int64_t at_first = 0;
	for (std::int64_t life = 0; life < lives && !testing::Test::HasFailure(); ++life)
	{
		if (life == lives / 5) at_first = resident_bytes();
		auto session = session_on(disk);
		for (std::size_t i = 0; i < infos.size(); ++i)
		{
			auto const torrent = add(*session, std::make_shared<lt::torrent_info>(*infos[i]));
			for (int p = 0; p < num_pieces; ++p) torrent.add_piece(lt::piece_index_t(p), contents[i].data() + p * piece_bytes, {});
		}
		auto const handle = disk.torrent(infos[0]->info_hashes());
		auto const lent = handle.view(lt::piece_index_t(1), 0, piece_bytes, false);
		session.reset();
		EXPECT_FALSE(handle.alive());
		if (lent)
		{
			auto const v = lent->views().front();
			EXPECT_EQ(contents[0].compare(piece_bytes, v.size(), v.data(), v.size()), 0);
		}
	}
	EXPECT_EQ(disk.stats().used_bytes, 0);
	if (is_sanitized) return; // freed memory stays with the sanitizer
	auto const growth = resident_bytes() - at_first;
	RecordProperty("growth", std::to_string(growth) + " of " + std::to_string(at_first));
	EXPECT_LT(growth, at_first / 100) << "of " << at_first << " bytes, over " << lives - lives / 5 << " sessions";
}

} // namespace slipstream::test
