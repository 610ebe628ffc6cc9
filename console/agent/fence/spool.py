"""Results that wait on disk while the store is away: one fsynced line each, sent again until the store has taken them.

Settling is idempotent, so a line that is sent twice is harmless, and one left by a process that died is sent by the
next process on the same host. Each process has a file of its own, locked for as long as it lives.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from console.domain.fence.claims import Direction, Outcome
from console.store.fence.claims import Intent


class Settlement(NamedTuple):
    """A result on its way to the store; the fields are those of `Fence.settle`."""

    intent: Intent
    outcome: Outcome
    result: str
    pnl: Decimal
    retention_ms: int
    trigger: str

    def send(self, fence: Any) -> Any:
        """The call that settles; an awaitable one on an asyncio fence."""
        intent, outcome, *_ = self
        options = {"retention_ms": self.retention_ms, "trigger": self.trigger}
        return fence.settle(intent, outcome, result=self.result, pnl=self.pnl, **options)

    def line(self) -> bytes:
        """As a line of JSON."""
        body: dict[str, Any] = {**self._asdict(), "intent": self.intent._asdict()}
        return json.dumps(body, default=str, separators=(",", ":")).encode() + b"\n"


def read_line(line: bytes) -> Settlement:
    """A line of JSON as a result.

    Raises:
        ValueError: it is none; a last line that was torn by a crash, for one.
    """
    try:
        body = json.loads(line)
        intent = body["intent"]
        return Settlement(
            Intent(
                **{
                    **intent,
                    "amount": Decimal(intent["amount"]),
                    "direction": Direction(intent["direction"]),
                }
            ),
            Outcome(body["outcome"]),
            str(body["result"]),
            Decimal(body["pnl"]),
            int(body["retention_ms"]),
            str(body["trigger"]),
        )
    except (KeyError, TypeError, ArithmeticError) as error:
        raise ValueError(f"no settlement: {error!r}") from error


class Spool:
    """The results of one process that the store has not taken yet.

    Args:
        folder: where the file is; made if missing, for this user only. None keeps them in memory alone.
        name: of this process; its file is `NAME.spool`.
    """

    def __init__(self, folder: Path | None, name: str) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Settlement] = []
        self._file: int | None = None
        self._folder = folder
        self._mine: Path | None = None
        self.unreadable = 0
        """Lines that could not be read back."""
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._mine = folder / f"{name}.spool"
            self._file = _open_locked(self._mine)
            self._waiting += self._read(self._mine.read_bytes())
            self.adopt()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, settlement: Settlement) -> None:
        """Keep a result; when this returns it is on the disk (where there is a folder)."""
        with self._lock:
            if self._file is not None:
                os.write(self._file, settlement.line())
                os.fsync(self._file)
            self._waiting.append(settlement)

    def take_first(self) -> Settlement | None:
        """The oldest that waits, without taking it away."""
        return self._waiting[0] if self._waiting else None

    def drop_first(self) -> None:
        """The store has taken the oldest."""
        with self._lock:
            self._waiting.pop(0)
            if not self._waiting and self._file is not None:
                os.ftruncate(self._file, 0)

    def adopt(self) -> int:
        """Take over what processes that died have left in the same folder; how many results that were."""
        if self._folder is None:
            return 0
        adopted = 0
        for path in sorted(self._folder.glob("*.spool")):
            if path == self._mine:
                continue
            with suppress(FileNotFoundError, BlockingIOError), path.open("rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its owner lives as long as this is refused
                for settlement in self._read(file.read()):
                    self.put(settlement)
                    adopted += 1
                path.unlink(missing_ok=True)
        return adopted

    def close(self) -> None:
        """Let go of the file; an empty one is removed."""
        if self._file is not None and self._mine is not None:
            if not self._waiting:
                self._mine.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None

    def _read(self, raw: bytes) -> list[Settlement]:
        settlements = []
        for line in raw.splitlines():
            try:
                settlements.append(read_line(line))
            except ValueError:
                self.unreadable += 1
        return settlements


def _open_locked(path: Path) -> int:
    """The file, made if missing, locked, and certainly still at its path: another process may have taken a fresh one
    for that of a dead process and removed it before it was locked."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            if path.stat().st_ino == os.fstat(file).st_ino:
                return file
        except FileNotFoundError:
            pass
        os.close(file)
