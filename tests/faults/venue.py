"""A venue that is independent of everything under test: a process of its own that counts every execution it receives.

It has no idempotency keys, like the venues we know: what it is told to execute, it executes, and remembers in order. It
may have moods: it executes late, answers twice, or never.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import ROOT


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution, as the venue saw it."""

    key: str
    claim_id: str
    instance: str
    slot: str
    at: float


LATE_S = (0.1, 0.5)
"""How long a venue in that mood takes to execute: longer than its clients wait, shorter than their quarantine."""


class Client:
    """One connection to the venue; opened anew after whatever came between a request and its answer.

    Args:
        path: of the venue's socket.
        timeout_s: the longest wait for an answer.
    """

    def __init__(self, path: str | Path, timeout_s: float = 5.0) -> None:
        self._path, self._timeout_s = path, timeout_s
        self._numbers = itertools.count(1)
        self._socket: socket.socket | None = None
        self._buffer = b""

    def ask(self, **request: Any) -> Any:
        """One request and its answer; an answer to another request, given a second time, is passed over."""
        number = next(self._numbers)
        whole = False
        try:
            if self._socket is None:
                self._buffer = b""
                self._socket = socket.socket(socket.AF_UNIX)
                self._socket.settimeout(self._timeout_s)
                self._socket.connect(str(self._path))
            self._socket.sendall(json.dumps([number, request]).encode() + b"\n")
            while True:
                line = self._line(self._socket)
                answered, answer = json.loads(line)
                if answered == number:
                    whole = True
                    return answer
        finally:
            if not whole:
                self.close()

    def _line(self, link: socket.socket) -> bytes:
        while b"\n" not in self._buffer:
            data = link.recv(1 << 16)
            if not data:
                raise ConnectionError("the venue closed the connection")
            self._buffer += data
        line, _newline, self._buffer = self._buffer.partition(b"\n")
        return line

    def execute(self, key: str, claim_id: str, instance: str, slot: str) -> bool:
        """Have it done; returns once it is. False: its key was burned, and it was not done."""
        return bool(self.ask(do="execute", key=key, claim_id=claim_id, instance=instance, slot=slot) == "done")

    def burn(self, key: str) -> None:
        """Have a key refused from now on."""
        self.ask(do="burn", key=key)

    def note(self, what: str) -> None:
        """Count something that was seen beside the executions."""
        self.ask(do="note", what=what)

    def notes(self) -> dict[str, int]:
        """What was counted by `note`, and how often the venue was in each of its moods."""
        counted: dict[str, int] = self.ask(do="notes")
        return counted

    def count(self, key: str) -> int:
        """How often a key was executed."""
        return int(self.ask(do="count", key=key))

    def size(self) -> int:
        """How many keys were executed."""
        return int(self.ask(do="size"))

    def history(self) -> list[Execution]:
        """Everything that was executed, in order."""
        return [Execution(*row) for row in self.ask(do="history")]

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Venue:
    """The venue's process.

    Args:
        folder: for its socket.
        moods: "late" (it executes when nobody waits for the answer any more), "twice" (it answers twice), "never" (it
            neither executes nor answers) → share of the requests.
    """

    def __init__(self, folder: Path, moods: dict[str, float] | None = None) -> None:
        self.path = folder / "venue"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.venue", str(self.path), json.dumps(moods or {})],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def client(self) -> Client:
        """A new connection."""
        return Client(self.path, 60.0)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Book:
    """What was executed, and what the venue does with a request.

    Args:
        moods: see `Venue`.
    """

    def __init__(self, moods: dict[str, float]) -> None:
        self.executions: list[tuple[str, str, str, str, float]] = []
        self.counts: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.burned: set[str] = set()
        self._moods = moods
        self._lock = threading.Lock()

    def mood(self) -> str:
        """How this request is dealt with; empty: as it should be."""
        chance = random.random()
        for name, share in self._moods.items():
            chance -= share
            if chance < 0:
                with self._lock:
                    self.notes[f"venue_{name}"] += 1
                return name
        return ""

    def execute(self, request: dict[str, Any]) -> str:
        """Do it, unless its key is burned."""
        with self._lock:
            if request["key"] in self.burned:
                return "refused"
            row = (request["key"], request["claim_id"], request["instance"], request["slot"], time.time())
            self.executions.append(row)
            self.counts[request["key"]] += 1
            return "done"

    def answer(self, request: dict[str, Any]) -> Any:
        """To everything but an execution."""
        with self._lock:
            match request["do"]:
                case "size":
                    return len(self.counts)
                case "count":
                    return self.counts[request["key"]]
                case "burn":
                    self.burned.add(request["key"])
                    return "burned"
                case "note":
                    self.notes[request["what"]] += 1
                    return "noted"
                case "notes":
                    return dict(self.notes)
                case _:
                    return list(self.executions)


def serve(path: str, moods: dict[str, float]) -> None:
    """The process's main loop; one thread a connection, one lock around the book."""
    book = Book(moods)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # clients are killed
                for line in self.rfile:
                    number, request = json.loads(line)
                    for answer in self._answers(request):
                        self.wfile.write(json.dumps([number, answer]).encode() + b"\n")

        def _answers(self, request: dict[str, Any]) -> list[Any]:
            if request["do"] != "execute":
                return [book.answer(request)]
            mood = book.mood()
            if mood == "never":
                return []
            if mood == "late":
                time.sleep(random.uniform(*LATE_S))
            answer = book.execute(request)
            return [answer, answer] if mood == "twice" else [answer]

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(path, Handler) as server:
        os.write(1, b"ready\n")
        server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]))
