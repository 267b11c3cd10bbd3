"""Chromium, headless: a page of another origin plays films in a <video> element and seeks in them; and
a person with the server's own page, who plays, adds and removes films.

The browser is Debian's; playwright-core, which steers it, lies in the folder that
SLIPSTREAM_NODE_MODULES names (installed there by the test's set-up, from browser/package-lock.json).
"""

import http.server
import json
import os
import threading
import unittest

import media
from peer import Metainfo
from processes import TempDir, must, wait_until
from program import Server
from swarm import LibtorrentClient, make_with_mktorrent

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "browser", "play.cjs")
PAGE = b"<!doctype html><title>a page</title><video crossorigin=anonymous width=480></video>"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def setUpModule():
    global page_url, server, urls, sizes, torrents, seeders
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    films = {"webm": media.make_webm(folder / "film.webm"),
             "last": media.make_mp4(folder / "index last.mp4"),
             "first": media.make_mp4_with_its_index_first(folder / "index first.mp4")}
    sizes = {name: os.path.getsize(path) for name, path in films.items()}
    torrents, seeders = [], []
    for name, path in films.items():
        torrents.append(make_with_mktorrent(path, folder / f"{name}.torrent", 128 * 1024))
        seeders.append(LibtorrentClient("seed", torrents[-1], folder.path))
        unittest.addModuleCleanup(seeders[-1].close)
    server = Server("--capacity", "64MiB", *torrents,
                    seeders=[seeder.address for seeder in seeders])
    unittest.addModuleCleanup(server.close)
    urls = dict(zip(films, server.stream_urls(len(films))))
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    unittest.addModuleCleanup(pages.server_close)
    thread = threading.Thread(target=pages.serve_forever, daemon=True)
    thread.start()
    unittest.addModuleCleanup(thread.join)
    unittest.addModuleCleanup(pages.shutdown)
    page_url = f"http://127.0.0.1:{pages.server_port}/"


def browse(url, *steps):
    """What the browser saw at each step, beginning with the page at the URL."""
    with TempDir() as home:
        done = must(["node", SCRIPT, "/usr/bin/chromium", url, json.dumps(steps)],
                    deadline_s=240,
                    env={**os.environ, "HOME": home.path, "TMPDIR": home.path,
                         "NODE_PATH": os.environ["SLIPSTREAM_NODE_MODULES"]})
    return json.loads(done.stdout)


class T01Browser(unittest.TestCase):
    def tearDown(self):
        wait_until(lambda: server.request("GET", "/api/v1/readers").json() == [],
                   "no reader is left")

    def does(self, *steps):
        return browse(page_url, *steps)

    def plays_and_seeks(self, name):
        seen = self.does({"do": "open", "url": urls[name]},
                         *[{"do": "seek", "to": second} for second in (6, 1, 4)])
        self.assertAlmostEqual(seen[0]["duration"], media.DURATION_S, delta=0.3)
        self.assertEqual(seen[0]["width"], 480)
        self.assertGreater(seen[0]["colours"], 20)
        for step, second in zip(seen[1:], (6, 1, 4)):
            self.assertGreater(step["at"], second)

    def test_01_a_script_of_another_origin_may_read_ranges_and_their_headers(self):
        (seen,) = self.does({"do": "fetch", "url": urls["webm"], "range": "bytes=0-1"})
        self.assertEqual((seen["status"], seen["length"]), (206, 2))
        self.assertEqual(seen["headers"]["content-range"], f"bytes 0-1/{sizes['webm']}")
        self.assertEqual(seen["headers"]["content-length"], "2")
        self.assertEqual(seen["headers"]["accept-ranges"], "bytes")
        self.assertRegex(seen["headers"]["etag"], '^".+"$')

    def test_02_webm(self):
        self.plays_and_seeks("webm")

    def test_03_mp4_with_its_index_first(self):
        self.plays_and_seeks("first")

    def test_04_mp4_with_its_index_last(self):
        self.plays_and_seeks("last")

    def test_05_to_the_end(self):
        seen = self.does({"do": "open", "url": urls["webm"]},
                         {"do": "seek", "to": media.DURATION_S - 1}, {"do": "end"})
        self.assertIs(seen[2], True)


class T02OwnPage(unittest.TestCase):
    """What a person does with the page at "/", each test with a server that has one film."""

    def setUp(self):
        self.server = Server("--capacity", "64MiB", torrents[0],
                             seeders=[seeder.address for seeder in seeders])
        self.addCleanup(self.server.close)

    def does(self, *steps):
        return browse(self.server.url + "/", *steps)

    def names(self):
        return sorted(torrent["name"] for torrent in self.server.torrents())

    def plays(self, seen):
        self.assertAlmostEqual(seen["duration"], media.DURATION_S, delta=0.3)
        self.assertEqual(seen["width"], 480)
        self.assertGreater(seen["colours"], 20)

    def test_01_plays_what_is_there_seeks_in_it_and_sees_the_memory(self):
        seen = self.does(
            {"do": "sees", "what": ".torrent", "having": "film.webm"},
            {"do": "press", "button": "Play", "what": ".torrent", "having": "film.webm"},
            {"do": "plays"}, {"do": "seek", "to": 6}, {"do": "seek", "to": 1},
            {"do": "says", "what": "#player-name"},
            {"do": "painted", "what": "#pieces"},
            {"do": "says", "what": "#memory-text"},
            {"do": "press", "button": "Close"},
            {"do": "misses", "what": "#player"})
        self.plays(seen[2])
        self.assertGreater(seen[3]["at"], 6)
        self.assertGreater(seen[4]["at"], 1)
        self.assertEqual(seen[5], "film.webm")
        self.assertRegex(seen[7], r"^[0-9.]+ [KM]iB of 64\.0 MiB$")

    def test_02_adds_a_torrent_file_and_a_magnet_link_and_plays_them(self):
        magnet = f"magnet:?xt=urn:btih:{Metainfo(torrents[2]).id}"
        seen = self.does(
            {"do": "choose", "what": "#file", "path": torrents[1]},
            {"do": "sees", "what": ".torrent li", "having": "index last.mp4"},
            {"do": "press", "button": "Play", "what": ".torrent", "having": "index last.mp4"},
            {"do": "plays"},
            {"do": "write", "what": "#uri", "text": f"  {magnet} "},
            {"do": "press", "button": "Add"},
            {"do": "sees", "what": ".torrent li", "having": "index first.mp4"},
            {"do": "holds", "what": "#uri"},
            {"do": "press", "button": "Play", "what": ".torrent", "having": "index first.mp4"},
            {"do": "sees", "what": "#player-name", "having": "index first.mp4"},
            {"do": "plays"})
        self.plays(seen[3])
        self.plays(seen[10])
        self.assertEqual(seen[7], "", "what was added need not be typed over")
        self.assertEqual(self.names(), ["film.webm", "index first.mp4", "index last.mp4"])

    def test_03_is_told_what_is_wrong_until_something_is_right(self):
        with TempDir() as folder:
            with open(folder / "no.torrent", "w", encoding="ascii") as file:
                file.write("nothing of the kind")
            seen = self.does(
                {"do": "press", "button": "Add"},
                {"do": "sees", "what": "#trouble", "having": "magnet:?xt=urn:btih:"},
                {"do": "write", "what": "#uri", "text": "magnet:?xt=urn:btih:zz"},
                {"do": "press", "button": "Add"},
                {"do": "sees", "what": "#trouble", "having": "not a magnet link that can be used"},
                {"do": "holds", "what": "#uri"},
                {"do": "choose", "what": "#file", "path": folder / "no.torrent"},
                {"do": "sees", "what": "#trouble", "having": "not a torrent file"},
                {"do": "choose", "what": "#file", "path": torrents[1]},
                {"do": "misses", "what": "#trouble"})
        self.assertEqual(seen[5], "magnet:?xt=urn:btih:zz", "it can be mended")
        self.assertEqual(self.names(), ["film.webm", "index last.mp4"])

    def test_04_removes_what_is_playing(self):
        self.does(
            {"do": "press", "button": "Play", "what": ".torrent", "having": "film.webm"},
            {"do": "plays"},
            {"do": "press", "button": "Remove", "what": ".torrent", "having": "film.webm"},
            {"do": "misses", "what": ".torrent", "having": "film.webm"},
            {"do": "misses", "what": "#player"},
            {"do": "sees", "what": "#nothing", "having": "No torrents yet"})
        self.assertEqual(self.server.torrents(), [])
        wait_until(lambda: self.server.request("GET", "/api/v1/memory").json()["used_bytes"] == 0,
                   "its memory came home")


if __name__ == "__main__":
    unittest.main(verbosity=2)
