"""A server of one file that answers ranges right, but for the one fault it is told to have."""

import http.server
import re
import threading
import urllib.parse

FAULTS = ("no ranges", "no length", "head with a body", "off by one", "suffix from the start",
          "unclamped", "416 as 200", "wrong content-range", "other units served", "one part of two",
          "if-range ignored", "etag of parts", "closes", "hangs after four", "5xx for nonsense",
          "other size")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def do_HEAD(self):
        self._answer(None)

    def do_GET(self):
        self._answer(self.headers.get("Range"))

    def _fault(self, name):
        return self.server.fault == name

    def _answer(self, wanted):
        body = self.server.content
        if self._fault("hangs after four"):
            self.server.count += ":" not in (wanted or ":") and wanted.endswith("-")
            if self.server.count > 5:
                self.server.released.wait()
        if self._fault("if-range ignored") or self.headers.get("If-Range", '"e"') == '"e"':
            ranges = self._ranges(wanted, len(body))
        else:
            ranges = None
        if self.headers.get("If-None-Match") == '"e"':
            return self._send(304, b"", [])
        if ranges == "nonsense":
            if self._fault("5xx for nonsense"):
                return self._send(500, b"", [])
            ranges = None
        if ranges is None or self._fault("no ranges"):
            return self._send(200, body, [])
        if not ranges:
            if self._fault("416 as 200"):
                return self._send(200, body, [])
            return self._send(416, b"", [("Content-Range", f"bytes */{len(body)}")])
        if len(ranges) == 1 or self._fault("one part of two"):
            first, last = ranges[0]
            stated = first + self._fault("wrong content-range")
            shift = self._fault("off by one")
            return self._send(206, body[first + shift:last + 1 + shift],
                              [("Content-Range", f"bytes {stated}-{last}/{len(body)}")])
        parts = b"".join(
            b"--b\r\nContent-Type: video/mp4\r\nContent-Range: bytes %d-%d/%d\r\n\r\n%s\r\n"
            % (first, last, len(body), body[first:last + 1]) for first, last in ranges)
        return self._send(206, parts + b"--b--\r\n",
                          [("Content-Type", "multipart/byteranges; boundary=b")])

    def _ranges(self, wanted, size):
        """None: none; a list of (first, last) that can be had; "nonsense"."""
        if not wanted:
            return None
        if not wanted.startswith("bytes="):
            return [(0, 5)] if self._fault("other units served") and "=" in wanted else None
        ranges = []
        for spec in wanted[6:].split(","):
            match = re.fullmatch(r"(\d*)-(\d*)", spec)
            if not match or spec == "-" or (all(match.groups())
                                            and int(match[1]) > int(match[2])):
                return "nonsense"
            if match[1] == "":
                length = min(int(match[2]), size)
                if self._fault("suffix from the start"):
                    ranges.append((0, length - 1))
                elif length:
                    ranges.append((size - length, size - 1))
            elif int(match[1]) < size:
                last = int(match[2] or size - 1)
                if last >= size and self._fault("unclamped"):
                    continue
                ranges.append((int(match[1]), min(last, size - 1)))
        return ranges

    def _send(self, status, body, headers):
        self.send_response(status)
        names = [name for name, _ in headers]
        if "Content-Type" not in names:
            self.send_header("Content-Type", "video/mp4")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", '"p"' if status == 206 and self._fault("etag of parts") else '"e"')
        for name, value in headers:
            self.send_header(name, value)
        length = len(body) + (self._fault("other size") and self.command == "GET"
                              and status == 200) * -1
        if status != 304 and not self._fault("no length"):
            self.send_header("Content-Length", str(length))
        if self._fault("closes") or self._fault("no length"):
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD" or self._fault("head with a body"):
            try:
                self.wfile.write(body[:length])
            except OSError:
                self.close_connection = True


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients leave in the middle: that is a part of what is tested."""


class BadServer:
    """Serves on a free port of loopback; close() ends it."""

    def __init__(self, content, fault=None):
        assert fault is None or fault in FAULTS, fault
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.content, self._server.fault, self._server.count = content, fault, 0
        self._server.released = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/{urllib.parse.quote('a film.mp4')}"

    def close(self):
        self._server.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
