"""The demonstration: it needs nothing but itself, and says what it saw."""

import os
import signal
import unittest

import media
from processes import Child, TempDir
from program import BIN, curl, environment, slipstream


class T01Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = TempDir()
        cls.addClassCleanup(cls.folder.close)
        cls.film = media.make_mp4(cls.folder / "film.mp4")

    def test_01_with_a_film_of_ours(self):
        done = slipstream("demo", "--file", self.film, deadline_s=90)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(media.sha256(self.film), done.stdout)
        self.assertRegex(done.stdout, "Every byte was right")

    def test_02_with_what_cannot_be_a_film(self):
        empty = self.folder / "empty.mp4"
        open(empty, "wb").close()
        for path in (self.folder / "missing.mp4", self.folder.path, empty):
            with self.subTest(path):
                done = slipstream("demo", "--file", path, deadline_s=30)
                self.assertEqual(done.returncode, 1, done)
                self.assertEqual(done.stderr.count("\n"), 1, done)
                self.assertIn(path, done.stderr)

    def test_03_kept_it_serves_until_it_is_told_to_stop(self):
        with Child([BIN, "demo", "--keep", "--file", self.film], env=environment()) as demo:
            url = demo.wait_for(r"(http://\S+/stream/\S+)", 90)[0][1]
            demo.wait_for("Every byte was right", 90)
            answer = curl(url)
            self.assertEqual(answer.body == media.read_bytes(self.film), True)
            demo.signal(signal.SIGINT)
            self.assertEqual(demo.wait(5), 0, demo.said())

    def test_04_with_nothing_at_all(self):
        with TempDir() as home:
            done = slipstream("demo", deadline_s=150, TMPDIR=home.path)
            self.assertEqual(done.returncode, 0, done)
            for word in ("first byte", "throughput", "memory", "disk", "SHA-256"):
                self.assertIn(word.lower(), done.stdout.lower())
            self.assertRegex(done.stdout, "Every byte was right")
            self.assertEqual(os.listdir(home.path), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
