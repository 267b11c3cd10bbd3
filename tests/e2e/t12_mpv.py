"""mpv, headless: films with their index at either end, seeks by script, films larger than the
memory.
"""

import unittest

import media
from big_film import MIB, MemoryWatch
from peer import Metainfo
from players import Mpv
from processes import TempDir, wait_until
from program import API, Server
from swarm import LibtorrentClient, make_with_mktorrent

LONG_S = 30


def setUpModule():
    global films, server, urls, metas
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    films = {"mp4": media.make_mp4(folder / "index last.mp4"),
             "first": media.make_mp4_with_its_index_first(folder / "index first.mp4"),
             "avi": media.make_avi(folder / "film.avi"),
             "long": media.make_plain_mkv(folder / "long.mkv", LONG_S)}
    torrents, seeders = [], []
    for name, path in films.items():
        torrents.append(make_with_mktorrent(path, folder / f"{name}.torrent", 128 * 1024))
        seeders.append(LibtorrentClient("seed", torrents[-1], folder.path))
        unittest.addModuleCleanup(seeders[-1].close)
    server = Server("--capacity", str(24 * MIB), *torrents,
                    seeders=[seeder.address for seeder in seeders])
    unittest.addModuleCleanup(server.close)
    urls = dict(zip(films, server.stream_urls(len(films))))
    metas = {name: Metainfo(torrent) for name, torrent in zip(films, torrents)}


class T01Mpv(unittest.TestCase):
    def tearDown(self):
        wait_until(lambda: server.request("GET", "/api/v1/readers").json() == [],
                   "no reader is left")

    def test_01_plays_from_the_start(self):
        for name in films:
            with self.subTest(name), Mpv(urls[name]) as mpv:
                mpv.plays_on_from(0)
                self.assertAlmostEqual(mpv.get("duration"),
                                       LONG_S if name == "long" else media.DURATION_S, delta=0.3)
                self.assertTrue(mpv.get("seekable"))

    def test_02_after_each_seek_it_plays_on_from_there(self):
        for name in ("mp4", "first", "avi"):
            with self.subTest(name), Mpv(urls[name]) as mpv:
                mpv.plays_on_from(0)
                for second in (6, 1, 4, 0):
                    mpv.seek(second)

    def test_03_plays_a_film_to_its_end(self):
        with Mpv(urls["mp4"], options=("--cache=no", "--start=7")) as mpv:
            mpv.plays_to_its_end()
            self.assertEqual(mpv.process.wait(), 0)

    def test_04_seeks_all_over_a_film_larger_than_the_memory(self):
        with MemoryWatch(server), Mpv(urls["long"]) as mpv:
            mpv.plays_on_from(0)
            for second in (25, 2, 15, 14, 28, 0):
                mpv.seek(second)

    def test_05_and_with_a_cache_of_its_own_as_people_use_it(self):
        with MemoryWatch(server), Mpv(urls["long"], options=()) as mpv:
            mpv.plays_on_from(0)
            for second in (20, 5, 27):
                mpv.seek(second)

    def test_06_two_on_one_film_at_different_places(self):
        with Mpv(urls["long"]) as one, Mpv(urls["long"], options=("--cache=no", "--start=15")) as two:
            one.plays_on_from(0)
            two.plays_on_from(15)
            one.seek(20)
            two.seek(3)

    def test_07_the_film_that_is_played_is_removed_and_another_plays_on(self):
        with Mpv(urls["long"]) as removed, Mpv(urls["avi"]) as stays:
            removed.plays_on_from(0)
            stays.plays_on_from(0)
            answer = server.request("DELETE", f"{API}/{metas['long'].id}")
            self.assertEqual(answer.status, 204, answer)
            for second in (6, 2):
                stays.seek(second)
            # mpv plays what it has, and asks again; of what is gone there is no reader.
            readers = server.request("GET", "/api/v1/readers").json()
            self.assertEqual({reader["torrent_id"] for reader in readers}, {metas["avi"].id})


if __name__ == "__main__":
    unittest.main(verbosity=2)
