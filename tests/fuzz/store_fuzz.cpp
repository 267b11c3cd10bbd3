// A stream of operations on a piece store, beside the same on a plain model (tests/model). The input: the shape of a torrent, then
// an operation and its place, again and again.
#include "fuzz/fuzz.hpp"

#include "block/block_pool.hpp"
#include "model/plain_model.hpp"
#include "store/piece_store.hpp"

#include <optional>
#include <vector>

namespace slipstream::fuzz {
namespace {

using test::serial;

constexpr std::int64_t max_blocks = 64, reserved_blocks = 1;

// A piece on its way through a hash worker.
struct hashed
{
	int piece;
	std::vector<block_ref> blocks;
	std::vector<serial> numbers;
};

// Two files with padding between them, in pieces of 1 to 8 blocks; the last block is short.
geometry shape_from(input& in)
{
	int const piece_length = int{block_bytes} << in.below(4);
	std::int64_t const first = std::int64_t{in.below(6)} * piece_length + in.below(piece_length) + 1;
	lt::file_storage files;
	files.set_piece_length(piece_length);
	files.add_file("film/a", first);
	files.add_file("film/.pad/1", (piece_length - first % piece_length) % piece_length + (in.below(4) == 0 ? piece_length : 0)
		, lt::file_storage::flag_pad_file);
	files.add_file("film/b", std::int64_t{1 + in.below(12)} * piece_length / 2 + 5);
	files.set_num_pieces(static_cast<int>((files.total_size() + piece_length - 1) / piece_length));
	return geometry(files);
}

class operations
{
public:
	explicit operations(geometry const& shape) : m_store(shape), m_plain(m_store.shape(), m_plain_pool) {}

	void run(input& in)
	{
		while (!in.empty())
		{
			step(in.byte(), in.byte() % m_store.shape().num_pieces(), in.byte());
			compare();
		}
		m_jobs.clear();
		static_cast<void>(m_store.take_all());
		expect(m_pool.used_blocks() == 0, "every block comes home");
	}

private:
	void step(int const what, int const piece, int const place)
	{
		lt::piece_index_t const index(piece);
		int const block = place % m_store.shape().num_blocks(index);
		switch (what % 7)
		{
			case 0: case 1: return put(piece, block);
			case 2:
				expect(m_store.drop(index) == m_plain.drop(piece), "drop answers what the piece was");
				return;
			case 3:
				expect(m_store.mark_verified(index) == m_plain.mark_verified(piece), "what is complete can be verified");
				return;
			case 4: return begin_hash(piece);
			case 5: return end_hash(place);
			default:
				if (place % 16 == 1) return drop_block(piece, place / 16 % m_store.shape().num_blocks(index));
				if (place % 16 != 0) return;
				expect(m_store.verified().size() == m_plain.clear().size(), "as many are verified");
				static_cast<void>(m_store.take_all());
				return;
		}
	}

	void put(int const piece, int const block)
	{
		if (m_store.shape().is_padding(lt::piece_index_t(piece), block)) return; // never transferred
		auto bytes = m_pool.acquire();
		if (!bytes) return expect(m_pool.used_blocks() == max_blocks - reserved_blocks, "only a full pool has no block");
		serial const number = m_next++;
		test::fill(bytes.bytes(), number);
		m_plain_pool.hold(number);
		bool const lost = m_store.put(lt::piece_index_t(piece), block, std::move(bytes).freeze());
		expect(lost == m_plain.put(piece, block, number), "a write into a verified piece says so");
		m_plain_pool.let_go(number);
	}

	void drop_block(int const piece, int const block)
	{
		bool const was = m_store.drop_unverified(lt::piece_index_t(piece), block);
		expect(was == m_plain.drop_unverified(piece, block), "one block goes exactly when it is here and not verified");
	}

	void begin_hash(int const piece)
	{
		piece_state state{};
		lt::piece_index_t const index(piece);
		auto blocks = m_store.blocks(index, 0, m_store.shape().num_blocks(index), state);
		auto const numbers = m_plain.blocks(piece);
		if (state == piece_state::complete && m_jobs.size() < 4) m_jobs.push_back({piece, std::move(blocks), numbers});
	}

	void end_hash(int const which)
	{
		if (m_jobs.empty()) return;
		auto const at = m_jobs.begin() + which % static_cast<int>(m_jobs.size());
		hashed job = std::move(*at);
		m_jobs.erase(at);
		bool const is = m_store.mark_verified(lt::piece_index_t(job.piece), std::move(job.blocks));
		expect(is == m_plain.mark_verified(job.piece, job.numbers), "what was hashed becomes the piece's");
	}

	void compare()
	{
		expect(m_store.num_blocks() == m_plain.num_blocks(), "as many blocks");
		for (int piece = 0; piece < m_store.shape().num_pieces(); ++piece)
		{
			lt::piece_index_t const index(piece);
			expect(m_store.state(index) == m_plain.state(piece), "a piece's state");
			for (int block = 0; block < m_store.shape().num_blocks(index); ++block)
			{
				block_ref const have = m_store.block(index, block);
				serial const wanted = m_plain.block(piece, block);
				expect(bool(have) == (wanted != 0), "a block is here");
				if (have) expect(test::is_filled(have.bytes(), wanted, true), "a block's bytes are what was put");
			}
		}
	}

	block_pool m_pool{max_blocks, reserved_blocks};
	test::plain_pool m_plain_pool;
	piece_store m_store;
	test::plain_store m_plain;
	std::vector<hashed> m_jobs;
	serial m_next = 1;
};

} // namespace
} // namespace slipstream::fuzz

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* const bytes, std::size_t const size)
{
	// Long ones find nothing that short ones do not.
	slipstream::fuzz::input in(bytes, std::min<std::size_t>(size, 600));
	slipstream::geometry const shape = slipstream::fuzz::shape_from(in);
	slipstream::fuzz::operations(shape).run(in);
	return 0;
}
