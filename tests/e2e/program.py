"""Slipstream as its users meet it: a command that prints URLs, and an HTTP server.

The program under test is named by the environment variable SLIPSTREAM_BIN; there is no default,
so that no test passes against another build by mistake.
"""

import http.client
import json
import os
import socket
import urllib.parse

from processes import Child, DEADLINE_S, must, run

BIN = os.environ.get("SLIPSTREAM_BIN", "")
if not os.access(BIN, os.X_OK):
    raise SystemExit(f"SLIPSTREAM_BIN has to name the slipstream program, not {BIN!r}")

# What -fsanitize= it was built with, if any: a sanitizer's runtime has memory and files of its own.
SANITIZED = os.environ.get("SLIPSTREAM_SANITIZE", "")

API = "/api/v1/torrents"


def environment(**more):
    """This process's, without any flag of Slipstream's, and what is given."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("SLIPSTREAM_")}
    return {**clean, **more}


def slipstream(*arguments, deadline_s=DEADLINE_S, **variables):
    """Runs the program to its end."""
    return run([BIN, *arguments], env=environment(**variables), deadline_s=deadline_s)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]!r}"


def http_request(method, url, body=None, headers=None):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE_S)
    try:
        target = urllib.parse.urlunsplit(("", "", *parts[2:]))
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


def curl(url, *options):
    """What curl sees: an Answer."""
    done = must(["curl", "-sS", "-i", "--max-time", str(DEADLINE_S), *options, url],
                deadline_s=DEADLINE_S + 10, text=False)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    return Answer(int(lines[0].split()[1]), [line.split(": ", 1) for line in lines[1:]], body)


def start_raw(url, request, receive_buffer_bytes=None):
    """A connection to the URL's server that has sent these bytes and read nothing of the answer."""
    parts = urllib.parse.urlsplit(url)
    connection = socket.socket()
    if receive_buffer_bytes:
        # Set before connecting, it bounds the window: the server cannot send much to who does not
        # read.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    connection.settimeout(DEADLINE_S)
    try:
        connection.connect((parts.hostname, parts.port))
        connection.sendall(request)
    except BaseException:
        connection.close()
        raise
    return connection


def start_download(url, range_header=None, receive_buffer_bytes=None):
    """A connection that has asked for the URL and read nothing of the answer."""
    parts = urllib.parse.urlsplit(url)
    wanted = f"Range: {range_header}\r\n" if range_header else ""
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{wanted}\r\n"
    return start_raw(url, request.encode(), receive_buffer_bytes)


def read_to_end(connection):
    """The number of bytes until the server ends the connection, in order or not."""
    total = 0
    while True:
        try:
            part = connection.recv(1 << 16)
        except ConnectionResetError:
            return total
        if not part:
            return total
        total += len(part)


class Server:
    """`slipstream serve` on free loopback ports; close() ends it."""

    def __init__(self, *arguments, seeders=(), listen=True, cwd=None, variables=None):
        command = [BIN, "serve", "--offline", "--peer-listen", "127.0.0.1:0"]
        if listen:
            command += ["--listen", "127.0.0.1:0"]
        for seeder in seeders:
            command += ["--connect", seeder]
        self.process = Child([*command, *arguments], env=environment(**(variables or {})), cwd=cwd)
        try:
            self.url = self.process.wait_for(r"^listening on (http://\S+)/$")[0][1]
        except BaseException:
            self.process.kill()
            raise

    def stream_urls(self, count):
        """The URLs that the program printed, once there are so many, in its order."""
        found = self.process.wait_for(r"(http://\S+/stream/\S+)", count=count)
        return [match[1] for match in found]

    def request(self, method, path, body=None, headers=None):
        return http_request(method, self.url + path, body, headers)

    def add(self, torrent_bytes):
        return self.request("POST", API, torrent_bytes,
                            {"Content-Type": "application/x-bittorrent"})

    def add_uri(self, uri):
        return self.request("POST", API, json.dumps({"uri": uri}),
                            {"Content-Type": "application/json"})

    def torrents(self):
        return self.request("GET", API).json()

    def torrent(self, info_hash):
        return self.request("GET", f"{API}/{info_hash}").json()

    def stream(self, info_hash, index, name="file"):
        return f"{self.url}/stream/{info_hash}/{index}/{urllib.parse.quote(name)}"

    def bytes_written_to_disk(self):
        """What the kernel charged the process for (proc(5), /proc/pid/io)."""
        with open(f"/proc/{self.process.pid}/io", encoding="ascii") as io:
            return int(dict(line.split(": ") for line in io)["write_bytes"])

    def open_files(self):
        """How many file descriptors the process has, sockets among them."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def close(self):
        self.process.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
