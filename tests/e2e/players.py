"""Players as programs, steered as their own remote controls do: mpv over its JSON IPC, VLC over its
"oldrc" interface. Both play as fast as a film lasts, show and sound nothing, and have no home.
"""

import json
import os
import re
import socket
import time

from processes import Child, DEADLINE_S, TempDir, wait_until

# How far a player has to get after it began or sought before that counts as playing; VLC tells whole
# seconds. What is much farther was not reached from there.
MOVED_S = 0.3
TOO_FAR_S = 3


def _connect(path, child):
    """The socket that the player listens on, once it does."""
    def try_it():
        if not child.running():
            raise AssertionError(f"the player ended: {child.said()}")
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            return None
        connection.settimeout(DEADLINE_S)
        return connection
    return wait_until(try_it, "the player takes commands")


class Mpv:
    """mpv playing the sources; close() ends it.

    It buffers nothing that it is not made to, so that each seek is one to the server.
    """

    def __init__(self, *sources, options=("--cache=no",)):
        self._home = TempDir()
        path = self._home / "mpv"
        self.process = Child(
            ["mpv", "--no-config", "--no-terminal", "--vo=null", "--ao=null", "--hwdec=no",
             "--load-scripts=no", "--ytdl=no", f"--network-timeout={DEADLINE_S}",
             f"--log-file={self._home / 'log'}", "--msg-level=all=warn",
             f"--input-ipc-server={path}", *options, *sources],
            env={**os.environ, "HOME": self._home.path})
        try:
            self._socket = _connect(path, self.process)
        except BaseException:
            self.process.kill()
            self._home.close()
            raise
        self._lines = self._socket.makefile("rb")
        self._number = 0
        self._events = []
        self.command("observe_property", 1, "time-pos")

    def _said(self):
        with open(self._home / "log", encoding="utf-8", errors="replace") as log:
            return f"{self.process.said()}\n--- log\n{log.read()}"

    def _message(self):
        line = self._lines.readline()
        if not line:
            raise AssertionError(f"mpv hung up: {self._said()}")
        return json.loads(line)

    def command(self, *words):
        """What mpv answers; events that come before are kept for wait_for()."""
        self._number += 1
        request = {"command": words, "request_id": self._number}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            message = self._message()
            if "event" in message:
                self._events.append(message)
            elif message.get("request_id") == self._number:
                if message["error"] != "success":
                    raise AssertionError(f"mpv: {words}: {message['error']}: {self._said()}")
                return message.get("data")

    def get(self, name):
        return self.command("get_property", name)

    def wait_for(self, wanted, what):
        """The next event for which wanted(event) is true; those before it are forgotten."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            message = self._events.pop(0) if self._events else self._message()
            if message.get("event") == "end-file" and not wanted(message):
                raise AssertionError(f"{what}: mpv ended the film first: {message} {self._said()}")
            if "event" in message and wanted(message):
                return message
        raise AssertionError(f"{what}: not within {DEADLINE_S} s: {self._said()}")

    def plays_on_from(self, second):
        """Waits until the film is played, and has been for a while, from that second on."""
        def moved(event):
            return (event["event"] == "property-change" and event.get("data") is not None
                    and second + MOVED_S <= event["data"] <= second + TOO_FAR_S)
        return self.wait_for(moved, f"mpv plays on from second {second}")["data"]

    def seek(self, second):
        self._events.clear()
        self.command("seek", second, "absolute+exact")
        self.wait_for(lambda event: event["event"] == "playback-restart", "mpv has sought")
        return self.plays_on_from(second)

    def plays_to_its_end(self):
        end = self.ends()
        if end["reason"] != "eof":
            raise AssertionError(f"mpv ended the film: {end}: {self._said()}")
        self.process.wait()

    def ends(self):
        """Waits until it has ended the film for whatever reason."""
        return self.wait_for(lambda event: event["event"] == "end-file", "mpv ends the film")

    def close(self):
        self._lines.close()
        self._socket.close()
        self.process.kill()
        self._home.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Vlc:
    """VLC playing the source; close() ends it. It refuses to run as root: then it is nobody.

    Options that begin with ':' are the source's own.
    """

    def __init__(self, source, *options):
        self._home = TempDir()
        as_nobody = []
        if os.getuid() == 0:
            as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            os.chmod(self._home.path, 0o777)
        path = self._home / "vlc"
        self.process = Child(
            [*as_nobody, "vlc", "--ignore-config", "--no-media-library", "-I", "oldrc",
             "--rc-fake-tty", f"--rc-unix={path}", "--vout=dummy", "--aout=dummy",
             "--no-video-title-show", "--no-metadata-network-access", "--no-lua", "--no-dbus",
             source, *options],
            env={**os.environ, "HOME": self._home.path, "XDG_RUNTIME_DIR": self._home.path})
        try:
            self._socket = _connect(path, self.process)
        except BaseException:
            self.process.kill()
            self._home.close()
            raise
        self._lines = self._socket.makefile("rb")

    def _line(self):
        line = self._lines.readline()
        if not line:
            raise AssertionError(f"VLC hung up: {self.process.said()}")
        return line.decode(errors="replace").removeprefix("> ").rstrip("\r\n")

    def command(self, text):
        """The lines that VLC answers."""
        # What is no command is named in the answer to it, and so ends the one before.
        self._socket.sendall(f"{text}\nthat-is-all\n".encode())
        answer = []
        while True:
            line = self._line()
            if "that-is-all" in line:
                return answer
            answer.append(line)

    def number(self, command):
        """What VLC answers to a question for a number, or None while it plays nothing."""
        lines = [line for line in self.command(command) if re.fullmatch(r"\d+", line)]
        return int(lines[0]) if lines else None

    def plays_on_from(self, second):
        """Waits until the film is played, and has been for a while, from that second on."""
        seen = []

        def moved():
            if not self.process.running():
                raise AssertionError(f"VLC ended: {self.process.said()}")
            seen.append(self.number("get_time"))
            return seen[-1] is not None and second + 1 <= seen[-1] <= second + TOO_FAR_S
        try:
            wait_until(moved, f"VLC plays on from second {second}")
        except AssertionError as late:
            raise AssertionError(f"{late}: the times were {seen[:200]} {seen[-1]},"
                                 f" {self.command('status')}, {self.process.said()}") from None

    def seek(self, second):
        self.command(f"seek {second}")
        self.plays_on_from(second)

    def subtitle_tracks(self):
        """The names of those that can be chosen."""
        found = [re.fullmatch(r"\| (-?\d+) - (.*?)( \*)?", line) for line in
                 self.command("strack")]
        return [match[2] for match in found if match and match[1] != "-1"]

    def close(self):
        self._lines.close()
        self._socket.close()
        self.process.kill()
        self._home.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
