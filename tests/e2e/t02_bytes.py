"""Every byte right: transmission seeds, curl reads (RFC 9110: 9.3.2 HEAD, 13.1.5 If-Range, 14
ranges).
"""

import hashlib
import os
import unittest

import media
from processes import TempDir, must
from program import Server, curl, http_request
from swarm import Seeder, make_with_mktorrent, make_with_transmission

SHOW = {"Zoë & 100% #1.srt": None, "empty.nfo": b"", "extras/notes.txt": b"notes\n" * 100}


def make_show(path):
    """A folder with a film, subtitles under a name that needs every kind of quoting, an empty
    file, and one in a folder of its own.
    """
    os.makedirs(os.path.join(path, "extras"))
    srt = media.make_srt(os.path.join(path, "Zoë & 100% #1.srt"))
    media.make_mkv(os.path.join(path, "film.mkv"), srt)
    for name, content in SHOW.items():
        if content is not None:
            with open(os.path.join(path, name), "wb") as out:
                out.write(content)


def setUpModule():
    global film, show_folder, film_meta, show_meta, server, film_url, show_urls
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    show_folder = folder / "show"
    make_show(show_folder)
    path = media.make_mp4(folder / "film.mp4")
    film = media.read_bytes(path)
    film_torrent = make_with_transmission(path, folder / "film.torrent")
    # Pieces smaller than the subtitles' share of the film, so that files meet inside a piece.
    show_torrent = make_with_mktorrent(show_folder, folder / "show.torrent", 1 << 20)
    seeder = Seeder()
    unittest.addModuleCleanup(seeder.close)
    film_meta = seeder.add(film_torrent, folder.path)
    show_meta = seeder.add(show_torrent, folder.path)
    server = Server("--capacity", "256MiB", film_torrent, show_torrent, seeders=[seeder.address])
    unittest.addModuleCleanup(server.close)
    film_url, *show_urls = server.stream_urls(1 + len(show_meta.files))


class T01Whole(unittest.TestCase):
    def test_01_head_tells_size_and_type_before_a_byte_is_there(self):
        answer = curl(film_url, "-I")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["content-length"], str(len(film)))
        self.assertEqual(answer.headers["content-type"], "video/mp4")
        self.assertEqual(answer.headers["accept-ranges"], "bytes")
        self.assertRegex(answer.headers["etag"], '^"[^"]+"$')
        self.assertEqual(answer.body, b"")

    def test_02_the_first_byte(self):
        answer = curl(film_url, "-r", "0-0")
        self.assertEqual((answer.status, answer.body), (206, film[:1]))

    def test_03_the_whole_film(self):
        answer = curl(film_url)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-length"], str(len(film)))
        self.assertEqual(hashlib.sha256(answer.body).hexdigest(), hashlib.sha256(film).hexdigest())

    def test_04_every_file_of_a_torrent_with_several(self):
        self.assertEqual(len(show_urls), len(show_meta.files))
        for url, (name, size) in zip(show_urls, show_meta.files):
            with self.subTest(name):
                answer = curl(url)
                content = media.read_bytes(os.path.join(show_folder, name))
                self.assertEqual(len(content), size)
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(answer.headers["content-length"], str(size))
                self.assertEqual(answer.body == content, True)

    def test_05_the_url_ends_in_the_files_own_name(self):
        for url, (name, _) in zip(show_urls, show_meta.files):
            self.assertTrue(url.endswith("." + name.rsplit(".", 1)[1]), url)

    def test_06_types_are_what_players_expect(self):
        types = {"mkv": "video/x-matroska", "srt": "application/x-subrip", "txt": "text/plain"}
        for url, (name, _) in zip(show_urls, show_meta.files):
            wanted = types.get(name.rsplit(".", 1)[1])
            if wanted:
                with self.subTest(name):
                    found = curl(url, "-I").headers["content-type"]
                    self.assertEqual(found.split(";")[0], wanted)

    def test_07_one_connection_carries_several_answers(self):
        # Two URLs in one call of curl: the second is asked for over the first one's connection.
        done = must(["curl", "-sS", "--max-time", "60", "-r", "0-99", "-w", "%{num_connects}\\n",
                     "-o", os.devnull, film_url, "-o", os.devnull, film_url])
        self.assertEqual(done.stdout.split(), ["1", "0"])


class T02Ranges(unittest.TestCase):
    def ranged(self, wanted, first, last, url=None, content=None):
        content = film if content is None else content
        answer = curl(url or film_url, "-r", wanted)
        self.assertEqual(answer.status, 206, (wanted, answer))
        self.assertEqual(answer.headers["content-range"], f"bytes {first}-{last}/{len(content)}")
        self.assertEqual(answer.headers["content-length"], str(last - first + 1))
        self.assertEqual(answer.headers["accept-ranges"], "bytes")
        self.assertEqual(answer.body == content[first:last + 1], True, wanted)

    def test_01_the_first_bytes(self):
        self.ranged("0-1", 0, 1)
        self.ranged("0-99", 0, 99)

    def test_02_the_middle_across_blocks_and_pieces(self):
        piece = film_meta.piece_length
        for at in (16 * 1024, piece, 3 * piece, len(film) // 2):
            self.ranged(f"{at - 5}-{at + 5}", at - 5, at + 5)
        self.ranged(f"{piece // 2}-{5 * piece + 7}", piece // 2, 5 * piece + 7)

    def test_03_open_to_the_end(self):
        size = len(film)
        self.ranged(f"{size - 1000}-", size - 1000, size - 1)
        self.ranged("0-", 0, size - 1)

    def test_04_the_last_bytes(self):
        size = len(film)
        self.ranged("-1", size - 1, size - 1)
        self.ranged("-500", size - 500, size - 1)
        self.ranged(f"-{size + 1000}", 0, size - 1)

    def test_05_an_end_beyond_the_file_is_clamped(self):
        size = len(film)
        self.ranged(f"{size - 10}-{size + 10}", size - 10, size - 1)
        self.ranged(f"{size - 1}-99999999999999", size - 1, size - 1)

    def test_06_a_start_beyond_the_file_cannot_be_satisfied(self):
        size = len(film)
        for wanted in (f"{size}-", f"{size}-{size + 5}", "99999999999999-"):
            with self.subTest(wanted):
                answer = curl(film_url, "-r", wanted)
                self.assertEqual(answer.status, 416, answer)
                self.assertEqual(answer.headers["content-range"], f"bytes */{size}")

    def test_07_of_an_empty_file_no_range_can_be_satisfied(self):
        answer = curl(show_urls[show_meta.index_of("empty.nfo")], "-r", "0-")
        self.assertEqual(answer.status, 416, answer)
        self.assertEqual(answer.headers["content-range"], "bytes */0")

    def test_08_a_range_that_is_none_is_ignored(self):
        for wanted in ("bytes=5-2", "bytes=abc", "lines=1-2", "bytes=", "bytes=1", "bytes=--5"):
            with self.subTest(wanted):
                answer = curl(film_url, "-I", "-H", f"Range: {wanted}")
                self.assertEqual(answer.status, 200, answer)
        answer = curl(film_url, "-H", "Range: bytes=5-2")
        self.assertEqual((answer.status, answer.body == film), (200, True))

    def test_09_in_a_file_that_begins_inside_a_piece(self):
        name = "extras/notes.txt"
        index = show_meta.index_of(name)
        start = sum(size for _, size in show_meta.files[:index])
        self.assertNotEqual(start % show_meta.piece_length, 0)
        content = SHOW[name]
        self.ranged("0-9", 0, 9, show_urls[index], content)
        self.ranged("-7", len(content) - 7, len(content) - 1, show_urls[index], content)

    def test_10_head_answers_a_range_without_a_body(self):
        # RFC 9110 14.2: a range is defined for GET alone, so the whole is described.
        answer = curl(film_url, "-I", "-H", "Range: bytes=0-9")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["content-length"], str(len(film)))

    def test_11_if_range_with_the_tag_is_a_range_and_with_another_the_whole(self):
        tag = curl(film_url, "-I").headers["etag"]
        same = curl(film_url, "-r", "10-19", "-H", f"If-Range: {tag}")
        self.assertEqual((same.status, same.body), (206, film[10:20]))
        other = curl(film_url, "-r", "10-19", "-H", 'If-Range: "another"')
        self.assertEqual((other.status, other.body == film), (200, True))

    def test_12_tags_differ_from_file_to_file_and_stay_the_same(self):
        tags = [curl(url, "-I").headers["etag"] for url in (film_url, *show_urls)]
        self.assertEqual(len(set(tags)), len(tags))
        self.assertEqual(curl(film_url, "-r", "0-0").headers["etag"], tags[0])


class T03WhatIsNotThere(unittest.TestCase):
    def refused(self, status, url, *options):
        answer = curl(url, *options)
        self.assertEqual(answer.status, status, (url, answer))
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        problem = answer.json()
        self.assertGreater(len(problem["detail"]), 5)
        self.assertEqual(problem["status"], status)
        return answer

    def test_01_an_unknown_torrent(self):
        self.refused(404, server.stream("0" * 40, 0))
        self.refused(404, server.stream("f" * 64, 0))

    def test_02_an_unknown_file(self):
        self.refused(404, server.stream(film_meta.id, 1))
        self.refused(404, server.stream(film_meta.id, 2_000_000_000))

    def test_03_what_is_no_hash_or_no_index(self):
        for url in (server.stream("xyz", 0), server.stream(film_meta.id, "x"),
                    server.stream(film_meta.id, "-1"), server.stream(film_meta.id, 10 ** 30),
                    f"{server.url}/stream/", f"{server.url}/nothing"):
            with self.subTest(url):
                answer = curl(url)
                self.assertIn(answer.status, (400, 404), answer)
                self.assertIn("detail", answer.json())

    def test_04_methods_that_make_no_sense(self):
        for method, url in (("POST", film_url), ("PUT", film_url), ("DELETE", film_url),
                            ("PUT", f"{server.url}/api/v1/torrents"),
                            ("POST", f"{server.url}/healthz")):
            with self.subTest(f"{method} {url}"):
                answer = self.refused(405, url, "-X", method)
                self.assertIn("GET", answer.headers["allow"])

    def test_05_a_head_of_what_is_not_there_has_no_body(self):
        answer = curl(server.stream("0" * 40, 0), "-I")
        self.assertEqual((answer.status, answer.body), (404, b""))

    def test_06_upper_case_hashes_name_the_same_torrent(self):
        url = server.stream(film_meta.id.upper(), 0)
        answer = http_request("GET", url, None, {"Range": "bytes=0-9"})
        self.assertEqual((answer.status, answer.body), (206, film[:10]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
