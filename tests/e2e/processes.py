"""Child processes that never outlive the test, ports, deadlines and temporary folders.

Every long-running child is started through `Child`, which reads the child's output as it comes,
kills and waits for it at the end, and asks the kernel to kill it should the test itself be
killed. Nothing here knows what the children are.
"""

import ctypes
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

# How long anything that should happen may take before the test says it did not. Generous: a test
# that passes never waits this long.
DEADLINE_S = 60

# Who is told to end cleans up first: an exception runs every `finally`, a signal none.
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, what, deadline_s=DEADLINE_S, interval_s=0.05):
    """The first true value of condition(); for what other programs offer no event for."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {deadline_s} s")
        time.sleep(interval_s)


def free_port(host="127.0.0.1"):
    """A port that nothing listens on now, outside the range that the kernel gives to port 0."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue


class TempDir:
    """A temporary folder, removed by close() or at the end of a with block."""

    def __init__(self, parent=None):
        self.path = tempfile.mkdtemp(prefix="slipstream-e2e-", dir=parent)

    def __truediv__(self, name):
        return os.path.join(self.path, name)

    def folder(self, name):
        path = os.path.join(self.path, name)
        os.makedirs(path, exist_ok=True)
        return path

    def close(self):
        shutil.rmtree(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Child:
    """A running program; must be made in the main thread, whose death kills it."""

    def __init__(self, command, env=None, cwd=None):
        self.command = command
        self.stdout = ""
        self.stderr = ""
        self._changed = threading.Condition()
        self._open_pipes = 2
        self._process = subprocess.Popen(
            command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", preexec_fn=_die_with_parent)
        self._threads = [
            threading.Thread(target=self._collect, args=(name,), daemon=True)
            for name in ("stdout", "stderr")]
        for thread in self._threads:
            thread.start()

    def _collect(self, name):
        for line in getattr(self._process, name):
            with self._changed:
                setattr(self, name, getattr(self, name) + line)
                self._changed.notify_all()
        with self._changed:
            self._open_pipes -= 1
            self._changed.notify_all()

    @property
    def pid(self):
        return self._process.pid

    def running(self):
        return self._process.poll() is None

    def said(self):
        return (f"{' '.join(self.command)}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
                f"\n--- exit code {self._process.poll()}")

    def wait_for(self, pattern, deadline_s=DEADLINE_S, count=1):
        """Waits until stdout matches the pattern so many times; the matches."""
        expression = re.compile(pattern, re.MULTILINE)
        end = time.monotonic() + deadline_s
        with self._changed:
            while True:
                matches = list(expression.finditer(self.stdout))
                if len(matches) >= count:
                    return matches
                left = end - time.monotonic()
                if left <= 0 or self._open_pipes == 0:
                    raise AssertionError(f"never said {pattern!r} {count} times: {self.said()}")
                self._changed.wait(left)

    def signal(self, number):
        self._process.send_signal(number)

    def wait(self, deadline_s=DEADLINE_S):
        """The exit code, once the program ended by itself and all that it said was read."""
        try:
            code = self._process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {deadline_s} s: {self.said()}") from None
        for thread in self._threads:
            thread.join(DEADLINE_S)
        return code

    def kill(self):
        """Ends it for certain, at once. Idempotent."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(DEADLINE_S)
        self._process.stdout.close()
        self._process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def run(command, deadline_s=DEADLINE_S, **options):
    """Runs a program to its end: CompletedProcess with text (or bytes, with text=False)."""
    options.setdefault("text", True)
    if options["text"]:
        options.setdefault("errors", "replace")
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=deadline_s, check=False, **options)
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"{' '.join(command)}: still running after {deadline_s} s;"
                             f" said {late.stdout!r} {late.stderr!r}") from None


def must(command, **options):
    """run(), and the program has to succeed."""
    done = run(command, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr}")
    return done
