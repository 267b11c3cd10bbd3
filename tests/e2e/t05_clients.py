"""Many clients, and clients that leave without a word, as players do when they look for the
index.
"""

import contextlib
import os
import select
import socket
import subprocess
import unittest

import media
from big_film import MIB, Film, Player
from peer import PlainSeeder
from processes import DEADLINE_S, TempDir, wait_until
from program import Server, curl, start_download, start_raw
from swarm import Seeder, make_with_mktorrent


def setUpModule():
    global folder, content, path, meta, server, url
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    path = media.make_mp4(folder / "film.mp4")
    content = media.read_bytes(path)
    torrent = make_with_mktorrent(path, folder / "film.torrent")
    seeder = Seeder()
    unittest.addModuleCleanup(seeder.close)
    meta = seeder.add(torrent, folder.path)
    server = Server("--capacity", "128MiB", torrent, seeders=[seeder.address])
    unittest.addModuleCleanup(server.close)
    (url,) = server.stream_urls(1)


class Clients(unittest.TestCase):
    def readers_end(self):
        wait_until(lambda: server.torrent(meta.id)["readers"] == 0, "every reader is closed")

    def reads_right(self):
        answer = curl(url)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.body == content, True)


class T01Leaving(Clients):
    """First, while most bytes have not come yet: what a player does on a fresh torrent."""

    def test_01_a_storm_of_probes_at_head_middle_and_tail(self):
        # Four at once, dropped without a word, two hundred times: most before their answer, some
        # when it has begun.
        size = len(content)
        # A seeder that has been found and has served is part of what was there before.
        self.assertEqual(curl(url, "-r", "0-0").status, 206)
        self.readers_end()
        before = server.open_files()
        for number in range(200):
            probes = [start_download(url, wanted) for wanted in
                      (None, f"bytes={size // 2}-", f"bytes={size - 65536}-", "bytes=-1000")]
            if number % 10 == 0:
                self.assertRegex(probes[number // 10 % 4].recv(12), rb"^HTTP/1\.1 20[06]$")
            for probe in probes:
                probe.close()
        self.readers_end()
        self.assertEqual(server.request("GET", "/api/v1/readers").json(), [])
        wait_until(lambda: server.open_files() <= before, f"no file more than {before} is open")

    def test_02_play_works_after_it(self):
        self.assertEqual(media.decoded_md5(url), media.decoded_md5(path))

    def test_03_fifty_clients_that_leave_in_the_middle(self):
        for number in range(50):
            start = len(content) * number // 50
            with start_download(url, f"bytes={start}-", receive_buffer_bytes=16 * 1024) as client:
                self.assertEqual(client.recv(12), b"HTTP/1.1 206")
                client.recv(20_000)
        self.readers_end()
        self.reads_right()

    def test_04_fifty_clients_at_once_that_leave_at_once(self):
        clients = [start_download(url, receive_buffer_bytes=16 * 1024) for _ in range(50)]
        try:
            waiting = set(clients)
            while waiting:
                ready, _, _ = select.select(list(waiting), [], [], DEADLINE_S)
                self.assertTrue(ready, f"{len(waiting)} of 50 clients were not answered")
                for client in ready:
                    self.assertEqual(client.recv(12), b"HTTP/1.1 200")
                    waiting.discard(client)
            self.assertEqual(server.torrent(meta.id)["readers"], 50)
        finally:
            for client in clients:
                client.close()
        self.readers_end()
        self.reads_right()


class T02AtOnce(Clients):
    def test_01_curls_side_by_side_each_with_its_own_range(self):
        size = len(content)
        ranges = [(size * n // 8, size * (n + 2) // 8 - 1) for n in range(7)] + [(0, size - 1)]
        curls = [subprocess.Popen(["curl", "-sS", "--max-time", str(DEADLINE_S),
                                   "-r", f"{a}-{b}", "-o", folder / f"part{n}", url],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                 for n, (a, b) in enumerate(ranges)]
        try:
            for n, (child, (first, last)) in enumerate(zip(curls, ranges)):
                complaint = child.communicate(timeout=2 * DEADLINE_S)[1]
                self.assertEqual((child.returncode, complaint), (0, ""))
                part = media.read_bytes(folder / f"part{n}")
                self.assertEqual(part == content[first:last + 1], True, (first, last))
        finally:
            for child in curls:
                child.kill()
                child.wait()
                child.stderr.close()
        self.readers_end()

    def test_02_a_client_that_reads_nothing_does_not_hold_up_the_others(self):
        with start_download(url, receive_buffer_bytes=16 * 1024) as lazy:
            self.assertEqual(lazy.recv(12), b"HTTP/1.1 200")
            self.reads_right()
        self.readers_end()


class T03BadClients(Clients):
    def test_01_requests_that_are_none_are_refused_or_cut_off(self):
        for request in (b"\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n",
                        b"GET / HTTP/9.9\r\n\r\n",
                        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
                        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(200)):
            with self.subTest(request[:30]):
                answer = b""  # it may hang up while the request is on its way
                with start_raw(server.url, b"") as client, contextlib.suppress(OSError):
                    client.sendall(request)
                    client.shutdown(socket.SHUT_WR)
                    answer = client.recv(12)
                self.assertRegex(answer, rb"^$|^HTTP/1\.1 (4..|505)$")
                self.assertEqual(server.request("GET", "/healthz").status, 200)

    def test_02_a_path_that_climbs_finds_nothing(self):
        for path_of in ("/stream/../../../../etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd",
                        f"/stream/{meta.id}/0/../../../etc/passwd%00"):
            with self.subTest(path_of):
                answer = curl(server.url + path_of, "--path-as-is")
                self.assertNotIn(b"root:", answer.body)
                self.assertLess(answer.status, 500, answer)
        self.reads_right()


class T04AfterTheStorm(unittest.TestCase):
    CAPACITY = 16 * MIB
    BLOCK_BYTES = 16 * 1024

    def test_01_what_is_played_comes_first_and_not_what_the_probes_wanted(self):
        with contextlib.ExitStack() as stack:
            film = Film(folder, "big.mkv", 48 * MIB, 64 * 1024)
            stack.callback(film.close)
            seed = stack.enter_context(PlainSeeder(film.meta, film.content))
            storm = stack.enter_context(Server("--capacity", str(self.CAPACITY), "--read-ahead", "2MiB",
                                               film.torrent, seeders=["%s:%d" % seed.address]))
            (film_url,) = storm.stream_urls(1)
            wait_until(lambda: storm.torrent(film.meta.id)["peers"] == 1, "the seeder is found")
            seed.serving.clear()
            for _ in range(200):
                probes = [start_download(film_url, wanted) for wanted in
                          (None, f"bytes={film.size // 2}-", f"bytes={film.size - 65536}-",
                           "bytes=-1000")]
                for probe in probes:
                    probe.close()
            wait_until(lambda: storm.request("GET", "/api/v1/readers").json() == [],
                       "no reader is left")
            served = seed.served_blocks
            seed.serving.set()
            with Player(film_url, film, film.size * 3 // 10) as player:
                # What had been asked for already, and the read-ahead of one reader.
                self.assertLess(seed.served_blocks - served, 4 * MIB // self.BLOCK_BYTES)
                player.play(MIB)


if __name__ == "__main__":
    unittest.main(verbosity=2)
