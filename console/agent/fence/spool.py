"""Results that wait on disk while the store is away: one fsynced line each, sent again until the store has taken them.

Settling is idempotent, so a line that is sent twice is harmless, and one left by a process that died is sent by the
next process on the same host. Each process has a file of its own, locked for as long as it lives. What can't be sent is
set aside in `NAME.refused` and shown; it stands in nobody's way.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import threading
import weakref
from collections.abc import Container
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from console.agent.fence.process import check_process
from console.agent.plain_secrets import logger
from console.domain.fence.claims import Direction, Outcome
from console.store.fence.claims import Intent

_log = logger("console.agent")

CENTURY_MS: Final = 100 * 366 * 86_400_000
"""The longest time for which a result is kept, other than for ever."""

_BLANK: Final = Intent("", "", "", 0, "", Decimal(0), "", Direction.ENTER, "", 0, 0)
"""Of which type each field of an intent is."""


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
        fields = body["intent"]
        intent = Intent(**{**fields, "amount": Decimal(fields["amount"]), "direction": Direction(fields["direction"])})
        read = Settlement(
            intent,
            Outcome(body["outcome"]),
            str(body["result"]),
            Decimal(body["pnl"]),
            int(body["retention_ms"]),
            str(body["trigger"]),
        )
    except (KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"no settlement: {error!r}") from error
    if any(type(value) is not type(blank) for value, blank in zip(intent, _BLANK, strict=True)):
        raise ValueError("no settlement: a field is of another type")
    if not 0 <= read.retention_ms <= CENTURY_MS:
        raise ValueError(f"no settlement: kept for {read.retention_ms} ms")
    return read


class Spool:
    """The results of one process that the store has not taken yet.

    Args:
        folder: where the file is; made if missing, for this user only. None keeps them in memory alone.
        name: of this process; its file is `AGENT+NAME.spool`, with what can't stand in a file's name replaced.
        agent: whose results they are: what processes of other agents left in the same folder is not taken over.
    """

    def __init__(self, folder: Path | None, name: str, agent: str = "") -> None:
        self._lock = threading.RLock()  # a signal's handler may settle, too
        self._waiting: list[Settlement] = []
        self._file: int | None = None
        self._folder = folder
        self._mine: Path | None = None
        self._pid = os.getpid()
        self.set_aside: list[str] = []
        """Why results could not be sent, one a result: they stand in `NAME.refused`, where there is a folder."""
        self._unwritten: list[Settlement] = []
        self._unwritten_why = ""
        self._strange = ""
        self._whose = f"{file_name(agent)}+" if agent else ""
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._mine = folder / f"{self._whose}{file_name(name)}.spool"
            self._file = _open_locked(self._mine)
            _opened.add(self)
            self._waiting += self._read(self._mine.read_bytes())
            self.adopt()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def problem(self) -> str:
        """Why results are kept in memory alone although there is a folder, or what in it can't be looked at; empty
        where nothing is."""
        return self._unwritten_why or self._strange

    def put(self, settlement: Settlement) -> None:
        """Keep a result; when this returns it is on the disk (where there is a folder, and room). Never fails: what
        can't be written is kept in memory, and `problem` says so."""
        check_process(self._pid, "The spool")
        with self._lock:
            self._waiting.append(settlement)
            self._write(settlement)

    def retry(self) -> None:
        """Write what could not be written."""
        with self._lock:
            for settlement in tuple(self._unwritten):
                if settlement in self._waiting and not self._write(settlement):
                    return
                self._unwritten.remove(settlement)
            self._unwritten_why = ""

    def _write(self, settlement: Settlement) -> bool:
        if self._mine is None:
            return True
        line = settlement.line()
        try:
            if self._file is None:  # it was closed, and there is a result all the same
                self._file = _open_locked(self._mine)
            size = os.fstat(self._file).st_size
            if os.write(self._file, line) != len(line):
                os.ftruncate(self._file, size)
                raise OSError(28, "no space left for the whole line")  # noqa: TRY301 - as the system says it
            os.fsync(self._file)
        except OSError as error:
            if not self._unwritten_why:
                _log.error("spool %s: results wait in memory alone: %s", self._mine, error)
            self._unwritten_why = f"results wait in memory alone: {error.strerror or error}"
            if settlement not in self._unwritten:
                self._unwritten.append(settlement)
            return False
        return True

    def take_first(self) -> Settlement | None:
        """The oldest that waits, without taking it away."""
        return self._waiting[0] if self._waiting else None

    def drop_first(self) -> None:
        """The store has taken the oldest."""
        with self._lock:
            self._waiting.pop(0)
            self._tidy()

    def last_now(self) -> None:
        """Let the oldest wait behind all others: the store refuses it for now."""
        with self._lock:
            self._waiting.append(self._waiting.pop(0))

    def refuse_first(self, why: str) -> None:
        """The oldest can't be sent, ever: set it aside."""
        with self._lock:
            settlement = self._waiting.pop(0)
            self._aside(settlement.line(), f"{settlement.intent.key}: {why}")
            self._tidy()

    def _aside(self, line: bytes, why: str) -> None:
        self.set_aside.append(why)
        _log.error("a result can't be sent and is set aside: %s", why)
        if self._mine is not None:
            try:
                with self._mine.with_suffix(".refused").open("ab") as file:
                    file.write(line.rstrip(b"\n") + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                _log.error("spool %s: what can't be sent can't be kept either: %s: %r", self._mine, error, line)

    def _tidy(self) -> None:
        if not self._waiting and self._file is not None:
            os.ftruncate(self._file, 0)
            self._unwritten.clear()
            self._unwritten_why = ""

    def adopt(self, lineages: Container[str] = ("",)) -> int:
        """Take over what processes that died have left in the same folder; how many results that were. What can't be
        looked at is left alone, and so is what belongs to another store.

        Args:
            lineages: of the authorities whose results are taken: the store's own, and those it is the successor of.
        """
        if self._folder is None:
            return 0
        adopted, self._strange = 0, ""
        for path in sorted(self._folder.glob("*.spool")):
            if path == self._mine or ("+" in path.name and not path.name.startswith(self._whose or "+")):
                continue
            try:
                if not path.is_file():
                    continue
                with path.open("rb+") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its owner lives as long as this is refused
                    raw = file.read()
                    if _lineage(raw) not in lineages:
                        continue
                    for settlement in self._read(raw):
                        self.put(settlement)
                        adopted += 1
                    if not self._unwritten:
                        path.unlink(missing_ok=True)
            except BlockingIOError:
                continue
            except OSError as error:
                self._strange = f"{path.name!a:.100} can't be looked at: {error.strerror or error}"
        return adopted

    def close(self) -> None:
        """Let go of the file; an empty one is removed."""
        if self._file is None or self._mine is None or os.getpid() != self._pid:
            return
        if not self._waiting:
            self._mine.unlink(missing_ok=True)
        os.close(self._file)
        self._file = None

    def forget(self) -> None:
        """In a child of the process that made it: let go of the lock, which would live as long as the child."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read(self, raw: bytes) -> list[Settlement]:
        settlements = []
        for line in raw.splitlines():
            try:
                settlements.append(read_line(line))
            except ValueError as error:
                self._aside(line, f"a line that is no result: {error}")
        return settlements


def _lineage(raw: bytes) -> str:
    """The authority under which the first result of a file was claimed; empty where that isn't known."""
    try:
        return str(json.loads(raw.partition(b"\n")[0])["intent"].get("lineage", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""


_opened: weakref.WeakSet[Spool] = weakref.WeakSet()


def _forget_in_child() -> None:
    for spool in tuple(_opened):
        spool.forget()


os.register_at_fork(after_in_child=_forget_in_child)


def file_name(name: str) -> str:
    """A name as a file's: what could lead out of a folder is replaced, and names that differ stay different."""
    plain = re.sub(r"[^\w.~-]", "_", name, flags=re.ASCII).lstrip(".")[:100]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


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
