"""A venue that is independent of everything under test: a process of its own that counts every execution it receives.

It has no idempotency keys, like the venues we know: what it is told to execute, it executes, and remembers in order.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import sys
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


class Client:
    """One connection to the venue."""

    def __init__(self, path: str | Path, timeout_s: float = 5.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_s)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rwb")

    def ask(self, **request: Any) -> Any:
        """One request and its answer."""
        self._file.write(json.dumps(request).encode() + b"\n")
        self._file.flush()
        line = self._file.readline()
        if not line:
            raise ConnectionError("the venue closed the connection")
        return json.loads(line)

    def execute(self, key: str, claim_id: str, instance: str, slot: str) -> None:
        """Have it done. Returns once it is."""
        self.ask(do="execute", key=key, claim_id=claim_id, instance=instance, slot=slot)

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
        """Close the connection."""
        self._file.close()
        self._socket.close()


class Venue:
    """The venue's process."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "venue"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.venue", str(self.path)], stdout=subprocess.PIPE, cwd=ROOT
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


def serve(path: str) -> None:
    """The process's main loop; one thread a connection, one lock around the book."""
    executions: list[tuple[str, str, str, str, float]] = []
    counts: Counter[str] = Counter()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # clients are killed
                self._answer()

        def _answer(self) -> None:
            for line in self.rfile:
                request = json.loads(line)
                if request["do"] == "execute":
                    row = (request["key"], request["claim_id"], request["instance"], request["slot"], time.time())
                    executions.append(row)  # one append is atomic
                    counts[request["key"]] += 1
                    answer: Any = "done"
                elif request["do"] == "size":
                    answer = len(counts)
                elif request["do"] == "count":
                    answer = counts[request["key"]]
                else:
                    answer = list(executions)
                self.wfile.write(json.dumps(answer).encode() + b"\n")

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(path, Handler) as server:
        os.write(1, b"ready\n")
        server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1])
