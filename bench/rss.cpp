// RSS against cap: what a process that keeps torrents in memory really costs.
//
// Each row is a process of its own, so that no row inherits another's heap: a real lt::session on a memory disk of
// the given capacity, and real torrents (v1, pieces of 256 KiB) that fill it to the last block through
// torrent_handle::add_piece, which is async_write and async_hash on the disk, as for a peer's bytes. When libtorrent
// has found every piece right, the process reads its own VmRSS and VmHWM; then it removes the torrents and reads VmRSS
// again.
//
// The promise: RSS <= 1.03 cap + 32 MiB at the worst moment (VmHWM), and <= 0.03 cap + 32 MiB when all is removed.
// Exits 0 when it is kept, 1 when it is not, 2 for wrong usage, 77 when the machine has not the memory.
// It is not a measurement of speed.
#include <slipstream/memory_disk.hpp>

#include <libtorrent/alert_types.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/hasher.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_info.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using slipstream::block_size_bytes;

constexpr std::int64_t mib = std::int64_t{1} << 20;
constexpr int piece_bytes = 256 << 10;
constexpr double fixed_mib = 32;
constexpr double share = 0.03;
constexpr int exit_skipped = 77;

struct row
{
	std::int64_t cap_bytes = 0;
	int torrents = 0;
};

struct figures
{
	std::int64_t used_bytes = 0;   // of the pool, full
	std::int64_t before_bytes = 0; // RSS with the session and the torrents, and no block yet
	std::int64_t full_bytes = 0;   // RSS
	std::int64_t most_bytes = 0;   // the most that RSS ever was
	std::int64_t empty_bytes = 0;  // RSS when the torrents are removed
};

// "VmRSS:     1234 kB" of /proc/self/status, or "MemAvailable:" of /proc/meminfo.
std::int64_t proc_bytes(char const* const file, std::string const& name)
{
	std::ifstream in(file);
	for (std::string word; in >> word;)
	{
		std::int64_t kib = 0;
		if (word == name + ':' && in >> kib) return kib * 1024;
	}
	throw std::runtime_error(std::string(file) + " has no " + name);
}

std::int64_t rss_bytes() { return proc_bytes("/proc/self/status", "VmRSS"); }

// -- torrents

// All pieces of a torrent are alike, so that its hashes cost nothing; no two torrents are.
std::vector<char> content_of_piece(int const torrent)
{
	std::vector<char> bytes(piece_bytes);
	auto x = static_cast<std::uint32_t>(torrent) * 2654435761u + 1;
	for (char& c : bytes)
	{
		x = x * 1664525 + 1013904223;
		c = static_cast<char>(x >> 24);
	}
	return bytes;
}

std::shared_ptr<lt::torrent_info> make_torrent(int const number, std::int64_t const size_bytes
	, std::vector<char> const& piece)
{
	lt::file_storage files;
	files.add_file("film" + std::to_string(number) + ".mkv", size_bytes);
	lt::create_torrent made(files, piece_bytes, lt::create_torrent::v1_only);
	auto const hash = lt::hasher(piece.data(), piece_bytes).final();
	for (auto const p : made.files().piece_range())
	{
		int const size = made.files().piece_size(p);
		made.set_hash(p, size == piece_bytes ? hash : lt::hasher(piece.data(), size).final());
	}
	std::vector<char> encoded;
	lt::bencode(std::back_inserter(encoded), made.generate());
	return std::make_shared<lt::torrent_info>(encoded, lt::from_span);
}

// -- one row, in this process

lt::session_params quiet_session(slipstream::memory_disk const& disk)
{
	using sp = lt::settings_pack;
	sp s;
	for (int const off : {sp::enable_dht, sp::enable_lsd, sp::enable_upnp, sp::enable_natpmp}) s.set_bool(off, false);
	s.set_str(sp::listen_interfaces, "127.0.0.1:0");
	s.set_int(sp::alert_mask, int(lt::alert_category::error | lt::alert_category::status));
	lt::session_params params(std::move(s));
	params.disk_io_constructor = disk.constructor();
	return params;
}

class filled_session
{
public:
	explicit filled_session(row const& r)
		: m_disk({.capacity_bytes = r.cap_bytes, .hash_threads = 0, .evict = false})
		, m_session(quiet_session(m_disk))
	{
		m_session.add_extension(m_disk.extension());
		// Whole blocks, as evenly as it goes; together all that writes can have.
		auto const blocks = m_disk.stats().writable_bytes / block_size_bytes;
		for (int t = 0; t < r.torrents; ++t)
		{
			auto const mine = blocks / r.torrents + (t < blocks % r.torrents ? 1 : 0);
			lt::add_torrent_params p;
			p.ti = make_torrent(t, mine * block_size_bytes, content_of_piece(t));
			p.save_path = "/nonexistent";
			p.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
			m_num_pieces += p.ti->num_pieces();
			m_torrents.push_back(m_session.add_torrent(std::move(p)));
		}
		wait([&] { return m_checked == r.torrents; }, "the torrents to be checked");
	}

	void fill()
	{
		for (std::size_t t = 0; t < m_torrents.size(); ++t)
		{
			auto const content = content_of_piece(static_cast<int>(t));
			for (auto const p : m_torrents[t].torrent_file()->piece_range())
				m_torrents[t].add_piece(p, content.data());
			take_alerts();
		}
		wait([&] { return m_disk.stats().pieces_verified == m_num_pieces; }, "every piece to be verified");
		auto const s = m_disk.stats();
		if (s.used_bytes != s.writable_bytes || s.writes_refused != 0)
			throw std::runtime_error("the memory is not full: " + std::to_string(s.used_bytes) + " of "
				+ std::to_string(s.writable_bytes) + " bytes, " + std::to_string(s.writes_refused) + " writes refused");
	}

	void empty()
	{
		for (auto const& t : m_torrents) m_session.remove_torrent(t);
		m_torrents.clear();
		wait([&] { auto const s = m_disk.stats(); return s.used_bytes == 0 && s.torrents == 0; }
			, "the memory to be empty");
	}

	[[nodiscard]] std::int64_t used_bytes() const { return m_disk.stats().used_bytes; }

private:
	void take_alerts()
	{
		std::vector<lt::alert*> alerts;
		m_session.pop_alerts(&alerts);
		for (auto* const a : alerts)
		{
			if (lt::alert_cast<lt::torrent_checked_alert>(a)) ++m_checked;
			if (lt::alert_cast<lt::torrent_error_alert>(a) || lt::alert_cast<lt::file_error_alert>(a))
				throw std::runtime_error(a->message());
		}
	}

	// Five minutes at most.
	void wait(std::function<bool()> const& done, char const* const what)
	{
		auto const end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
		for (; !done(); take_alerts())
		{
			if (std::chrono::steady_clock::now() > end)
				throw std::runtime_error(std::string("waited in vain for ") + what);
			m_session.wait_for_alert(std::chrono::milliseconds(10));
		}
	}

	slipstream::memory_disk m_disk;
	lt::session m_session;
	std::vector<lt::torrent_handle> m_torrents;
	std::int64_t m_num_pieces = 0;
	int m_checked = 0;
};

figures measure(row const& r)
{
	filled_session s(r);
	figures f;
	f.before_bytes = rss_bytes();
	s.fill();
	f.used_bytes = s.used_bytes();
	f.full_bytes = rss_bytes();
	f.most_bytes = proc_bytes("/proc/self/status", "VmHWM");
	s.empty();
	f.empty_bytes = rss_bytes();
	return f;
}

// -- rows in processes of their own

bool fits(row const& r)
{
	return double(proc_bytes("/proc/meminfo", "MemAvailable")) > double(r.cap_bytes) * 1.1 + 256 * double(mib);
}

// This program again, told to print figures alone.
figures measure_apart(row const& r)
{
	int ends[2];
	if (pipe(ends) != 0) throw std::runtime_error("no pipe");
	auto const cap = std::to_string(r.cap_bytes);
	auto const torrents = std::to_string(r.torrents);
	pid_t const child = fork();
	if (child < 0) throw std::runtime_error("cannot fork");
	if (child == 0)
	{
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl("/proc/self/exe", "rss", "--figures", "--cap", cap.c_str(), "--torrents", torrents.c_str(), nullptr);
		_exit(127);
	}
	close(ends[1]);
	std::FILE* const in = fdopen(ends[0], "r");
	long long v[5] = {};
	int const got = in ? std::fscanf(in, "%lld %lld %lld %lld %lld", &v[0], &v[1], &v[2], &v[3], &v[4]) : 0;
	if (in) std::fclose(in);
	int status = 0;
	waitpid(child, &status, 0);
	if (got != 5 || status != 0) throw std::runtime_error("the process of cap " + cap + " failed");
	return {v[0], v[1], v[2], v[3], v[4]};
}

std::string size_text(std::int64_t const bytes)
{
	if (bytes % (1024 * mib) == 0) return std::to_string(bytes / (1024 * mib)) + " GiB";
	if (bytes % mib == 0) return std::to_string(bytes / mib) + " MiB";
	return std::to_string(bytes) + " B";
}

// The line of the table. Answers whether the promise is kept.
bool print(row const& r, figures const& f)
{
	auto const in_mib = [](std::int64_t const bytes) { return double(bytes) / double(mib); };
	double const cap = in_mib(r.cap_bytes);
	bool const kept = in_mib(f.most_bytes) <= cap * (1 + share) + fixed_mib
		&& in_mib(f.empty_bytes) <= cap * share + fixed_mib;
	std::printf("| %s | %d | %lld | %.1f | %.1f | %.1f | %.3f | %.1f | %.1f | %s |\n"
		, size_text(r.cap_bytes).c_str(), r.torrents, static_cast<long long>(f.used_bytes), in_mib(f.before_bytes)
		, in_mib(f.full_bytes), in_mib(f.most_bytes), in_mib(f.full_bytes) / cap
		, in_mib(f.full_bytes) - (1 + share) * cap, in_mib(f.empty_bytes), kept ? "yes" : "NO");
	std::fflush(stdout);
	return kept;
}

// "32MiB", "4GiB", "1048576".
std::optional<std::int64_t> parse_size(std::string const& text)
{
	char* end = nullptr;
	std::int64_t const n = std::strtoll(text.c_str(), &end, 10);
	std::string const unit = end;
	std::int64_t const factor = unit == "GiB" ? 1024 * mib : unit == "MiB" ? mib : unit == "KiB" ? 1024
		: unit.empty() ? 1 : 0;
	if (end == text.c_str() || factor == 0 || n <= 0 || n > (std::int64_t{1} << 50) / factor) return std::nullopt;
	return n * factor;
}

int run(std::vector<row> const& rows, bool const must_fit)
{
	std::printf("| cap | torrents | used, bytes | RSS before, MiB | RSS full, MiB | RSS at most, MiB | RSS/cap "
		"| RSS - 1.03 cap, MiB | RSS after removal, MiB | kept |\n"
		"|--:|--:|--:|--:|--:|--:|--:|--:|--:|:-:|\n");
	bool kept = true;
	for (row const& r : rows)
	{
		if (!fits(r))
		{
			std::fprintf(stderr, "rss: %s left out: this machine has not the memory\n", size_text(r.cap_bytes).c_str());
			if (must_fit) return exit_skipped;
			continue;
		}
		kept = print(r, measure_apart(r)) && kept;
	}
	if (!kept) std::fprintf(stderr, "rss: RSS exceeds 1.03 cap + %.0f MiB (full), or 0.03 cap + %.0f MiB (removed)\n"
		, fixed_mib, fixed_mib);
	return kept ? 0 : 1;
}

int usage()
{
	std::fprintf(stderr, "usage: rss [--cap SIZE --torrents N]    SIZE: 32MiB, 1GiB or bytes, 1 MiB at least\n");
	return 2;
}

} // namespace

int main(int const argc, char** const argv)
try
{
	row one;
	bool figures_only = false;
	for (int i = 1; i < argc; ++i)
	{
		std::string const flag = argv[i];
		if (flag == "--figures") figures_only = true;
		else if (i + 1 < argc && flag == "--cap") one.cap_bytes = parse_size(argv[++i]).value_or(0);
		else if (i + 1 < argc && flag == "--torrents") one.torrents = std::atoi(argv[++i]);
		else return usage();
	}
	bool const single = argc > 1;
	// A torrent has at least a block.
	if (single && (one.cap_bytes < slipstream::memory_disk::min_capacity_bytes || one.torrents < 1
		|| one.torrents > one.cap_bytes / block_size_bytes / 2)) return usage();
	if (figures_only)
	{
		figures const f = measure(one);
		for (auto const bytes : {f.used_bytes, f.before_bytes, f.full_bytes, f.most_bytes, f.empty_bytes})
			std::printf("%lld ", static_cast<long long>(bytes));
		std::printf("\n");
		return 0;
	}
	if (single) return run({one}, true);
	std::vector<row> rows;
	for (std::int64_t const cap : {32 * mib, 64 * mib, 256 * mib, 1024 * mib, 4096 * mib})
		for (int const torrents : {1, 50}) rows.push_back({cap, torrents});
	return run(rows, false);
}
catch (std::exception const& e)
{
	std::fprintf(stderr, "rss: %s\n", e.what());
	return 1;
}
