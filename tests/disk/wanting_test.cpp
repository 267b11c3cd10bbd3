// Priorities that are withheld, and whose they are: several sessions' of one torrent, and of an application that says itself
// what it reads.
#include "forgetting_film.hpp"

#include <libtorrent/add_torrent_params.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

using namespace slipstream;
using namespace slipstream::test;

namespace {

using priorities = std::vector<lt::download_priority_t>;

constexpr int count = 40;

int unwanted(priorities const& p) { return int(std::count(p.begin(), p.end(), lt::dont_download)); }
int of(priorities const& p, lt::download_priority_t const priority) { return int(std::count(p.begin(), p.end(), priority)); }

lt::add_torrent_params saved(memory_session& session, lt::torrent_handle const& torrent)
{
	std::optional<lt::add_torrent_params> got;
	session.on_alert = [&](lt::alert const* const a)
		{ if (auto const* r = lt::alert_cast<lt::save_resume_data_alert>(a)) got = r->params; };
	torrent.save_resume_data();
	EXPECT_TRUE(session.run_until([&] { return got.has_value(); }));
	session.on_alert = {};
	return got.value_or(lt::add_torrent_params{});
}

// Counts the seconds of a session, as libtorrent sees them.
class seconds final : public lt::plugin
{
public:
	lt::feature_flags_t implemented_features() override { return tick_feature; }
	void on_tick() override { ++passed; }
	std::atomic<int> passed{0};
};

TEST(priorities_put_back, are_of_the_session_that_came_last_or_of_the_handle_that_is_named)
{
	shared_files const files("film", {{"film", count * film_piece_bytes}}, torrent_kind::v1, film_piece_bytes);
	memory_disk const disk({.capacity_bytes = 16 * film_piece_bytes, .evict = true});
	lt::download_priority_t const low{2};
	lt::download_priority_t const high{6};
	memory_session first(disk, 4);
	auto const one = first.add(files, priorities(count, low));
	ASSERT_TRUE(first.run_until([&] { return unwanted(one.get_piece_priorities()) > 0; }));
	memory_session second(disk, 4);
	auto const two = second.add(files, priorities(count, high));
	ASSERT_TRUE(second.run_until([&] { return unwanted(two.get_piece_priorities()) > 0; }));

	auto const of_two = saved(second, two);
	auto const of_one = saved(first, one);
	auto const withheld = unwanted(of_one.piece_priorities);
	ASSERT_GT(withheld, 0);
	auto by_name = of_one;
	disk.put_back_priorities(by_name);
	EXPECT_GT(of(by_name.piece_priorities, high), 0) << "the torrent of that name is the one that was added last";
	auto by_handle = of_one;
	disk.put_back_priorities(by_handle, one);
	EXPECT_EQ(by_handle.piece_priorities, priorities(count, low));
	by_handle = of_two;
	disk.put_back_priorities(by_handle, two);
	EXPECT_EQ(by_handle.piece_priorities, priorities(count, high));
	// And of nobody's, nothing.
	second.session().remove_torrent(two);
	ASSERT_TRUE(second.run_until([&] { return disk.stats().torrents == 1; }));
	by_handle = of_two;
	disk.put_back_priorities(by_handle, two);
	EXPECT_EQ(by_handle.piece_priorities, of_two.piece_priorities);
}

TEST(an_application_that_says_what_it_reads, keeps_the_priorities_it_has_set)
{
	shared_files const files("film", {{"film", count * film_piece_bytes}}, torrent_kind::v1, film_piece_bytes);
	memory_session limited(memory_disk({.capacity_bytes = 16 * film_piece_bytes, .evict = true}), 4);
	auto const withheld = limited.add(files);
	ASSERT_TRUE(limited.run_until([&] { return unwanted(withheld.get_piece_priorities()) > 0; })) << "so it would be otherwise";

	memory_session told(memory_disk({.capacity_bytes = 16 * film_piece_bytes, .evict = true}), 4, false);
	told.session().add_extension(told.disk().extension({}, wanting::told));
	auto const clock = std::make_shared<seconds>();
	told.session().add_extension(clock);
	auto const t = told.add(files);
	ASSERT_TRUE(told.run_until([&] { return t.status().state >= lt::torrent_status::downloading; }));
	ASSERT_TRUE(told.disk().torrent(files.hashes()).set_reader_pieces(pieces_of(3, 5)).has_value());
	int const now = clock->passed;
	ASSERT_TRUE(told.run_until([&] { return clock->passed >= now + 3; })); // the extension looks once in each
	EXPECT_EQ(t.get_piece_priorities(), priorities(count, lt::default_priority));
}

} // namespace
