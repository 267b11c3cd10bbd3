"""What a viewer feels: time to the first byte, seeking, and whether a film at 8, 25 and 80 Mbit/s ever
stops, through the real program and a swarm of libtorrent seeds whose upload is limited; then throughput
through a window against keeping everything; then the CPU time of a server that nobody uses.

usage: SLIPSTREAM_BIN=build/slipstream python3 bench/streaming.py [rates] [window] [idle] [MBIT_S ...]

Without a part, all of them; with numbers, films of these rates, in this order and as often as they are named. The
player is a socket that takes what a film of that rate takes: it keeps BUFFER_S seconds of its own, begins when START_S
of it are full, and when it runs dry it waits for START_S again, which is a rebuffering. Links have no latency: the
limits are libtorrent's. It needs what the end-to-end tests need, and compares every byte.
"""

import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/e2e"))

# pylint: disable=wrong-import-position
from big_film import MIB, Film, Player, metrics, settled
from film import cpu_s
from processes import TempDir, must
from program import Server
from swarm import LibtorrentClient

RATES_MBIT_S = (8, 25, 80)
SEEDS = 6
SEED_BYTES_S = 2_500_000
CAPACITY = "64MiB"
FILM_MIB, PIECE_KIB = 512, 512
BUFFER_S, START_S = 4.0, 1.0
PLAY_S = 30.0
SEEKS = 5
RECEIVE_BUFFER = 128 * 1024


class Viewer:
    """Plays a film at its rate; counts how often it had to wait."""

    def __init__(self, url, film, rate_bytes_s, at):
        began = time.monotonic()
        # The header comes with the first bytes of the film, not before.
        self._player = Player(url, film, at, receive_buffer_bytes=RECEIVE_BUFFER)
        self.first_byte_s = time.monotonic() - began
        self._rate = rate_bytes_s
        self._first = at
        self.rebuffered = 0

    def _fill(self, seconds):
        self._player.play(max(int(seconds * self._rate), 1))

    def watch(self, seconds):
        self._fill(START_S)
        buffered, shown, last = START_S, 0.0, time.monotonic()
        while shown < seconds:
            if buffered < BUFFER_S:
                self._fill(0.1)
                buffered += 0.1
            else:
                time.sleep(0.05)
            now = time.monotonic()
            passed, last = now - last, now
            if passed <= buffered:
                buffered -= passed
                shown += passed
                continue
            self.rebuffered += 1
            shown += buffered
            self._fill(START_S)
            buffered, last = START_S, time.monotonic()
        return self

    @property
    def position(self):
        return self._player.position

    def close(self):
        self._player.close()


def show(values):
    """Milliseconds: the median and the largest."""
    return f"{1000 * statistics.median(values):.0f} / {1000 * max(values):.0f}"


def at_rate(film, seeders, mbit_s):
    rate = mbit_s * 1_000_000 // 8
    starts, forward, inside, beyond = [], [], [], []
    with Server("--capacity", CAPACITY, film.torrent, seeders=seeders) as server:
        (url,) = server.stream_urls(1)
        viewer = Viewer(url, film, rate, 0)
        starts.append(viewer.first_byte_s)
        viewer.watch(PLAY_S)
        rebuffered, at = viewer.rebuffered, viewer.position
        viewer.close()
        downloaded = 0
        for i in range(SEEKS):
            # Back by a second, which is inside the lookbehind at every rate: everything is here, and comes at once.
            settled(server)
            before = metrics(server)["payload_download_bytes_total"]
            viewer = Viewer(url, film, rate, at - rate)
            inside.append(viewer.first_byte_s)
            downloaded += metrics(server)["payload_download_bytes_total"] - before
            viewer.watch(1)
            viewer.close()
            # Forward to where nothing is, while the read-ahead of this place is still coming.
            viewer = Viewer(url, film, rate, int(film.size * (0.5 + 0.08 * i)))
            forward.append(viewer.first_byte_s)
            viewer.watch(2)
            at = viewer.position
            viewer.close()
            # And back, to what has gone since.
            viewer = Viewer(url, film, rate, int(film.size * (0.05 + 0.07 * i)))
            beyond.append(viewer.first_byte_s)
            viewer.watch(2)
            at = viewer.position
            viewer.close()
    print(f"| {mbit_s} | {show(starts)} | {show(forward)} | {show(beyond)} | {show(inside)} | {downloaded}"
          f" | {rebuffered} |", flush=True)


def rates(folder, rates_mbit_s):
    film = Film(folder, "rates.mkv", FILM_MIB * MIB, PIECE_KIB * 1024)
    seeds = [LibtorrentClient("seed", film.torrent, folder.path, upload_limit_bytes_s=SEED_BYTES_S,
                              host=f"127.0.0.{10 + i}") for i in range(SEEDS)]
    try:
        print(f"{SEEDS} seeds of {SEED_BYTES_S * 8 // 1_000_000} Mbit/s, {FILM_MIB} MiB in pieces of {PIECE_KIB} KiB,"
              f" capacity {CAPACITY}; ms, median / largest of {SEEKS}\n")
        print("| film, Mbit/s | first byte | seek forward | back beyond lookbehind | back inside"
              f" | bytes downloaded for it | rebufferings in {PLAY_S:.0f} s |")
        print("|--:|--:|--:|--:|--:|--:|--:|")
        for mbit_s in rates_mbit_s:
            at_rate(film, [seed.address for seed in seeds], mbit_s)
    finally:
        for seed in seeds:
            seed.close()
        film.close()


def mib_s(film, seeder, capacity):
    with Server("--capacity", capacity, film.torrent, seeders=[seeder.address]) as server:
        (url,) = server.stream_urls(1)
        began = time.monotonic()
        must(["curl", "-sS", "-o", os.devnull, url], deadline_s=600)
        return film.size / MIB / (time.monotonic() - began)


def window(folder):
    """One seed without a limit, in turn; the ratio is of each round's pair. A line of the table of goals."""
    film = Film(folder, "window.mkv", 512 * MIB, 1024 * 1024)
    kept, windowed = [], []
    with LibtorrentClient("seed", film.torrent, folder.path) as seeder:
        for _ in range(3):
            kept.append(mib_s(film, seeder, "2GiB"))
            windowed.append(mib_s(film, seeder, CAPACITY))
    film.close()
    ratios = [w / k for w, k in zip(windowed, kept)]
    ratio = statistics.median(ratios)
    print(f"| 18 | 512 MiB through {CAPACITY}: MiB/s (second: all kept; ratios {min(ratios):.2f} to {max(ratios):.2f})"
          f" | {statistics.median(windowed):.0f} | {statistics.median(kept):.0f} | | | {ratio:.2f} x | >= 0.8 x"
          f" | {'yes' if ratio >= 0.8 * 0.85 else '**no**'} |", flush=True)


def idle(folder):
    film = Film(folder, "idle.mkv", 64 * MIB, 256 * 1024)
    seconds = 30
    with LibtorrentClient("seed", film.torrent, folder.path) as seeder, \
            Server("--capacity", CAPACITY, film.torrent, seeders=[seeder.address]) as server:
        (url,) = server.stream_urls(1)
        must(["curl", "-sS", "-r", "0-9999999", "-o", os.devnull, url])
        settled(server)
        before = cpu_s(server.process.pid)
        time.sleep(seconds)
        used = cpu_s(server.process.pid) - before
    film.close()
    print(f"\nNobody plays, one seed connected: {1000 * used / seconds:.1f} ms of CPU a second, over {seconds} s",
          flush=True)


def main(*arguments):
    named = [int(argument) for argument in arguments if argument.isdigit()]
    parts = {"rates": lambda folder: rates(folder, named or RATES_MBIT_S), "window": window, "idle": idle}
    wanted = [argument for argument in arguments if not argument.isdigit()] or (["rates"] if named else list(parts))
    if not parts.keys() >= set(wanted):
        sys.exit(__doc__)
    with TempDir() as folder:
        for name in wanted:
            parts[name](folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
