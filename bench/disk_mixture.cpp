// The mixture of disk_works.hpp: many torrents at once, some of which are deleted and added anew.
#include "disk_works.hpp"

#include "disk_answers.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace slipstream::bench {

namespace {

class mixture
{
public:
	mixture(disk_driver& d, std::vector<std::unique_ptr<content>> const& contents, int const operations)
		: m_driver(d), m_operations(operations)
	{
		for (auto const& c : contents) m_torrents.push_back({c.get(), d.add(*c), {}, 0, false});
	}

	void start() { pump(); }
	void end() { m_torrents.clear(); }

private:
	struct torrent
	{
		content* what;
		lt::storage_holder where;
		std::vector<std::int64_t> written;
		int outstanding = 0;
		bool leaving = false;
	};

	void pump()
	{
		m_pumping = true;
		int issued = 0;
		for (; m_outstanding < 32 && m_next < m_operations; ++issued) operate();
		m_pumping = false;
		if (issued > 0) m_driver.disk().submit_jobs();
		if (m_outstanding == 0) m_driver.done();
	}

	void operate()
	{
		auto* t = &m_torrents[m_random() % m_torrents.size()];
		while (t->leaving) t = &m_torrents[m_random() % m_torrents.size()];
		if (++m_next % 512 == 0)
		{
			t->leaving = true;
			renew_when_idle(*t);
		}
		else if (t->written.empty() || (m_next % 2 == 0 && std::ssize(t->written) < t->what->num_blocks())) write(*t);
		else read(*t);
	}

	void write(torrent& t)
	{
		// In an order that jumps about, each block once: libtorrent's mmap disk does not survive a second write of a block
		// whose first is under way.
		auto const block = std::int64_t(t.written.size()) * 1021 % t.what->num_blocks();
		t.written.push_back(block);
		begin(t);
		m_driver.disk().async_write(t.where, t.what->request(block), t.what->block(block), nullptr
			, [this, &t](lt::storage_error const& e) {
				must(e, "write");
				finished(t);
			});
	}

	void read(torrent& t)
	{
		auto const block = t.written[m_random() % t.written.size()];
		begin(t);
		m_driver.disk().async_read(t.where, t.what->request(block)
			, [this, &t, block](lt::disk_buffer_holder const b, lt::storage_error const& e) {
				must(e, "read");
				// One read in 16 is compared as a whole: all would take more than the work itself.
				bool const whole = block % 16 == 0;
				if (!(whole ? t.what->equals(block, 0, b.data(), block_bytes) : t.what->stamped(block, b.data())))
					wrong("read");
				finished(t);
			});
	}

	// The files of libtorrent's disks stay: they do less than ours, which begins anew.
	void renew_when_idle(torrent& t)
	{
		if (t.outstanding > 0) return;
		begin(t);
		m_driver.disk().async_stop_torrent(t.where, [this, &t] {
			t.where.reset();
			t.where = m_driver.add(*t.what);
			t.written.clear();
			t.leaving = false;
			finished(t);
		});
	}

	void begin(torrent& t)
	{
		++t.outstanding;
		++m_outstanding;
	}

	void finished(torrent& t)
	{
		--t.outstanding;
		--m_outstanding;
		if (t.leaving) renew_when_idle(t);
		if (!m_pumping) pump();
	}

	disk_driver& m_driver;
	int const m_operations;
	std::vector<torrent> m_torrents;
	std::mt19937_64 m_random{13};
	int m_next = 0;
	int m_outstanding = 0;
	bool m_pumping = false;
};

} // namespace

figures mixed(std::string const& disk)
{
	constexpr int torrents = 16;
	constexpr int operations = 60'000;
	std::vector<std::unique_ptr<content>> contents;
	for (int t = 0; t < torrents; ++t)
		contents.push_back(std::make_unique<content>("film" + std::to_string(t), 2048, 16, protocol::v1, 100u + unsigned(t)));
	warm_memory(std::int64_t{2 * torrents} * 2048 * block_bytes);
	disk_driver d(disk, std::int64_t{torrents} * 2048 * block_bytes + headroom_bytes, 1);
	std::unique_ptr<mixture> m;
	static_cast<void>(d.measure([&] { m = std::make_unique<mixture>(d, contents, operations); d.done(); }));
	auto const took = d.measure([&] { m->start(); });
	static_cast<void>(d.measure([&] { m->end(); d.done(); }));
	return {{"ops", operations / took.wall}, {"cpu", took.process_cpu / operations * 1e6}};
}

} // namespace slipstream::bench
