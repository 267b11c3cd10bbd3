"""The module `slipstream` for Python, against the C++ seeder: sessions, memory, lookbehind, a file-like reader, errors."""

import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import slipstream


class Seeder:
    def __init__(self):
        self.process = subprocess.Popen([os.environ["SLIPSTREAM_TEST_SEEDER"], "hybrid", "65536", "0", "film.bin:3000000"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.said = {}
        while "peer" not in self.said:
            word, text = self.process.stdout.readline().decode().strip().split(" ", 1)
            self.said[word] = text
        self.torrent_file = pathlib.Path(self.said["torrent"]).read_bytes()
        self.content = pathlib.Path(self.said["folder"], "film.bin").read_bytes()
        self.peer = self.said["peer"]

    def close(self):
        self.process.communicate()


def quiet_params():
    settings = slipstream.settings()
    settings.set_str("listen_interfaces", "127.0.0.1:0")
    for off in ("enable_dht", "enable_lsd", "enable_upnp", "enable_natpmp"):
        settings.set_bool(off, False)
    settings.set_int("alert_mask", 1 | 1 << 6)
    params = slipstream.session_params()
    params.set_settings(settings)
    return params


class Module(unittest.TestCase):
    def setUp(self):
        self.seeder = Seeder()
        self.addCleanup(self.seeder.close)
        self.memory = slipstream.memory(slipstream.memory_options())
        self.session = slipstream.session(quiet_params(), self.memory, 3)
        self.addCleanup(self.session.close)
        params = slipstream.add_params()
        params.from_torrent_file(self.seeder.torrent_file)
        self.torrent = self.session.add_torrent(params)
        self.session.wait_ready(self.torrent, self.session.make_stopper(), 60_000)

    def fails_with(self, kind, call, *args):
        with self.assertRaises(slipstream.Error) as caught:
            call(*args)
        self.assertEqual(caught.exception.kind, kind)
        self.assertTrue(str(caught.exception))

    def test_a_film_is_read_sought_in_and_kept_behind(self):
        self.session.connect_peer(self.torrent, self.seeder.peer)
        film = slipstream.File(self.session, self.torrent, 0)
        self.assertEqual(film.read(), self.seeder.content)
        self.assertEqual(film.seek(-100, 2), len(self.seeder.content) - 100)
        self.assertEqual(film.read(), self.seeder.content[-100:])
        film.close()
        film.close()
        with self.assertRaises(ValueError):
            film.read(1)
        storage = self.memory.storage(self.session.v1_hash(self.torrent), b"")
        self.assertEqual(self.memory.set_lookbehind_pieces(storage, [3, 2, 1]).pieces, 3)
        self.assertTrue(self.memory.is_lookbehind_available(storage, 2))
        self.fails_with(slipstream.fault_no_such_piece, self.memory.set_lookbehind_pieces, storage, [10_000])
        buffer = bytearray(100)
        self.assertEqual(self.memory.read(storage, buffer, 2, 65536 - 40, True), 40)
        self.assertEqual(buffer[:40], self.seeder.content[3 * 65536 - 40:3 * 65536])
        self.fails_with(slipstream.fault_no_such_piece, self.memory.read, storage, buffer, -1, 0, True)
        self.assertIn("add_torrent", [a.what for a in alerts_of(self.session)])

    def test_what_is_wrong_is_an_error(self):
        self.fails_with(slipstream.fault_unknown_setting, slipstream.settings().set_int, "cache_size", 1)
        self.fails_with(slipstream.fault_bad_magnet, slipstream.add_params().from_magnet, "nonsense")
        self.fails_with(slipstream.fault_bad_argument, slipstream.add_params().add_peer, "127.0.0.1\0:1")
        with self.assertRaises(TypeError):
            slipstream.add_params().from_torrent_file("text")
        with self.assertRaises((TypeError, ValueError)):
            slipstream.file_reader(None, 1, 0, slipstream.reader_options())
        self.session.close()
        self.session.close()
        self.fails_with(slipstream.fault_closed, self.session.torrents)
        self.fails_with(slipstream.fault_closed, slipstream.File(self.session, self.torrent, 0).read, 1)

    def test_a_read_that_waits_lets_others_work(self):
        film = slipstream.File(self.session, self.torrent, 0, timeout=None)  # nobody is connected
        errors = []

        def read():
            try:
                film.read(1)
            except (slipstream.Error, ValueError) as error:
                errors.append(error)

        reading = threading.Thread(target=read)
        reading.start()
        self.session.close()
        reading.join()
        self.assertEqual([e.kind for e in errors], [slipstream.fault_closed])

    def test_the_example_copies_a_film(self):
        example = pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "example.py"
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder, "copy")
            subprocess.run([sys.executable, str(example), self.seeder.said["torrent"], "0", str(copy), self.seeder.peer], check=True)
            self.assertEqual(copy.read_bytes(), self.seeder.content)


def alerts_of(session):
    batch = session.pop_alerts()
    return [batch.at(i) for i in range(batch.size())]


if __name__ == "__main__":
    unittest.main()
