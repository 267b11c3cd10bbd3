"""Five hundred streams open at once, fifty of them read, on the real program: every byte right,
memory within its capacity, and no thread a stream.
"""

import asyncio
import os
import re
import socket
import unittest
import urllib.parse

from big_film import MIB, Film, MemoryWatch, metrics
from processes import DEADLINE_S, TempDir, wait_until
from program import SANITIZED, Server
from swarm import LibtorrentClient

CAPACITY = 32 * MIB
OPEN = 500
READING = 50
READ_BYTES = MIB
# What the process may have beyond its capacity: itself, libtorrent, and for each stream a
# connection and a reader.
BEYOND_CAPACITY = 48 * MIB
# Fifty places in the film, ten streams at each.
PLACES = OPEN // 10


def setUpModule():
    global film, server, url
    folder = TempDir()
    unittest.addModuleCleanup(folder.close)
    film = Film(folder, "film.mkv", 48 * MIB + 4321, 64 * 1024)
    unittest.addModuleCleanup(film.close)
    seeder = LibtorrentClient("seed", film.torrent, folder.path)
    unittest.addModuleCleanup(seeder.close)
    server = Server("--capacity", str(CAPACITY), film.torrent, seeders=[seeder.address])
    unittest.addModuleCleanup(server.close)
    (url,) = server.stream_urls(1)


class Stream:
    """A connection that asked for the film from a place on, with little room for what is unread."""

    def __init__(self, first):
        self.first = first
        self.position = first
        self._socket = socket.socket()

    async def open(self):
        parts = urllib.parse.urlsplit(url)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        self._socket.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, (parts.hostname, parts.port))
        await loop.sock_sendall(self._socket, (
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Range: bytes={self.first}-\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            part = await loop.sock_recv(self._socket, 4096)
            if not part:
                raise AssertionError(f"hung up after {head!r}")
            head += part
        head, _, early = head.partition(b"\r\n\r\n")
        wanted = f"content-range: bytes {self.first}-{film.size - 1}/{film.size}".encode()
        if not head.startswith(b"HTTP/1.1 206 ") or wanted not in head.lower():
            raise AssertionError(f"the server answered {head!r}")
        self._take(early)
        return self

    def _take(self, part):
        if part != film.content[self.position:self.position + len(part)]:
            raise AssertionError(f"wrong bytes after {self.position}")
        self.position += len(part)

    async def read(self, size):
        end = min(self.first + size, film.size)
        while self.position < end:
            part = await asyncio.get_running_loop().sock_recv(self._socket, 64 * 1024)
            if not part:
                raise AssertionError(f"hung up at {self.position}")
            self._take(part)

    def close(self):
        self._socket.close()


def threads():
    return len(os.listdir(f"/proc/{server.process.pid}/task"))


def resident_bytes():
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"^VmHWM:\s+(\d+) kB$", status.read(), re.MULTILINE)[1]) * 1024


class T01ManyStreams(unittest.TestCase):
    def test_01_five_hundred_open_and_fifty_read(self):
        before = threads()
        streams = [Stream(film.size * (n % PLACES) // PLACES) for n in range(OPEN)]

        async def run():
            await asyncio.gather(*[stream.open() for stream in streams])
            open_now = await asyncio.to_thread(
                lambda: server.request("GET", "/api/v1/readers").json())
            self.assertEqual(len(open_now), OPEN)
            self.assertEqual(threads(), before)
            await asyncio.gather(*[stream.read(READ_BYTES)
                                   for stream in streams[:READING]])

        try:
            with MemoryWatch(server):
                asyncio.run(asyncio.wait_for(run(), 2 * DEADLINE_S))
        finally:
            for stream in streams:
                stream.close()
        wait_until(lambda: server.request("GET", "/api/v1/readers").json() == [],
                   "no reader is left")
        self.assertLessEqual(metrics(server)["memory_peak_bytes"], CAPACITY)
        if not SANITIZED:
            self.assertLess(resident_bytes(), CAPACITY + BEYOND_CAPACITY)


if __name__ == "__main__":
    unittest.main(verbosity=2)
