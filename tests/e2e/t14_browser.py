"""Chromium, headless: a page of another origin plays films in a <video> element and seeks in them.

The browser is Debian's; playwright-core, which steers it, lies in the folder that
SLIPSTREAM_NODE_MODULES names (installed there by the test's set-up, from browser/package-lock.json).
"""

import http.server
import json
import os
import threading
import unittest

import media
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
    global page_url, server, urls, sizes
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


class T01Browser(unittest.TestCase):
    def tearDown(self):
        wait_until(lambda: server.request("GET", "/api/v1/readers").json() == [],
                   "no reader is left")

    def does(self, *steps):
        """What the browser saw at each step."""
        with TempDir() as home:
            done = must(["node", SCRIPT, "/usr/bin/chromium", page_url, json.dumps(steps)],
                        deadline_s=240,
                        env={**os.environ, "HOME": home.path, "TMPDIR": home.path,
                             "NODE_PATH": os.environ["SLIPSTREAM_NODE_MODULES"]})
        return json.loads(done.stdout)

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


if __name__ == "__main__":
    unittest.main(verbosity=2)
