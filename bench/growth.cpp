// What one operation costs as torrents, pieces and protections become many: the cache's decisions, and a look of the
// disk at what its torrent may want. README.md says how to read it.
//
//   growth            all rows, as a table; a line is "operation | how many of what | microseconds a call"
#include "cache/cache.hpp"

#include <slipstream/memory_disk.hpp>

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

using namespace slipstream;
namespace lt = libtorrent;

namespace {

using protection = cache::protection;

struct mute final : evictee
{
	bool evict(int) noexcept override { return true; }
};

// The median of five rounds, each long enough to be measured.
double microseconds(std::function<void(int)> const& call, int const calls)
{
	using clock = std::chrono::steady_clock;
	std::vector<double> rounds;
	for (int round = 0; round < 5; ++round)
	{
		auto const began = clock::now();
		for (int i = 0; i < calls; ++i) call(round * calls + i);
		rounds.push_back(std::chrono::duration<double, std::micro>(clock::now() - began).count() / calls);
	}
	std::ranges::sort(rounds);
	return rounds[2];
}

void row(char const* const what, int const n, char const* const of, double const us)
{
	std::printf("| %s | %d %s | %.2f |\n", what, n, of, us);
	std::fflush(stdout);
}

// Memory that holds one part in four of what there is.
struct crowd
{
	std::shared_ptr<mute> const torrent = std::make_shared<mute>();
	block_pool pool;
	class cache c;
	std::vector<std::uint64_t> ids;

	crowd(int const torrents, int const pieces_each)
		: pool(std::int64_t{4} * torrents * pieces_each + 1024, 8), c(pool, true)
	{
		c.change_connections(200);
		for (int i = 0; i < torrents; ++i) ids.push_back(c.enter(torrent, std::int64_t{16} * pieces_each, 16));
		for (auto const id : ids) c.set_wanting(id, false);
	}
};

void with_many_torrents(int const n)
{
	crowd in(n, 100);
	row("a torrent enters and leaves", n, "torrents", microseconds([&](int) { in.c.leave(in.c.enter(in.torrent, 1600, 16)); }, 20));
	row("a torrent begins to want, and ceases", n, "torrents", microseconds([&](int const i) {
		auto const id = in.ids[std::size_t(i) % in.ids.size()];
		in.c.set_wanting(id, true);
		in.c.set_wanting(id, false);
	}, 20));
	// A tenth of them are read.
	for (int i = 0; i < n; i += 10) static_cast<void>(in.c.protect(in.ids[std::size_t(i)], protection::lookbehind, {0, 1, 2, 3}));
	row("a reader moves by a piece, a tenth of the torrents are protected", n, "torrents", microseconds([&](int const i) {
		static_cast<void>(in.c.protect(in.ids[0], protection::reader, {i, i + 1, i + 2, i + 3}));
	}, 20));
}

void with_many_pieces(int const n)
{
	crowd in(1, n);
	auto const id = in.ids[0];
	for (int p = 0; p < n; ++p) in.c.verified(id, p);
	row("a piece is verified and goes", n, "pieces", microseconds([&](int const i) {
		in.c.gone(id, i % n);
		in.c.verified(id, i % n);
	}, 200));
	row("a piece is read", n, "pieces", microseconds([&](int const i) { in.c.touched(id, i * 7919 % n); }, 200));
	std::vector<int> behind(std::size_t(n) / 8);
	row("the lookbehind moves by a piece", n / 8, "pieces in it", microseconds([&](int const i) {
		std::iota(behind.rbegin(), behind.rend(), i);
		static_cast<void>(in.c.protect(id, protection::lookbehind, behind));
	}, 10));
	row("what of the lookbehind is there is counted", n / 8, "pieces in it"
		, microseconds([&](int) { static_cast<void>(in.c.available_blocks(protection::lookbehind)); }, 10));
}

// A torrent that wants all of itself in a memory that holds a little of it: what its look at that costs the network thread.
void with_a_torrent_of(int const pieces)
{
	constexpr int piece_bytes = 32 * 1024;
	lt::file_storage files;
	files.add_file("film", std::int64_t{pieces} * piece_bytes);
	lt::create_torrent made(files, piece_bytes, lt::create_torrent::v1_only);
	for (auto const p : made.files().piece_range()) made.set_hash(p, lt::sha1_hash("abcdefghijklmnopqrst"));
	std::vector<char> bytes;
	lt::bencode(std::back_inserter(bytes), made.generate());

	lt::session_params params;
	using sp = lt::settings_pack;
	for (int const off : {sp::enable_dht, sp::enable_lsd, sp::enable_upnp, sp::enable_natpmp}) params.settings.set_bool(off, false);
	params.settings.set_str(sp::listen_interfaces, "127.0.0.1:0");
	memory_disk disk({.capacity_bytes = std::int64_t{8} << 20, .evict = true});
	params.disk_io_constructor = disk.constructor();
	lt::session session(std::move(params));
	session.add_extension(disk.extension());
	lt::add_torrent_params add;
	add.ti = std::make_shared<lt::torrent_info>(bytes, lt::from_span);
	add.save_path = "/nonexistent";
	add.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
	auto const torrent = session.add_torrent(add);
	while (torrent.status({}).state < lt::torrent_status::downloading) session.wait_for_alert(std::chrono::milliseconds(10));
	auto const memory = disk.torrent(add.ti->info_hashes());
	auto const asked = microseconds([&](int) { static_cast<void>(torrent.status({})); }, 20);
	auto const reviewed = microseconds([&](int const i) {
		static_cast<void>(memory.set_reader_pieces({lt::piece_index_t(i % (pieces - 1)), lt::piece_index_t(i % (pieces - 1) + 1)}));
		static_cast<void>(torrent.status({})); // answered after the look
	}, 20);
	row("what may be wanted is looked at", pieces, "pieces", reviewed - asked);
	auto const many = microseconds([&](int const i) {
		for (int k = 0; k < 10; ++k)
			static_cast<void>(memory.set_reserved_pieces({lt::piece_index_t((i + k) % pieces)}));
		static_cast<void>(torrent.status({}));
	}, 5);
	row("the same after ten changes at once", pieces, "pieces", many - asked);
}

} // namespace

int main()
{
	std::puts("| operation | how many | microseconds a call |\n|---|--:|--:|");
	for (int const n : {1, 10, 100, 1000}) with_many_torrents(n);
	for (int const n : {1000, 10'000, 100'000}) with_many_pieces(n);
	for (int const n : {1000, 10'000, 100'000}) with_a_torrent_of(n);
}
