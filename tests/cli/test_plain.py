"""`agent-console --plain`: what happens is told in lines, and verbs are typed; it works without a terminal, too."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.cli.conftest import Cli
from tests.processes import Process
from tests.waiting import until

BOXES = re.compile(r"[\u2500-\u259f\u2800-\u28ff\x1b]")


class Terminal:
    """A pseudo-terminal with the plain console in it."""

    def __init__(self, url: str, *words: str) -> None:
        self.fd, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console", "--plain", *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={**os.environ, "AGENT_CONSOLE_URL": url, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        os.close(slave)
        os.set_blocking(self.fd, False)
        self.text = ""

    def until(self, text: str) -> None:
        def there() -> bool:
            with contextlib.suppress(BlockingIOError, OSError):
                self.text += os.read(self.fd, 65_536).decode()
            return text in self.text

        until(there, text)

    def type(self, line: str) -> None:
        os.write(self.fd, line.encode() + b"\n")

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.fd)


@pytest.fixture
def terminal(home: Path, store_url: str) -> Iterator[Callable[..., Terminal]]:
    """Starts plain consoles, and ends them."""
    opened: list[Terminal] = []

    def start(*words: str) -> Terminal:
        opened.append(Terminal(store_url, *words))
        return opened[-1]

    yield start
    for one in opened:
        one.end()


def test_without_a_terminal_it_tells_what_is_so_and_what_happens(cli: Cli, home: Path, store_url: str) -> None:
    with Process("console", "--plain", environment={"AGENT_CONSOLE_URL": store_url}) as told:
        told.until("no active version was ever set")
        cli("switch", "blue", "--yes", "--reason", "opening time")
        told.until("Active: BLUE").until("because: opening time")
        cli("flag", "set", "crash_target", "1.8", "--yes")
        told.until("Flag crash_target is 1.8")
        assert not BOXES.search("\n".join((*told.lines, *told.errors)))
        told.send(signal.SIGINT)
        assert told.process.wait(60) == 130


def test_a_store_that_goes_and_comes_back_is_told_of(valkey_server: Callable[..., object], home: Path) -> None:
    server = valkey_server()
    with Process("console", "--plain", environment={"AGENT_CONSOLE_URL": server.url}) as told:  # type: ignore[attr-defined]
        told.until("live")
        server.kill()  # type: ignore[attr-defined]
        told.until("Store: reconnecting")
        server.start()  # type: ignore[attr-defined]
        told.until("Store: live")


def test_verbs_are_typed_and_asked_about_as_on_the_command_line(terminal: Callable[..., Terminal]) -> None:
    one = terminal("--agent", "atlas")
    one.until("Type a verb")
    one.until("Agent atlas")
    one.type("switch blue")
    one.until("[y/N]")
    one.type("n")
    one.until("Exit code")
    assert "Active: BLUE" not in one.text
    one.type("halt")
    one.until("HALTED")
    one.type("flag get nowhere")
    one.until("Exit code 1")
    one.type("flag 'get")
    one.until("no line of words")
    one.type("help switch")
    one.until("Usage:")
    one.type("quit")
    assert one.process.wait(60) == 0


def test_a_read_only_one_hands_that_on_to_what_is_typed(terminal: Callable[..., Terminal]) -> None:
    one = terminal("--read-only")
    one.until("read-only")
    one.type("halt --yes")
    one.until("Exit code 4")
    one.type("q")
    assert one.process.wait(60) == 0
