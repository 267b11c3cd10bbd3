// The soak: players of every habit on films larger than the memory, for as long as one likes, while films are taken
// off and brought back, the capacity changes, and hostile peers come and go; every byte that comes is compared.
//
// The engine and its players are this process; the seeds and the hostile peers are processes of their own, so that resident memory and open
// files are the engine's. Ends with a table. Exits 0 when all went well, 1 when bytes were wrong, the cap was passed,
// a read timed out or failed otherwise, or memory, open files or handlers were left behind, or memory grew
// all the time; 2 for wrong usage.
#include "soak/hostile_process.hpp"
#include "soak/player.hpp"
#include "soak/programme.hpp"
#include "soak/seeding_process.hpp"
#include "soak/watch.hpp"

#include "support/swarm.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <deque>
#include <functional>
#include <optional>

namespace slipstream::soak {

namespace {

using std::chrono::steady_clock;

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
constexpr std::int64_t capacity = 24 * mebibyte;
constexpr std::array changed_capacities{24 * mebibyte, 12 * mebibyte, 48 * mebibyte, 16 * mebibyte, 32 * mebibyte};
constexpr std::chrono::seconds patience{60};
constexpr double most_slope = 1 << 20; // of resident memory beyond the blocks, bytes a minute, over ten minutes and more

struct settings
{
	double seconds = 600;
	std::uint32_t seed = 1;
	bool change_capacity = false;
	bool hostile = false;
	bool straight = false; // players read from the start to the end
};

// Three kinds of torrents, and pieces that end in more than one block, and not on one. Of the fourth a liar is asked for whole
// pieces, which are two blocks: it lies about no others, or libtorrent would ban the honest seeds with it (docs/design.md).
std::vector<noise_film> make_films(std::filesystem::path const& folder)
{
	std::vector<noise_film> films;
	films.emplace_back(film_plan{"one.mkv", 96 * mebibyte + 123'456, 256 << 10, lt::create_torrent::v1_only, 1}, folder);
	films.emplace_back(film_plan{"two.mkv", 64 * mebibyte + 34'567, 128 << 10, lt::create_torrent::v2_only, 2}, folder);
	films.emplace_back(film_plan{"three.mkv", 80 * mebibyte + 456'789, 512 << 10, {}, 3}, folder);
	films.emplace_back(film_plan{"four.mkv", 48 * mebibyte + 5'678, 32 << 10, lt::create_torrent::v1_only, 4}, folder);
	return films;
}

engine_options options_with(std::vector<boost::asio::ip::tcp::endpoint> seeds)
{
	engine_options o;
	o.memory.capacity_bytes = capacity;
	o.peer_listen = {"127.0.0.1:0"};
	o.connect = std::move(seeds);
	o.offline = true;
	o.read_timeout = patience;
	return o;
}

// Takes films off and brings them back, and changes the capacity, until the time is over.
void disturb(programme& p, settings const& s, steady_clock::time_point const until)
{
	std::mt19937_64 random(s.seed);
	memory_disk memory = p.player_engine().memory();
	for (std::size_t turn = 0; steady_clock::now() < until; ++turn)
	{
		p.pause(std::chrono::milliseconds(500 + random() % 2000));
		if (turn % 3 == 2)
		{
			std::size_t const film = random() % p.films().size();
			p.take_off(film);
			p.bring(film);
		}
		else if (s.change_capacity)
		{
			auto const changed = memory.set_capacity_bytes(changed_capacities[random() % changed_capacities.size()]);
			if (changed) ++p.seen().capacity_changes;
			else
			{
				++p.seen().unexpected;
				p.complain(0, 0, "the capacity cannot be changed: " + changed.error().detail);
			}
		}
	}
}

void run_players(programme& p, settings const& s)
{
	std::deque<player> players;
	std::uint32_t number = s.seed * 100;
	for (habit const h : {habit::sequential, habit::seeks_back, habit::jumps, habit::slow, habit::vanishes, habit::sequential})
		players.emplace_back(p, s.straight ? habit::sequential : h, number++);
	struct ending
	{
		programme& of;
		~ending() { of.end(); }
	} const also_when_it_throws{p};
	disturb(p, s, steady_clock::now() + std::chrono::milliseconds(static_cast<std::int64_t>(s.seconds * 1000)));
}

bool comes_true(std::function<bool()> const& condition)
{
	auto const end = steady_clock::now() + patience;
	while (!condition())
	{
		if (steady_clock::now() > end) return false;
		std::this_thread::sleep_for(std::chrono::milliseconds(20));
	}
	return true;
}

// Sockets of peers close a moment after their torrent has gone.
int fewest_open_files()
{
	int fewest = open_files();
	for (int i = 0; i < 100; ++i)
	{
		std::this_thread::sleep_for(std::chrono::milliseconds(20));
		fewest = std::min(fewest, open_files());
	}
	return fewest;
}

// A film comes and goes, so that what is opened and allocated once is there before anything is counted.
void warm_up(programme& p)
{
	p.bring(0);
	auto const r = p.player_engine().open(*p.wait_for(0), 0);
	std::array<char, 4096> some;
	if (!r || !(*r)->read(some)) throw std::runtime_error("the first bytes of " + p.films()[0].name() + " do not come");
	p.take_off(0);
	p.seen().removals = 0;
}

struct figures
{
	std::int64_t resident_at_start = 0;
	std::int64_t resident_at_end = 0;
	int files_at_start = 0;
	int files_at_end = 0;
	std::int64_t left_in_use = 0;
	std::int64_t handlers = 0; // calls of libtorrent's that the disk has not answered
	bool files_came_home = false;
	std::optional<hostile_figures> hostile;
};

double mib(std::int64_t const bytes) { return static_cast<double>(bytes) / static_cast<double>(mebibyte); }

// The table. Answers whether all went well.
bool report(programme& p, watch const& w, figures const& f, settings const& s)
{
	auto const m = p.player_engine().memory().stats();
	auto const payload = p.player_engine().payload();
	tally const& t = p.seen();
	auto const largest = s.change_capacity ? *std::max_element(changed_capacities.begin(), changed_capacities.end()) : capacity;
	auto const row = [](char const* const name, std::string const& value) { fmt::print("| {:<34} | {:>34} |\n", name, value); };
	row("what", "seen");
	fmt::print("|{:-<36}|{:->35}:|\n", "", "");
	row("seconds, seed", fmt::format("{:.0f}, {}", s.seconds, s.seed));
	row("bytes verified", fmt::format("{:.1f} MiB", mib(t.verified_bytes)));
	row("wrong bytes", std::to_string(t.wrong_bytes));
	row("stalls (reads that timed out)", std::to_string(t.stalls));
	row("other errors", std::to_string(t.unexpected));
	row("downloaded", fmt::format("{:.1f} MiB", mib(payload.downloaded_bytes)));
	row("streams, seeks, left while waiting", fmt::format("{}, {}, {}", t.streams, t.seeks, t.vanished));
	row("torrents removed, reads it ended", fmt::format("{}, {}", t.removals, t.interrupted));
	row("capacity changes", std::to_string(t.capacity_changes));
	row("pieces evicted, forgotten", fmt::format("{}, {}", m.pieces_evicted, m.pieces_forgotten));
	row("pieces verified", std::to_string(m.pieces_verified));
	row("blocks written, writes refused", fmt::format("{}, {}", m.blocks_written, m.writes_refused));
	row("peak, largest capacity", fmt::format("{}, {}", m.peak_bytes, largest));
	row("samples, with the cap passed", fmt::format("{}, {}", w.samples(), w.cap_passed()));
	row("RSS at start, at end, at most", fmt::format("{:.1f}, {:.1f}, {:.1f} MiB", mib(f.resident_at_start)
		, mib(f.resident_at_end), mib(w.most_resident_bytes())));
	row("RSS beyond the blocks, slope", fmt::format("{:+.3f} MiB a minute", w.slope_bytes_per_minute() / double(mebibyte)));
	row("open files at start, at end", fmt::format("{}, {}", f.files_at_start, f.files_at_end));
	row("in use at the end", fmt::format("{} bytes", f.left_in_use));
	row("handlers outstanding at the end", std::to_string(f.handlers));
	if (f.hostile)
	{
		row("hostile peers: times connected", std::to_string(f.hostile->connections));
		row("wrong blocks they sent", std::to_string(f.hostile->wrong_blocks_sent));
		row("blocks they got, right, wrong", fmt::format("{}, {}", f.hostile->right_blocks, f.hostile->wrong_blocks));
		row("their requests that were rejected", std::to_string(f.hostile->rejects));
	}
	// How often the liar is asked for a whole piece, and may lie without an honest seed being blamed, is libtorrent's choice.
	bool const leaks = s.seconds >= 600 && w.slope_bytes_per_minute() > most_slope;
	bool const well = t.verified_bytes > 0 && t.wrong_bytes == 0 && t.stalls == 0 && t.unexpected == 0 && w.cap_passed() == 0
		&& m.peak_bytes <= largest && f.left_in_use == 0 && f.handlers == 0 && f.files_came_home && !leaks
		&& (!f.hostile || (f.hostile->wrong_blocks == 0 && f.hostile->right_blocks > 0));
	fmt::print("{}\n", well ? "All went well." : "NOT WELL.");
	return well;
}

bool soak(settings const& s)
{
	test::temporary_folder const folder;
	auto const films = make_films(folder.path());
	seeding_process const one(films, folder.path());
	seeding_process const two(films, folder.path());
	std::optional<hostile_process> hostile;
	if (s.hostile) hostile.emplace(films);

	figures f;
	engine e(options_with({one.endpoint(), two.endpoint()}));
	programme p(e, films);
	warm_up(p);
	f.files_at_start = fewest_open_files();
	f.resident_at_start = resident_bytes();
	watch w(e.memory());
	for (std::size_t i = 0; i < films.size(); ++i) p.bring(i);
	if (hostile) hostile->begin(e.peer_endpoints().at(0));
	run_players(p, s);
	if (hostile) f.hostile = hostile->end();
	for (std::size_t i = 0; i < films.size(); ++i) p.take_off(i);

	static_cast<void>(comes_true([&] { return e.memory().stats().used_bytes == 0 && e.memory().stats().handlers == 0; }));
	f.left_in_use = e.memory().stats().used_bytes;
	f.handlers = e.memory().stats().handlers;
	f.files_came_home = comes_true([&] { return open_files() <= f.files_at_start; });
	f.files_at_end = open_files();
	f.resident_at_end = resident_bytes();
	w.stop();
	return report(p, w, f, s);
}

} // namespace

} // namespace slipstream::soak

int main(int const argc, char** const argv)
try
{
	slipstream::soak::settings s;
	double minutes = 10;
	CLI::App app("Players on films larger than the memory, and every byte compared.", "soak");
	app.add_option("--minutes", minutes, "how long")->check(CLI::Range(0.05, 100'000.0))->capture_default_str();
	app.add_option("--seed", s.seed, "of the players' choices")->capture_default_str();
	app.add_flag("--change-capacity", s.change_capacity, "between 12 and 48 MiB, every few seconds");
	app.add_flag("--hostile", s.hostile, "with hostile peers");
	app.add_flag("--straight", s.straight, "players read from the start to the end, and never jump");
	try { app.parse(argc, argv); }
	catch (CLI::ParseError const& e) { return app.exit(e) == 0 ? 0 : 2; }
	s.seconds = minutes * 60;
	std::signal(SIGPIPE, SIG_IGN); // a process that has ended is an error, not the end of this one
	// Said only when something goes wrong.
	spdlog::set_level(spdlog::level::err);
	spdlog::enable_backtrace(100);
	return slipstream::soak::soak(s) ? 0 : 1;
}
catch (std::exception const& e)
{
	std::fprintf(stderr, "soak: %s\n", e.what());
	return 1;
}
