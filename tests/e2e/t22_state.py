"""`serve --state-dir`: what is remembered over restarts, kills and torn files; and what a service
manager is told.
"""

import os
import random
import signal
import socket
import threading
import unittest

import media
from peer import Metainfo, PlainSeeder
from processes import DEADLINE_S, TempDir, wait_until
from program import API, Server, curl, slipstream
from swarm import LibtorrentClient, make_with_mktorrent

STOP_DEADLINE_S = 10


def setUpModule():
    global folder, films, torrents, metas
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    films, torrents, metas = [], [], []
    for number in range(4):
        film = folder / f"film{number}.mkv"
        with open(film, "wb") as out:
            out.write(os.urandom(700_000))
        films.append(film)
        torrents.append(make_with_mktorrent(film, folder / f"film{number}.torrent", 32 * 1024))
        metas.append(Metainfo(torrents[-1]))


class State(unittest.TestCase):
    def setUp(self):
        self.home = TempDir()
        self.addCleanup(self.home.close)
        self.state = self.home / "state"

    def serve(self, *arguments, **options):
        return Server("--state-dir", self.state, *arguments, **options)

    def stop(self, server):
        server.process.signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(STOP_DEADLINE_S), 0, server.process.said())

    def resume_file(self, info_hash):
        return os.path.join(self.state, "torrents", info_hash + ".resume")

    def written(self, *info_hashes):
        wait_until(lambda: all(os.path.exists(self.resume_file(i)) for i in info_hashes),
                   "it is written")

    def ids(self, server):
        return {t["id"] for t in server.torrents()}


class T01Restarts(State):
    def test_01_torrents_come_back_with_their_files_and_urls(self):
        with self.serve(torrents[0]) as server:
            server.add(media.read_bytes(torrents[1]))
            self.stop(server)
        with self.serve() as server:
            self.assertEqual(self.ids(server), {metas[0].id, metas[1].id})
            urls = {match[1].rsplit("/", 1)[1] for match in
                    server.process.wait_for(r"(http://\S+/stream/\S+)", count=2)}
            self.assertEqual(urls, {"film0.mkv", "film1.mkv"})

    def test_02_a_torrent_that_came_back_plays(self):
        with self.serve(torrents[0]) as server:
            self.stop(server)
        with PlainSeeder(metas[0], media.read_bytes(films[0])) as seeder, \
                self.serve(seeders=["%s:%d" % seeder.address]) as server:
            (url,) = server.stream_urls(1)
            self.assertEqual(curl(url).body == media.read_bytes(films[0]), True)
            self.stop(server)
        # What was in memory is gone with it, and nobody is promised it.
        with self.serve() as server:
            wait_until(lambda: server.torrent(metas[0].id)["phase"] == "ready", "it is ready")
            self.assertEqual(server.torrent(metas[0].id)["verified_pieces"], 0)

    def test_03_what_was_paused_is_paused_and_can_be_resumed(self):
        with self.serve(torrents[0], torrents[1]) as server:
            server.stream_urls(2)
            server.request("POST", f"{API}/{metas[0].id}/pause")
            self.stop(server)
        with PlainSeeder(metas[0], media.read_bytes(films[0])) as seeder, \
                self.serve(seeders=["%s:%d" % seeder.address]) as server:
            server.stream_urls(2)
            self.assertEqual(server.torrent(metas[0].id)["paused"], True)
            self.assertEqual(server.torrent(metas[1].id)["paused"], False)
            server.request("POST", f"{API}/{metas[0].id}/resume")
            answer = curl(server.stream(metas[0].id, 0))
            self.assertEqual(answer.body == media.read_bytes(films[0]), True)
            self.stop(server)
        with self.serve() as server:
            self.assertEqual(server.torrent(metas[0].id)["paused"], False)

    def test_04_what_was_removed_stays_away(self):
        with self.serve(torrents[0], torrents[1]) as server:
            self.written(metas[0].id, metas[1].id)
            server.request("DELETE", f"{API}/{metas[0].id}")
            wait_until(lambda: not os.path.exists(self.resume_file(metas[0].id)), "it is gone")
            self.stop(server)
        with self.serve() as server:
            self.assertEqual(self.ids(server), {metas[1].id})

    def test_05_a_link_is_remembered_before_and_with_its_metadata(self):
        link = f"magnet:?xt=urn:btih:{metas[0].id}"
        with self.serve(link) as server:
            self.written(metas[0].id)
            self.stop(server)
        with LibtorrentClient("seed", torrents[0], folder.path) as seed, \
                self.serve(seeders=[seed.address]) as server:
            server.stream_urls(1)
            self.stop(server)
        with self.serve() as server:
            (url,) = server.stream_urls(1)
            self.assertTrue(url.endswith("film0.mkv"), url)

    def test_06_the_command_line_adds_to_what_is_remembered(self):
        with self.serve(torrents[0]) as server:
            self.stop(server)
        with self.serve(torrents[0], torrents[1]) as server:
            self.assertEqual(self.ids(server), {metas[0].id, metas[1].id})
            self.stop(server)
            self.assertEqual(server.process.stderr, "")


class T02Kills(State):
    def test_01_what_is_written_outlives_a_kill(self):
        with self.serve(torrents[0]) as server:
            server.add(media.read_bytes(torrents[1]))
            self.written(metas[0].id, metas[1].id)
            server.process.kill()
        with self.serve() as server:
            self.assertEqual(self.ids(server), {metas[0].id, metas[1].id})

    def test_02_killed_in_the_middle_of_changes_nothing_is_torn(self):
        for seed in range(6):
            with self.subTest(seed):
                dice = random.Random(seed)
                with self.serve(torrents[0]) as server:
                    self.written(metas[0].id)
                    # One thread changes as fast as it can; the kill comes wherever it comes.
                    ended = threading.Event()
                    changes = []

                    def change():
                        try:
                            while not ended.is_set():
                                for i in (1, 2, 3):
                                    server.add(media.read_bytes(torrents[i]))
                                    server.request("POST", f"{API}/{metas[0].id}/"
                                                   + dice.choice(("pause", "resume")))
                                    server.request("DELETE", f"{API}/{metas[i].id}")
                                    changes.append(i)
                        except OSError:
                            pass
                    thread = threading.Thread(target=change)
                    thread.start()
                    count = dice.randrange(3, 12)
                    wait_until(lambda: len(changes) >= count, "changes", interval_s=0.001)
                    server.process.kill()
                    ended.set()
                    thread.join(DEADLINE_S)
                with self.serve() as server:
                    ids = self.ids(server)
                    self.assertIn(metas[0].id, ids)
                    self.assertLessEqual(ids, {m.id for m in metas})
                    self.stop(server)
                    self.assertEqual(server.process.stderr, "")
                self.assertEqual([name for name in os.listdir(self.state + "/torrents")
                                  if not name.endswith(".resume")], [])


class T03TornAndForeign(State):
    def test_01_torn_files_are_reported_set_aside_and_lose_nothing(self):
        with self.serve(torrents[0], torrents[1]) as server:
            self.written(metas[0].id, metas[1].id)
            self.stop(server)
        whole = media.read_bytes(self.resume_file(metas[0].id))
        for torn in (b"", whole[:len(whole) // 2], b"d" * 1000, os.urandom(1000),
                     whole.replace(b"film0", b"film9")):
            with self.subTest(torn[:20]):
                with open(self.resume_file(metas[0].id), "wb") as out:
                    out.write(torn)
                with self.serve() as server:
                    self.assertEqual(self.ids(server), {metas[1].id})
                    # It may be added again, beside what was torn.
                    server.add(media.read_bytes(torrents[0]))
                    self.written(metas[0].id)
                    self.stop(server)
                    self.assertIn(metas[0].id, server.process.stderr)
                names = [n for n in os.listdir(self.state + "/torrents") if "unreadable" in n]
                (name,) = names
                kept = os.path.join(self.state, "torrents", name)
                self.assertEqual(media.read_bytes(kept), torn)
                os.remove(kept)

    def test_02_foreign_files_are_reported_and_left(self):
        with self.serve(torrents[0]) as server:
            self.stop(server)
        foreign = os.path.join(self.state, "torrents", "notes.txt")
        with open(foreign, "w", encoding="utf-8") as out:
            out.write("mine")
        # Another torrent's, under a name that is not its own.
        os.rename(self.resume_file(metas[0].id), self.resume_file("a" * 40))
        with self.serve() as server:
            self.assertEqual(self.ids(server), set())
            self.stop(server)
            self.assertIn("notes.txt", server.process.stderr)
            self.assertRegex(server.process.stderr, "a{40}.*of another torrent, " + metas[0].id)
        self.assertEqual(media.read_bytes(foreign), b"mine")
        self.assertTrue(os.path.exists(self.resume_file("a" * 40) + ".unreadable"))

    def test_03_torn_nodes_are_reported_and_set_aside(self):
        os.makedirs(self.state)
        nodes = os.path.join(self.state, "session.state")
        with open(nodes, "wb") as out:
            out.write(b"torn")
        with self.serve() as server:
            self.assertEqual(server.request("GET", "/healthz").status, 200)
            self.stop(server)
            self.assertIn("session.state", server.process.stderr)
        self.assertEqual(media.read_bytes(nodes + ".unreadable"), b"torn")

    def test_04_a_folder_in_use_and_one_that_cannot_be(self):
        with self.serve() as server:
            self.assertEqual(server.request("GET", "/healthz").status, 200)
            done = slipstream("serve", "--offline", "--listen=127.0.0.1:0",
                              "--peer-listen=127.0.0.1:0", "--state-dir", self.state)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("in use", done.stderr)
        done = slipstream("serve", "--offline", "--listen=127.0.0.1:0",
                          "--peer-listen=127.0.0.1:0", "--state-dir", torrents[0])
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(torrents[0], done.stderr)


class T04ServiceManager(State):
    def test_01_is_told_of_readiness_life_and_the_end(self):
        path = self.home / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(DEADLINE_S)
            manager.bind(path)
            with Server(torrents[0], variables={"NOTIFY_SOCKET": path,
                                                "WATCHDOG_USEC": "200000"}) as server:
                self.assertEqual(manager.recv(100), b"READY=1")
                # It listens already.
                self.assertEqual(server.request("GET", "/healthz").status, 200)
                for _ in range(3):
                    self.assertEqual(manager.recv(100), b"WATCHDOG=1")
                server.process.signal(signal.SIGTERM)
                told = manager.recv(100)
                while told == b"WATCHDOG=1":
                    told = manager.recv(100)
                self.assertEqual(told, b"STOPPING=1")
                self.assertEqual(server.process.wait(STOP_DEADLINE_S), 0)

    def test_02_that_is_not_there_is_no_reason_to_fail(self):
        with Server(variables={"NOTIFY_SOCKET": "/no/such/socket",
                               "WATCHDOG_USEC": "nonsense"}) as server:
            self.assertEqual(server.request("GET", "/healthz").status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
