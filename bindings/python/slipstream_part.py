class Error(Exception):
    """A call that failed: `kind` is one of the fault_... numbers, the text says what was wrong."""

    def __init__(self, kind, message):
        text = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
        super().__init__(text)
        self.kind = kind


import io as _io


class File(_io.RawIOBase):
    """A file of a torrent as a raw, readable, seekable file of verified bytes. A read waits for its first byte, `timeout`
    seconds at most (None: for ever), and raises Error then. Wrap it in io.BufferedReader where small reads are many."""

    def __init__(self, session, torrent, file, timeout=120, read_ahead_bytes=0, lookbehind_bytes=-1):
        options = reader_options()
        options.read_ahead_bytes = read_ahead_bytes
        options.lookbehind_bytes = lookbehind_bytes
        self._timeout_ms = -1 if timeout is None else int(timeout * 1000)
        self._reader = file_reader(session, torrent, file, options)

    def readable(self):
        return True

    def seekable(self):
        return True

    def readinto(self, buffer):
        self._checkClosed()
        view = memoryview(buffer).cast("B")
        return self._reader.read(view, self._timeout_ms) if len(view) else 0

    def seek(self, offset, whence=_io.SEEK_SET):
        self._checkClosed()
        if whence == _io.SEEK_CUR:
            offset += self._reader.position()
        elif whence == _io.SEEK_END:
            offset += self._reader.size(self._timeout_ms)
        elif whence != _io.SEEK_SET:
            raise ValueError(f"whence is {whence}, it must be 0, 1 or 2")
        self._reader.seek(offset)
        return offset

    def tell(self):
        self._checkClosed()
        return self._reader.position()

    def close(self):
        if not self.closed and hasattr(self, "_reader"):
            self._reader.close()
        super().close()
