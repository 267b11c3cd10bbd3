"""Films larger than the memory: reproducible noise with a torrent, players that compare every byte
they get, and a watch on the memory.
"""

import hashlib
import mmap
import os
import random
import re
import threading
import time

from peer import Metainfo
from processes import DEADLINE_S, wait_until
from program import start_download
from swarm import make_with_mktorrent

MIB = 1 << 20
# How long the payload counter has to stand still before nothing is on its way any more.
_QUIET_S = 2


class Film:
    """A file of noise in the folder and its torrent; `content` is what is in it, mapped."""

    def __init__(self, folder, name, size_bytes, piece_length_bytes, seed=1):
        self.path = folder / name
        noise = random.Random(seed)
        digest = hashlib.sha256()
        with open(self.path, "wb") as out:
            for start in range(0, size_bytes, MIB):
                part = noise.randbytes(min(MIB, size_bytes - start))
                digest.update(part)
                out.write(part)
        self.sha256 = digest.hexdigest()
        self.size = size_bytes
        self.torrent = make_with_mktorrent(self.path, f"{self.path}.torrent", piece_length_bytes)
        self.meta = Metainfo(self.torrent)
        with open(self.path, "rb") as file:
            self.content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self):
        self.content.close()
        os.unlink(self.path)


class Player:
    """Asks for bytes [first, end) of a film and compares what comes; close() is what a player does
    that seeks or ends: it hangs up without a word.

    With little room to receive in, the server is never far ahead of what was read.
    """

    def __init__(self, url, film, first=0, end=None, receive_buffer_bytes=None):
        self._film = film
        self._end = film.size if end is None else end
        self.position = first
        self.digest = hashlib.sha256()
        self._buffer = memoryview(bytearray(256 * 1024))
        self._connection = start_download(url, f"bytes={first}-{self._end - 1}",
                                          receive_buffer_bytes)
        try:
            self._early = self._read_head(first)
        except BaseException:
            self.close()
            raise

    def _read_head(self, first):
        head = b""
        while b"\r\n\r\n" not in head:
            part = self._connection.recv(4096)
            if not part:
                raise AssertionError(f"the server hung up after {head!r}")
            head += part
        head, _, early = head.partition(b"\r\n\r\n")
        wanted = f"content-range: bytes {first}-{self._end - 1}/{self._film.size}".encode()
        if not head.startswith(b"HTTP/1.1 206 ") or wanted not in head.lower():
            raise AssertionError(f"the server answered {head!r}")
        return early

    def play(self, size=None):
        """Reads so many bytes more, or the rest."""
        stop = self._end if size is None else min(self.position + size, self._end)
        self._take(self._early[:stop - self.position])
        self._early = self._early[stop - self.position:] if self._early else b""
        while self.position < stop:
            wanted = min(len(self._buffer), stop - self.position)
            got = self._connection.recv_into(self._buffer, wanted)
            if got == 0:
                raise AssertionError(f"the server hung up at byte {self.position} of {self._end}")
            self._take(self._buffer[:got])
        return self

    def _take(self, part):
        if part != self._film.content[self.position:self.position + len(part)]:
            raise AssertionError(f"wrong bytes after {self.position}")
        self.digest.update(part)
        self.position += len(part)

    def close(self):
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def play(url, film, first=0, end=None):
    """Plays bytes [first, end) and closes; the SHA-256 of what came."""
    with Player(url, film, first, end) as player:
        return player.play().digest.hexdigest()


def metrics(server):
    """GET /metrics, by name without the prefix."""
    answer = server.request("GET", "/metrics")
    if answer.status != 200:
        raise AssertionError(f"GET /metrics: {answer}")
    found = re.findall(r"^slipstream_(\w+) (\d+)$", answer.body.decode(), re.MULTILINE)
    return {name: int(value) for name, value in found}


def downloaded(server):
    return metrics(server)["payload_download_bytes_total"]


def settled(server):
    """Waits until no payload arrives any more: the bytes downloaded until then."""
    seen = [downloaded(server), time.monotonic()]

    def quiet():
        now = downloaded(server)
        if now != seen[0]:
            seen[:] = now, time.monotonic()
        return time.monotonic() - seen[1] >= _QUIET_S

    wait_until(quiet, "the read-ahead is complete", 2 * DEADLINE_S)
    return seen[0]


class MemoryWatch:
    """Asks for /metrics all the time, on a thread of its own, until close(), which raises when the
    cap was passed at any sample.
    """

    def __init__(self, server):
        self._server = server
        self._over = threading.Event()
        self._failure = None
        self.samples = 0
        self.peak = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _look(self):
        seen = metrics(self._server)
        self.samples += 1
        self.peak = seen["memory_peak_bytes"]
        if not seen["memory_used_bytes"] <= self.peak <= seen["memory_capacity_bytes"]:
            raise AssertionError(f"the cap is passed: {seen}")

    def _watch(self):
        try:
            while not self._over.wait(0.02):
                self._look()
        except Exception as wrong:  # pylint: disable=broad-except
            self._failure = wrong

    def close(self):
        self._over.set()
        self._thread.join(DEADLINE_S)
        if self._failure:
            raise self._failure
        self._look()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
