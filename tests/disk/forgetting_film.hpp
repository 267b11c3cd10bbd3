// A film larger than the memory it is in, two seeds of it, and what a test of forgetting asks of it.
// For tests/disk/forgetting_*_test.cpp. One thread.
#pragma once

#include "memory_session.hpp"

#include <libtorrent/extensions.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>

namespace slipstream::test {

inline constexpr int film_piece_bytes = 128 * 1024;

inline std::string name_of_kind(::testing::TestParamInfo<torrent_kind> const& info)
{
	return info.param == torrent_kind::v1 ? "v1" : info.param == torrent_kind::v2 ? "v2" : "hybrid";
}

inline std::vector<lt::piece_index_t> pieces_of(int const begin, int const end)
{
	std::vector<lt::piece_index_t> r;
	for (int i = begin; i < end; ++i) r.emplace_back(i);
	return r;
}

// Counts how often a session looks at what it has.
class check_counter final : public lt::plugin
{
public:
	[[nodiscard]] int checks() const { return m_checks->load(); }
	std::shared_ptr<lt::torrent_plugin> new_torrent(lt::torrent_handle const&, lt::client_data_t) override
	{
		struct part final : lt::torrent_plugin
		{
			explicit part(std::shared_ptr<std::atomic<int>> n) : count(std::move(n)) {}
			void on_state(lt::torrent_status::state_t const s) override
			{ if (s == lt::torrent_status::checking_files) count->fetch_add(1); }
			std::shared_ptr<std::atomic<int>> count;
		};
		return std::make_shared<part>(m_checks);
	}

private:
	std::shared_ptr<std::atomic<int>> m_checks = std::make_shared<std::atomic<int>>(0);
};

class film
{
public:
	film(torrent_kind const kind, int const num_pieces, int const pieces_in_memory)
		: count(num_pieces)
		, files("film.bin", {{"film.bin", num_pieces * film_piece_bytes - 5000}}, kind, film_piece_bytes)
		, first(files)
		, second(files)
		, mine(memory_disk({.capacity_bytes = pieces_in_memory * film_piece_bytes, .evict = true}), 8)
	{
		lt::settings_pack s; // peers that a recheck sent away come back soon
		s.set_int(lt::settings_pack::min_reconnect_time, 1);
		s.set_int(lt::settings_pack::alert_mask, int(lt::alert_category::error | lt::alert_category::peer
			| lt::alert_category::piece_progress | lt::alert_category::status | lt::alert_category::connect));
		mine.session().apply_settings(std::move(s));
		mine.session().add_extension(checked);
		add();
	}

	void add()
	{
		torrent = mine.add(files);
		EXPECT_TRUE(mine.run_until([&] { return torrent.status().state >= lt::torrent_status::downloading; }));
		connect();
	}
	void connect()
	{
		torrent.connect_peer(first.endpoint());
		torrent.connect_peer(second.endpoint());
	}
	// Runs until `done`, and meets the seeds again when they were sent away and the attempt to come back failed.
	bool until(std::function<bool()> const& done)
	{
		return mine.run_until([&] {
			if (!checking() && !(torrent.flags() & lt::torrent_flags::paused) && torrent.status().num_peers == 0) connect();
			return done();
		});
	}
	[[nodiscard]] memory_torrent storage() { return mine.disk().torrent(files.hashes()); }
	void read_at(int const begin, int const end)
	{ EXPECT_TRUE(storage().set_reader_pieces(pieces_of(begin, end)).has_value()); }

	bool verified(int const piece)
	{
		auto const s = storage().state(lt::piece_index_t(piece));
		return s.has_value() && *s == piece_state::verified;
	}
	bool verified(int const begin, int const end)
	{
		for (int i = begin; i < end; ++i) if (!verified(i)) return false;
		return true;
	}
	bool right(int const piece)
	{
		std::vector<char> bytes(film_piece_bytes);
		auto const n = storage().read(lt::piece_index_t(piece), 0, bytes);
		auto const want = std::string_view(files.content(0)).substr(std::size_t(piece) * film_piece_bytes, film_piece_bytes);
		return n && *n >= want.size() && std::string_view(bytes.data(), want.size()) == want;
	}
	bool checking() const
	{
		auto const s = torrent.status().state;
		return s == lt::torrent_status::checking_files || s == lt::torrent_status::checking_resume_data;
	}
	// What libtorrent says it has is what is verified in memory, and that is right.
	bool agrees()
	{
		if (checking()) return false;
		auto const have = torrent.status(lt::torrent_handle::query_pieces).pieces;
		for (int i = 0; i < count; ++i)
			if ((have.size() > i && have[lt::piece_index_t(i)]) != verified(i)) return false;
		return true;
	}
	[[nodiscard]] std::int64_t forgotten() { return mine.disk().stats().pieces_forgotten; }
	// The memory is full of the film's beginning, and its pieces begin to go.
	void be_forgetting()
	{
		read_at(0, 8);
		EXPECT_TRUE(mine.run_until([&] { return verified(0, 8); })) << dump();
		auto const before = forgotten();
		for (int at = 4; forgotten() < before + 2 && at + 8 <= count; at += 4)
		{
			read_at(at, at + 8);
			EXPECT_TRUE(mine.run_until([&] { return verified(at, at + 4) || forgotten() >= before + 2; })) << dump();
		}
		EXPECT_GE(forgotten(), before + 2);
	}
	void nobody_is_blamed()
	{
		EXPECT_EQ(mine.bans, 0);
		EXPECT_EQ(torrent.status().total_failed_bytes, 0);
		EXPECT_THAT(mine.errors, ::testing::IsEmpty());
		EXPECT_LE(mine.disk().stats().peak_bytes, std::max(first_capacity, mine.disk().capacity_bytes()));
	}
	// For a test that fails: each piece in memory, in libtorrent, and its priority.
	std::string dump()
	{
		std::string o = "\n";
		for (int i = 0; i < count; ++i)
		{
			auto const s = storage().state(lt::piece_index_t(i));
			o += s ? "apcv"[int(*s)] : '?';
			o += has(torrent, i) ? '+' : '-';
			o += char('0' + int(std::uint8_t(torrent.piece_priority(lt::piece_index_t(i)))));
			o += ' ';
		}
		auto const m = mine.disk().stats();
		auto const t = torrent.status();
		o += "\nused " + std::to_string(m.used_bytes / block_size_bytes) + " of " + std::to_string(m.capacity_bytes / block_size_bytes)
			+ " evicted " + std::to_string(m.pieces_evicted) + " forgotten " + std::to_string(m.pieces_forgotten)
			+ " refused " + std::to_string(m.writes_refused) + " missed " + std::to_string(m.reads_missed)
			+ " failed " + std::to_string(mine.failed) + " checks " + std::to_string(checked->checks())
			+ " state " + std::to_string(int(t.state)) + " peers " + std::to_string(t.num_peers);
		for (auto const& d : mine.disconnects) o += "\n" + d;
		for (auto const& e : mine.errors) o += "\n" + e;
		return o;
	}

	int const count;
	shared_files files;
	seeder first;
	seeder second;
	memory_session mine;
	std::shared_ptr<check_counter> const checked = std::make_shared<check_counter>();
	lt::torrent_handle torrent;
	std::int64_t const first_capacity = mine.disk().capacity_bytes();
};

} // namespace slipstream::test
