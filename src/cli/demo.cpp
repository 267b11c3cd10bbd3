#include "cli/demo.hpp"

#include "cli/address.hpp"
#include "cli/disk_writes.hpp"
#include "cli/film.hpp"
#include "cli/http_client.hpp"
#include "cli/progress.hpp"
#include "cli/seeder.hpp"
#include "cli/size.hpp"
#include "engine/address_text.hpp"
#include "engine/hex_text.hpp"
#include "http/route.hpp"
#include "http/server.hpp"

#include <slipstream/engine.hpp>

#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <libtorrent/hasher.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>
#include <stdexcept>

namespace slipstream::cli {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{150};  // longer than the engine's own time-outs

double seconds(steady::duration const d) { return std::chrono::duration<double>(d).count(); }

// SIGINT and SIGTERM, asked for between the steps.
class interruption
{
public:
	explicit interruption(boost::asio::io_context& io) : m_io(io), m_signals(io, SIGINT, SIGTERM)
	{
		m_signals.async_wait([this](boost::system::error_code const ec, int) { m_came = m_came || !ec; });
	}
	// Looks for one now.
	bool look()
	{
		m_io.restart();
		m_io.poll();
		return m_came;
	}
	[[nodiscard]] bool came() const { return m_came; }
	void wait()
	{
		while (!m_came)
		{
			m_io.restart();
			m_io.run_one();
		}
	}

private:
	boost::asio::io_context& m_io;
	boost::asio::signal_set m_signals;
	bool m_came = false;
};

struct interrupted {};  // ends the demo; never leaves this file

// Ends the demo where there is no value.
template <typename T>
T or_end(expected<T> e)
{
	if (e) return std::move(*e);
	if (e.error().is(errc::cancelled)) throw interrupted{};
	throw std::runtime_error(e.error().detail);
}

std::filesystem::path file_to_stream(std::string const& given)
{
	std::error_code ec;
	std::filesystem::path file = std::filesystem::canonical(given, ec);
	if (ec) throw std::runtime_error(fmt::format("{}: {}", given, ec.message()));
	if (!std::filesystem::is_regular_file(file))
		throw std::runtime_error(fmt::format("{}: not a file; give one film", given));
	if (std::filesystem::file_size(file) == 0) throw std::runtime_error(fmt::format("{}: is empty", given));
	return file;
}

std::string sha256_text(lt::hasher256& h)
{
	lt::sha256_hash const digest = h.final();
	return hex_text({digest.data(), static_cast<std::size_t>(digest.size())});
}

std::string sha256_of(std::filesystem::path const& file)
{
	std::ifstream in(file, std::ios::binary);
	std::vector<char> chunk(1 << 20);
	lt::hasher256 h;
	while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())), in.gcount() > 0)
		h.update({chunk.data(), static_cast<std::ptrdiff_t>(in.gcount())});
	return sha256_text(h);
}

// One request for a part, and what came of it.
struct part_seen
{
	std::string name;
	std::string range;
	http_answer seen;
	bool right = false;
};

struct whole_seen
{
	http_answer seen;
	std::string sha256;
};

// The engine, its server and the film behind them.
class show
{
public:
	show(demo_settings const& settings, std::filesystem::path film, std::vector<char> const& torrent
		, boost::asio::ip::tcp::endpoint const& seed)
		: m_film(std::move(film))
		, m_film_bytes(static_cast<std::int64_t>(std::filesystem::file_size(m_film)))
		, m_engine(options_of(settings, seed))
		, m_id(or_end(m_engine.add_torrent_file(torrent)))
		, m_server(m_engine, http::server_options{.listen = settings.listen})
		, m_target(http::stream_path(m_id, 0, m_film.filename().string()))
	{
	}

	whole_seen stream_all(boost::asio::io_context& io, interruption& stop, progress& shown)
	{
		lt::hasher256 h;
		std::int64_t came = 0;
		std::string beginning; // of what came: the reason, when it was not the film
		auto const began = steady::now();
		http_ask all{.max_body_bytes = static_cast<std::size_t>(m_film_bytes)};
		all.on_bytes = [&](std::span<char const> const bytes) {
			h.update({bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())});
			came += static_cast<std::int64_t>(bytes.size());
			if (beginning.size() < 1000) beginning.append(bytes.begin(), bytes.end());
			double const rate = static_cast<double>(came) / seconds(steady::now() - began);
			shown.update(fmt::format("streaming: {} of {}, {}/s", size_text(came), size_text(m_film_bytes)
				, size_text(static_cast<std::int64_t>(rate))));
		};
		whole_seen w{ask(io, stop, all), {}};
		if (w.seen.status != 200)
			throw std::runtime_error(fmt::format("the server answered {}: {}", w.seen.status, beginning.substr(0, 1000)));
		w.sha256 = sha256_text(h);
		return w;
	}

	// `range` of the film, which is `length` bytes from `first` on.
	part_seen stream_part(boost::asio::io_context& io, interruption& stop, std::string name, std::string const& range
		, std::int64_t const first, std::int64_t const length)
	{
		http_ask const part{.headers = {{"Range", range}}, .max_body_bytes = static_cast<std::size_t>(length)};
		part_seen p{std::move(name), range, ask(io, stop, part), false};
		std::string original(static_cast<std::size_t>(length), '\0');
		std::ifstream in(m_film, std::ios::binary);
		in.seekg(first);
		in.read(original.data(), length);
		std::string const said = fmt::format("bytes {}-{}/{}", first, first + length - 1, m_film_bytes);
		p.right = in.gcount() == length && p.seen.status == 206 && p.seen.whole && p.seen.body == original
			&& p.seen.header(http::wire::field::content_range) == said;
		return p;
	}

	std::vector<part_seen> stream_parts(boost::asio::io_context& io, interruption& stop)
	{
		std::int64_t const size = m_film_bytes;
		std::int64_t const tail = std::min<std::int64_t>(size, 64 << 10);
		std::int64_t const middle = std::min<std::int64_t>(size - size / 2, 1 << 20);
		std::int64_t const suffix = std::min<std::int64_t>(size, 1000);
		std::vector<part_seen> parts;
		parts.push_back(stream_part(io, stop, "probe of the tail"
			, fmt::format("bytes={}-", size - tail), size - tail, tail));
		parts.push_back(stream_part(io, stop, "from the middle"
			, fmt::format("bytes={}-{}", size / 2, size / 2 + middle - 1), size / 2, middle));
		parts.push_back(stream_part(io, stop, "suffix", "bytes=-1000", size - suffix, suffix));
		return parts;
	}

	[[nodiscard]] std::int64_t film_bytes() const { return m_film_bytes; }
	[[nodiscard]] memory_stats memory() const { return m_engine.memory().stats(); }
	[[nodiscard]] std::string url() const { return local_url_of(m_server.endpoints().front()) + m_target; }

private:
	static engine_options options_of(demo_settings const& settings
		, boost::asio::ip::tcp::endpoint const& seed)
	{
		engine_options o;
		o.memory.capacity_bytes = settings.capacity_bytes;
		o.peer_listen = {"127.0.0.1:0"};
		o.connect = {seed};
		o.offline = true;
		return o;
	}

	// On a connection of its own.
	[[nodiscard]] http_answer ask(boost::asio::io_context& io, interruption& stop, http_ask const& what) const
	{
		http_client client(io, or_end(parse_url(url())), patience, {}, [&] { return stop.came(); });
		http_answer answer = or_end(client.ask(what));
		if (!answer.whole && answer.size_bytes <= what.max_body_bytes)
			throw std::runtime_error(fmt::format("the stream broke off after {} bytes: {}", answer.size_bytes, answer.broken_off));
		return answer;
	}

	std::filesystem::path const m_film;
	std::int64_t const m_film_bytes;
	engine m_engine;
	std::string const m_id;
	http::server m_server;
	std::string const m_target;
};

void row(char const* const what, std::string const& seen)
{
	fmt::print("  {:<24}{}\n", what, seen);
}

// The table at the end. True when everything was as it should be.
bool print_table(show const& s, std::string const& original, whole_seen const& all
	, std::vector<part_seen> const& parts, std::optional<std::int64_t> const written)
{
	bool right = all.seen.status == 200 && static_cast<std::int64_t>(all.seen.size_bytes) == s.film_bytes() && all.sha256 == original;
	double const rate = static_cast<double>(all.seen.size_bytes) / seconds(all.seen.all);
	memory_stats const memory = s.memory();

	fmt::print("\nWhat was seen: torrent -> memory -> HTTP, against the original file\n");
	row("size", fmt::format("{} ({} bytes)", size_text(s.film_bytes()), s.film_bytes()));
	row("time to first byte", fmt::format("{:.1f} ms", seconds(all.seen.first_byte) * 1000));
	row("throughput", fmt::format("{}/s ({:.2f} s in all)", size_text(static_cast<std::int64_t>(rate))
		, seconds(all.seen.all)));
	row("SHA-256 of the stream", all.sha256);
	row("SHA-256 of the file", original + (right ? "  the same" : "  DIFFERENT"));
	for (part_seen const& p : parts)
	{
		row(p.name.c_str(), fmt::format("{} {} bytes in {:.1f} ms, {}", p.seen.status, p.seen.size_bytes
			, seconds(p.seen.all) * 1000, p.right ? "the same" : "DIFFERENT"));
		right = right && p.right;
	}
	row("memory used", fmt::format("{}, at most {}, of a capacity of {}", size_text(memory.used_bytes)
		, size_text(memory.peak_bytes), size_text(memory.capacity_bytes)));
	row("written to disk", written ? fmt::format("{} bytes (write_bytes of /proc/self/io, while streaming)"
		, *written) : "not measured: /proc/self/io cannot be read");
	right = right && written.value_or(0) == 0;
	fmt::print("{}\n", right ? "Every byte was right." : "Something was WRONG.");
	std::fflush(stdout);
	return right;
}

bool run(demo_settings const& settings, boost::asio::io_context& io, interruption& stop, progress& shown)
{
	auto const interrupted_now = [&] { return stop.look(); };
	std::optional<temporary_folder> folder;
	std::filesystem::path film;
	if (settings.file.empty())
	{
		folder.emplace();
		shown.step("making a film with ffmpeg ...");
		film = or_end(make_film(folder->path(), interrupted_now));
	}
	else
	{
		film = file_to_stream(settings.file);
	}
	auto const size = static_cast<std::int64_t>(std::filesystem::file_size(film));

	shown.step(fmt::format("making a torrent of {} ...", size_text(size)));
	std::vector<char> const torrent = or_end(make_torrent(film, [&](int const done, int const all) {
		shown.update(fmt::format("making a torrent: piece {} of {}", done, all));
	}));
	std::string const original = sha256_of(film);
	seeder const seed(torrent, film);
	if (stop.look()) throw interrupted{};

	shown.step(fmt::format("streaming from a seed at {} ...", endpoint_text(seed.endpoint())));
	std::optional<std::int64_t> const before = disk_bytes_written();
	show s(settings, film, torrent, seed.endpoint());
	whole_seen const all = s.stream_all(io, stop, shown);
	std::vector<part_seen> const parts = s.stream_parts(io, stop);
	std::optional<std::int64_t> written = disk_bytes_written();
	if (written && before) written = *written - *before;
	shown.finish();
	bool const right = print_table(s, original, all, parts, written);

	if (settings.keep)
	{
		fmt::print("\nserving until Ctrl-C; to watch it:\n  mpv '{}'\n", s.url());
		std::fflush(stdout);
		stop.wait();
	}
	return right;
}

} // namespace

int demo(demo_settings const& settings)
{
	std::signal(SIGPIPE, SIG_IGN);
	boost::asio::io_context io(1);
	interruption stop(io);
	progress shown;
	try
	{
		return run(settings, io, stop, shown) ? 0 : exit_failed;
	}
	catch (interrupted const&)
	{
		shown.finish();
		std::fputs("interrupted\n", stderr);
		return exit_failed;
	}
	catch (...)
	{
		shown.finish();
		throw;
	}
}

} // namespace slipstream::cli
