"""Every part of the product, put to work on one kind of server; each says what went wrong, or nothing."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from console.cli.main import run
from console.guard import telling
from tests import ROOT
from tests.bench.terminal import Terminal
from tests.cli.test_json import CALLS, write_files
from tests.cli.test_managed import FILE, KEPT
from tests.matrix.kinds import Kind, Stage
from tests.processes import Process
from tests.waiting import until

ELSEWHERE: Final = frozenset({"store start", "store status", "store stop", "doctor"})
"""They are about the embedded server, or about the server itself, which every kind answers in its own way."""
Codes = dict[str, int]


class Machine:
    """A user's machine: folders of its own, and the command line on one server.

    Args:
        folder: empty.
        stage: the server.
    """

    def __init__(self, folder: Path, stage: Stage) -> None:
        self.folder, self.stage = folder, stage
        homes = {f"AGENT_CONSOLE_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "CACHE")}
        self.environment = {**os.environ, **homes}
        for name in [name for name in self.environment if name.startswith("AGENT_CONSOLE_") and name not in homes]:
            del self.environment[name]
        if stage.promised:
            (folder / "config").mkdir(parents=True)
            (folder / "config" / "config.toml").write_text(FILE)

    def call(self, *words: str) -> tuple[int, str, str]:
        """One command line, in this process: exit code, stdout, stderr."""
        at_end: list[Callable[[], None]] = []
        before, atexit = dict(os.environ), telling.atexit
        os.environ.clear()
        os.environ.update(self.environment)
        telling.atexit = SimpleNamespace(register=at_end.append)  # type: ignore[assignment]
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run(["--url", self.stage.url, *words])
                while at_end:
                    at_end.pop()()
        finally:
            telling.atexit = atexit
            os.environ.clear()
            os.environ.update(before)
        told = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
        return (code, *told)

    @contextlib.contextmanager
    def agent(self, slot: str, **options: Any) -> Iterator[Process]:
        """An agent in a process of its own."""
        settings = {
            "memory_dir": None,
            "replicas": self.stage.replicas,
            **({"promised": KEPT} if self.stage.promised else {}),
        }
        told = {"url": self.stage.url_of("agent"), "slot": slot, "settings": settings, **options}
        process = Process("tests.agent_process", json.dumps(told), environment=self.environment)
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def machine_on(kind: Kind) -> Iterator[Machine]:
    """A machine of its own and a server of that kind; nothing of either is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="ac-")).resolve()  # short, as the path of a socket has to be
    try:
        (folder / "server").mkdir()
        (folder / "home").mkdir()
        with kind(folder / "server") as stage:
            yield Machine(folder / "home", stage)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def verbs(machine: Machine) -> Codes:
    """Every call of every verb, in order on one store: its exit code."""
    given = write_files(machine.folder)
    common = ("--slot", "blue=v1", "--slot", "green=v2", "--decisions", given["LOG"], "--yes", "--reason", "a test")
    codes: Codes = {}
    for verb, calls in CALLS.items():
        if verb in ELSEWHERE:
            continue
        for words in calls:
            code, out, err = machine.call(*common, "--json", *(given.get(word, word) for word in words))
            if not out or "Traceback" in err:
                raise AssertionError(f"{' '.join(words)}: {code} {err[-600:]}")
            codes[" ".join(words)] = code
    return codes


def agents(machine: Machine) -> None:
    """A blocking agent acts; after a switch an asyncio one of the other side does, and the first one stands by."""
    with machine.agent("blue", mode="blocking", keys=3) as blue, machine.agent("green", mode="aio") as green:
        _done(machine, "switch", "blue", "--yes")
        blue.until("settled blue-2")
        over = ("--override", "what this is about", "--confirm", "agent")
        _done(machine, "switch", "green", "--yes", *over)
        green.until("settled green-2")
        _done(machine, "halt", "--yes")


def guard(machine: Machine) -> None:
    """A guard rolls back a side that loses more than is allowed, and then says so."""
    with machine.agent("blue", mode="idle") as blue, machine.agent("green", mode="idle") as green:
        blue.until("ready")
        green.until("ready")
        _done(machine, "switch", "blue", "--yes")
        over = ("--override", "what this is about", "--confirm", "agent")
        _done(machine, "switch", "green", "--yes", *over)
        words = ("--url", machine.stage.url_of("guard"), "guard", "--name", "g1", "--log-format", "json")
        process = Process("console", *words, environment=machine.environment)
        try:
            until(lambda: _guarded(machine), "a guard that watches")
            green.kill()
            until(lambda: _active(machine) == "blue", "a roll back to blue")
        finally:
            process.kill()


def console(machine: Machine) -> None:
    """The console attaches, shows the active side as live, and halts by a key."""
    _done(machine, "switch", "blue", "--yes")
    argv = [sys.executable, "-m", "console", "--url", machine.stage.url]
    env = {name: value for name, value in machine.environment.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    with Terminal(argv, env=env, size=(120, 40), cwd=ROOT) as terminal:
        terminal.until("LIVE")
        terminal.until("BLUE")
        terminal.type(b"H")
        terminal.until("Halt?")
        terminal.type(b"y")

        def halted() -> bool:
            terminal.run(0.1)
            return _active(machine) == "halted"

        until(halted, "a halt")


PARTS: Final[Mapping[str, Callable[[Machine], Any]]] = {
    "verbs": verbs,
    "agents": agents,
    "guard": guard,
    "console": console,
}


def _done(machine: Machine, *words: str) -> None:
    code, out, err = machine.call(*words)
    assert code == 0, f"{' '.join(words)}: {code} {out} {err}"


def _active(machine: Machine) -> str:
    code, out, err = machine.call("status", "--json")
    assert out, f"{code} {err}"
    return str(json.loads(out)["active"])


def _guarded(machine: Machine) -> bool:
    _code, out, _err = machine.call("guard", "status", "--json")
    return bool(json.loads(out)["running"])
