"""A peer that lies: its bytes are never streamed, and the film comes whole from the honest one."""

import unittest

import media
from peer import Metainfo, PlainSeeder
from processes import TempDir, wait_until
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
