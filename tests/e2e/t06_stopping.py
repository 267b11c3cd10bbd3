"""The end: SIGINT and SIGTERM with streams open, and what is on disk afterwards (nothing)."""

import contextlib
import os
import signal
import time
import unittest

import media
from peer import Metainfo, PlainSeeder
from processes import TempDir, wait_until
from program import SANITIZED, Server, curl, read_to_end, start_download
from swarm import Seeder, make_with_mktorrent

STOP_DEADLINE_S = 5


def setUpModule():
    global folder, path, content, torrent, meta
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    path = media.make_mkv(folder / "film.mkv", media.make_srt(folder / "film.srt"))
    content = media.read_bytes(path)
    torrent = make_with_mktorrent(path, folder / "film.torrent")
    meta = Metainfo(torrent)


class T01Stopping(unittest.TestCase):
    def stops(self, server, number):
        began = time.monotonic()
        server.process.signal(number)
        code = server.process.wait(STOP_DEADLINE_S)
        self.assertEqual(code, 0, f"{time.monotonic() - began:.1f} s: {server.process.said()}")

    def test_01_idle(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), Server(torrent) as server:
                server.stream_urls(1)
                self.stops(server, number)

    def test_02_with_streams_that_wait_for_bytes_nobody_has(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), Server(torrent) as server:
                (url,) = server.stream_urls(1)
                with start_download(url) as one, start_download(url, "bytes=-100") as two:
                    wait_until(lambda: server.torrent(meta.id)["readers"] == 2,
                               "both streams are open")
                    self.stops(server, number)
                    self.assertLess(read_to_end(one), 10_000)
                    self.assertLess(read_to_end(two), 10_000)

    def test_03_with_streams_in_full_flow_that_nobody_reads(self):
        with PlainSeeder(meta, content) as seeder:
            address = "%s:%d" % seeder.address
            for number in (signal.SIGTERM, signal.SIGINT):
                with self.subTest(number), Server(torrent, seeders=[address]) as server:
                    (url,) = server.stream_urls(1)
                    with start_download(url, "bytes=0-", 16 * 1024) as one, \
                            start_download(url, "bytes=9999-", 16 * 1024) as two:
                        self.assertEqual(one.recv(12), b"HTTP/1.1 206")
                        self.assertEqual(two.recv(12), b"HTTP/1.1 206")
                        self.stops(server, number)
                        self.assertLess(read_to_end(one), len(content))
                        self.assertLess(read_to_end(two), len(content))

    def test_04_with_fifty_streams_of_which_half_wait(self):
        half = len(content) // 2
        with PlainSeeder(meta, content, lacks=lambda piece: piece * meta.piece_length >= half
                         ) as seeder, contextlib.ExitStack() as stack:
            server = stack.enter_context(Server(torrent, seeders=["%s:%d" % seeder.address]))
            (url,) = server.stream_urls(1)
            clients = [stack.enter_context(start_download(
                url, f"bytes={(half if number % 2 else 0) + 20_000 * number}-", 16 * 1024))
                for number in range(50)]
            for client in clients[::2]:
                self.assertEqual(client.recv(12), b"HTTP/1.1 206")
            wait_until(lambda: server.torrent(meta.id)["readers"] == 50, "all are open")
            self.stops(server, signal.SIGTERM)
            for client in clients:
                self.assertLess(read_to_end(client), half)

    def test_05_with_a_magnet_that_waits_for_its_metadata(self):
        link = "magnet:?xt=urn:btih:" + "b" * 40
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), Server(link) as server:
                with start_download(server.stream("b" * 40, 0)) as waiting:
                    # Its answer cannot have come; that the server is up is all there is to wait
                    # for.
                    self.assertEqual(server.request("GET", "/healthz").status, 200)
                    self.stops(server, number)
                    read_to_end(waiting)

    def test_06_its_port_is_free_again(self):
        with Server(torrent) as server:
            server.stream_urls(1)
            address = server.url.removeprefix("http://")
            with start_download(server.stream(meta.id, 0)):
                self.stops(server, signal.SIGTERM)
        with Server(torrent, "--listen", address, listen=False) as again:
            self.assertEqual(again.url, f"http://{address}")


class T02Disk(unittest.TestCase):
    def test_01_nothing_is_written_anywhere(self):
        with TempDir() as home, Seeder() as seeder:
            places = {name: home.folder(name) for name in
                      ("home", "cwd", "tmp", "config", "cache", "data", "state", "run")}
            variables = {"HOME": places["home"], "TMPDIR": places["tmp"],
                         "XDG_CONFIG_HOME": places["config"], "XDG_CACHE_HOME": places["cache"],
                         "XDG_DATA_HOME": places["data"], "XDG_STATE_HOME": places["state"],
                         "XDG_RUNTIME_DIR": places["run"]}
            seeder.add(torrent, folder.path)
            with Server(torrent, seeders=[seeder.address], cwd=places["cwd"],
                        variables=variables) as server:
                (url,) = server.stream_urls(1)
                before = server.bytes_written_to_disk()
                if SANITIZED != "thread":  # whose runtime begins with half a megabyte in a file of its own
                    self.assertEqual(before, 0)
                self.assertEqual(curl(url).body == content, True)
                self.assertEqual(server.bytes_written_to_disk() - before, 0)
                files = [os.readlink(f"/proc/{server.process.pid}/fd/{fd}")
                         for fd in os.listdir(f"/proc/{server.process.pid}/fd")]
                self.assertEqual([name for name in files if name.startswith(home.path)], [])
                server.process.signal(signal.SIGTERM)
                self.assertEqual(server.process.wait(STOP_DEADLINE_S), 0, server.process.said())
            for name, place in places.items():
                self.assertEqual(os.listdir(place), [], name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
