"""The decision log of a fenced agent: JSON lines, one `write` a record, in a hash chain that is carried over rotation.

A record has the contract's six names verbatim (`agent_version, timestamp, decision_type, inputs, output, reasoning`)
and beside them `slot, sequence, instance, epoch, decision_id, latency_ms, outcome`, and last `prev` and `hash`:
SHA-256 over the line without its hash. The chain runs on through rotated files, and on from what an earlier process
left in the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from redis.exceptions import RedisError

from console.domain.errors import ConsoleError
from console.domain.fence.sealed import LinesVerdict, verify_lines
from console.store.keys import Keys
from console.store.scripts import translate

TAIL: Final = 1 << 16

__all__ = ["DecisionLog", "DecisionLogBroken", "LinesVerdict", "seal", "to_stream", "verify_lines"]


class DecisionLogBroken(ConsoleError):  # noqa: N818 - a state, named as operators name it
    """A record could not be written; money actions stop until one can."""

    title = "Decision log"


def seal(body: Mapping[str, object], previous: str) -> tuple[bytes, str]:
    """A record as its line, and its hash."""
    text = json.dumps({**body, "prev": previous}, default=str, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f'{text[:-1]},"hash":"{digest}"}}\n'.encode(), digest


class DecisionLog:
    """Writes records; safe to call from several threads.

    Args:
        path: of the file; its folder must exist.
        version: `agent_version`.
        slot, instance: who writes.
        fsync: wait for the disk with every record.
        max_bytes: rotate beyond this size: `path.1` is the newest of the old ones; 0 never rotates.
        keep: how many rotated files are kept.
        stream: gets every record's fields too (a Redis stream); its failures are counted, they stop nothing.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        version: str,
        slot: str = "",
        instance: str = "",
        fsync: bool = False,
        max_bytes: int = 64 << 20,
        keep: int = 10,
        stream: Callable[[Mapping[str, str]], object] | None = None,
    ) -> None:
        self.path = Path(path)
        self.version = version
        self.slot = slot
        self.instance = instance or f"{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.problem = ""
        """Why the last record could not be written; empty when it could."""
        self.stream_failures = 0
        self.stream = stream
        self._fsync = fsync
        self._max_bytes = max_bytes
        self._keep = keep
        self._lock = threading.Lock()
        self._file = -1
        self._sequence = 0
        self._head = ""
        try:
            self._open(resume=True)
        except OSError as error:
            self.problem = f"the decision log {self.path} can't be opened: {error.strerror or error}"

    def write(
        self,
        decision_type: str,
        *,
        inputs: object,
        output: object,
        reasoning: str,
        epoch: int = 0,
        decision_id: str = "",
        latency_ms: float | None = None,
        outcome: str = "",
        **more: Any,
    ) -> str:
        """Write one record; its hash.

        Raises:
            DecisionLogBroken: it could not be written. `problem` says why until a later record can be.
        """
        with self._lock:
            body = {
                "agent_version": self.version,
                "timestamp": time.time(),
                "decision_type": decision_type,
                "inputs": inputs,
                "output": output,
                "reasoning": reasoning,
                "slot": self.slot,
                "sequence": self._sequence + 1,
                "instance": self.instance,
                "epoch": epoch,
                "decision_id": decision_id or uuid.uuid4().hex,
                "latency_ms": latency_ms,
                "outcome": outcome,
                **more,
            }
            line, digest = seal(body, self._head)
            try:
                self._append(line)
            except OSError as error:
                self.problem = f"the decision log {self.path} can't be written: {error.strerror or error}"
                raise DecisionLogBroken(
                    f"{self.problem[0].upper()}{self.problem[1:]}.", "Free space or mend it."
                ) from error
            self._sequence += 1
            self._head, self.problem = digest, ""
        if self.stream is not None:
            try:
                self.stream({"v": line.decode().rstrip("\n")})
            except (ConsoleError, OSError):
                self.stream_failures += 1
        return digest

    def retry(self) -> None:
        """Try to open the file again after a failure, so that money actions may go on."""
        if not self.problem:
            return
        with self._lock:
            try:
                if self._file < 0:
                    self._open(resume=True)
                os.write(self._file, b"")
                free = os.statvfs(self.path.parent)
            except OSError as error:
                self.problem = f"the decision log {self.path} can't be written: {error.strerror or error}"
                return
            if free.f_bavail > 0:
                self.problem = ""

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _append(self, line: bytes) -> None:
        if self._file < 0:
            self._open(resume=True)
        if self._max_bytes and os.fstat(self._file).st_size + len(line) > self._max_bytes:
            self._rotate()
        start = os.fstat(self._file).st_size
        written = os.write(self._file, line)
        if written != len(line):
            os.ftruncate(self._file, start)
            raise OSError(28, "only a part of the record fitted")
        if self._fsync:
            os.fsync(self._file)

    def _rotate(self) -> None:
        if os.fstat(self._file).st_size == 0:
            return
        os.close(self._file)
        self._file = -1
        for number in range(self._keep, 0, -1):
            old = self.path if number == 1 else self.path.with_name(f"{self.path.name}.{number - 1}")
            if old.exists():
                old.replace(self.path.with_name(f"{self.path.name}.{number}"))
        self._open(resume=False)

    def _open(self, *, resume: bool) -> None:
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if resume and not self._head:
            size = os.fstat(self._file).st_size
            start = max(0, size - TAIL)
            tail = os.pread(self._file, TAIL, start)
            if tail and not tail.endswith(b"\n"):
                os.write(self._file, b"\n")  # a torn last line stays as it is, and shows as one
            for line in reversed(tail.splitlines()):
                _text, mark, digest = line.rpartition(b',"hash":"')
                if mark and len(digest) == 66:
                    self._head = digest[:64].decode()
                    break


def to_stream(client: Any, keys: Keys, *, max_length: int = 10_000) -> Callable[[Mapping[str, str]], object]:
    """A `stream` for `DecisionLog`: adds each record to `…:decisions`, of which about `max_length` are kept.

    Args:
        client: a blocking connection of its own, with short time-outs: a record waits for it.
        keys: the agent's.
        max_length: the file is the archive; the stream is for those who follow.
    """

    def add(fields: Mapping[str, str]) -> object:
        try:
            return client.xadd(keys.beside("decisions"), dict(fields), maxlen=max_length, approximate=True)
        except RedisError as error:
            raise translate(error, "the decision stream") from error

    return add
