"""Adding, listing and removing torrents over HTTP; magnet links; streams whose torrent is
removed.
"""

import os
import unittest

import media
from peer import Metainfo
from processes import DEADLINE_S, TempDir, wait_until
from program import API, Server, curl, read_to_end, start_download, start_raw
from swarm import Seeder, make_with_mktorrent, make_with_transmission

SILENT = "a" * 40  # the hash of a magnet link that nobody answers


def setUpModule():
    global folder, films, metas, seeder, server
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    films = {name: media.make_mp4(folder / f"{name}.mp4") for name in ("one", "two", "three")}
    # The films are alike but for their last byte, else they would be one torrent.
    for name, path in films.items():
        with open(path, "ab") as out:
            out.write(b"\0\0\0\x10free" + name.encode().ljust(8))
    seeder = Seeder()
    unittest.addModuleCleanup(seeder.close)
    metas = {name: seeder.add(make(films[name], folder / f"{name}.torrent"), folder.path)
             for name, make in (("one", make_with_mktorrent), ("two", make_with_transmission),
                                ("three", make_with_mktorrent))}
    server = Server(seeders=[seeder.address])
    unittest.addModuleCleanup(server.close)


def unseeded(name):
    """A torrent file that nobody seeds."""
    path = folder / name
    with open(path, "wb") as out:
        out.write(os.urandom(1 << 20))
    return Metainfo(make_with_mktorrent(path, path + ".torrent"))


class Api(unittest.TestCase):
    def refused(self, status, answer, word=""):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertIn(word, answer.json()["detail"].lower())

    def whole(self, name):
        answer = curl(server.stream(metas[name].id, 0, f"{name}.mp4"))
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.body == media.read_bytes(films[name]), True)


class T01Torrents(Api):
    def test_01_a_server_without_torrents_lists_none(self):
        answer = server.request("GET", API)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(server.torrents(), [])

    def test_02_a_torrent_file_is_added_and_described(self):
        meta = metas["one"]
        answer = server.add(meta.raw)
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer.json()["id"], meta.id)
        self.assertTrue(answer.headers["location"].endswith(f"{API}/{meta.id}"), answer)
        found = server.torrent(meta.id)
        self.assertEqual(found["name"], "one.mp4")
        self.assertEqual(len(found["files"]), 1)
        self.assertEqual([torrent["id"] for torrent in server.torrents()], [meta.id])

    def test_03_what_was_added_can_be_streamed(self):
        self.whole("one")

    def test_04_adding_it_again_finds_what_is_there(self):
        answer = server.add(metas["one"].raw)
        self.assertEqual((answer.status, answer.json()["id"]), (200, metas["one"].id), answer)
        self.assertEqual(len(server.torrents()), 1)

    def test_05_the_description_counts_what_came(self):
        found = server.torrent(metas["one"].id)
        self.assertEqual(found["num_pieces"], metas["one"].num_pieces)
        self.assertEqual(found["verified_pieces"], metas["one"].num_pieces)
        self.assertGreaterEqual(found["downloaded_bytes"], os.path.getsize(films["one"]))

    def test_06_removed_it_is_gone(self):
        path = f"{API}/{metas['one'].id}"
        answer = server.request("DELETE", path)
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.refused(404, server.request("DELETE", path))
        self.refused(404, server.request("GET", path))
        self.refused(404, curl(server.stream(metas["one"].id, 0)))
        self.assertEqual(server.torrents(), [])

    def test_07_removed_it_can_come_back(self):
        # From nothing: what was in memory went with the torrent. The seeder has to forget it, too.
        seeder.remove(metas["one"].id)
        seeder.add(folder / "one.torrent", folder.path)
        self.assertEqual(server.add(metas["one"].raw).status, 201)
        self.whole("one")


class T02Magnets(Api):
    def test_01_the_metadata_comes_from_the_seeder(self):
        meta = metas["two"]
        answer = server.add_uri(seeder.magnet(meta.id))
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer.json()["id"], meta.id)
        self.whole("two")
        self.assertEqual(server.torrent(meta.id)["name"], "two.mp4")

    def test_02_given_on_the_command_line_its_streams_are_printed_when_known(self):
        meta = metas["three"]
        with Server(seeder.magnet(meta.id), seeders=[seeder.address]) as other:
            (url,) = other.stream_urls(1)
            self.assertEqual(url, other.stream(meta.id, 0, "three.mp4"))
            answer = curl(url, "-r", "-100")
            self.assertEqual((answer.status, answer.body),
                             (206, media.read_bytes(films["three"])[-100:]))

    def test_03_a_magnet_nobody_answers_times_out_and_says_so(self):
        with Server("--metadata-timeout", "2", seeders=[seeder.address]) as other:
            self.assertEqual(other.add_uri(f"magnet:?xt=urn:btih:{SILENT}&dn=silence").status, 201)
            self.refused(504, curl(other.stream(SILENT, 0)), "metadata")
            found = other.torrent(SILENT)
            self.assertEqual(found["phase"], "failed")
            self.assertIn("metadata", found["failure"])
            # Later ones do not wait again, and it can be removed.
            self.refused(504, curl(other.stream(SILENT, 0)), "metadata")
            self.assertEqual(other.request("DELETE", f"{API}/{SILENT}").status, 204)
            self.refused(404, curl(other.stream(SILENT, 0)))

    def test_04_bad_magnets_are_refused(self):
        for link in ("", "magnet:", "magnet:?xt=urn:btih:zz", "magnet:?dn=film",
                     "magnet:?xt=urn:btih:" + "0" * 39):
            with self.subTest(link):
                self.refused(400, server.add_uri(link))

    def test_05_a_path_is_no_uri_for_who_comes_over_http(self):
        for uri in (folder / "three.torrent", "file://" + folder / "three.torrent", "/etc/passwd"):
            with self.subTest(uri):
                self.refused(400, server.add_uri(uri))


class T03BadBodies(Api):
    def test_01_torrent_files_that_are_none(self):
        whole = metas["three"].raw
        for content in (b"", b"x", b"de", whole[:-1], whole[:40], os.urandom(4096),
                        b"d4:info" + b"l" * 50_000):
            with self.subTest(content[:8]):
                self.refused(400, server.add(content))

    def test_02_a_body_larger_than_a_torrent_file_may_be(self):
        # Its length alone is enough for an answer: no byte of the body is sent.
        head = (f"POST {API} HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: application/x-bittorrent\r\n"
                f"Content-Length: {64 << 20}\r\n\r\n")
        with start_raw(server.url, head.encode()) as connection:
            self.assertEqual(connection.recv(12), b"HTTP/1.1 413")

    def test_03_json_that_is_none_or_not_what_is_asked_for(self):
        for body in ("", "{", "[]", "{}", '{"uri": 5}', '{"uri": null}', "[" * 60_000):
            with self.subTest(body[:10]):
                self.refused(400, server.request("POST", API, body,
                                                 {"Content-Type": "application/json"}))

    def test_04_after_all_this_it_still_serves(self):
        self.assertEqual(server.request("GET", "/healthz").status, 200)
        self.whole("one")


class T04RemovedWhileStreaming(Api):
    def test_01_a_stream_that_waits_for_bytes_ends(self):
        meta = unseeded("nobody.bin")
        self.assertEqual(server.add(meta.raw).status, 201)
        with start_download(server.stream(meta.id, 0)) as connection:
            wait_until(lambda: server.torrent(meta.id)["readers"] == 1, "the stream is open")
            self.assertEqual(server.request("DELETE", f"{API}/{meta.id}").status, 204)
            # Its header waited for the first byte, so it can still say why.
            self.assertEqual(connection.recv(12), b"HTTP/1.1 404")
        self.assertEqual(server.request("GET", "/healthz").status, 200)

    def test_02_a_stream_in_full_flow_ends(self):
        meta = metas["one"]
        size = os.path.getsize(films["one"])
        url = server.stream(meta.id, 0)
        with start_download(url, receive_buffer_bytes=32 * 1024) as connection:
            self.assertEqual(connection.recv(12), b"HTTP/1.1 200")
            self.assertEqual(server.torrent(meta.id)["readers"], 1)
            self.assertEqual(server.request("DELETE", f"{API}/{meta.id}").status, 204)
            connection.settimeout(DEADLINE_S)
            self.assertLess(read_to_end(connection), size)
        self.assertEqual(server.request("GET", "/healthz").status, 200)
        self.refused(404, curl(server.stream(meta.id, 0)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
