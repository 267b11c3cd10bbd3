"""A peer that lies: its bytes are never streamed, and the film comes whole from the honest one. And `--early`, which
lets bytes out before they are known to be right."""

import threading
import unittest

import media
from peer import BLOCK, Metainfo, PlainSeeder
from processes import DEADLINE_S, TempDir, wait_until
from program import API, Server, curl, start_download
from swarm import Seeder, make_with_mktorrent


def setUpModule():
    global folder, content, torrent, meta
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    path = media.make_avi(folder / "film.avi")
    content = media.read_bytes(path)
    torrent = make_with_mktorrent(path, folder / "film.torrent")
    meta = Metainfo(torrent)


class T01CorruptPeer(unittest.TestCase):
    def test_01_from_a_liar_alone_not_a_byte_comes(self):
        with PlainSeeder(meta, content, "127.0.0.2", corrupt=lambda piece: True) as liar:
            with Server(torrent, seeders=["%s:%d" % liar.address]) as server:
                (url,) = server.stream_urls(1)
                with start_download(url) as stream:
                    wait_until(lambda: liar.corrupt_blocks >= meta.piece_length // (16 * 1024),
                               "a whole piece of lies was sent")
                    self.assertEqual(server.request("DELETE", f"{API}/{meta.id}").status, 204)
                    # Its header waited for the first byte that is right, so it can still refuse.
                    self.assertEqual(stream.recv(12), b"HTTP/1.1 404")

    def test_02_beside_an_honest_seeder_every_byte_is_right(self):
        with Seeder() as honest, PlainSeeder(meta, content, "127.0.0.2",
                                             corrupt=lambda piece: piece % 3 != 1) as liar:
            honest.add(torrent, folder.path)
            with Server(torrent, seeders=["%s:%d" % liar.address, honest.address]) as server:
                (url,) = server.stream_urls(1)
                answer = curl(url)
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.body == content, True)
                self.assertGreater(liar.corrupt_blocks, 0)
                self.assertGreater(honest.uploaded_bytes(meta.id), 0)


class T02Early(unittest.TestCase):
    """The last block of each piece never comes, so that no piece can be verified."""

    def setUp(self):
        self.there = meta.piece_length - BLOCK
        self.seeder = PlainSeeder(meta, content, "127.0.0.2",
                                  withholds=lambda piece, begin: begin == self.there)
        self.addCleanup(self.seeder.close)

    def serve(self, *arguments):
        server = Server(*arguments, torrent, seeders=["%s:%d" % self.seeder.address])
        self.addCleanup(server.close)
        return server, server.stream_urls(1)[0]

    def metric(self, server, name):
        lines = server.request("GET", "/metrics").body.decode().splitlines()
        return int([line.split()[1] for line in lines if line.startswith(f"slipstream_{name} ")][0])

    def test_01_without_it_no_byte_comes_of_a_piece_that_is_not_whole(self):
        server, url = self.serve()
        with start_download(url) as stream:
            wait_until(lambda: self.seeder.served_blocks >= self.there // BLOCK,
                       "all blocks of the first piece but one were sent")
            self.assertEqual(server.request("DELETE", f"{API}/{meta.id}").status, 204)
            self.assertEqual(stream.recv(12), b"HTTP/1.1 404")
        self.assertEqual(self.metric(server, "early_bytes_total"), 0)

    def test_02_with_it_the_first_bytes_come_and_no_cache_keeps_them(self):
        server, url = self.serve("--early")
        answer = curl(url, "-r", f"0-{self.there - 1}")
        self.assertEqual(answer.status, 206)
        self.assertTrue(answer.body == content[:self.there])
        self.assertEqual(answer.headers["cache-control"], "no-store")
        self.assertEqual(self.metric(server, "early_bytes_total"), self.there)
        self.assertEqual(self.metric(server, "early_failed_bytes_total"), 0)
        self.assertEqual(server.torrent(meta.id)["verified_pieces"], 0)

    def test_03_with_it_what_a_liar_sends_comes_too_and_is_counted(self):
        read = threading.Event()
        self.addCleanup(read.set)

        def withholds(piece, begin):  # the piece is not whole before its lie was read
            return (piece, begin) == (0, self.there) and not read.wait(DEADLINE_S)

        # In other pieces it would be found out, and banned, before it is asked for the first.
        with PlainSeeder(meta, content, "127.0.0.3", corrupt=lambda piece: piece == 0,
                         withholds=withholds) as liar:
            server = Server("--early", torrent, seeders=["%s:%d" % liar.address])
            self.addCleanup(server.close)
            answer = curl(server.stream_urls(1)[0], "-r", f"0-{BLOCK - 1}")
            read.set()
            self.assertEqual(answer.status, 206)
            self.assertEqual(answer.body[0], content[0] ^ 0xff)
            self.assertTrue(answer.body[1:] == content[1:BLOCK])
            wait_until(lambda: self.metric(server, "early_failed_bytes_total") >= BLOCK,
                       "the piece was found wrong")


if __name__ == "__main__":
    unittest.main(verbosity=2)
