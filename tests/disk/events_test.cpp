// On which thread memory_events come: the network thread of the torrent's session, but for the capacity's.
#include "memory_session.hpp"

#include <libtorrent/extensions.hpp>

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace slipstream::test {
namespace {

constexpr int piece = 4 * block_size_bytes;

class threads_of_events final : public memory_events
{
public:
	void piece_verified(lt::info_hash_t const&, lt::piece_index_t) override { came("verified"); }
	void piece_gone(lt::info_hash_t const&, lt::piece_index_t) override { came("gone"); }
	void block_written(lt::info_hash_t const&, lt::piece_index_t) override { came("block"); }
	void piece_failed(lt::info_hash_t const&, lt::piece_index_t) override { came("failed"); }
	void capacity_changed(std::int64_t) override { came("capacity"); }

	[[nodiscard]] std::set<std::thread::id> of(std::string const& event) const
	{
		std::lock_guard const lock(m_mutex);
		auto const i = m_threads.find(event);
		return i == m_threads.end() ? std::set<std::thread::id>{} : i->second;
	}

private:
	void came(std::string const& event)
	{
		std::lock_guard const lock(m_mutex);
		m_threads[event].insert(std::this_thread::get_id());
	}
	mutable std::mutex m_mutex;
	std::map<std::string, std::set<std::thread::id>> m_threads;
};

// Which thread is the session's.
class network_thread final : public lt::plugin
{
public:
	std::shared_ptr<lt::torrent_plugin> new_torrent(lt::torrent_handle const&, lt::client_data_t) override
	{
		std::lock_guard const lock(m_mutex);
		m_id = std::this_thread::get_id();
		return nullptr;
	}
	[[nodiscard]] std::thread::id id() const
	{
		std::lock_guard const lock(m_mutex);
		return m_id;
	}

private:
	mutable std::mutex m_mutex;
	std::thread::id m_id;
};

TEST(events_of_memory, come_on_the_network_thread_and_that_of_the_capacity_where_it_is_set)
{
	shared_files const files("film", {{"film", 8 * piece}}, torrent_kind::v1, piece);
	auto const hears = std::make_shared<threads_of_events>();
	auto const network = std::make_shared<network_thread>();
	memory_session mine(memory_disk({.capacity_bytes = 4 << 20}), 20, false);
	mine.session().add_extension(mine.disk().extension(hears));
	mine.session().add_extension(network);
	auto const t = mine.add(files);
	ASSERT_TRUE(mine.run_until([&] { return t.status().state >= lt::torrent_status::downloading; }));
	ASSERT_TRUE(mine.disk().torrent(files.hashes()).tell_when_written(lt::piece_index_t(0), 0).has_value());
	auto const right = files.content(0).begin();
	t.add_piece(lt::piece_index_t(0), std::vector<char>(right, right + piece));
	t.add_piece(lt::piece_index_t(1), std::vector<char>(piece, 'x'));
	auto const came = [&](char const* const event) { return !hears->of(event).empty(); };
	ASSERT_TRUE(mine.run_until([&] { return came("block") && came("verified") && came("failed"); }));
	ASSERT_TRUE(mine.disk().set_capacity_bytes(2 << 20).has_value());
	mine.session().remove_torrent(t, lt::session_handle::delete_files);
	ASSERT_TRUE(mine.run_until([&] { return came("gone"); }));
	for (auto const* const event : {"block", "verified", "failed", "gone"})
		EXPECT_EQ(hears->of(event), std::set{network->id()}) << event;
	EXPECT_EQ(hears->of("capacity"), std::set{std::this_thread::get_id()});
}

// A torrent of v2 alone without its piece layers (BEP 52), as of a magnet link: a recheck cannot say what is wrong.
TEST(events_of_memory, nothing_has_failed_where_there_is_no_hash_to_judge_by)
{
	shared_files const files("film", {{"film", 8 * piece}}, torrent_kind::v2, piece);
	auto const hears = std::make_shared<threads_of_events>();
	memory_session mine(memory_disk({.capacity_bytes = 4 << 20}), 20, false);
	mine.session().add_extension(mine.disk().extension(hears));
	auto const whole = lt::torrent_info(files.torrent_file(), lt::from_span);
	auto const info = whole.info_section();
	int checks = 0;
	mine.on_alert = [&](lt::alert const* const a) { checks += lt::alert_cast<lt::torrent_checked_alert>(a) ? 1 : 0; };
	auto const t = mine.add("d4:info" + std::string(info.begin(), info.end()) + "e");
	ASSERT_TRUE(mine.run_until([&] { return checks == 1; }));
	auto const memory = mine.disk().torrent(files.hashes());
	auto const right = files.content(0).begin();
	t.add_piece(lt::piece_index_t(0), std::vector<char>(right, right + piece));
	auto const is_complete = [&] {
		auto const state = memory.state(lt::piece_index_t(0));
		return state && *state == piece_state::complete;
	};
	ASSERT_TRUE(mine.run_until(is_complete));
	t.force_recheck();
	ASSERT_TRUE(mine.run_until([&] { return checks == 2; }));
	static_cast<void>(t.status()); // the alert comes in the middle of what the network thread does
	EXPECT_TRUE(is_complete());
	EXPECT_TRUE(hears->of("failed").empty());
}

} // namespace
} // namespace slipstream::test
