// What storage in memory has to say about files: contract 24 to 31.
#include "conformance/conformance.hpp"

#include <libtorrent/session_types.hpp>

namespace slipstream::test {

class files : public conformance {};
SLIPSTREAM_ON_EVERY_DISK(files);

namespace {

lt::add_torrent_params resume_for(test_torrent const& t, bool const claims_all)
{
	lt::add_torrent_params p;
	p.ti = std::make_shared<lt::torrent_info>(*t.info());
	p.info_hashes = t.info()->info_hashes();
	if (claims_all) p.have_pieces.resize(t.num_pieces(), true);
	return p;
}

lt::status_t without_flags(lt::status_t const s) { return s & lt::status_t::mask; }

// libtorrent lets resume data's claims stand for this answer alone.
bool lets_claims_stand(check_result const& r)
{ return without_flags(r.status) == lt::status_t::no_error && !r.error.ec; }

} // namespace

// 24 a
CONTRACT_TEST_P(files, a_fresh_torrent_starts_without_a_check, 24)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	auto const resume = resume_for(t, false);
	for (auto const* const p : {static_cast<lt::add_torrent_params const*>(nullptr), &resume})
	{
		auto const check = disk.check_files(s, p);
		EXPECT_EQ(check.wait().status, lt::status_t::no_error);
		EXPECT_FALSE(check.wait().error.ec) << check.wait().error.ec.message();
	}
}

// 24 b: resume data of an earlier session.
CONTRACT_TEST_P(files, claims_of_pieces_that_are_not_there_do_not_stand, 24)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto resume = resume_for(t, true);
	EXPECT_FALSE(lets_claims_stand(disk.check_files(disk.add(t, "a"), &resume).wait()));
	resume.have_pieces.clear_all();
	resume.have_pieces.set_bit(lt::piece_index_t{1});
	EXPECT_FALSE(lets_claims_stand(disk.check_files(disk.add(t, "b"), &resume).wait()));
}

// 24 b: some are there, more are claimed.
CONTRACT_TEST_P(files, claims_of_more_than_is_there_do_not_stand, 24)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto const& s = disk.add(t);
	disk.write_piece(s, lt::piece_index_t{0});
	auto const resume = resume_for(t, true);
	EXPECT_FALSE(lets_claims_stand(disk.check_files(s, &resume).wait()));
}

// 24 b: a seed that lost its memory needs a look at what it has.
CONTRACT_TEST_P(files, seed_mode_without_data_needs_a_full_check, 24)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	for (bool const claims_all : {false, true})
	{
		auto resume = resume_for(t, claims_all);
		resume.flags |= lt::torrent_flags::seed_mode;
		auto const check = disk.check_files(s, &resume);
		EXPECT_EQ(without_flags(check.wait().status), lt::status_t::need_full_check);
	}
}

// Claims that are true, and data nobody claims, end in a check or stand; never in a
// failure.
CONTRACT_TEST_P(files, true_claims_do_no_harm, 24)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	auto const resume = resume_for(t, true);
	auto const check = disk.check_files(s, &resume);
	EXPECT_TRUE(lets_claims_stand(check.wait())
		|| without_flags(check.wait().status) == lt::status_t::need_full_check);
	expect_all_readable(disk, s);
}

// 24 c: force_recheck.
CONTRACT_TEST_P(files, a_recheck_finds_exactly_what_is_there, 24)
{
	for (auto const name : {"v1_256k_pieces", "hybrid_many_files"})
	{
		SCOPED_TRACE(name);
		test_torrent const t(shape_named(name));
		auto const& s = disk.add(t, name);
		disk.write_piece(s, lt::piece_index_t{1});
		disk.release_files(s).wait();
		auto const check = disk.check_files(s, nullptr);
		EXPECT_EQ(without_flags(check.wait().status), lt::status_t::need_full_check);
		EXPECT_FALSE(check.wait().error.ec);
		for (auto const piece : t.pieces())
		{
			auto const h = disk.hash(s, piece, checking);
			if (piece == lt::piece_index_t{1}) expect_right_hash(h, t, piece);
			else if (t.has_v1()) { EXPECT_NE(h.wait().v1, t.v1_hash(piece)); }
			else { EXPECT_NE(h.wait().v2, t.v2_hashes(piece)); }
		}
	}
}

// Applications that save resume data with a flush call it every few seconds.
CONTRACT_TEST_P(files, releasing_files_keeps_the_data, 25)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	for (int i = 0; i < 3; ++i) disk.release_files(s).wait();
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(files, stopping_keeps_the_data_and_the_torrent_goes_on, 26)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	disk.write_piece(s, lt::piece_index_t{0});
	disk.stop_torrent(s).wait();
	expect_right_hash(disk.hash(s, lt::piece_index_t{0}), t, lt::piece_index_t{0});
	disk.write_all(s);
	disk.stop_torrent(s).wait();
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(files, the_stop_handler_comes_after_every_earlier_operation, 26)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const t(shape_named("hybrid_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	// A stop may wait for hashes, and then comes late whatever the order of the others is.
	for (bool const with_hashes : {true, false})
	{
		SCOPED_TRACE(with_hashes ? "with hashes" : "without hashes");
		std::vector<pending<write_result>> writes;
		std::vector<pending<read_result>> reads;
		std::vector<pending<hash_result>> hashes;
		pending<done_result> stop;
		disk.event([&] {
			for (auto const& b : t.blocks())
			{
				reads.push_back(disk.read(s, b));
				writes.push_back(disk.write(s, b));
			}
			if (with_hashes)
				for (auto const p : t.pieces()) hashes.push_back(disk.hash(s, p));
			stop = disk.stop_torrent(s);
		});
		stop.wait();
		int const last = stop.record().sequence;
		for (auto const& w : writes) { EXPECT_TRUE(w.called()); EXPECT_LT(w.record().sequence, last); }
		for (auto const& r : reads) { EXPECT_TRUE(r.called()); EXPECT_LT(r.record().sequence, last); }
		for (auto const& h : hashes) { EXPECT_TRUE(h.called()); EXPECT_LT(h.record().sequence, last); }
	}
}

CONTRACT_TEST_P(files, deleting_drops_the_data_and_the_torrent_may_go_on, 27)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	EXPECT_FALSE(disk.delete_files(s, lt::session::delete_files).wait().error.ec);
	for (auto const& b : t.blocks()) expect_missing(disk.read(s, b));
	disk.write_all(s);
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(files, deleting_the_part_file_alone_drops_nothing, 27)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	EXPECT_FALSE(disk.delete_files(s, lt::session::delete_partfile).wait().error.ec);
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(files, the_clear_handler_comes_after_the_operations_on_the_piece, 28)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	lt::piece_index_t const piece{1};
	std::vector<pending<write_result>> writes;
	pending<hash_result> hash;
	pending<clear_result> clear;
	disk.event([&] {
		for (auto const& b : t.blocks(piece)) writes.push_back(disk.write(s, b));
		hash = disk.hash(s, piece);
		clear = disk.clear_piece(s, piece);
	});
	EXPECT_EQ(clear.wait().piece, piece);
	for (auto const& w : writes) EXPECT_LT(w.wait().error.ec ? 0 : w.record().sequence.load()
		, clear.record().sequence);
	EXPECT_TRUE(hash.called());
	EXPECT_LT(hash.record().sequence, clear.record().sequence);
	expect_right_hash(hash, t, piece);
}

CONTRACT_TEST_P(files, cleared_blocks_are_gone, 28)
{
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	lt::piece_index_t const piece{0};
	EXPECT_EQ(disk.clear_piece(s, piece).wait().piece, piece);
	for (auto const& b : t.blocks(piece))
	{
		auto const read = disk.read(s, b);
		if (!deviates()) expect_missing(read);
		else { EXPECT_TRUE(read.wait().bytes() == t.bytes(b)); }
	}
	// Other pieces stay, and the piece can be had again.
	for (auto const& b : t.blocks(lt::piece_index_t{1}))
		EXPECT_TRUE(disk.read(s, b).wait().bytes() == t.bytes(b));
	disk.write_piece(s, piece);
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(files, moving_reports_the_new_path_and_keeps_the_data, 29)
{
	test_torrent const t(shape_named("hybrid_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	auto const moved = disk.move(s, "new place");
	EXPECT_EQ(without_flags(moved.wait().status), lt::status_t::no_error);
	EXPECT_FALSE(moved.wait().error.ec) << moved.wait().error.ec.message();
	EXPECT_EQ(moved.wait().path, disk.path("new place"));
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(files, renaming_reports_the_new_name_and_keeps_the_data, 29)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	lt::file_index_t const file{2};
	auto const renamed = disk.rename(s, file, "other.bin");
	EXPECT_FALSE(renamed.wait().error.ec) << renamed.wait().error.ec.message();
	EXPECT_EQ(renamed.wait().name, "other.bin");
	EXPECT_EQ(renamed.wait().file, file);
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(files, priorities_come_back_as_given, 29)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	lt::aux::vector<lt::download_priority_t, lt::file_index_t> all(
		static_cast<std::size_t>(t.files().num_files()), lt::top_priority);
	auto const full = disk.set_priorities(s, all);
	EXPECT_FALSE(full.wait().error.ec);
	EXPECT_EQ(full.wait().priorities, all);

	auto const some = disk.set_priorities(s, {lt::low_priority});
	EXPECT_FALSE(some.wait().error.ec);
	auto const& now = some.wait().priorities;
	ASSERT_GE(now.size(), 1u);
	EXPECT_EQ(now.front(), lt::low_priority);
	for (std::size_t i = 1; i < now.size(); ++i)
		EXPECT_EQ(now[lt::file_index_t{static_cast<int>(i)}], lt::default_priority);
	expect_all_readable(disk, s);
}

// What was downloaded of a file stays there when it is no longer wanted.
CONTRACT_TEST_P(files, an_unwanted_file_keeps_what_it_has, 29)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	auto const set = disk.set_priorities(s, {lt::dont_download, lt::dont_download, lt::dont_download});
	EXPECT_FALSE(set.wait().error.ec);
	expect_all_readable(disk, s);
}

CONTRACT_TEST_P(files, fences_come_after_the_operations_before_them, 29)
{
	if (auto const why = deviates()) GTEST_SKIP() << *why;
	test_torrent const t(shape_named("v1_256k_pieces"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	std::vector<pending<hash_result>> hashes;
	std::vector<std::pair<int, call_record const*>> fences;  // (hashes before it, its handler)
	pending<move_result> move;
	pending<rename_result> rename;
	pending<priority_result> priority;
	pending<done_result> release;
	disk.event([&] {
		auto const two_hashes = [&] {
			for (auto const p : {lt::piece_index_t{0}, lt::piece_index_t{1}})
				hashes.push_back(disk.hash(s, p));
		};
		two_hashes();
		move = disk.move(s, "moved");
		two_hashes();
		rename = disk.rename(s, lt::file_index_t{0}, "renamed");
		two_hashes();
		priority = disk.set_priorities(s, {lt::low_priority});
		two_hashes();
		release = disk.release_files(s);
	});
	release.wait();
	fences = {{2, &move.record()}, {4, &rename.record()}
		, {6, &priority.record()}, {8, &release.record()}};
	for (auto const& [before, fence] : fences)
		for (int i = 0; i < before; ++i)
			EXPECT_LT(hashes[static_cast<std::size_t>(i)].record().sequence, fence->sequence)
				<< "hash " << i << ", " << fence->name;
}

CONTRACT_TEST_P(files, no_files_are_open, 30)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto const& s = disk.add(t);
	disk.write_all(s);
	disk.call([&](lt::disk_interface& d) { EXPECT_EQ(d.get_status(s.index).empty(), !deviates()); });
}

CONTRACT_TEST_P(files, the_status_of_an_index_that_is_gone_or_never_was_is_empty, 30)
{
	test_torrent const t(shape_named("v1_many_files"));
	auto& s = disk.add(t);
	disk.remove(s);
	disk.call([&](lt::disk_interface& d) {
		EXPECT_TRUE(d.get_status(s.index).empty());
		EXPECT_TRUE(d.get_status(lt::storage_index_t{1000}).empty());
	});
}

} // namespace slipstream::test
