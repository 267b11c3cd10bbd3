#include "store/arriving_hashes.hpp"

#include <libtorrent/create_torrent.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <random>

using namespace slipstream;

namespace {

using piece = lt::piece_index_t;

constexpr int piece_bytes = 1 << 20;

struct waiting_sink final : hash_sink
{
	std::mutex m;
	std::condition_variable c;
	std::unique_ptr<hash_job> job;

	void hashed(std::unique_ptr<hash_job> j) noexcept override
	{
		std::lock_guard const lock(m);
		job = std::move(j);
		c.notify_all();
	}
	std::unique_ptr<hash_job> wait()
	{
		std::unique_lock lock(m);
		if (!c.wait_for(lock, std::chrono::seconds(60), [&] { return job != nullptr; })) return nullptr;
		return std::move(job);
	}
};

// Pieces 0 and 1; padding is real: the first file ends inside a block of piece 1, two blocks before its end.
geometry shape()
{
	lt::file_storage fs;
	fs.add_file("t/a", piece_bytes * 2 - 2 * int(block_bytes) - 5000);
	fs.add_file("t/b", piece_bytes + 40'000);
	return geometry(lt::create_torrent(fs, piece_bytes, lt::create_torrent::canonical_files).files());
}

std::string digest(std::vector<char> const& bytes, bool const sha1)
{
	unsigned char d[32];
	auto const* const p = reinterpret_cast<unsigned char const*>(bytes.data());
	if (sha1) SHA1(p, bytes.size(), d); else SHA256(p, bytes.size(), d);
	return {reinterpret_cast<char const*>(d), sha1 ? 20u : 32u};
}

template <typename Digest>
std::string text(Digest const& d) { return {reinterpret_cast<char const*>(d.data()), std::size_t(d.size())}; }

class arriving : public testing::Test
{
protected:
	arriving() { workers.want_threads(2); }

	block_pool pool{1000, 1};
	hasher workers;
	waiting_sink sink;
	piece_store store{shape()};
	std::mt19937 random{1};
	std::map<std::pair<int, int>, char> bytes_of; // what each block is filled with

	void write(arriving_hashes& a, int const p, int const b)
	{
		auto const fill = char(random());
		auto block = pool.acquire();
		ASSERT_TRUE(bool(block));
		std::memset(block.bytes(), fill, block_bytes);
		store.shape().clear_padding(piece(p), b * int(block_bytes), store.shape().block_length(piece(p), b), block.bytes());
		bytes_of[{p, b}] = fill;
		static_cast<void>(store.put(piece(p), b, std::move(block).freeze()));
		a.arrived(piece(p), b);
	}

	std::vector<char> content(int const p, int const length)
	{
		std::vector<char> bytes(std::size_t(store.shape().piece_bytes(piece(p))));
		for (auto const& [at, fill] : bytes_of)
			if (at.first == p)
				std::fill_n(bytes.begin() + at.second * std::ptrdiff_t(block_bytes)
					, store.shape().block_length(piece(p), at.second), fill);
		store.shape().clear_padding(piece(p), 0, int(bytes.size()), bytes.data());
		bytes.resize(std::size_t(length));
		return bytes;
	}

	// Asks for the hash as the disk does, and compares. Answers whether there was a run.
	bool hash(arriving_hashes& a, int const p, bool const v1, bool const v2)
	{
		auto const& s = store.shape();
		auto job = std::make_unique<hash_job>();
		piece_state state{};
		job->sink = &sink;
		job->blocks = store.blocks(piece(p), 0, s.num_blocks(piece(p)), state);
		EXPECT_EQ(state, piece_state::complete);
		std::vector<lt::sha256_hash> hashes(std::size_t(s.num_blocks2(piece(p))));
		job->bytes1 = v1 ? s.piece_bytes(piece(p)) : 0;
		job->bytes2 = v2 ? s.piece_bytes2(piece(p)) : 0;
		if (v2) job->v2 = hashes;
		job->run = a.take(piece(p), v1, v2);
		bool const had_run = job->run != nullptr;
		auto const all = content(p, s.piece_bytes(piece(p)));
		workers.submit(std::move(job));
		auto const done = sink.wait();
		workers.wait_for(sink);
		if (!done) { ADD_FAILURE() << "no hash"; return false; }
		if (v1) { EXPECT_EQ(text(done->v1), digest(all, true)) << "piece " << p; }
		for (std::size_t b = 0; v2 && b < hashes.size(); ++b)
		{
			auto const length = std::min(block_bytes, std::size_t(s.piece_bytes2(piece(p))) - b * block_bytes);
			std::vector<char> const one(all.begin() + std::ptrdiff_t(b * block_bytes)
				, all.begin() + std::ptrdiff_t(b * block_bytes + length));
			EXPECT_EQ(text(hashes[b]), digest(one, false)) << "piece " << p << " block " << b;
		}
		return had_run;
	}

	std::vector<int> blocks_of(int const p)
	{
		std::vector<int> blocks;
		for (int b = 0; b < store.shape().num_blocks(piece(p)); ++b)
			if (!store.shape().is_padding(piece(p), b)) blocks.push_back(b);
		return blocks;
	}
};

TEST_F(arriving, a_piece_that_came_in_any_order_has_the_hash_of_its_bytes)
{
	for (auto const& [v1, v2] : {std::pair{true, false}, {false, true}, {true, true}})
	{
		SCOPED_TRACE(testing::Message() << "v1 " << v1 << " v2 " << v2);
		arriving_hashes a(store, workers, v1, v2);
		for (int round = 0; round < 20; ++round)
		{
			auto const p = round % 2; // both are large enough
			auto order = blocks_of(p);
			if (round >= 2) std::shuffle(order.begin(), order.end(), random);
			for (int const b : order) write(a, p, b);
			EXPECT_TRUE(hash(a, p, v1, v2));
			store.drop(piece(p));
		}
	}
}

TEST_F(arriving, a_block_that_is_written_again_counts_with_its_last_bytes)
{
	for (auto const& [v1, v2] : {std::pair{true, false}, {false, true}, {true, true}})
	{
		SCOPED_TRACE(testing::Message() << "v1 " << v1 << " v2 " << v2);
		arriving_hashes a(store, workers, v1, v2);
		for (int round = 0; round < 20; ++round)
		{
			auto order = blocks_of(0);
			std::shuffle(order.begin(), order.end(), random);
			for (std::size_t i = 0; i < order.size(); ++i)
			{
				write(a, 0, order[i]);
				if (random() % 8 == 0) write(a, 0, order[random() % (i + 1)]);
			}
			static_cast<void>(hash(a, 0, v1, v2));
			// The piece failed, say, and one block of it comes again.
			write(a, 0, order[random() % order.size()]);
			static_cast<void>(hash(a, 0, v1, v2));
			store.drop(piece(0));
			a.forget(piece(0));
		}
	}
}

TEST_F(arriving, what_was_begun_for_one_kind_of_hash_serves_no_other)
{
	arriving_hashes a(store, workers, false, true);
	for (int const b : blocks_of(0)) write(a, 0, b);
	EXPECT_TRUE(hash(a, 0, true, true)); // a hybrid torrent, as it turns out
	for (int const b : blocks_of(1)) write(a, 1, b);
	EXPECT_TRUE(hash(a, 1, true, true));
}

TEST_F(arriving, a_piece_that_came_out_of_order_is_not_begun_for_v1_when_another_was_asked_for_it)
{
	arriving_hashes a(store, workers, false, true);
	auto later = blocks_of(1);
	std::reverse(later.begin(), later.end());
	// Too few to be given to a worker.
	for (std::size_t i = 0; i < 3; ++i) write(a, 1, later[i]);
	for (int const b : blocks_of(0)) write(a, 0, b);
	static_cast<void>(hash(a, 0, true, true)); // a hybrid torrent, as it turns out
	for (std::size_t i = 3; i < later.size(); ++i) write(a, 1, later[i]);
	auto const run = a.take(piece(1), true, true);
	ASSERT_TRUE(run);
	EXPECT_EQ(run->bytes1, 0) << "its blocks come in the wrong order for that";
	workers.abandon(*run);
}

TEST_F(arriving, a_piece_that_is_dropped_and_comes_again_is_hashed_anew)
{
	arriving_hashes a(store, workers, true, true);
	auto const blocks = blocks_of(0);
	for (int const b : blocks) if (b != blocks.back()) write(a, 0, b);
	a.forget(piece(0));
	store.drop(piece(0));
	bytes_of.clear();
	for (int const b : blocks) write(a, 0, b);
	EXPECT_TRUE(hash(a, 0, true, true));
}

TEST_F(arriving, small_pieces_are_hashed_when_they_are_complete)
{
	lt::file_storage fs;
	fs.add_file("small", 256 << 10);
	piece_store small(geometry(lt::create_torrent(fs, 256 << 10, lt::create_torrent::v1_only).files()));
	arriving_hashes a(small, workers, true, false);
	for (int b = 0; b < 16; ++b)
	{
		static_cast<void>(small.put(piece(0), b, pool.acquire().freeze()));
		a.arrived(piece(0), b);
	}
	EXPECT_FALSE(a.take(piece(0), true, false));
}

TEST_F(arriving, blocks_that_nobody_wants_any_more_come_home)
{
	{
		arriving_hashes a(store, workers, true, true);
		for (int const b : blocks_of(0)) if (b % 5 != 4) write(a, 0, b);
		for (int const b : blocks_of(1)) if (b != 20) write(a, 1, b);
		store.drop(piece(0));
		a.forget(piece(0));
		static_cast<void>(store.take_all());
		a.clear();
	}
	// What a worker had taken comes home when it has hashed it.
	auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
	while (pool.used_blocks() > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
	EXPECT_EQ(pool.used_blocks(), 0);
}

} // namespace
