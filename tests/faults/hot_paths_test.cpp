// How much memory the hot paths ask for: what is done for each block asks for none, and a hash for as much as is said here. Each
// case is warm: the same was done before, and everything that is used again is there.
#include "faults/allocations.hpp"
#include "support/stepped_disk.hpp"

#include <slipstream/memory_disk.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace slipstream::test {

namespace {

constexpr int num_pieces = 40;
constexpr int piece_blocks = 16;

class warm_disk
{
public:
	warm_disk()
	{
		m_files.set_piece_length(piece_blocks * block_bytes);
		m_files.add_file("film", num_pieces * piece_blocks * block_bytes);
		m_files.set_num_pieces(num_pieces);
		m_holder = m_stepped.add(m_files, lt::sha1_hash("aaaaaaaaaaaaaaaaaaaa"));
		// All but the last piece, of which one block is here.
		for (int p = 0; p < num_pieces; ++p)
			for (int b = 0; b < (p == num_pieces - 1 ? 1 : piece_blocks); ++b) write(p, b);
		m_stepped.run_dry();
		for (int i = 0; i < 4; ++i) read(i, 0), m_stepped.run_dry(), hash(i), m_stepped.run_dry();
		m_done = 0;
	}
	~warm_disk() { m_holder.reset(); }

	// The handlers are as small as a std::function holds without asking for memory: what is counted is the disk's.
	void write(int const piece, int const block)
	{
		m_stepped.disk().async_write(m_holder, {lt::piece_index_t(piece), block * block_bytes, block_bytes}, m_bytes.data(), nullptr
			, [this](lt::storage_error const& e) { m_done += e.ec ? 0 : 1; }, {});
	}
	void read(int const piece, int const offset)
	{
		m_stepped.disk().async_read(m_holder, {lt::piece_index_t(piece), offset, block_bytes}
			, [this](lt::disk_buffer_holder const b, lt::storage_error const& e) { m_done += !e.ec && b ? 1 : 0; }, {});
	}
	void hash(int const piece)
	{
		m_stepped.disk().async_hash(m_holder, lt::piece_index_t(piece), {}, lt::disk_interface::v1_hash
			, [this](lt::piece_index_t, lt::sha1_hash const&, lt::storage_error const& e) { m_done += e.ec ? 0 : 1; });
	}
	// Runs until all is delivered; answers how many operations succeeded.
	int deliver()
	{
		m_stepped.run_dry();
		return std::exchange(m_done, 0);
	}

private:
	std::vector<char> const m_bytes = std::vector<char>(block_bytes, 'x');
	memory_disk m_memory{{.capacity_bytes = 32 << 20, .hash_threads = 1}};
	stepped_disk m_stepped{m_memory.constructor()};
	lt::file_storage m_files;
	lt::storage_holder m_holder;
	int m_done = 0;
};

} // namespace

TEST(hot_paths, reads_of_blocks_in_memory_ask_for_no_memory)
{
	warm_disk d;
	counted_allocations const counted;
	for (int i = 0; i < 20; ++i)
	{
		for (int b = 0; b < 32; ++b) d.read(b, (i + b) % piece_blocks * block_bytes);
		d.read(0, block_bytes / 2); // across two blocks
		ASSERT_EQ(d.deliver(), 33);
	}
	EXPECT_EQ(counted.here(), 0);
	EXPECT_EQ(counted.elsewhere(), 0);
}

TEST(hot_paths, writes_into_a_piece_that_is_begun_ask_for_no_memory)
{
	warm_disk d;
	counted_allocations const counted;
	for (int b = 1; b < piece_blocks; ++b) d.write(num_pieces - 1, b);
	for (int p = 0; p < num_pieces; ++p) d.write(p, p % piece_blocks); // again
	ASSERT_EQ(d.deliver(), piece_blocks - 1 + num_pieces);
	EXPECT_EQ(counted.here(), 0);
	EXPECT_EQ(counted.elsewhere(), 0);
}

TEST(hot_paths, a_hash_asks_for_memory_a_few_times_and_a_worker_never)
{
	constexpr int most = 5; // a piece: the job, its blocks, its run, and two lists' nodes
	warm_disk d;
	counted_allocations const counted;
	for (int p = 0; p < num_pieces - 1; ++p) d.hash(p);
	ASSERT_EQ(d.deliver(), num_pieces - 1);
	EXPECT_LE(counted.here(), most * (num_pieces - 1) + 9) << "9: the lists of jobs grow by parts";
	EXPECT_EQ(counted.elsewhere(), 0);
}

} // namespace slipstream::test
