"""What it costs to play a film through less memory than it needs: throughput, CPU time and resident
memory of the real program, three times for each capacity, in turn; medians.

usage: SLIPSTREAM_BIN=build/slipstream python3 bench/film.py [FILM_MIB [PIECE_KIB [SEEDS [CAPACITY ...]]]]

SEEDS libtorrent sessions, each in a process of its own, seed (python3-libtorrent), curl reads from start to end.
It needs what the end-to-end tests need. It does not look at the bytes: tests/e2e/t09_big_film.py does.
"""

import contextlib
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/e2e"))

# pylint: disable=wrong-import-position
from big_film import MIB, Film, metrics
from processes import TempDir, must
from program import Server
from swarm import LibtorrentClient

ROUNDS = 3
UNITS = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}


def cpu_s(pid):
    """User and system time (proc(5))."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        ticks = stat.read().rsplit(")", 1)[1].split()[11:13]
    return sum(int(t) for t in ticks) / os.sysconf("SC_CLK_TCK")


def most_resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(dict(line.split(":", 1) for line in status)["VmHWM"].split()[0]) / 1024


def in_mib(size):
    return int(size[:-3]) * UNITS[size[-3:]]


def measure(film, seeders, capacity):
    with Server("--capacity", capacity, film.torrent,
                seeders=[s.address for s in seeders]) as server:
        (url,) = server.stream_urls(1)
        began = time.monotonic()
        must(["curl", "-sS", "-o", os.devnull, url], deadline_s=600)
        seconds = time.monotonic() - began
        seen = metrics(server)
        pid = server.process.pid
        return (film.size / MIB / seconds, cpu_s(pid), seen["memory_peak_bytes"],
                most_resident_mib(pid), seen["payload_download_bytes_total"] / film.size)


def main(film_mib="2048", piece_kib="1024", seeds="1", *capacities):
    rows = {capacity: [] for capacity in capacities or ("64MiB", "256MiB", "4GiB")}
    with TempDir() as folder:
        film = Film(folder, "film.mkv", int(film_mib) * MIB, int(piece_kib) * 1024)
        with contextlib.ExitStack() as running:
            seeders = [running.enter_context(LibtorrentClient("seed", film.torrent, folder.path))
                       for _ in range(int(seeds))]
            for _ in range(ROUNDS):
                for capacity, row in rows.items():
                    row.append(measure(film, seeders, capacity))
        film.close()
    print("| capacity | MiB/s | CPU, s | peak, bytes | RSS at most, MiB | RSS - 1.03 cap, MiB"
          " | downloaded / film |")
    print("|--:|--:|--:|--:|--:|--:|--:|")
    for capacity, row in rows.items():
        rate, cpu, peak, resident, factor = map(statistics.median, zip(*row))
        print(f"| {capacity} | {rate:.0f} | {cpu:.1f} | {peak} | {resident:.1f}"
              f" | {resident - 1.03 * in_mib(capacity):.1f} | {factor:.3f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
