// Storage slots, reused with operations pending: failure 4 of docs/design.md, a million times.
#include "stress/scale.hpp"
#include "support/stepped_disk.hpp"

#include <slipstream/memory_disk.hpp>

#include <boost/asio/error.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <set>
#include <vector>

namespace slipstream::test {

namespace {

constexpr int piece_bytes = 64; // v1 allows it; a life costs microseconds then
constexpr int num_pieces = 4;
using piece_content = std::array<char, piece_bytes>;

piece_content content(std::uint64_t const life, int const piece)
{
	piece_content c;
	for (std::size_t i = 0; i < c.size(); i += sizeof life)
	{
		auto const w = (life * num_pieces + std::uint64_t(piece) + 1) * 0x9e3779b97f4a7c15u + i;
		std::memcpy(c.data() + i, &w, sizeof w);
	}
	return c;
}

lt::sha1_hash name_of(std::uint64_t const life)
{
	lt::sha1_hash h;
	std::memcpy(h.data(), &life, sizeof life);
	return h;
}

class slot_lives
{
public:
	slot_lives()
	{
		m_files.set_piece_length(piece_bytes);
		m_files.add_file("film", num_pieces * piece_bytes);
		m_files.set_num_pieces(num_pieces);
	}

	void live(std::uint64_t const life)
	{
		auto holder = m_stepped.add(m_files, name_of(life));
		lt::storage_index_t const index = holder;
		m_slots.insert(static_cast<std::uint32_t>(index) & 0xfffff); // storage_slots.hpp: the slot's number
		// Nothing of an earlier life is here, though its operations are still under way.
		read(index, life, 0, nothing);
		// What the earlier life would still ask for meets nobody.
		if (life > 0)
		{
			write(m_before, life - 1, 1, false);
			read(m_before, life - 1, 1, nothing);
			hash(m_before, life - 1, 1, false);
		}
		for (int p = 0; p < num_pieces; ++p) write(index, life, p, true);
		for (int p = 0; p < num_pieces; ++p) read(index, life, p, right);
		// A worker is woken for each of these, which is most of a life's time.
		if (life % 16 == 0) for (int p = 0; p < num_pieces; ++p) hash(index, life, p, true);
		m_before = index;
		holder.reset(); // with all of it pending
		if (m_random() % 16 == 0) m_stepped.deliver();
		if (m_held.size() > 64) m_held.clear();
	}

	void end()
	{
		m_stepped.run_dry();
		m_held.clear();
		EXPECT_EQ(m_stepped.delivered(), m_stepped.calls());
		EXPECT_EQ(m_disk.stats().used_bytes, 0);
		EXPECT_EQ(m_disk.stats().torrents, 0);
		EXPECT_LT(m_slots.size(), 64u) << "slots are reused";
		EXPECT_EQ(m_wrong, 0) << m_first_wrong;
	}
	[[nodiscard]] bool all_right() const { return m_wrong == 0; }

private:
	enum outcome { nothing, right };

	void expect(bool const holds, std::uint64_t const life, char const* const what)
	{
		if (holds || m_wrong++ > 0) return;
		m_first_wrong = std::string(what) + ", life " + std::to_string(life);
	}

	void write(lt::storage_index_t const index, std::uint64_t const life, int const piece, bool const works)
	{
		auto const c = content(life, piece);
		m_stepped.disk().async_write(index, {lt::piece_index_t(piece), 0, piece_bytes}, c.data(), nullptr
			, m_stepped.counted([this, life, works](lt::storage_error const& e) {
				expect(bool(e.ec) != works, life, works ? "a write failed" : "a write to an earlier life succeeded");
			}), {});
	}

	void read(lt::storage_index_t const index, std::uint64_t const life, int const piece, outcome const o)
	{
		m_stepped.disk().async_read(index, {lt::piece_index_t(piece), 0, piece_bytes}
			, m_stepped.counted([this, life, piece, o](lt::disk_buffer_holder b, lt::storage_error const& e) {
				if (o == nothing) return expect(e.ec && !b, life, "a read of what was never written succeeded");
				expect(!e.ec && b, life, "a read failed");
				auto const c = content(life, piece);
				expect(b && std::memcmp(b.data(), c.data(), c.size()) == 0, life, "a read has another life's bytes");
				if (m_random() % 64 == 0) m_held.push_back(std::move(b));
			}), {});
	}

	void hash(lt::storage_index_t const index, std::uint64_t const life, int const piece, bool const works)
	{
		m_stepped.disk().async_hash(index, lt::piece_index_t(piece), {}, lt::disk_interface::v1_hash
			, m_stepped.counted([this, life, piece, works](lt::piece_index_t, lt::sha1_hash const& h
				, lt::storage_error const& e) {
				if (!works) return expect(bool(e.ec), life, "a hash of an earlier life succeeded");
				auto const c = content(life, piece);
				expect(!e.ec && h == lt::hasher(c.data(), piece_bytes).final(), life, "a hash is another life's");
			}));
	}

	memory_disk m_disk{{.capacity_bytes = 64 << 20, .hash_threads = 1}};
	stepped_disk m_stepped{m_disk.constructor()};
	lt::file_storage m_files;
	std::mt19937 m_random{1};
	lt::storage_index_t m_before{0};
	std::vector<lt::disk_buffer_holder> m_held;
	std::set<std::uint32_t> m_slots;
	int m_wrong = 0;
	std::string m_first_wrong;
};

} // namespace

TEST(stress, a_slot_is_reused_a_million_times_with_operations_pending)
{
	slot_lives lives;
	auto const n = static_cast<std::uint64_t>(scaled(1'000'000));
	for (std::uint64_t life = 0; life < n && lives.all_right(); ++life) lives.live(life);
	lives.end();
}

} // namespace slipstream::test
