"""`slipstream play` and `slipstream info`: one command from a torrent to a player, a pipe, a file."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
import unittest

import media
from peer import Metainfo, PlainSeeder
from processes import DEADLINE_S, Child, TempDir, run, wait_until
from program import BIN, environment, slipstream
from swarm import LibtorrentClient, make_with_mktorrent


def setUpModule():
    global folder, film, torrent, seeder, album, album_torrent
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    film = media.make_mp4(folder / "film.mp4")
    torrent = make_with_mktorrent(film, folder / "film.torrent")
    seeder = PlainSeeder(Metainfo(torrent), media.read_bytes(film))
    seeder.__enter__()
    unittest.addModuleCleanup(seeder.__exit__, None, None, None)
    album = folder.folder("Album")
    for name, size in (("readme.txt", 900_000), ("one.mkv", 300_000), ("two.mkv", 500_000),
                       ("two.srt", 4_000)):
        with open(os.path.join(album, name), "wb") as out:
            out.write(os.urandom(size))
    album_torrent = make_with_mktorrent(album, folder / "album.torrent", 32 * 1024)


def command(*arguments, source=None):
    return [BIN, "play", "--offline", "--peer-listen", "127.0.0.1:0", "--connect",
            "%s:%d" % seeder.address, *arguments, source or torrent]


def play(*arguments, source=None, text=True, **variables):
    return run(command(*arguments, source=source), env=environment(**variables), text=text)


class Play(unittest.TestCase):
    def refused(self, done, exit_code, *words):
        self.assertEqual(done.returncode, exit_code, done)
        lines = done.stderr.splitlines()
        self.assertRegex(lines[-1], "^slipstream: ", done)
        for word in words:
            self.assertIn(word, lines[-1], done)
        self.assertEqual(done.stdout, "", done)

    def script(self, name, text):
        path = folder / name
        with open(path, "w", encoding="utf-8") as out:
            out.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path


class T01Output(Play):
    def test_01_to_a_pipe_every_byte_and_nothing_else(self):
        done = play("--output", "-", text=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout == media.read_bytes(film), True)

    def test_02_to_a_file_that_is_not_there_yet(self):
        path = folder / "copy.mp4"
        done = play("--output", path)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(media.sha256(path), media.sha256(film))
        # What is there is never written over.
        self.refused(play("--output", path), 1, path, "there already")
        self.assertEqual(media.sha256(path), media.sha256(film))

    def test_03_a_pipe_whose_reader_has_enough_ends_it_well(self):
        with subprocess.Popen(command("--output", "-"), env=environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            self.assertEqual(len(child.stdout.read(1000)), 1000)
            child.stdout.close()
            self.assertEqual(child.wait(DEADLINE_S), 0)
            self.assertIn(b"enough", child.stderr.read())

    def test_04_a_reader_that_takes_its_time_holds_up_nothing(self):
        # More than any pipe holds waits to be written when the signal comes.
        with subprocess.Popen(command("--output", "-"), env=environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            self.assertEqual(len(child.stdout.read(1)), 1)
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.wait(DEADLINE_S), 130)

    def test_05_a_folder_and_a_place_that_is_not_there(self):
        self.refused(play("--output", folder.path), 1, "folder")
        self.refused(play("--output", folder / "no" + "/such"), 1, "No such file")

    def test_06_a_file_that_does_not_become_whole_does_not_stay(self):
        path = folder / "part.mp4"
        # Nobody has these bytes.
        words = [BIN, "play", "--offline", "--peer-listen", "127.0.0.1:0", "--output", path]
        with Child([*words, torrent], env=environment()) as child:
            wait_until(lambda: os.path.exists(path), "the file is there")
            child.signal(signal.SIGINT)
            self.assertEqual(child.wait(), 130, child.said())
        self.assertFalse(os.path.exists(path))
        self.refused(run([*words, "--read-timeout", "0.2", torrent], env=environment()), 1, "0 bytes")
        self.assertFalse(os.path.exists(path))

    def test_07_a_disk_that_is_full(self):
        self.refused(play("--output", "/dev/full"), 1, "/dev/full", "No space left")


class T02Player(Play):
    def test_01_mpv_plays_it_to_the_end(self):
        done = play("--player", "mpv --no-config --vo=null --ao=null --untimed")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("End of file", done.stdout)

    def test_02_it_is_found_in_path_mpv_first(self):
        places = TempDir()
        self.addCleanup(places.close)
        for name in ("mpv", "vlc"):
            os.rename(self.script(name, f'echo {name} "$@"\n'), places / name)
        path = places.path + ":/usr/bin:/bin"
        done = play(PATH=path)
        self.assertRegex(done.stdout, r"^mpv .*http://127\.0\.0\.1:\d+/stream/\w{40}/0/film\.mp4$")
        os.remove(places / "mpv")
        done = play(PATH=places.path)
        self.assertRegex(done.stdout, r"^vlc .*--play-and-exit.*http://")
        os.remove(places / "vlc")
        self.refused(play(PATH=places.path), 1, "mpv", "vlc", "--player", "--output")

    def test_03_its_failure_is_ours(self):
        done = play("--player", "sh -c 'exit 3'")
        self.refused(done, 1, "sh ended with exit code 3")
        self.refused(play("--player", "/no/such/player"), 1, "/no/such/player")

    def test_04_subtitles_are_given_to_mpv(self):
        mpv = self.script("mpv", 'for word; do echo "$word"; done\n')
        done = play("--player", mpv, source=album_torrent)
        words = done.stdout.splitlines()
        self.assertEqual(len([w for w in words if w.startswith("--sub-file=http://")]), 1, done)
        self.assertRegex(words[-1], r"/two\.mkv$")

    def test_05_a_signal_ends_the_player_and_us(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            with self.subTest(number):
                player = self.script("waits", "echo player $$\nexec sleep 1000\n")
                with Child(command("--player", player), env=environment()) as child:
                    pid = int(child.wait_for(r"^player (\d+)$")[0][1])
                    child.signal(number)
                    self.assertEqual(child.wait(), code, child.said())
                    with self.assertRaises(ProcessLookupError):
                        os.kill(pid, 0)

    def test_06_a_player_that_does_not_listen_is_ended(self):
        player = self.script("deaf", "trap '' TERM\necho player $$\nwhile :; do sleep 1; done\n")
        with Child(command("--player", player), env=environment()) as child:
            pid = int(child.wait_for(r"^player (\d+)$")[0][1])
            child.signal(signal.SIGINT)
            self.assertEqual(child.wait(), 130, child.said())
            with self.assertRaises(ProcessLookupError):
                os.kill(pid, 0)


class T03File(Play):
    def chosen(self, *arguments):
        done = play("--player", "echo", *arguments, source=album_torrent)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout.strip().rsplit("/", 1)[1]

    def test_01_the_largest_film_by_default(self):
        self.assertEqual(self.chosen(), "two.mkv")

    def test_02_by_number_name_and_a_part_of_it(self):
        files = [name for name, _ in Metainfo(album_torrent).files]
        index = files.index("readme.txt")
        self.assertEqual(self.chosen("--file", str(index)), "readme.txt")
        self.assertEqual(self.chosen("--file", "one.mkv"), "one.mkv")
        self.assertEqual(self.chosen("--file", "ONE"), "one.mkv")

    def test_03_what_is_not_there_or_not_clear(self):
        for wanted, word in (("7", "0 to 3"), ("three", "three"), ("two", "number")):
            self.refused(play("--player", "echo", "--file", wanted, source=album_torrent), 1, word)


class T04Line(Play):
    @staticmethod
    def on_a_terminal(words, until):
        """What a terminal is sent until it matches, and the exit code after SIGINT."""
        ours, theirs = pty.openpty()
        sent = ""
        with subprocess.Popen(words, env=environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=theirs) as child:
            os.close(theirs)
            end = time.monotonic() + DEADLINE_S
            while not re.search(until, sent) and time.monotonic() < end:
                if select.select([ours], [], [], 1)[0]:
                    try:
                        sent += os.read(ours, 4096).decode()
                    except OSError:  # nobody has the other end any more
                        break
            child.send_signal(signal.SIGINT)
            code = child.wait(DEADLINE_S)
        os.close(ours)
        return sent, code

    def test_01_a_terminal_has_peers_rate_buffered_seconds_and_memory(self):
        sent, code = self.on_a_terminal(
            command("--player", "curl -s -o /dev/null --limit-rate 1M"), r"ahead \d+ s")
        self.assertRegex(
            sent, r"\r\x1b\[K1 peer  \S+ \S+/s  ahead \d+ s \(.*\)  behind \d+ s \(.*\)  memory ")
        self.assertEqual(code, 130)

    def test_02_elsewhere_there_are_no_control_characters(self):
        done = play("--player", "curl -s -o /dev/null --limit-rate 8M")
        self.assertEqual(done.returncode, 0, done)
        self.assertNotRegex(done.stderr, r"[\x00-\x09\x0b-\x1f\x7f]")

    def test_03_a_magnet_shows_that_it_waits(self):
        sent, code = self.on_a_terminal(
            command("--output", "/dev/null", source="magnet:?xt=urn:btih:" + "7" * 40),
            "waiting for the torrent's metadata")
        self.assertIn("waiting for the torrent's metadata", sent)
        self.assertEqual(code, 130)

    def test_04_bytes_for_a_terminal_are_refused(self):
        ours, theirs = pty.openpty()
        with subprocess.Popen(command("--output", "-"), env=environment(), stdout=theirs,
                              stderr=subprocess.PIPE) as child:
            self.assertEqual(child.wait(DEADLINE_S), 1)
            self.assertIn(b"terminal", child.stderr.read())
        os.close(ours)
        os.close(theirs)


class T05Info(Play):
    def test_01_says_what_is_in_a_torrent_file(self):
        done = slipstream("info", album_torrent)
        self.assertEqual(done.returncode, 0, done)
        meta = Metainfo(album_torrent)
        for word in ("Album", meta.id, "video/x-matroska", "32.0 KiB", "127.0.0.1:9/announce"):
            self.assertIn(word, done.stdout)
        self.assertEqual(len(re.findall(r"^\* ", done.stdout, re.MULTILINE)), 2)

    def test_02_says_the_same_as_json(self):
        meta = Metainfo(album_torrent)
        told = json.loads(slipstream("info", "--json", album_torrent).stdout)
        self.assertEqual((told["id"], told["v1"], told["v2"]), (meta.id, meta.id, None))
        self.assertEqual([(f["name"], f["size_bytes"]) for f in told["files"]], meta.files)
        self.assertEqual([f["name"] for f in told["files"] if f["playable"]],
                         [name for name, _ in meta.files if name.endswith(".mkv")])
        self.assertEqual(told["trackers"], ["http://127.0.0.1:9/announce"])
        self.assertEqual(told["piece_length_bytes"], 32 * 1024)

    def test_03_fetches_the_metadata_of_a_link(self):
        meta = Metainfo(album_torrent)
        with LibtorrentClient("seed", album_torrent, folder.path) as seed:
            done = slipstream("info", "--offline", "--peer-listen", "127.0.0.1:0", "--json",
                              "--connect", seed.address,
                              f"magnet:?xt=urn:btih:{meta.id}&tr=http%3A%2F%2F127.0.0.1%3A9%2Fa")
        self.assertEqual(done.returncode, 0, done)
        told = json.loads(done.stdout)
        self.assertEqual([(f["name"], f["size_bytes"]) for f in told["files"]], meta.files)
        self.assertEqual(told["trackers"], ["http://127.0.0.1:9/a"])

    def test_04_a_link_whose_metadata_nobody_has(self):
        link = "magnet:?xt=urn:btih:" + "7" * 40
        done = slipstream("info", "--offline", "--peer-listen", "127.0.0.1:0",
                          "--metadata-timeout", "0.3", link)
        self.refused(done, 1, "metadata")
        with Child([BIN, "info", "--offline", "--peer-listen", "127.0.0.1:0", link],
                   env=environment()) as child:
            wait_until(lambda: "waiting" in child.stderr, "it waits")
            child.signal(signal.SIGTERM)
            self.assertEqual(child.wait(), 143)

    def test_05_what_is_no_torrent(self):
        self.refused(slipstream("info", film), 1, film)
        self.refused(slipstream("info", "magnet:?xt=nothing"), 1, "magnet")
        self.assertEqual(slipstream("info").returncode, 2)
        self.assertEqual(slipstream("info", torrent, torrent).returncode, 2)

    def test_06_names_do_not_reach_the_terminal_as_they_are(self):
        raw = media.read_bytes(torrent).replace(b"8:film.mp4", b"8:\x1b]0;xx\x07m")
        path = folder / "evil.torrent"
        with open(path, "wb") as out:
            out.write(raw)
        done = slipstream("info", path)
        self.assertEqual(done.returncode, 0, done)
        self.assertNotRegex(done.stdout, r"[\x00-\x09\x0b-\x1f\x7f]")


if __name__ == "__main__":
    unittest.main(verbosity=2)
