"""A film sixteen times the memory, over HTTP: right bytes from start to end and again, the cap
held, what was just played still there, and what is gone downloaded again, but no more than that.
"""

import os
import re
import unittest

from big_film import MIB, Film, MemoryWatch, Player, downloaded, metrics, play, settled
from peer import BLOCK
from processes import TempDir, wait_until
from program import Server, curl
from swarm import LibtorrentClient

# `make soak` plays 2 GiB through 64 MiB.
FILM_MIB = int(os.environ.get("SLIPSTREAM_TEST_FILM_MIB", "256"))
CAPACITY_MIB = int(os.environ.get("SLIPSTREAM_TEST_CAPACITY_MIB", "16"))
PIECE = 256 * 1024
SIZE = FILM_MIB * MIB + 123_456


def setUpModule():
    global film, seeder
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    film = Film(folder, "film.mkv", SIZE, PIECE)
    unittest.addModuleCleanup(film.close)
    seeder = LibtorrentClient("seed", film.torrent, folder.path)
    unittest.addModuleCleanup(seeder.close)


def serve_film(test_class, capacity, *arguments):
    """A server of the film, whose memory is watched until the class is through."""
    server = Server("--capacity", str(capacity), *arguments, film.torrent, seeders=[seeder.address])
    test_class.addClassCleanup(server.close)
    (url,) = server.stream_urls(1)
    test_class.addClassCleanup(MemoryWatch(server).close)
    return server, url


class T01Film(unittest.TestCase):
    CAPACITY = CAPACITY_MIB * MIB

    @classmethod
    def setUpClass(cls):
        cls.server, cls.url = serve_film(cls, cls.CAPACITY)

    def test_01_from_start_to_end_and_again(self):
        for time in ("first", "second"):
            with self.subTest(time):
                before = downloaded(self.server)
                self.assertEqual(play(self.url, film), film.sha256)
                # Each time all of it, and few blocks twice: those for which there was no room yet.
                cost = downloaded(self.server) - before
                self.assertGreater(cost, film.size - self.CAPACITY)
                self.assertLess(cost, film.size * 1.1)
        seen = metrics(self.server)
        self.assertGreater(seen["pieces_evicted_total"], 2 * (SIZE - self.CAPACITY) // PIECE)
        self.assertLessEqual(seen["memory_peak_bytes"], self.CAPACITY)
        self.assertEqual(seeder.told("disconnected"), [])

    def test_02_short_looks_everywhere_get_right_bytes(self):
        for number in range(40):
            first = number * 7919 * 1013 * 31 % (SIZE - MIB)
            play(self.url, film, first, first + 300_000)


class T02Seeking(unittest.TestCase):
    """What the program makes of a capacity: docs/design.md, "Windows". It counts from what it has
    sent, and sockets hold some of that, so a player is behind the reader that serves it.
    """

    CAPACITY = 64 * MIB
    LOOKBEHIND = CAPACITY // 4
    READ_AHEAD = CAPACITY // 8  # given, for what is automatic depends on the player's pace

    @classmethod
    def setUpClass(cls):
        cls.server, cls.url = serve_film(cls, cls.CAPACITY, "--read-ahead", str(cls.READ_AHEAD))
        with open("/proc/sys/net/ipv4/tcp_wmem", encoding="ascii") as wmem:
            in_sockets = int(wmem.read().split()[2]) + 256 * 1024
        if in_sockets > cls.LOOKBEHIND // 2 - MIB:
            raise unittest.SkipTest(f"sockets here hold {in_sockets} bytes, too much for this")
        cls.reach = cls.LOOKBEHIND - in_sockets
        cls.shared_reach = cls.LOOKBEHIND // 2 - in_sockets

    def paused_at(self, at):
        player = Player(self.url, film, at - self.CAPACITY, receive_buffer_bytes=64 * 1024)
        return player.play(self.CAPACITY)

    def test_01_back_inside_lookbehind_downloads_nothing(self):
        at = 90 * MIB
        with self.paused_at(at):
            before = settled(self.server)
        for back in (MIB, self.LOOKBEHIND // 2, self.reach):
            with self.subTest(back):
                play(self.url, film, at - back, at)
                self.assertEqual(settled(self.server), before)

    def test_02_whatever_another_player_needs_meanwhile(self):
        at = 100 * MIB
        with self.paused_at(at):
            # Twice the memory passes through it; the two share the lookbehind.
            play(self.url, film, 110 * MIB, 110 * MIB + 2 * self.CAPACITY)
            before = settled(self.server)
        play(self.url, film, at - self.shared_reach, at)
        self.assertEqual(settled(self.server), before)

    def test_03_beyond_it_downloads_what_it_needs(self):
        before = settled(self.server)
        size = 16 * MIB
        # Where nobody was, so none of it is in memory.
        play(self.url, film, 0, size)
        cost = settled(self.server) - before
        self.assertGreaterEqual(cost, size)
        # What was played, the read-ahead, and the piece in which that ends: 1.52 times what was
        # asked for.
        self.assertLessEqual(cost, size + self.READ_AHEAD + PIECE)


class T03Floor(unittest.TestCase):
    """The least capacity at which the sum of docs/design.md works out for a film."""

    @classmethod
    def setUpClass(cls):
        cls.folder = TempDir()
        cls.addClassCleanup(cls.folder.close)
        cls.film = Film(cls.folder, "small.mkv", 32 * MIB + 123_456, PIECE, seed=2)
        cls.addClassCleanup(cls.film.close)
        cls.seeder = LibtorrentClient("seed", cls.film.torrent, cls.folder.path)
        cls.addClassCleanup(cls.seeder.close)

    def refusal(self, capacity):
        with Server("--capacity", str(capacity), self.film.torrent) as server:
            answer = curl(server.stream(self.film.meta.id, 0))
            self.assertEqual(answer.status, 507, answer)
            detail = answer.json()["detail"]
            wait_until(lambda: detail in server.process.stderr, "the refusal is on stderr")
            return detail

    def floor(self):
        return int(re.search(r"needed (\d+) = ", self.refusal(MIB))[1])

    def test_01_one_block_less_is_refused_with_the_sum(self):
        floor = self.floor()
        detail = self.refusal(floor - BLOCK)
        self.assertIn(f"capacity {floor - BLOCK} bytes; needed {floor} = ", detail)
        terms = re.search(r" = scratch (\d+) \+ arriving from \d+ connections (\d+)"
                          r" \+ lent to peers and players (\d+) \+ twice 2 open pieces .* (\d+)$", detail)
        self.assertEqual(sum(int(term) for term in terms.groups()), floor)

    def test_02_at_the_floor_itself_it_plays_start_to_end_and_again(self):
        floor = self.floor()
        with Server("--capacity", str(floor), self.film.torrent,
                    seeders=[self.seeder.address]) as server, MemoryWatch(server):
            (url,) = server.stream_urls(1)
            for time in ("first", "second"):
                with self.subTest(time):
                    self.assertEqual(play(url, self.film), self.film.sha256)
            # A window of a few pieces; blocks that come before there is room are asked for again.
            self.assertLess(settled(server), 2 * self.film.size * 1.1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
