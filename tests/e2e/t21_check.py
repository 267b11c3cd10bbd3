"""`slipstream check`: green on ourselves, red on servers that players have trouble with."""

import os
import unittest

import media
from bad_server import FAULTS, BadServer
from peer import Metainfo, PlainSeeder
from processes import Child, TempDir, free_port, must, wait_until
from program import BIN, Server, http_request, slipstream
from swarm import make_with_mktorrent

# What of the table each fault turns red; all but these stay as they are.
RED = {
    "no ranges": "range: the first byte", "no length": "HEAD: 200 and the size",
    "head with a body": "HEAD: no body", "off by one": "range: the first byte",
    "suffix from the start": "range: the last 100", "unclamped": "range: an end behind",
    "416 as 200": "range: behind the end", "wrong content-range": "range: the first byte",
    "other units served": "range: units other", "if-range ignored": "If-Range: another",
    "etag of parts": "validator", "hangs after four": "clients that leave",
    "5xx for nonsense": "range: malformed", "other size": "GET: 200"}
# Players live with these.
WARNED = {"one part of two": "range: several", "closes": "keep-alive"}


def setUpModule():
    global folder, film, content, noise
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    film = media.make_mp4(folder / "film.mp4")
    content = media.read_bytes(film)
    # A film's first bytes are alike; these tell every byte from the next.
    noise = os.urandom(100_000)


class Check(unittest.TestCase):
    def check(self, url, *arguments):
        done = slipstream("check", url, *arguments)
        rows = [line for line in done.stdout.splitlines() if line[:6].strip() in
                ("pass", "warn", "skip", "FAIL")]
        return done, {row[6:].split("  ")[0]: row[:4] for row in rows}

    def of(self, rows, beginning):
        found = [row for row in rows if row.startswith(beginning)]
        self.assertEqual(len(found), 1, (beginning, rows))
        return rows[found[0]]


class T01Ourselves(Check):
    def test_01_every_check_passes(self):
        torrent = make_with_mktorrent(film, folder / "film.torrent")
        with PlainSeeder(Metainfo(torrent), content) as seeder, \
                Server(torrent, seeders=["%s:%d" % seeder.address]) as server:
            (url,) = server.stream_urls(1)
            done, rows = self.check(url)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertEqual(set(rows.values()), {"pass"}, done.stdout)
            self.assertGreater(len(rows), 20)

    def test_02_through_tls_and_with_a_password(self):
        key, cert = folder / "key.pem", folder / "cert.pem"
        must(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
              "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
              "subjectAltName=DNS:localhost"])
        torrent = make_with_mktorrent(film, folder / "tls.torrent", 128 * 1024)
        with PlainSeeder(Metainfo(torrent), content) as seeder:
            with Child([BIN, "serve", "--offline", "--peer-listen", "127.0.0.1:0", "--listen",
                        "127.0.0.1:0", "--connect", "%s:%d" % seeder.address, "--tls-cert", cert,
                        "--tls-key", key, "--auth", "anna:secret", torrent]) as server:
                url = server.wait_for(r"(https://\S+/stream/\S+)")[0][1]
                named = url.replace("127.0.0.1", "localhost")
                done, rows = self.check(named, "--ca-file", cert, "--auth", "anna:secret")
                self.assertEqual(done.returncode, 0, done)
                self.assertEqual(set(rows.values()), {"pass"}, done.stdout)
                given = named.replace("https://", "https://anna:secret@")
                self.assertEqual(self.check(given, "--ca-file", cert)[0].returncode, 0)
                # Neither who is not trusted, nor another name, nor a wrong password.
                for url_and_more, word in (((named,), "certificate"),
                                           ((url, "--ca-file", cert), "certificate"),
                                           ((named, "--ca-file", cert), "401")):
                    done, _ = self.check(*url_and_more)
                    self.assertEqual(done.returncode, 1, done)
                    self.assertIn(word, done.stdout)


class T02Others(Check):
    def test_01_a_server_without_fault_passes(self):
        with BadServer(noise) as server:
            done, rows = self.check(server.url)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertNotIn("FAIL", rows.values())

    def test_02_each_fault_is_found(self):
        self.assertEqual(set(RED) | set(WARNED), set(FAULTS))
        for fault, red in RED.items():
            with self.subTest(fault), BadServer(noise, fault) as server:
                timeout = ["--timeout", "2"] if fault == "hangs after four" else []
                done, rows = self.check(server.url, *timeout)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertEqual(self.of(rows, red), "FAIL", done.stdout)

    def test_03_what_players_live_with_is_a_warning(self):
        for fault, row in WARNED.items():
            with self.subTest(fault), BadServer(noise, fault) as server:
                done, rows = self.check(server.url)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertEqual(self.of(rows, row), "warn", done.stdout)

    def test_04_pythons_server_has_no_ranges(self):
        port = free_port()
        with Child(["python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory",
                    folder.path, str(port)]):
            url = f"http://127.0.0.1:{port}/film.mp4"

            def answers():
                try:
                    return http_request("HEAD", url).status == 200
                except OSError:
                    return False
            wait_until(answers, "it serves")
            done, rows = self.check(url)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertEqual(self.of(rows, "range: the first byte"), "FAIL", done.stdout)

    def test_05_what_cannot_be_asked(self):
        done, _ = self.check(f"http://127.0.0.1:{free_port()}/film.mp4")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("cannot connect", done.stdout)
        for url in ("film.mp4", "ftp://localhost/", "http://", "http://a b/", "http://a:b:c/"):
            with self.subTest(url):
                done, _ = self.check(url)
                self.assertEqual(done.returncode, 2, done)
                self.assertIn("is not a URL", done.stderr)
        with BadServer(b"short") as server:
            done, _ = self.check(server.url)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("1024 at least", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
