"""Players: ffprobe and ffmpeg read films over HTTP that transmission seeds, index at the end and
all.
"""

import json
import unittest

import media
from processes import TempDir, must
from program import Server
from swarm import Seeder, make_with_mktorrent, make_with_transmission


def setUpModule():
    global folder, films, urls
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    srt = media.make_srt(folder / "film.srt")
    films = {"mp4": media.make_mp4(folder / "film.mp4"),
             "first": media.make_mp4_with_its_index_first(folder / "index first.mp4"),
             "mkv": media.make_mkv(folder / "film.mkv", srt),
             "avi": media.make_avi(folder / "film.avi")}
    seeder = Seeder()
    unittest.addModuleCleanup(seeder.close)
    torrents = {
        "mp4": make_with_mktorrent(films["mp4"], folder / "mp4.torrent", 64 * 1024),
        "first": make_with_transmission(films["first"], folder / "first.torrent", 32 * 1024),
        "mkv": make_with_transmission(films["mkv"], folder / "mkv.torrent", 512 * 1024),
        "avi": make_with_mktorrent(films["avi"], folder / "avi.torrent", 2 << 20)}
    for torrent in torrents.values():
        seeder.add(torrent, folder.path)
    server = Server("--capacity", "256MiB", *torrents.values(), seeders=[seeder.address])
    unittest.addModuleCleanup(server.close)
    urls = dict(zip(films, server.stream_urls(len(films))))


def probe(source):
    """What ffprobe says about the container and its streams, without the source's name."""
    done = must(["ffprobe", "-v", "error", "-of", "json", "-show_entries",
                 "format=duration,size,format_name:stream=index,codec_name,codec_type,width,height,"
                 "sample_rate,nb_frames,duration", source])
    if done.stderr:
        raise AssertionError(f"ffprobe complained about {source}: {done.stderr}")
    return json.loads(done.stdout)


def frames_from(second, source):
    """The MD5 of each of the 25 pictures after a seek."""
    done = must(["ffmpeg", "-v", "error", "-ss", str(second), "-i", source, "-map", "0:v",
                 "-frames:v", "25", "-f", "framemd5", "-"])
    if done.stderr:
        raise AssertionError(f"ffmpeg complained about {source}: {done.stderr}")
    return done.stdout


class T01Probe(unittest.TestCase):
    def probed(self, kind, codecs):
        found = probe(urls[kind])
        self.assertEqual([stream["codec_name"] for stream in found["streams"]], codecs)
        self.assertAlmostEqual(float(found["format"]["duration"]), media.DURATION_S, delta=0.2)
        self.assertEqual(found, probe(films[kind]))

    def test_01_mp4_with_its_index_first(self):
        self.probed("first", ["h264", "aac"])

    def test_02_mp4_with_its_index_at_the_end(self):
        self.probed("mp4", ["h264", "aac"])

    def test_03_mkv_with_subtitles(self):
        self.probed("mkv", ["h264", "aac", "subrip"])

    def test_04_avi_with_its_index_at_the_end(self):
        self.probed("avi", ["mpeg4", "mp3"])


class T02Play(unittest.TestCase):
    def test_01_mp4_decodes_start_to_end_as_the_file_does(self):
        for kind in ("first", "mp4"):
            with self.subTest(kind):
                self.assertEqual(media.decoded_md5(urls[kind]), media.decoded_md5(films[kind]))

    def test_02_mkv_decodes_start_to_end_as_the_file_does(self):
        self.assertEqual(media.decoded_md5(urls["mkv"]), media.decoded_md5(films["mkv"]))

    def test_03_avi_decodes_start_to_end_as_the_file_does(self):
        self.assertEqual(media.decoded_md5(urls["avi"]), media.decoded_md5(films["avi"]))

    def test_04_the_subtitles_come_out(self):
        def subtitles(source):
            return must(["ffmpeg", "-v", "error", "-i", source, "-map", "0:s", "-f", "srt",
                         "-"]).stdout
        self.assertIn("naïvely", subtitles(urls["mkv"]))
        self.assertEqual(subtitles(urls["mkv"]), subtitles(films["mkv"]))


class T03Seek(unittest.TestCase):
    def test_01_forward_and_back_lands_on_the_same_pictures(self):
        for kind in films:
            for second in (6, 1, 4):
                with self.subTest(f"{kind} from second {second}"):
                    self.assertEqual(frames_from(second, urls[kind]),
                                     frames_from(second, films[kind]))

    def test_02_several_players_at_once(self):
        # One ffmpeg with the same film three times over: three connections, three positions.
        inputs = []
        for second in (0, 3, 5):
            inputs += ["-ss", str(second), "-t", "2", "-i"]
            inputs.append(None)

        def pictures(source):
            command = [source if part is None else part for part in inputs]
            done = must(["ffmpeg", "-v", "error", *command, "-map", "0:v", "-map", "1:v",
                         "-map", "2:v", "-f", "md5", "-"])
            return done.stdout, done.stderr
        self.assertEqual(pictures(urls["mp4"]), pictures(films["mp4"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
