"""On a real (pseudo-)terminal: hostile text stays text, the terminal is given back, and nobody outlives a hang-up."""

from __future__ import annotations

import fcntl
import os
import random
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests import ROOT
from tests.scenarios.hostile import RAW

PATIENCE_S = 30.0
ALLOWED = re.compile(rb"\x1b\[[0-9;:?<>=]*[ $]?[a-zA-Z]|\x1b[=>78]|[\r\n]|\x1b\]22;[a-z-]*\x07")
"""What Textual itself writes: control sequences of the CSI kind, and the shape of the mouse pointer."""


class Terminal:
    """A console process on a pseudo-terminal that we hold the other end of."""

    def __init__(
        self,
        scenario: str,
        rate: int = 0,
        *,
        size: tuple[int, int] = (160, 48),
        answers: bool = True,
        term: str = "xterm-256color",
        colours: str = "truecolor",
        crashes: bool = False,
    ) -> None:
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.attributes = termios.tcgetattr(slave)
        self.answers = answers
        self.written = b""
        environ = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.screens.console_process",
                scenario,
                str(rate),
                *(["crash"] if crashes else []),
            ],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environ, "TERM": term, "COLORTERM": colours},
            cwd=ROOT,
            preexec_fn=_own_terminal,
        )
        self.slave = slave

    def read(self, most: int = 65536, wait_s: float = 0.2) -> bytes:
        """What is there to read, answering what a terminal answers."""
        ready, _, _ = select.select([self.master], [], [], wait_s)
        if not ready:
            return b""
        data = os.read(self.master, most)
        if self.answers and b"\x1b[?2026$p" in data:
            os.write(self.master, b"\x1b[?2026;2$y")
        self.written += data
        return data

    def until(self, wanted: Callable[[], bool]) -> None:
        """Read until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not wanted():
            assert time.monotonic() < deadline, self.written[-3000:]
            self.read()

    def until_shown(self, text: bytes) -> None:
        """Read until a text was written."""
        self.until(lambda: text in self.written)

    def settle(self) -> None:
        """Read until nothing more comes."""
        while self.read(wait_s=0.3):
            continue

    def quit(self) -> None:
        """Close whatever is open, and leave."""
        while self.process.poll() is None:
            os.write(self.master, b"q")
            self.settle()
        assert self.process.wait() == 0

    def exit_code(self) -> int:
        """Wait for the process to end, reading on so that nothing blocks it."""
        self.until(lambda: self.process.poll() is not None)
        return self.process.wait()

    def close(self) -> None:
        """End it all."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self.master, self.slave):
            try:
                os.close(descriptor)
            except OSError:
                continue


def _own_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*args: object, **named: object) -> Terminal:
        opened.append(Terminal(*args, **named))  # type: ignore[arg-type]
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


@pytest.mark.parametrize("size", [pytest.param((160, 48), marks=pytest.mark.long), (80, 24)])
def test_hostile_text_in_every_field_reaches_the_terminal_without_one_control_byte(
    open_terminal: Callable[..., Terminal], size: tuple[int, int]
) -> None:
    terminal = open_terminal("hostile-text", size=size)
    terminal.until_shown(b"NOBODY")
    for key in (
        b"\t",
        b"\t",
        b"\t",
        b"\r",
        b"\x1b",
        b"2",
        b"\r",
        b"\x1b",
        b"5",
        b"\r",
        b"\x1b",
        b"8",
        b"\r",
        b"\x1b",
        b"?",
    ):
        os.write(terminal.master, key)
        terminal.settle()
    terminal.quit()
    left = ALLOWED.sub(b"", terminal.written)
    text = left.decode("utf-8")
    assert not [char for char in text if ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0]
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f")
    assert b"\x1b[2J\x1b[H\x9b" not in terminal.written
    assert "[@click=app.quit]" in text
    assert "[/x][bold red]" in text
    assert RAW[0].encode() not in terminal.written


def test_closing_the_terminal_ends_the_process(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("blue-active", 10)
    terminal.until_shown(b"LIVE")
    os.close(terminal.slave)
    os.close(terminal.master)
    assert terminal.process.wait(PATIENCE_S) == 129


def test_the_end_of_input_ends_the_process_even_where_no_hang_up_is_sent(
    open_terminal: Callable[..., Terminal],
) -> None:
    terminal = open_terminal("blue-active")
    terminal.until_shown(b"LIVE")
    terminal.process.send_signal(signal.SIGHUP)
    assert terminal.exit_code() == 129


def test_sigterm_gives_the_terminal_back(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("blue-active")
    terminal.until_shown(b"LIVE")
    terminal.process.terminate()
    assert terminal.exit_code() == 143
    assert b"\x1b[?1049l" in terminal.written
    assert b"\x1b[?25h" in terminal.written
    assert termios.tcgetattr(terminal.slave)[:4] == terminal.attributes[:4]


def test_q_gives_the_terminal_back(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("blue-active")
    terminal.until_shown(b"LIVE")
    os.write(terminal.master, b"q")
    assert terminal.exit_code() == 0
    assert b"\x1b[?1049l" in terminal.written
    assert termios.tcgetattr(terminal.slave)[:4] == terminal.attributes[:4]


def test_while_the_terminal_does_not_answer_frames_are_shed_and_keys_are_not(
    open_terminal: Callable[..., Terminal],
) -> None:
    terminal = open_terminal("blue-active", 10_000)
    terminal.until_shown(b"LIVE")
    terminal.until(lambda: terminal.written.count(b"\x1b[?2026$p") > 3)
    terminal.answers = False  # from now on it has always more to draw than it has drawn
    questions = terminal.written.count(b"\x1b[?2026$p")
    for _ in range(8):
        terminal.read(wait_s=0.1)
    assert terminal.written.count(b"\x1b[?2026$p") <= questions + 1
    assert terminal.process.poll() is None
    os.write(terminal.master, b"s")
    terminal.until_shown(b"switch?")


def test_a_terminal_that_takes_nothing_does_not_hold_up_the_keys(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("blue-active", 10_000, answers=False)
    terminal.until_shown(b"LIVE")
    time.sleep(2.0)  # nothing is read: its buffer fills, and Textual's own queue would be full
    os.write(terminal.master, b"q")
    assert terminal.exit_code() == 0


def test_a_crash_gives_the_terminal_back_and_says_what_it_was(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("blue-active", crashes=True)
    terminal.until_shown(b"LIVE")
    os.write(terminal.master, b"t")
    assert terminal.exit_code() == 1
    given_back = terminal.written.rindex(b"\x1b[?1049l")
    assert b"\x1b[?25h" in terminal.written
    for mode in (b"1000", b"1003", b"2004"):
        assert terminal.written.rindex(b"\x1b[?" + mode + b"l") > terminal.written.rindex(b"\x1b[?" + mode + b"h")
    assert b"this one was meant" in terminal.written[given_back:]
    assert termios.tcgetattr(terminal.slave)[:4] == terminal.attributes[:4]


@pytest.mark.parametrize(
    ("term", "more"),
    [
        ("xterm", rb"[25]"),
        pytest.param("xterm-256color", rb"2", marks=pytest.mark.long),
        pytest.param("screen-256color", rb"2", marks=pytest.mark.long),
    ],
)
def test_a_terminal_is_sent_no_more_colours_than_it_has(
    open_terminal: Callable[..., Terminal], term: str, more: bytes
) -> None:
    terminal = open_terminal("tripped", term=term, colours="")
    terminal.until_shown(b"LIVE")
    for key in b"247":
        os.write(terminal.master, bytes([key]))
        terminal.settle()
    assert not re.search(rb"\x1b\[[0-9;:]*[34]8[;:]" + more + rb"[;:][0-9;:]*m", terminal.written)
    assert re.search(rb"\x1b\[[0-9;:]*[349][0-9][0-9;:]*m", terminal.written)
    terminal.quit()


def test_a_storm_of_sizes_ends_in_a_whole_screen_of_the_last(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("blue-active")
    terminal.until_shown(b"LIVE")
    chance = random.Random(7)
    for _ in range(200):
        columns, rows = chance.randint(1, 300), chance.randint(1, 100)
        fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.killpg(terminal.process.pid, signal.SIGWINCH)
        terminal.read(wait_s=0.005)
    fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.killpg(terminal.process.pid, signal.SIGWINCH)
    terminal.settle()
    terminal.written = b""
    os.write(terminal.master, b"?")
    terminal.until_shown(b"Keys")
    terminal.quit()


def test_junk_ends_nothing_and_the_end_does_not_wait_behind_it(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("read-only")
    terminal.until_shown(b"LIVE")
    chance = random.Random(11)
    junk = bytes(byte for byte in chance.randbytes(8_000) if byte not in b"q\x03\x1a\x1c\x13\x11\x04")
    os.set_blocking(terminal.master, False)
    while junk:
        terminal.read(wait_s=0.001)
        with suppress(BlockingIOError):
            junk = junk[os.write(terminal.master, junk[:512]) :]
    os.write(terminal.master, b"\x1b[200~H\ry\r" + b"\xff" * 1000 + b"\x1b[201~")
    terminal.settle()
    assert terminal.process.poll() is None, terminal.written[-6000:].decode("utf-8", "replace")
    assert b"Traceback" not in terminal.written
    terminal.process.terminate()
    assert terminal.exit_code() == 143, terminal.written[-6000:].decode("utf-8", "replace")
    assert termios.tcgetattr(terminal.slave)[:4] == terminal.attributes[:4]


def test_nothing_is_left_of_a_console_whose_terminal_was_closed(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("blue-active", 100)
    terminal.until_shown(b"LIVE")
    group = terminal.process.pid
    os.close(terminal.slave)
    os.close(terminal.master)
    assert terminal.process.wait(PATIENCE_S) == 129
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
