"""VLC, headless: films with their index at either end, seeks by its remote control, playlists, and
subtitles beside a film.
"""

import os
import re
import unittest

import media
from peer import Metainfo
from players import Vlc
from processes import TempDir, wait_until
from program import Server
from swarm import LibtorrentClient, make_with_mktorrent

# So long that a player cannot get by playing alone to where it should seek.
DURATION_S = 16


def setUpModule():
    global server, urls, show_id
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    # The show: a film with two subtitles, and an extra.
    show = folder.folder("show")
    media.make_mp4(os.path.join(show, "film.mp4"))
    media.make_srt(os.path.join(show, "film.de.srt"))
    media.make_srt(os.path.join(show, "film.en.srt"))
    sources = {"last": media.make_mp4(folder / "index last.mp4", DURATION_S),
               "first": media.make_mp4_with_its_index_first(folder / "index first.mp4", DURATION_S),
               "mkv": media.make_plain_mkv(folder / "film.mkv", DURATION_S),
               "avi": media.make_avi(folder / "film.avi", DURATION_S),
               "show": show}
    torrents, seeders = [], []
    for name, path in sources.items():
        torrents.append(make_with_mktorrent(path, folder / f"{name}.torrent", 128 * 1024))
        seeders.append(LibtorrentClient("seed", torrents[-1], folder.path))
        unittest.addModuleCleanup(seeders[-1].close)
    server = Server("--capacity", "128MiB", *torrents,
                    seeders=[seeder.address for seeder in seeders])
    unittest.addModuleCleanup(server.close)
    printed = server.stream_urls(7)
    urls = dict(zip(sources, printed[:4]))
    urls["film of the show"] = next(url for url in printed if url.endswith("/film.mp4"))
    show_id = Metainfo(torrents[-1]).id


class T01Vlc(unittest.TestCase):
    def tearDown(self):
        wait_until(lambda: server.request("GET", "/api/v1/readers").json() == [],
                   "no reader is left")

    def plays_and_seeks(self, name):
        with Vlc(urls[name]) as vlc:
            vlc.plays_on_from(0)
            self.assertEqual(vlc.number("get_length"), DURATION_S)
            for second in (11, 2, 7):
                vlc.seek(second)

    def test_01_mp4_with_its_index_first(self):
        self.plays_and_seeks("first")

    def test_02_mp4_with_its_index_last(self):
        self.plays_and_seeks("last")

    def test_03_mkv(self):
        self.plays_and_seeks("mkv")

    def test_04_avi(self):
        self.plays_and_seeks("avi")


class T02Playlists(unittest.TestCase):
    def test_01_a_playlist_is_played(self):
        with Vlc(f"{server.url}/playlist/{show_id}.m3u") as vlc:
            vlc.plays_on_from(0)
            vlc.seek(4)
            self.assertTrue(any("film.mp4" in line for line in vlc.command("playlist")))

    def test_02_what_it_says_of_subtitles_is_what_vlc_understands(self):
        """VLC 3.0 takes no input-slave from a playlist, for security; from its command line it
        does. So what the playlist says is given there, word by word.
        """
        playlist = server.request("GET", f"/playlist/{show_id}.m3u").body.decode()
        (option,) = re.findall("^#EXTVLCOPT(:input-slave=.*)$", playlist, re.MULTILINE)
        with Vlc(urls["film of the show"], option) as vlc:
            vlc.plays_on_from(0)
            self.assertEqual(len(vlc.subtitle_tracks()), 2)
            vlc.seek(4)
        with Vlc(urls["film of the show"]) as vlc:
            vlc.plays_on_from(0)
            self.assertEqual(vlc.subtitle_tracks(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
