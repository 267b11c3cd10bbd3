"""Torrents made by mktorrent and transmission-create, seeded and fetched by transmission-daemon and
by libtorrent's own disk, on loopback.

A `Seeder` owns one transmission-daemon with its own configuration and ports, no DHT, no local
discovery, no port mapping; torrents are added over its RPC, which is also asked whether it seeds
yet. Three habits of transmission-daemon 3.00 that shape the tests: it accepts peers from loopback
but never connects to one, so the other side has to; it takes one peer a torrent and address, and an
address that once had everything is refused from then on, so each Slipstream needs a torrent (or a
seeder, or `remove` and `add`) of its own; it unchokes only every ten seconds, so the first byte of
a torrent takes that long.

A `LibtorrentClient` is a process with one libtorrent session and one torrent
(libtorrent_client.py). It has none of these habits, and serves at once and as fast as it can.
"""

import json
import os
import urllib.error
import urllib.request

from peer import Metainfo
from processes import Child, TempDir, free_port, must, wait_until

_SEEDING = 6
# Where Debian's packages put their modules, python3-libtorrent's among them.
_DEBIAN_PYTHON = "/usr/bin/python3"


def make_with_mktorrent(source, torrent, piece_length_bytes=256 * 1024):
    exponent = piece_length_bytes.bit_length() - 1
    assert piece_length_bytes == 1 << exponent
    must(["mktorrent", "-a", "http://127.0.0.1:9/announce", "-l", str(exponent), "-o", torrent,
          source])
    return torrent


def make_with_transmission(source, torrent, piece_length_bytes=256 * 1024):
    must(["transmission-create", "-s", str(piece_length_bytes // 1024), "-o", torrent, source])
    return torrent


class Seeder:
    """transmission-daemon; close() ends it."""

    def __init__(self):
        self._home = TempDir()
        self._session_id = ""
        try:
            self._start()
        except BaseException:
            self._home.close()
            raise

    def _start(self):
        # Between finding a port free and listening on it another program can take it.
        for attempt in range(5):
            self.port = free_port()
            self._rpc = f"http://127.0.0.1:{free_port()}/transmission/rpc"
            self._write_settings(int(self._rpc.split(":")[2].split("/")[0]))
            self._daemon = Child(["transmission-daemon", "--foreground", "--config-dir",
                                  self._home.path], env={**os.environ, "HOME": self._home.path})
            try:
                wait_until(lambda: not self._daemon.running() or self._answers(),
                           "transmission-daemon answers its RPC", 20)
                if self._daemon.running() and "Couldn't bind" not in self._daemon.stderr:
                    return
            except BaseException:
                self._daemon.kill()
                raise
            self._daemon.kill()
        raise AssertionError(f"transmission-daemon did not start: {self._daemon.said()}")

    def _write_settings(self, rpc_port):
        with open(self._home / "settings.json", "w", encoding="utf-8") as file:
            json.dump({
                "bind-address-ipv4": "127.0.0.1", "bind-address-ipv6": "::1",
                "peer-port": self.port, "peer-port-random-on-start": False,
                "rpc-bind-address": "127.0.0.1", "rpc-port": rpc_port, "rpc-enabled": True,
                "rpc-authentication-required": False, "rpc-host-whitelist-enabled": False,
                "dht-enabled": False, "lpd-enabled": False, "pex-enabled": False,
                "utp-enabled": False, "port-forwarding-enabled": False, "encryption": 0,
                "blocklist-enabled": False, "watch-dir-enabled": False,
                "ratio-limit-enabled": False, "idle-seeding-limit-enabled": False,
                "speed-limit-up-enabled": False, "download-dir": self._home.folder("downloads"),
                "incomplete-dir-enabled": False, "rename-partial-files": False,
                "message-level": 2}, file)

    def _call(self, method, **arguments):
        body = json.dumps({"method": method, "arguments": arguments}).encode()
        for _ in range(2):
            request = urllib.request.Request(
                self._rpc, body, {"X-Transmission-Session-Id": self._session_id})
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    reply = json.load(answer)
                break
            except urllib.error.HTTPError as refusal:
                # The first call is answered with the session's id, to be repeated with it.
                with refusal:
                    if refusal.code != 409:
                        raise
                    self._session_id = refusal.headers["X-Transmission-Session-Id"]
        if reply["result"] != "success":
            raise AssertionError(f"transmission {method}: {reply['result']}")
        return reply["arguments"]

    def _answers(self):
        try:
            return self._call("session-get")["config-dir"] == self._home.path
        except urllib.error.URLError:
            return False

    def add(self, torrent, folder):
        """Seeds the torrent's content, which lies in the folder; returns when all of it is
        checked.
        """
        meta = Metainfo(torrent)
        self._call("torrent-add", filename=torrent, **{"download-dir": folder})
        wait_until(lambda: self._seeds(meta.id), f"transmission seeds {torrent}")
        return meta

    def fetch(self, torrent, folder):
        """Begins to fetch the torrent's content to the folder, from peers that come."""
        self._call("torrent-add", filename=torrent, **{"download-dir": folder})
        return Metainfo(torrent)

    def fetched(self, info_hash):
        """How much of it is there (1: all), the bytes that were wrong, and the peers' addresses."""
        state = self._torrent(info_hash, "percentDone", "corruptEver", "peers")
        return (state["percentDone"], state["corruptEver"],
                [peer["address"] for peer in state["peers"]])

    def _torrent(self, info_hash, *fields):
        return self._call("torrent-get", ids=[info_hash], fields=list(fields))["torrents"][0]

    def _seeds(self, info_hash):
        state = self._torrent(info_hash, "status", "percentDone", "error", "errorString")
        # 1 and 2 are what a tracker says; there is none.
        if state["error"] == 3:
            raise AssertionError(f"transmission: {state['errorString']}")
        return state["status"] == _SEEDING and state["percentDone"] == 1

    def magnet(self, info_hash):
        return self._torrent(info_hash, "magnetLink")["magnetLink"]

    def uploaded_bytes(self, info_hash):
        return self._torrent(info_hash, "uploadedEver")["uploadedEver"]

    def remove(self, info_hash):
        """Stops seeding the torrent and forgets its peers; the content stays."""
        self._call("torrent-remove", ids=[info_hash], **{"delete-local-data": False})
        known = lambda: self._call("torrent-get", ids=[info_hash], fields=["id"])["torrents"]
        wait_until(lambda: not known(), "transmission has let the torrent go")

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def close(self):
        self._daemon.kill()
        self._home.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class LibtorrentClient:
    """Seeds the torrent's content that lies in the folder (`role` seed), or fetches it to there
    (fetch); close() ends it.
    """

    def __init__(self, role, torrent, folder, peers=(), upload_limit_bytes_s=0,
                 host="127.0.0.1"):
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libtorrent_client.py")
        # With Debian's library, also where the program under test has an instrumented one (make test-tsan).
        variables = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        self.process = Child([_DEBIAN_PYTHON, "-B", program, role, host, torrent, folder,
                              str(upload_limit_bytes_s), *peers], env=variables)
        try:
            self.address = self.process.wait_for(r"^listening on (\S+)$")[0][1]
            if role == "seed":
                self.process.wait_for("^seeding$")
        except BaseException:
            self.process.kill()
            raise

    def finished(self):
        return "\nfinished\n" in self.process.stdout

    def told(self, word):
        """The lines that begin with the word."""
        return [line for line in self.process.stdout.splitlines() if line.startswith(word)]

    def close(self):
        self.process.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
