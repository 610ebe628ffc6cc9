"""A program on a pseudo-terminal of ours, which reads as fast or as slowly as a real one, and answers as it does."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from tests.bench.figures import cpu_s, rss_mib
from tests.picture import Picture

_ANSWERS: Final = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # synchronised output: known, not set
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
}
_QUESTION: Final = re.compile(b"|".join(re.escape(question) for question in _ANSWERS))
_LONGEST: Final = max(map(len, _ANSWERS))


def holding(text: str) -> Callable[[str], bool]:
    """Whether a line of the screen holds this text."""
    return lambda line: text in line


def beginning(text: str) -> Callable[[str], bool]:
    """Whether a line of the screen begins with this text."""
    return lambda line: line.startswith(text)


class Gone(RuntimeError):
    """The program ended, or never showed what was waited for."""


class Terminal:
    """One program and its terminal.

    Args:
        argv: the program.
        env: its environment.
        size: columns and rows.
        bytes_per_s: how fast the terminal reads; None for as fast as it can.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: dict[str, str],
        size: tuple[int, int] = (160, 48),
        bytes_per_s: float | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.started_at = time.perf_counter()
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            cwd=cwd,
            start_new_session=True,
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        self.bytes = 0
        """Read so far."""
        self.bytes_per_s = bytes_per_s
        self._credit = 0.0
        self._credited_at = time.perf_counter()
        self.picture = Picture(*size)
        """What stands on the screen."""
        self._unasked = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # reading

    def pump(self, timeout_s: float) -> bytes:
        """Read what is there, or wait for it so long; what was read.

        Raises:
            Gone: the program ended.
        """
        most = 65536
        if self.bytes_per_s is not None:
            most = self._allowance(self.bytes_per_s)
            if most < 64:
                time.sleep(min(timeout_s, 0.004))
                return b""
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        if not ready:
            return b""
        try:
            data = os.read(self._master, most)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            raise Gone(f"the program ended; its screen:\n{self.shown}")
        self._credit -= len(data)
        self.bytes += len(data)
        self.picture.feed(data)
        self._answer(data)
        return data

    def _allowance(self, rate: float) -> int:
        """A link of this speed: what it could have carried since it was last asked, without saving up."""
        now = time.perf_counter()
        self._credit = min(self._credit + (now - self._credited_at) * rate, max(256.0, rate * 0.02))
        self._credited_at = now
        return int(self._credit)

    def _answer(self, data: bytes) -> None:
        text = self._unasked + data
        end = 0
        for found in _QUESTION.finditer(text):
            os.write(self._master, _ANSWERS[found[0]])
            end = found.end()
        self._unasked = text[max(end, len(text) - _LONGEST + 1) :]

    def run(self, seconds: float) -> None:
        """Go on reading for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.pump(min(left, 0.25))

    def until(self, text: str, timeout_s: float = 30.0) -> float:
        """Read until the text stands on the screen; when it did, on `time.perf_counter`'s clock.

        Raises:
            Gone: it never came.
        """
        return self.until_seen(holding(text), text, timeout_s)

    def until_seen(self, wanted: Callable[[str], bool], what: str, timeout_s: float = 30.0) -> float:
        """As `until`, with a test of one's own on a line of the screen."""
        end = time.perf_counter() + timeout_s
        while time.perf_counter() < end:
            if self.pump(0.25) and any(map(wanted, self.picture.lines())):
                return time.perf_counter()
        raise Gone(f"the terminal never showed {what!r}; its screen:\n{self.shown}")

    def until_ended(self, timeout_s: float = 10.0) -> None:
        """Read until the program has ended.

        Raises:
            Gone: it goes on.
        """
        end = time.perf_counter() + timeout_s
        with suppress(Gone):
            while time.perf_counter() < end:
                self.pump(0.25)
        try:
            self.process.wait(max(0.1, end - time.perf_counter()))
        except subprocess.TimeoutExpired as error:
            raise Gone("the program does not end") from error

    @property
    def shown(self) -> str:
        """The screen as text."""
        return "\n".join(line.rstrip() for line in self.picture.lines())

    # keys

    def press(self, keys: bytes, wanted: Callable[[str], bool], timeout_s: float = 10.0) -> float:
        """Press keys; the seconds until a line of the screen is as they make it, which none may be before."""
        if any(map(wanted, self.picture.lines())):
            raise Gone(f"what {keys!r} should bring is there already:\n{self.shown}")
        pressed_at = time.perf_counter()
        self.type(keys)
        return self.until_seen(wanted, repr(keys), timeout_s) - pressed_at

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    # the process

    @property
    def pid(self) -> int:
        """Of the program."""
        return self.process.pid

    def cpu_share(self, seconds: float) -> float:
        """Percent of one core used while reading for so long."""
        before, began = cpu_s(self.pid), time.perf_counter()
        self.run(seconds)
        return 100.0 * (cpu_s(self.pid) - before) / (time.perf_counter() - began)

    def rss_mib(self) -> float:
        """Its memory."""
        return rss_mib(self.pid)

    def close(self) -> None:
        """End it, reading meanwhile so that it can write its last words."""
        self.bytes_per_s = None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.until_ended(5.0)
            except Gone:
                self.process.kill()
        self.process.wait()
        os.close(self._master)
