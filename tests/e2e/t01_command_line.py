"""What the program says, and the exit code it leaves, before any torrent is streamed."""

import os
import signal
import socket
import unittest

import media
from processes import TempDir
from program import Server, slipstream
from swarm import make_with_mktorrent

COMMANDS = ("play", "serve", "info", "check", "demo")
SERVE_FLAGS = ("--listen", "--capacity", "--peer-listen", "--connect", "--offline", "--log-level",
               "--metadata-timeout", "--state-dir")
# A port of loopback where nothing listens, so that no seeder is ever found there.
NOBODY = "127.0.0.1:9"


def setUpModule():
    global folder, torrent
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    film = folder / "film.bin"
    with open(film, "wb") as out:
        out.write(os.urandom(300_000))
    torrent = make_with_mktorrent(film, folder / "film.torrent")


class CommandLine(unittest.TestCase):
    def refused(self, exit_code, *arguments, words=(), **variables):
        """The program ends at once with the code and one line that has all the words. Wrong values
        (2) are found before anything starts; what cannot be used (1) may come after lines of log.
        """
        done = slipstream(*arguments, deadline_s=20, **variables)
        said = f"{arguments} {variables}: exit {done.returncode}: {done.stdout!r} {done.stderr!r}"
        self.assertEqual(done.returncode, exit_code, said)
        self.assertTrue(done.stderr.endswith("\n"), said)
        lines = done.stderr.splitlines()
        self.assertRegex(lines[-1], "^slipstream: ", said)
        self.assertEqual(len([line for line in lines if line.startswith("slipstream: ")]), 1, said)
        if exit_code == 2:
            self.assertEqual(len(lines), 1, said)
        self.assertEqual(done.stdout, "", said)
        for word in words:
            self.assertIn(word, lines[-1], said)


class T01Words(CommandLine):
    def test_01_version_says_name_and_number(self):
        done = slipstream("--version")
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout, r"\b\d+\.\d+\.\d+\b")

    def test_02_help_names_the_commands(self):
        done = slipstream("--help")
        self.assertEqual(done.returncode, 0, done)
        for command in COMMANDS:
            self.assertIn(command, done.stdout)

    def test_03_help_of_serve_names_every_flag_and_its_variable(self):
        done = slipstream("serve", "--help")
        self.assertEqual(done.returncode, 0, done)
        for flag in SERVE_FLAGS:
            self.assertIn(flag, done.stdout)
            self.assertIn("SLIPSTREAM_" + flag[2:].replace("-", "_").upper(), done.stdout)

    def test_04_help_of_demo_names_its_flags(self):
        done = slipstream("demo", "--help")
        self.assertEqual(done.returncode, 0, done)
        for flag in ("--file", "--keep"):
            self.assertIn(flag, done.stdout)

    def test_05_without_a_command_it_says_how_it_is_used(self):
        done = slipstream()
        self.assertEqual(done.returncode, 2, done)
        self.assertNotEqual(done.stderr.strip(), "")


class T02WrongValues(CommandLine):
    WRONG = (
        ("--listen", "nonsense"), ("--listen", "127.0.0.1"), ("--listen", "127.0.0.1:99999"),
        ("--listen", "127.0.0.1:-1"), ("--listen", "[::1:80"), ("--listen", "999.0.0.1:80"),
        ("--capacity", "lots"), ("--capacity", "-1"), ("--capacity", "12XiB"),
        ("--capacity", "99999999999999999999"), ("--capacity", "9999999999GiB"),
        ("--peer-listen", "nowhere"), ("--connect", "nowhere"), ("--connect", "127.0.0.1:0"),
        ("--log-level", "loudly"), ("--metadata-timeout", "soon"), ("--metadata-timeout", "-2"))

    def test_01_a_wrong_value_is_named(self):
        for flag, value in self.WRONG:
            with self.subTest(f"{flag} {value}"):
                self.refused(2, "serve", "--offline", f"{flag}={value}", torrent,
                             words=(flag, value))

    def test_02_a_wrong_value_in_the_environment_is_named(self):
        for flag, value in self.WRONG + (("--offline", "perhaps"),):
            variable = "SLIPSTREAM_" + flag[2:].replace("-", "_").upper()
            with self.subTest(f"{variable}={value}"):
                self.refused(2, "serve", torrent, words=(value,), **{variable: value})

    def test_03_a_capacity_below_the_floor_is_told_the_floor(self):
        for value in ("0", "1", "64KiB", "1048575"):
            with self.subTest(value):
                self.refused(2, "serve", "--offline", f"--capacity={value}", torrent,
                             words=("capacity", "MiB"))

    def test_04_unknown_flags_and_commands_are_named(self):
        self.refused(2, "serve", "--frobnicate", torrent, words=("--frobnicate",))
        self.refused(2, "frobnicate", words=("frobnicate",))


class T03WhatCannotBeUsed(CommandLine):
    def serve(self, source, *words):
        self.refused(1, "serve", "--offline", "--listen=127.0.0.1:0", "--peer-listen=127.0.0.1:0",
                     source, words=words)

    def write(self, name, content):
        with open(folder / name, "wb") as out:
            out.write(content)
        return folder / name

    def test_01_a_torrent_file_that_is_not_there(self):
        self.serve(folder / "missing.torrent", "missing.torrent", "does not exist")

    def test_02_a_folder_where_a_file_is_expected(self):
        self.serve(folder.folder("folder.torrent"), "folder.torrent", "directory")

    def test_03_an_empty_torrent_file(self):
        self.serve(self.write("empty.torrent", b""), "empty.torrent")

    def test_04_a_truncated_torrent_file(self):
        whole = media.read_bytes(torrent)
        for size in (1, 10, len(whole) // 2, len(whole) - 1):
            with self.subTest(size):
                self.serve(self.write("short.torrent", whole[:size]), "short.torrent")

    def test_05_garbage(self):
        self.serve(self.write("garbage.torrent", bytes(range(256)) * 64), "garbage.torrent")

    def test_06_a_torrent_file_that_is_too_large(self):
        path = folder / "huge.torrent"
        with open(path, "wb") as out:
            out.truncate(1 << 30)
        self.serve(path, "huge.torrent")

    def test_07_nesting_without_end(self):
        self.serve(self.write("nested.torrent", b"d4:info" + b"l" * 100_000), "nested.torrent")

    def test_08_magnets_that_are_none(self):
        for link in ("magnet:", "magnet:?xt=urn:btih:zz", "magnet:?dn=film",
                     "magnet:?xt=urn:btih:" + "0" * 39):
            with self.subTest(link):
                self.serve(link, "magnet")

    def test_09_an_address_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.refused(1, "serve", "--offline", "--peer-listen=127.0.0.1:0",
                         f"--listen={address}", torrent, words=(address, "in use"))

    def test_10_a_peer_address_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.refused(1, "serve", "--offline", "--listen=127.0.0.1:0",
                         f"--peer-listen={address}", torrent, words=(address,))

    def test_11_the_same_torrent_twice_is_served_once(self):
        with Server(torrent, torrent) as server:
            server.stream_urls(1)
            self.assertEqual(len(server.torrents()), 1)


class T04Serving(CommandLine):
    def test_01_it_serves_without_any_torrent(self):
        with Server() as server:
            self.assertEqual(server.request("GET", "/healthz").status, 200)
            self.assertEqual(server.torrents(), [])

    def test_02_it_prints_where_it_listens_and_the_stream_urls(self):
        with Server(torrent) as server:
            (url,) = server.stream_urls(1)
            self.assertRegex(url, rf"^{server.url}/stream/[0-9a-f]{{40}}/0/film\.bin$")

    def test_03_it_listens_on_several_addresses_and_ipv6(self):
        with Server("--listen", "127.0.0.2:0", "--listen", "[::1]:0", torrent) as server:
            found = [match[1] for match in
                     server.process.wait_for(r"^listening on (http://\S+)/$", count=3)]
            hosts = [url.rsplit(":", 1)[0] for url in found]
            self.assertEqual(sorted(hosts),
                             sorted(["http://127.0.0.1", "http://127.0.0.2", "http://[::1]"]))
            for url in found:
                server.url = url
                self.assertEqual(server.request("GET", "/healthz").status, 200, url)


class T05Environment(CommandLine):
    def test_01_listen(self):
        with Server(torrent, listen=False,
                    variables={"SLIPSTREAM_LISTEN": "127.0.0.3:0"}) as server:
            self.assertRegex(server.url, r"^http://127\.0\.0\.3:\d+$")

    def test_02_the_command_line_goes_before_the_environment(self):
        with Server(torrent, variables={"SLIPSTREAM_LISTEN": "127.0.0.3:0",
                                        "SLIPSTREAM_LOG_LEVEL": "debug"}) as server:
            self.assertRegex(server.url, r"^http://127\.0\.0\.1:\d+$")

    def test_03_capacity(self):
        self.refused(2, "serve", torrent, words=("SLIPSTREAM_CAPACITY", "MiB"),
                     SLIPSTREAM_CAPACITY="64KiB")
        with Server(torrent, variables={"SLIPSTREAM_CAPACITY": "96MiB"}) as server:
            self.assertEqual(server.request("GET", "/healthz").status, 200)

    def test_04_peer_listen(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.refused(1, "serve", "--offline", "--listen=127.0.0.1:0", torrent, words=(address,),
                         SLIPSTREAM_PEER_LISTEN=address)

    def test_05_connect(self):
        with socket.create_server(("127.0.0.1", 0)) as seeder:
            seeder.settimeout(30)
            address = f"127.0.0.1:{seeder.getsockname()[1]}"
            with Server(torrent, variables={"SLIPSTREAM_CONNECT": address}):
                peer, _ = seeder.accept()
                peer.close()

    def test_06_log_level(self):
        def stderr(level):
            with Server(torrent, "--connect", NOBODY,
                        variables={"SLIPSTREAM_LOG_LEVEL": level}) as server:
                server.stream_urls(1)
                server.process.signal(signal.SIGTERM)
                self.assertEqual(server.process.wait(10), 0)
                return server.process.stderr
        self.assertGreater(len(stderr("trace")), len(stderr("off")))

    def test_07_metadata_timeout(self):
        magnet = "magnet:?xt=urn:btih:" + "5" * 40
        with Server(magnet, "--connect", NOBODY,
                    variables={"SLIPSTREAM_METADATA_TIMEOUT": "1"}) as server:
            self.assertEqual(server.request("GET", f"/stream/{'5' * 40}/0/film").status, 504)

    def test_08_offline(self):
        done = slipstream("serve", "--listen=nonsense", SLIPSTREAM_OFFLINE="1")
        self.assertEqual(done.returncode, 2, done)
        self.assertNotIn("offline", done.stderr.lower())


if __name__ == "__main__":
    unittest.main(verbosity=2)
