"""Two films at once through one memory that neither fits in."""

import threading
import unittest

from big_film import MIB, Film, MemoryWatch, Player, metrics, play, settled
from processes import DEADLINE_S, TempDir, wait_until
from program import Server, curl
from swarm import LibtorrentClient

CAPACITY = 16 * MIB


def setUpModule():
    global films, seeders
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    films = [Film(folder, "one.mkv", 96 * MIB + 123_456, 256 * 1024, seed=1),
             Film(folder, "two.mkv", 96 * MIB + 234_567, 512 * 1024, seed=2)]
    seeders = []
    for film in films:
        unittest.addModuleCleanup(film.close)
        seeders.append(LibtorrentClient("seed", film.torrent, folder.path))
        unittest.addModuleCleanup(seeders[-1].close)


def serve_films(capacity):
    """A server of both; each seeder has one of them and turns away who asks for the other."""
    return Server("--capacity", str(capacity), *[film.torrent for film in films],
                  seeders=[seeder.address for seeder in seeders])


def stream(server, film):
    return server.stream(film.meta.id, 0, film.meta.name)


class T01AtOnce(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = serve_films(CAPACITY)
        cls.addClassCleanup(cls.server.close)
        cls.server.stream_urls(2)
        cls.addClassCleanup(MemoryWatch(cls.server).close)

    def test_01_in_turns_a_mebibyte_each(self):
        with Player(stream(self.server, films[0]), films[0]) as one, \
                Player(stream(self.server, films[1]), films[1]) as two:
            for _ in range(48):
                one.play(MIB)
                two.play(MIB)

    def test_02_side_by_side_from_start_to_end(self):
        found = {}
        before = settled(self.server)

        def watch(film):
            found[film] = play(stream(self.server, film), film)

        threads = [threading.Thread(target=watch, args=(film,), daemon=True) for film in films]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(3 * DEADLINE_S)
        self.assertEqual(found, {film: film.sha256 for film in films})
        # Neither costs the other a second download, but for read-ahead when they begin to share.
        self.assertLess(settled(self.server) - before, sum(film.size for film in films) * 1.1)


class T02NoRoomForBoth(unittest.TestCase):
    """Each film's pieces fit in turn, and both at once do not: two and two open pieces, twice."""

    CAPACITY = 64 * 1024 * 50

    def test_01_the_second_is_told_so_while_the_first_plays_and_can_be_played_after_it(self):
        with serve_films(self.CAPACITY) as server, MemoryWatch(server):
            server.stream_urls(2)
            with Player(stream(server, films[0]), films[0], receive_buffer_bytes=64 * 1024) as one:
                one.play(MIB)
                answer = curl(stream(server, films[1]), "-r", "0-999")
                self.assertEqual(answer.status, 507, answer)
                one.play(8 * MIB)
            wait_until(lambda: server.torrent(films[0].meta.id)["readers"] == 0,
                       "the first is closed")
            play(stream(server, films[1]), films[1], 0, 8 * MIB)
            self.assertLessEqual(metrics(server)["memory_peak_bytes"], self.CAPACITY)


if __name__ == "__main__":
    unittest.main(verbosity=2)
