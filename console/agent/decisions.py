"""The decision log of a fenced agent: JSON lines, one `write` a record, in a hash chain that is carried over rotation.

A record has the contract's six names verbatim (`agent_version, timestamp, decision_type, inputs, output, reasoning`)
and beside them `slot, sequence, instance, epoch, decision_id, latency_ms, outcome`, and last `prev` and `hash`:
SHA-256 over the line without its hash. The chain and `sequence` run on through rotated files, and on from what an
earlier process left in the file. Values of any kind are taken (see `plain_values`); of a record that is too large the
field `cut` says what was left out.

A path has one writer: a second one is refused until the first has gone. A log belongs to the process that made it.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from redis.exceptions import RedisError

from console.agent.decision_files import (
    HeldByAnother,
    is_regular,
    is_torn,
    last_seal,
    lock_beside,
    lock_file,
    numbered,
    open_file,
    place_of,
    rotate,
    verify_files,
)
from console.agent.decision_record import MAX_RECORD, seal
from console.agent.telemetry import records
from console.domain.errors import ConsoleError
from console.domain.fence.chain import Finding, Mark
from console.domain.fence.sealed import LinesVerdict, Seal, verify_lines
from console.store.keys import Keys
from console.store.scripts import translate

__all__ = [
    "DecisionLog",
    "DecisionLogBroken",
    "Finding",
    "LinesVerdict",
    "Mark",
    "seal",
    "to_stream",
    "verify_files",
    "verify_lines",
]

LOOK_EVERY_S: Final = 0.5
"""How often it is looked whether the file was deleted."""
OWN: Final = frozenset({"sequence", "prev", "hash", "cut"})
"""Names that a record gives itself; an author's field of such a name gets a `_` behind it."""


class DecisionLogBroken(ConsoleError):  # noqa: N818 - a state, named as operators name it
    """A record could not be written; money actions stop until one can."""

    title = "Decision log"


class DecisionLog:
    """Writes records; safe to call from several threads.

    Each process, and each colour, needs a log of its own: what has a lock, a descriptor and the end of a chain is not
    shared. After a fork the child makes its own; the parent's refuses it.

    Args:
        path: of the file, whose folder must exist. An existing folder, or a path that ends with `/`, stands for the
            file `{slot}-{instance}.jsonl` in it: one a writer. Give then an `instance` that is the same after a
            restart, if the chain shall go on; readers are pointed at it with a pattern (`FOLDER/*.jsonl`).
        version: `agent_version`.
        slot, instance: who writes.
        fsync: wait for the disk with every record.
        max_bytes: rotate beyond this size: `path.1` is the newest of the old ones; 0 never rotates.
        keep: how many rotated files are kept.
        stream: gets every record's fields too (a Redis stream); its failures are counted, they stop nothing.
        mode: the permissions of the files and the lock, whatever the umask: 0o640 lets a guard in the file's group
            read. A file that is there keeps what else it has.
        max_record_bytes: of a line, 16 KiB or more; a larger record is cut.
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
        mode: int = 0o600,
        max_record_bytes: int = MAX_RECORD,
    ) -> None:
        self.version = version
        self.slot = slot
        self.instance = instance or f"{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.path = place_of(path, self.slot, self.instance)
        self.problem = ""
        """Why the last record could not be written; empty when it could."""
        self.stream_failures = 0
        self.cut = 0
        """Records of which something was left out, because it did not fit."""
        self.stream = stream
        self._fsync = fsync
        self._max_bytes = max_bytes
        self._max_record_bytes = max_record_bytes
        self._keep = keep
        self._mode = mode | 0o600
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._file = -1
        self._regular = True
        self._looked_at = 0.0
        self._guard: int | None = None
        """The lock file; None while it is not held."""
        self._unsure = False
        """Whether the file may end with a record that is not known to be there: it is read before the next one."""
        self._sequence = 0
        self._head = ""
        _made_here.add(self)
        try:
            self._ready()
        except HeldByAnother as error:
            self.problem = self._held(error)
        except (OSError, ValueError) as error:
            self.problem = f"the decision log {self.path} can't be opened: {_reason(error)}"

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
            DecisionLogBroken: it could not be written, or by another process than this one. `problem` says why until
                a later record can be.
        """
        if os.getpid() != self._pid:
            self.problem = self._elsewhere()
            raise self._broken("Make the log after the fork, in the process that writes to it.")
        if not OWN.isdisjoint(more):
            more = {f"{name}_" if name in OWN else name: value for name, value in more.items()}
        with self._lock:
            try:
                size = self._ready()
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
                    "decision_id": decision_id or os.urandom(16).hex(),
                    "latency_ms": latency_ms,
                    "outcome": outcome,
                    **more,
                }
                line, digest, cut = seal(body, self._head, self._max_record_bytes)
                self._append(line, size)
            except HeldByAnother as error:
                self.problem = self._held(error)
                raise self._broken("Give this one another path, or a folder: a file for each writer.") from error
            except (OSError, ValueError, RecursionError) as error:
                self.problem = f"the decision log {self.path} can't be written: {_reason(error)}"
                raise self._broken("Free space or mend it.") from error
            self._sequence += 1
            self._head, self.problem = digest, ""
            self._unsure = False
            self.cut += cut
        records.decision(body, line)
        if self.stream is not None:
            try:
                self.stream({"v": line.decode().rstrip("\n")})
            except Exception:  # noqa: BLE001 - the record is in the file, whatever a follower's way does
                self.stream_failures += 1
        return digest

    def retry(self) -> None:
        """Try to open the file again after a failure, so that money actions may go on; a path whose writer has gone is
        taken over."""
        if not self.problem or os.getpid() != self._pid:
            return
        with self._lock:
            try:
                self._ready()
                os.write(self._file, b"")
                free = os.statvfs(self.path.parent)
            except HeldByAnother as error:
                self.problem = self._held(error)
                return
            except (OSError, ValueError) as error:
                self.problem = f"the decision log {self.path} can't be written: {_reason(error)}"
                return
            if free.f_bavail > 0:
                self.problem = ""

    def close(self) -> None:
        """Close the file, and let another writer have its path. A later record opens it again."""
        with self._lock:
            self._close_file()
            guard, self._guard = self._guard, None
            if guard is not None:
                os.close(guard)

    def __del__(self) -> None:
        if hasattr(self, "_guard"):
            with suppress(OSError):
                self.close()

    def _forked(self) -> None:
        """In the child: let go of what is the parent's, so that it ends with the parent."""
        self._lock = threading.Lock()  # the other threads, one of which may have held it, are not in this process
        with suppress(OSError):
            self.close()
        self.problem = self._elsewhere()

    def _elsewhere(self) -> str:
        return f"the decision log {self.path} was made by process {self._pid}, and this is process {os.getpid()}"

    def _held(self, error: HeldByAnother) -> str:
        return (
            f"the decision log {self.path} is written by {error}: a path has one writer; give this one another path, "
            f'or a folder (such as "{self.path.parent}/"), where each has a file of its own'
        )

    def _broken(self, hint: str) -> DecisionLogBroken:
        return DecisionLogBroken(f"{self.problem[0].upper()}{self.problem[1:]}.", hint)

    def _ready(self) -> int:
        """See to it that the file is open, ours, and its end known; its size.

        Raises:
            HeldByAnother: another writer has it.
            OSError, ValueError: it can't be opened.
        """
        if self._unsure:
            self._close_file()
        now = time.monotonic()
        if self._file >= 0 and now - self._looked_at > LOOK_EVERY_S:
            if os.fstat(self._file).st_nlink == 0:  # it was deleted
                self._close_file()
            self._looked_at = now
        if self._file < 0:
            self._open()
        return self._size()

    def _append(self, line: bytes, size: int) -> None:
        if self._max_bytes and size and size + len(line) > self._max_bytes:
            size = self._rotate()
        self._unsure = True
        written = os.write(self._file, line)
        if written != len(line):
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, "only a part of the record fitted")
        if self._fsync:
            os.fsync(self._file)

    def _rotate(self) -> int:
        self._close_file()
        rotate(self.path, self._keep)
        self._open()
        return self._size()

    def _size(self) -> int:
        return os.lseek(self._file, 0, os.SEEK_END) if self._regular else 0

    def _close_file(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _open(self) -> None:
        known = self._guard is not None  # nobody else has written since
        regular = is_regular(self.path)
        if regular and not known:
            self._guard = lock_beside(self.path, self._mode, f"{self.slot} {self.instance}".strip())
        file = open_file(self.path, self._mode)
        try:
            self._regular = regular and stat.S_ISREG(os.fstat(file).st_mode)
            if self._regular:
                lock_file(file)
                if is_torn(file):
                    os.write(file, b"\n")  # a torn last line stays as it is, and shows as one
                self._go_on_from(last_seal(file) or (None if known else self._rotated_seal()), known=known)
        except BaseException:
            os.close(file)
            raise
        self._file, self._unsure = file, False

    def _rotated_seal(self) -> Seal | None:
        """The end of the newest rotated file: a writer may have ended right after it had rotated."""
        try:
            file = os.open(numbered(self.path, 1), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            return last_seal(file)
        finally:
            os.close(file)

    def _go_on_from(self, last: Seal | None, *, known: bool) -> None:
        """Find the end of the chain: what the file says, but our own memory where nobody else has written. Then all
        that the file can be ahead is the record during which a write failed or was interrupted."""
        if known and (last is None or last.previous != self._head or last.digest == self._head):
            return
        self._head = last.digest if last else ""
        self._sequence = last.sequence if last else 0


_made_here: Final[WeakSet[DecisionLog]] = WeakSet()


def _forked() -> None:
    for log in list(_made_here):
        log._forked()


os.register_at_fork(after_in_child=_forked)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


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
