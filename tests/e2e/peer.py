"""The BitTorrent wire protocol (BEP 3), as little of it as the tests need, and nothing of
Slipstream's.

`Metainfo` reads a torrent file. `fetch_block` asks a peer for one block: it shows that a seeder
serves before Slipstream is asked to use it. `PlainSeeder` seeds one file's torrent and can be
told to lie.
"""

import contextlib
import hashlib
import socket
import struct
import threading

from processes import DEADLINE_S

_PROTOCOL = b"\x13BitTorrent protocol"
_UNCHOKE, _INTERESTED, _BITFIELD, _REQUEST, _PIECE = 1, 2, 5, 6, 7
BLOCK = 16 * 1024


def _decode(data, at=0):
    """One bencoded value from data[at:]: (value, where it ends)."""
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        at += 1
        items = []
        while data[at:at + 1] != b"e":
            item, at = _decode(data, at)
            items.append(item)
        if kind == b"l":
            return items, at + 1
        return dict(zip(items[::2], items[1::2])), at + 1
    colon = data.index(b":", at)
    size = int(data[at:colon])
    return data[colon + 1:colon + 1 + size], colon + 1 + size


class Metainfo:
    """What a v1 torrent file says."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.raw = file.read()
        info = _decode(self.raw)[0][b"info"]
        start = self.raw.index(b"4:info") + len(b"4:info")
        self.info_hash = hashlib.sha1(self.raw[start:_decode(self.raw, start)[1]]).digest()
        self.id = self.info_hash.hex()
        self.name = info[b"name"].decode()
        self.piece_length = info[b"piece length"]
        self.num_pieces = len(info[b"pieces"]) // 20
        self.files = ([(self.name, info[b"length"])] if b"length" in info else
                      [("/".join(part.decode() for part in f[b"path"]), f[b"length"])
                       for f in info[b"files"]])

    def index_of(self, path):
        return [name for name, _ in self.files].index(path)


def _read(connection, size):
    parts = b""
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ConnectionError("the peer closed the connection")
        parts += part
    return parts


def _read_message(connection):
    """(type, payload); the type of a keep-alive is None."""
    size = struct.unpack(">I", _read(connection, 4))[0]
    if size == 0:
        return None, b""
    message = _read(connection, size)
    return message[0], message[1:]


def _message(kind, payload=b""):
    return struct.pack(">IB", 1 + len(payload), kind) + payload


def fetch_block(address, info_hash, piece, begin, length):
    """One block from the peer at `address`, as a leecher with nothing gets it. It comes from an
    address of its own, because clients take one peer an address only.
    """
    with socket.create_connection(address, DEADLINE_S, ("127.0.0.99", 0)) as connection:
        connection.sendall(_PROTOCOL + bytes(8) + info_hash + b"-PY0001-fetch_block_")
        if _read(connection, 68)[28:48] != info_hash:
            raise AssertionError("the peer answered with another info-hash")
        connection.sendall(_message(_INTERESTED))
        while True:
            kind, payload = _read_message(connection)
            if kind == _UNCHOKE:
                connection.sendall(_message(_REQUEST, struct.pack(">III", piece, begin, length)))
            elif kind == _PIECE:
                if struct.unpack(">II", payload[:8]) != (piece, begin):
                    raise AssertionError("the peer sent a block that was not asked for")
                return payload[8:]


class PlainSeeder:
    """Seeds a single-file torrent on its own thread per connection, unencrypted.

    With `corrupt(piece)` true for a piece, every block of that piece is sent with its first byte
    flipped. Unlike a real client it unchokes at once, so what is served is a matter of the reader
    alone. While `serving` is cleared it takes requests and sends no block. It has all pieces but those
    for which `lacks(piece)` is true, and never sends a block for which `withholds(piece, begin)` is.
    """

    def __init__(self, meta, content, host="127.0.0.1", corrupt=lambda piece: False,
                 lacks=lambda piece: False, withholds=lambda piece, begin: False):
        self._meta = meta
        self._content = content
        self._corrupt = corrupt
        self._lacks = lacks
        self._withholds = withholds
        self._lock = threading.Lock()
        self._connections = set()
        self._closed = False
        self.served_blocks = 0
        self.corrupt_blocks = 0
        self.serving = threading.Event()
        self.serving.set()
        self._listener = socket.create_server((host, 0))
        self.address = self._listener.getsockname()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                if self._closed:
                    connection.close()
                    return
                self._connections.add(connection)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection):
        try:
            with connection:
                self._talk(connection)
        except OSError:
            pass  # it went away: its right
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _talk(self, connection):
        if _read(connection, 20) != _PROTOCOL:
            return  # an encrypted handshake: the client tries again without
        if _read(connection, 48)[8:28] != self._meta.info_hash:
            return
        connection.sendall(_PROTOCOL + bytes(8) + self._meta.info_hash + b"-PY0001-plain_seeder")
        spare = -self._meta.num_pieces % 8
        bits = sum(1 << (self._meta.num_pieces - 1 - piece)
                   for piece in range(self._meta.num_pieces) if not self._lacks(piece)) << spare
        connection.sendall(
            _message(_BITFIELD, bits.to_bytes((self._meta.num_pieces + spare) // 8, "big")))
        while True:
            kind, payload = _read_message(connection)
            if kind == _INTERESTED:
                connection.sendall(_message(_UNCHOKE))
            elif kind == _REQUEST:
                wanted = struct.unpack(">III", payload)
                if not self._withholds(*wanted[:2]):
                    connection.sendall(self._block(*wanted))

    def _block(self, piece, begin, length):
        self.serving.wait()
        start = piece * self._meta.piece_length + begin
        block = bytearray(self._content[start:start + length])
        with self._lock:
            self.served_blocks += 1
            if self._corrupt(piece):
                self.corrupt_blocks += 1
                block[0] ^= 0xff
        return _message(_PIECE, struct.pack(">II", piece, begin) + block)

    def close(self):
        self.serving.set()
        with self._lock:
            self._closed = True
            for connection in self._connections:
                with contextlib.suppress(OSError):  # the peer may have gone before
                    connection.shutdown(socket.SHUT_RDWR)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(DEADLINE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
