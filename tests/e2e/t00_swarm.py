"""The ground the other tests stand on, without Slipstream: are the films real, does the seeder
seed?
"""

import os
import unittest

import media
from peer import BLOCK, Metainfo, PlainSeeder, fetch_block
from processes import TempDir, must
from swarm import Seeder, make_with_mktorrent, make_with_transmission


def probe(source):
    return must(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0",
                 source]).stdout.split()


def setUpModule():
    global folder, films
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    srt = media.make_srt(folder / "film.srt")
    films = {"mp4": media.make_mp4(folder / "film.mp4"),
             "mkv": media.make_mkv(folder / "film.mkv", srt),
             "avi": media.make_avi(folder / "film.avi")}


class T00Swarm(unittest.TestCase):
    def test_01_the_films_weigh_several_mib_and_decode(self):
        for kind, path in films.items():
            with self.subTest(kind):
                size = os.path.getsize(path)
                self.assertGreater(size, 3 << 20)
                self.assertLess(size, 40 << 20)
                self.assertRegex(media.decoded_md5(path), "^MD5=[0-9a-f]{32}$")

    def test_02_the_films_have_the_streams_they_should(self):
        self.assertEqual(probe(films["mp4"]), ["h264", "aac"])
        self.assertEqual(probe(films["mkv"]), ["h264", "aac", "subrip"])
        self.assertEqual(probe(films["avi"]), ["mpeg4", "mp3"])

    def test_03_the_index_is_at_the_end(self):
        for kind, mark in (("mp4", b"moov"), ("mkv", bytes.fromhex("1c53bb6b")), ("avi", b"idx1")):
            with self.subTest(kind):
                content = media.read_bytes(films[kind])
                self.assertGreater(content.rindex(mark), len(content) * 9 // 10)

    def test_04_or_at_the_start_where_it_is_asked_for(self):
        content = media.read_bytes(media.make_mp4_with_its_index_first(folder / "first.mp4"))
        self.assertLess(content.index(b"moov"), 100)

    def test_05_torrents_of_both_makers_describe_the_film(self):
        for make in (make_with_mktorrent, make_with_transmission):
            with self.subTest(make.__name__):
                meta = Metainfo(make(films["mp4"], folder / f"{make.__name__}.torrent"))
                size = os.path.getsize(films["mp4"])
                self.assertEqual(meta.files, [("film.mp4", size)])
                self.assertEqual(meta.num_pieces, -(-size // (256 * 1024)))

    def test_06_a_loopback_peer_gets_the_right_block_from_transmission(self):
        torrent = make_with_mktorrent(films["mp4"], folder / "seeded.torrent")
        content = media.read_bytes(films["mp4"])
        with Seeder() as seeder:
            meta = seeder.add(torrent, folder.path)
            self.assertEqual(meta.id in seeder.magnet(meta.id), True)
            block = fetch_block(("127.0.0.1", seeder.port), meta.info_hash, 1, BLOCK, BLOCK)
        start = meta.piece_length + BLOCK
        self.assertEqual(block, content[start:start + BLOCK])

    def test_07_the_plain_seeder_serves_right_blocks_and_wrong_ones_when_told(self):
        meta = Metainfo(make_with_mktorrent(films["mp4"], folder / "plain.torrent"))
        content = media.read_bytes(films["mp4"])
        with PlainSeeder(meta, content, corrupt=lambda piece: piece == 1) as seeder:
            good = fetch_block(seeder.address, meta.info_hash, 0, 0, BLOCK)
            bad = fetch_block(seeder.address, meta.info_hash, 1, 0, BLOCK)
            self.assertEqual((seeder.served_blocks, seeder.corrupt_blocks), (2, 1))
        self.assertEqual(good, content[:BLOCK])
        self.assertNotEqual(bad, content[meta.piece_length:meta.piece_length + BLOCK])


if __name__ == "__main__":
    unittest.main(verbosity=2)
