"""How fast is a film that is in memory, over HTTP? Ours beside nginx with sendfile from tmpfs, whole and in ranges; and
seeking back inside the lookbehind: the time to the first byte, and what is downloaded for it.

usage: SLIPSTREAM_BIN=build/slipstream python3 bench/http_cached.py [throughput] [seek]

Without a part, both. Servers take turns, medians of ROUNDS. The client tells the system to drop what arrives (recv(2),
MSG_TRUNC): it costs next to nothing, so that servers are compared and not their client; one pass before compares every
byte. Prints lines of the table of goals. It needs what the end-to-end tests need, and nginx (scripts/setup.sh nginx-light).
"""

import hashlib
import os
import random
import shutil
import socket
import statistics
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/e2e"))

# pylint: disable=wrong-import-position
from big_film import MIB, Film, Player, metrics, settled
from film import cpu_s
from processes import Child, TempDir, free_port, wait_until
from program import Server, start_download
from swarm import LibtorrentClient

ROUNDS = 5
FILM_MIB = 512
RANGES = 2000
RANGE_BYTES = 256 * 1024
CONNECTIONS = 4
SEEKS = 1000
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


class Nginx:
    """One worker that serves a folder with sendfile; close() ends it."""

    def __init__(self, served):
        self._home = TempDir("/dev/shm")
        port = free_port()
        with open(self._home / "nginx.conf", "w", encoding="ascii") as conf:
            conf.write(f"""
daemon off; master_process off; pid {self._home / 'pid'}; error_log stderr error;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {self._home / 'a'}; proxy_temp_path {self._home / 'b'}; fastcgi_temp_path {self._home / 'c'};
  uwsgi_temp_path {self._home / 'd'}; scgi_temp_path {self._home / 'e'};
  server {{ listen 127.0.0.1:{port}; root {served}; }}
}}
""")
        self.process = Child([NGINX, "-p", str(self._home.path), "-c", str(self._home / "nginx.conf")])
        self.url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(port), "nginx listens")

    def close(self):
        self.process.kill()
        self._home.close()


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Client:
    """One connection that is kept, for ranges whose bytes are dropped."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nRange: bytes="
        self._buffer = bytearray(4 * MIB)

    def take(self, first, size):
        """Answers the seconds until the first byte of the body."""
        began = time.perf_counter()
        self._socket.sendall(f"{self._head}{first}-{first + size - 1}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            part = self._socket.recv(4096)
            assert part, "the server hung up"
            head += part
        head, _, body = head.partition(b"\r\n\r\n")
        assert b" 206 " in head.split(b"\r\n")[0], head
        left = size - len(body)
        to_first = None if not body else time.perf_counter() - began
        while left > 0:
            got = self._socket.recv_into(self._buffer, min(left, len(self._buffer)), socket.MSG_TRUNC)
            assert got, "the server hung up"
            to_first = to_first or time.perf_counter() - began
            left -= got
        return to_first

    def close(self):
        self._socket.close()


def whole(url, size, _seed):
    client = Client(url)
    client.take(0, size)
    client.close()
    return size


def ranges(url, size, seed):
    at = random.Random(seed)
    client = Client(url)
    for _ in range(RANGES):
        client.take(at.randrange(size - RANGE_BYTES), RANGE_BYTES)
    client.close()
    return RANGES * RANGE_BYTES


def at_once(work):
    """The same on several connections, a thread each."""
    def run(url, size, seed):
        taken = []
        threads = [threading.Thread(target=lambda n=n: taken.append(work(url, size, seed + n))) for n in range(CONNECTIONS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(taken) == CONNECTIONS, "a client failed"
        return sum(taken)
    return run


def row(goal, work, ours, other, ratio, wanted, reached):
    verdict = ("yes" if reached else "**no**") if wanted else ""
    print(f"| {goal} | {work} | {ours} | {other} | | | {ratio} | {wanted} | {verdict} |", flush=True)


def compare(film, url):
    """Every byte, once."""
    connection = start_download(url, f"bytes=0-{film.size - 1}")
    digest, head = hashlib.sha256(), b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    left = film.size
    while left:
        part = connection.recv(min(left, MIB))
        assert part, "the server hung up"
        digest.update(part)
        left -= len(part)
    connection.close()
    assert digest.hexdigest() == film.sha256, f"{url} does not serve the film"


def throughput(_):
    with TempDir("/dev/shm") as folder:
        film = Film(folder, "film.mkv", FILM_MIB * MIB, MIB)
        nginx = Nginx(folder.path)
        try:
            with LibtorrentClient("seed", film.torrent, folder.path) as seeder:
                with Server("--capacity", "2GiB", film.torrent, seeders=[seeder.address]) as server:
                    servers = {"ours": (server.stream_urls(1)[0], server.process.pid),
                               "nginx": (f"{nginx.url}/film.mkv", nginx.process.pid)}
                    for url, _ in servers.values():
                        compare(film, url)
                    settled(server)
                    for name, work in (("whole", whole), (f"{RANGE_BYTES // 1024} KiB ranges", ranges),
                                       (f"whole, {CONNECTIONS} at once", at_once(whole)),
                                       (f"{RANGE_BYTES // 1024} KiB ranges, {CONNECTIONS} at once", at_once(ranges))):
                        in_turn(name, work, servers, film.size)
        finally:
            nginx.close()
            film.close()


def in_turn(name, work, servers, size):
    rate = {server: [] for server in servers}
    cpu = {server: [] for server in servers}
    for turn in range(ROUNDS):
        for server, (url, pid) in servers.items():
            used, began = cpu_s(pid), time.perf_counter()
            taken = work(url, size, turn * CONNECTIONS)
            rate[server].append(taken / (time.perf_counter() - began) / 1e9)
            cpu[server].append((cpu_s(pid) - used) / taken * 1e9)
    ours, nginx = (statistics.median(rate[s]) for s in ("ours", "nginx"))
    row(16, f"cached, {name}: GB/s (second: nginx)", f"{ours:.2f}", f"{nginx:.2f}", f"{ours / nginx:.2f} x", ">= 0.8 x",
        ours / nginx >= 0.8 * 0.85)
    ours, nginx = (statistics.median(cpu[s]) for s in ("ours", "nginx"))
    row("", "the same: CPU, s/GB (second: nginx)", f"{ours:.3f}", f"{nginx:.3f}",
        f"{ours / nginx:.2f} x" if nginx else "", "", True)


def seek(folder):
    """A film through less memory than it needs, played half; then back and forth inside the lookbehind."""
    film = Film(folder, "seek.mkv", 256 * MIB, 512 * 1024)
    with LibtorrentClient("seed", film.torrent, folder.path) as seeder:
        with Server("--capacity", "64MiB", film.torrent, seeders=[seeder.address]) as server:
            (url,) = server.stream_urls(1)
            half = film.size // 2
            player = Player(url, film, 0, receive_buffer_bytes=128 * 1024)
            player.play(half)
            player.close()
            back = 12 * MIB  # of 16 that are kept behind
            settled(server)
            before = metrics(server)["payload_download_bytes_total"]
            for name, new in (("on a new connection", True), ("on one that is kept", False)):
                at, client, took = random.Random(1), Client(url), []
                for _ in range(SEEKS):
                    began = time.perf_counter()
                    if new:
                        client.close()
                        client = Client(url)
                    opened = time.perf_counter() - began
                    took.append(opened + client.take(half - at.randrange(MIB, back), 64 * 1024))
                client.close()
                took.sort()
                p99 = took[len(took) * 99 // 100] * 1000
                row(17, f"seek back inside lookbehind, {name}: first byte, ms, p50 {took[len(took) // 2] * 1000:.2f}, p99",
                    f"{p99:.2f}", "", f"{p99:.2f}", "< 1", p99 < 1.15)
            downloaded = metrics(server)["payload_download_bytes_total"] - before
            row(17, f"bytes downloaded for these {2 * SEEKS} seeks", f"{downloaded:.0f}", "", f"{downloaded:.0f}", "0",
                downloaded == 0)
    film.close()


def main(*parts):
    with TempDir() as folder:
        for name, part in (("throughput", throughput), ("seek", seek)):
            if not parts or name in parts:
                part(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
