"""Peers that download from Slipstream while it forgets: each completes, here and from others, gets
no wrong byte, and loses no connection.
"""

import contextlib
import threading
import unittest

import media
from big_film import MIB, Film, MemoryWatch, Player, metrics
from processes import DEADLINE_S, TempDir, wait_until
from program import Server
from swarm import LibtorrentClient, Seeder

CAPACITY = 8 * MIB
# Transmission takes one peer an address.
SLOW_SEED_HOST = "127.0.0.3"
SLOW_SEED_LIMIT = 2 * MIB


def setUpModule():
    global folder, film
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    film = Film(folder, "film.mkv", 32 * MIB + 123_456, 256 * 1024)
    unittest.addModuleCleanup(film.close)


class Leechers(unittest.TestCase):
    """Slipstream has a fast seed of its own. A leecher knows Slipstream, which has a quarter of the
    film at a time, and a slow seed.
    """

    @contextlib.contextmanager
    def playing(self, leecher_address):
        """The server while a player goes through the film again and again, at 3 MiB a second."""
        over = threading.Event()
        failures = []

        def play_on(url):
            try:
                while not over.is_set():
                    with Player(url, film) as player:
                        while player.position < film.size and not over.wait(1 / 3):
                            player.play(MIB)
            except Exception as wrong:  # pylint: disable=broad-except
                failures.append(wrong)

        with LibtorrentClient("seed", film.torrent, folder.path) as fast, \
                LibtorrentClient("seed", film.torrent, folder.path, [leecher_address],
                                 SLOW_SEED_LIMIT, SLOW_SEED_HOST), \
                Server("--capacity", str(CAPACITY), film.torrent,
                       seeders=[fast.address, leecher_address]) as server, MemoryWatch(server):
            (url,) = server.stream_urls(1)
            player = threading.Thread(target=play_on, args=(url,), daemon=True)
            player.start()
            try:
                yield server
            finally:
                over.set()
                player.join(2 * DEADLINE_S)
            self.assertEqual(failures, [])

    def forgot(self, server):
        seen = metrics(server)
        self.assertGreater(seen["pieces_forgotten_total"], film.meta.num_pieces // 4)

    def test_01_libtorrent(self):
        with TempDir() as place, LibtorrentClient("fetch", film.torrent, place.path) as leecher:
            with self.playing(leecher.address) as server:
                wait_until(leecher.finished, "the leecher has all", 2 * DEADLINE_S)
                self.forgot(server)
                self.assertGreater(metrics(server)["payload_upload_bytes_total"], 0)
                self.assertEqual(leecher.told("wrong hash"), [])
                self.assertEqual(leecher.told("disconnected"), [])
                self.assertEqual(media.sha256(place / "film.mkv"), film.sha256)

    def test_02_transmission(self):
        with TempDir() as place, Seeder() as leecher:
            meta = leecher.fetch(film.torrent, place.path)
            with self.playing(leecher.address) as server:
                known = set()

                def complete():
                    done, corrupt, peers = leecher.fetched(meta.id)
                    self.assertEqual(corrupt, 0)
                    if done == 1:
                        return True
                    self.assertEqual(known - set(peers), set(), "a peer was dropped")
                    known.update(peers)
                    return False

                wait_until(complete, "the leecher has all", 2 * DEADLINE_S, 0.5)
                self.assertEqual(known, {"127.0.0.1", SLOW_SEED_HOST})
                # How much it has from us is its choice: it does not hear that a piece is gone (BEP 54),
                # asks for it, is turned down, and then asks less; once it asked for nothing.
                self.forgot(server)
                self.assertEqual(media.sha256(place / "film.mkv"), film.sha256)


if __name__ == "__main__":
    unittest.main(verbosity=2)
