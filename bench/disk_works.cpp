#include "disk_works.hpp"

#include "disk_answers.hpp"

#include <libtorrent/disk_observer.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <random>

namespace slipstream::bench {

namespace {

constexpr double giga = 1e9;
constexpr int blocks_an_event = 4; // 64 KiB, a full read of a socket

double us_since(std::chrono::steady_clock::time_point const start)
{ return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count(); }

// Blocks in random order inside a window of eight pieces that moves on as a whole.
std::vector<std::int64_t> windowed_order(std::int64_t const num_blocks, int const piece_blocks)
{
	std::vector<std::int64_t> order(static_cast<std::size_t>(num_blocks));
	for (std::size_t i = 0; i < order.size(); ++i) order[i] = std::int64_t(i);
	std::mt19937 random(7);
	auto const window = std::ptrdiff_t(8) * piece_blocks;
	for (auto i = order.begin(); i < order.end(); i += std::min(window, order.end() - i))
		std::shuffle(i, i + std::min(window, order.end() - i), random);
	return order;
}

// -- writing, with or without hashes

class filling final : public lt::disk_observer, public std::enable_shared_from_this<filling>
{
public:
	filling(disk_driver& d, content& c, lt::storage_index_t const where, bool const hashed
		, std::vector<std::int64_t> order)
		: m_driver(d), m_content(c), m_where(where), m_hashed(hashed), m_order(std::move(order))
		, m_missing(static_cast<std::size_t>(c.num_pieces()), c.piece_blocks())
	{}

	void start() { again(); }
	void on_disk() override
	{
		m_stopped = false;
		again();
	}

private:
	void again() { boost::asio::post(m_driver.ios(), [self = shared_from_this()] { self->step(); }); }

	void step()
	{
		for (int i = 0; i < blocks_an_event && m_next < m_order.size() && !m_stopped; ++i) write(m_order[m_next++]);
		m_driver.disk().submit_jobs();
		if (m_next < m_order.size() && !m_stopped) again();
	}

	void write(std::int64_t const block)
	{
		auto const r = m_content.request(block);
		++m_outstanding;
		m_stopped = m_driver.disk().async_write(m_where, r, m_content.block(block), shared_from_this()
			, [this](lt::storage_error const& e) { must(e, "write"); finished(); });
		auto const piece = static_cast<int>(r.piece);
		if (--m_missing[std::size_t(piece)] == 0 && m_hashed) hash(piece);
	}

	void hash(int const piece)
	{
		++m_outstanding;
		bool const v1 = m_content.kind() == protocol::v1;
		auto v2 = std::make_shared<std::vector<lt::sha256_hash>>(v1 ? 0u : unsigned(m_content.piece_blocks()));
		m_driver.disk().async_hash(m_where, lt::piece_index_t(piece), *v2
			, v1 ? lt::disk_interface::v1_hash : lt::disk_job_flags_t{}
			, [this, piece, v1, v2](lt::piece_index_t, lt::sha1_hash const& got, lt::storage_error const& e) {
				must(e, "hash");
				if (v1 ? !m_content.is_right(piece, got) : !m_content.is_right(piece, *v2)) wrong("hash");
				finished();
			});
	}

	void finished() { if (--m_outstanding == 0 && m_next == m_order.size()) m_driver.done(); }

	disk_driver& m_driver;
	content& m_content;
	lt::storage_index_t const m_where;
	bool const m_hashed;
	std::vector<std::int64_t> const m_order;
	std::vector<int> m_missing;
	std::size_t m_next = 0;
	int m_outstanding = 0;
	bool m_stopped = false;
};

moment fill_all(disk_driver& d, content& c, lt::storage_index_t const where, bool const hashed)
{
	auto const f = std::make_shared<filling>(d, c, where, hashed, windowed_order(c.num_blocks(), c.piece_blocks()));
	return d.measure([&] { f->start(); });
}

// -- reading

class reading
{
public:
	reading(disk_driver& d, content& c, lt::storage_index_t const where, read_options const& o, bool const every_byte)
		: m_driver(d), m_content(c), m_where(where), m_options(o), m_every_byte(every_byte) {}

	void start() { pump(); }
	std::vector<double> latencies; // us

private:
	void pump()
	{
		m_pumping = true;
		int issued = 0;
		for (; m_outstanding < m_options.depth && m_next < m_options.reads; ++issued) read();
		m_pumping = false;
		if (issued > 0) m_driver.disk().submit_jobs();
		if (m_outstanding == 0) m_driver.done();
	}

	void read()
	{
		auto const last = m_content.num_blocks() - 1;
		auto block = std::int64_t(m_random() % std::uint64_t(last));
		if (m_options.straddling && block % m_content.piece_blocks() == m_content.piece_blocks() - 1) --block;
		auto r = m_content.request(block);
		if (m_options.straddling) r.start += block_bytes / 2;
		++m_next;
		++m_outstanding;
		auto const start = std::chrono::steady_clock::now();
		m_driver.disk().async_read(m_where, r
			, [this, block, start](lt::disk_buffer_holder const b, lt::storage_error const& e) {
				if (!m_every_byte) latencies.push_back(us_since(start));
				must(e, "read");
				check(block, b.data());
				--m_outstanding;
				if (!m_pumping) pump();
			});
	}

	void check(std::int64_t const block, char const* const bytes)
	{
		constexpr int half = block_bytes / 2;
		bool right = false;
		if (!m_every_byte)
			right = m_options.straddling ? m_content.stamped(block + 1, bytes + half) : m_content.stamped(block, bytes);
		else if (m_options.straddling)
			right = m_content.equals(block, half, bytes, half) && m_content.equals(block + 1, 0, bytes + half, half);
		else
			right = m_content.equals(block, 0, bytes, block_bytes);
		if (!right) wrong("read");
	}

	disk_driver& m_driver;
	content& m_content;
	lt::storage_index_t const m_where;
	read_options const m_options;
	bool const m_every_byte;
	std::mt19937_64 m_random{11};
	int m_next = 0;
	int m_outstanding = 0;
	bool m_pumping = false;
};

// Reads all there is, in order, and compares.
class proof
{
public:
	proof(disk_driver& d, content& c, lt::storage_index_t const where) : m_driver(d), m_content(c), m_where(where) {}
	void start()
	{
		if (m_next == m_content.num_blocks()) return m_driver.done();
		auto const block = m_next++;
		m_driver.disk().async_read(m_where, m_content.request(block)
			, [this, block](lt::disk_buffer_holder const b, lt::storage_error const& e) {
				must(e, "read");
				if (!m_content.equals(block, 0, b.data(), block_bytes)) wrong("read");
				boost::asio::post(m_driver.ios(), [this] { start(); });
			});
		m_driver.disk().submit_jobs();
	}

private:
	disk_driver& m_driver;
	content& m_content;
	lt::storage_index_t const m_where;
	std::int64_t m_next = 0;
};

void prove(disk_driver& d, content& c, lt::storage_index_t const where)
{
	proof p(d, c, where);
	static_cast<void>(d.measure([&] { p.start(); }));
}

// Ends as a session does: on the network thread, after everything.
void remove(disk_driver& d, lt::storage_holder& h)
{
	static_cast<void>(d.measure([&] { h.reset(); d.done(); }));
}

} // namespace

figures fill(std::string const& disk, fill_options const& o)
{
	content c("film", o.total_bytes / block_bytes, o.piece_blocks, o.kind, 1);
	if (o.hashed) c.compute_hashes();
	warm_memory(2 * o.total_bytes);
	disk_driver d(disk, o.total_bytes + headroom_bytes, 1);
	auto where = d.add(c);
	auto const took = fill_all(d, c, where, o.hashed);
	prove(d, c, where);
	remove(d, where);
	auto const gb = double(o.total_bytes) / giga;
	return {{"wall_gbs", gb / took.wall}, {"cpu", took.process_cpu / gb}, {"net", took.thread_cpu / gb}};
}

figures hash_latency(std::string const& disk)
{
	using clock = std::chrono::steady_clock;
	constexpr int piece_blocks = 256;
	constexpr int pieces = 64;
	content c("film", piece_blocks * pieces, piece_blocks, protocol::v1, 2);
	c.compute_hashes();
	warm_memory(2 * c.num_blocks() * block_bytes);
	disk_driver d(disk, c.num_blocks() * block_bytes + headroom_bytes, 1);
	auto where = d.add(c);
	std::vector<double> latencies;
	static_cast<void>(d.measure([&] {
		auto const gap = std::chrono::nanoseconds(std::int64_t(block_bytes)); // 1 GB/s: 1 ns a byte
		auto due = clock::now();
		for (std::int64_t b = 0; b < c.num_blocks(); ++b)
		{
			// As a busy network thread: what is due runs while the next block comes.
			// Late is late: blocks do not bunch up to make good for it.
			due = std::max(due + gap, clock::now());
			do if (!d.ios().poll_one()) std::this_thread::yield(); while (clock::now() < due);
			auto const start = clock::now();
			d.disk().async_write(where, c.request(b), c.block(b), nullptr
				, [](lt::storage_error const& e) { must(e, "write"); });
			auto const piece = static_cast<int>(b / piece_blocks);
			if (b % piece_blocks == piece_blocks - 1)
				d.disk().async_hash(where, lt::piece_index_t(piece), {}, lt::disk_interface::v1_hash
					, [&, start, piece](lt::piece_index_t, lt::sha1_hash const& got, lt::storage_error const& e) {
						must(e, "hash");
						if (!c.is_right(piece, got)) wrong("hash");
						latencies.push_back(us_since(start));
					});
			d.disk().submit_jobs();
		}
		while (latencies.size() < pieces) d.ios().run_one();
		d.done();
	}));
	remove(d, where);
	return {{"p50", percentile(latencies, 0.5)}, {"p99", percentile(latencies, 0.99)}};
}

figures random_reads(std::string const& disk, read_options const& o)
{
	content c("film", (std::int64_t{256} << 20) / block_bytes, 16, protocol::v1, 3);
	disk_driver d(disk, c.num_blocks() * block_bytes + headroom_bytes, 1);
	auto where = d.add(c);
	static_cast<void>(fill_all(d, c, where, false));
	reading timed(d, c, where, o, false);
	timed.latencies.reserve(static_cast<std::size_t>(o.reads));
	auto const took = d.measure([&] { timed.start(); });
	reading checked(d, c, where, o, true);
	static_cast<void>(d.measure([&] { checked.start(); }));
	remove(d, where);
	return {{"p50", percentile(timed.latencies, 0.5)}, {"p99", percentile(timed.latencies, 0.99)}
		, {"ops", o.reads / took.wall}, {"cpu", took.process_cpu / o.reads * 1e6}, {"net", took.thread_cpu / o.reads * 1e6}};
}

figures removal(std::string const& disk)
{
	content c("film", (std::int64_t{1} << 30) / block_bytes, 16, protocol::v1, 4);
	disk_driver d(disk, c.num_blocks() * block_bytes + headroom_bytes, 1);
	auto where = d.add(c);
	static_cast<void>(fill_all(d, c, where, false));
	double longest = 0;
	auto const took = d.measure([&] {
		auto start = std::chrono::steady_clock::now();
		d.disk().async_stop_torrent(where, [&] { d.done(); });
		longest = us_since(start);
		start = std::chrono::steady_clock::now();
		where.reset();
		longest = std::max(longest, us_since(start));
		d.disk().submit_jobs();
	});
	return {{"net", took.thread_cpu * 1e3}, {"longest", longest}};
}

} // namespace slipstream::bench
