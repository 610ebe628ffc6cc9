"""What a host remembers of each store's authority, on disk: so that a store that lost data is found out by whoever
looks next, also after a restart.

One folder for each agent of each store, in it one file for each process that remembers, of one line that is written in
place whenever more was seen. A process that starts takes over what dead ones left. Nothing is waited for: a line is
with the system at once, and survives the process, whatever ends it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final

from console.store.fence.replies import Mark, Seen

WIDTH: Final = 512
"""Bytes of a line: one sector, so that no crash leaves half of it."""
MOST_TEXT: Final = 320
"""Characters of all hashes and ids of a line: with the numbers it still fits."""
MOST_NUMBER: Final = 1 << 53
"""No epoch and no number is as high: the scripts count in doubles."""
MOST_LEFT: Final = 100
"""Files of dead processes that are cleared away at once."""
MOST_OPEN: Final = 64
"""So many files of a process may be open whatever its limit is; more only up to a quarter of that."""
NOT_KEPT: Final = "what was seen of the store can't be kept on disk"

_log: Final = logging.getLogger(__name__)


HOMELESS: Final = "this user has no home folder, and $XDG_STATE_HOME names none"


def default_folder() -> Path | None:
    """Where this user's memory is: below `$XDG_STATE_HOME`, or `~/.local/state`; None for a user without a home.

    A relative `$XDG_STATE_HOME` counts for nothing, as its specification has it.
    """
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        try:
            state = Path.home() / ".local" / "state"
        except RuntimeError:  # no HOME, and nobody of our number in the list of users
            return None
    return state / "agent-console" / "seen"


def store_name(client: Any) -> str:
    """What tells this client's store from others: where it is, without passwords; behind Sentinels, who they are and
    their name for it, which stays the same over a failover."""
    pool = client.connection_pool
    service = getattr(pool, "service_name", None)
    if service:
        return f"sentinel {service}"
    options = pool.connection_kwargs
    nodes = getattr(client, "named", ())
    if nodes:  # which node it is that has the keys now is not what tells a Cluster from another
        return f"cluster {','.join(sorted(f'{host}:{port}' for host, port in nodes))}"
    sentinels = options.get("sentinels")
    if sentinels is not None:
        asked = ",".join(sorted(f"{node.host}:{node.port}" for node in sentinels.nodes))
        return f"sentinel {asked}/{sentinels.master}/{sentinels.db}"
    where = options.get("path") or f"{options.get('host', '')}:{options.get('port', '')}"
    return f"{where}/{options.get('db', 0)}"


def newer(one: Seen, other: Seen) -> Seen:
    """The memory that knows more: of the higher epoch, and there of the later entries."""
    return max(one, other, key=lambda seen: (seen.epoch, seen.actions.number, seen.events.number))


def missing(seen: Seen, now: Seen, before: str) -> str:
    """What a store has lost of what was seen of it, in words; empty where nothing is known to be lost.

    Args:
        seen: what is remembered.
        now: what it has; an empty one for no authority.
        before: the lineages that its authority is the successor of.
    """
    if not seen.epoch or seen.lineage in before.split():
        return ""
    if not now.epoch:
        return f"no authority; epoch {seen.epoch} and {seen.actions.number} actions were seen"
    if seen.epoch > now.epoch:
        return f"epoch {now.epoch} < {seen.epoch}"
    if seen.lineage and now.lineage and seen.lineage != now.lineage:
        return "another authority than the one that was seen"
    for what, mark, newest in (("actions", seen.actions, now.actions), ("control events", seen.events, now.events)):
        if newest.number < mark.number:
            return f"{newest.number} {what} of {mark.number} that were seen"
    return ""


class _Files:
    """How many files the memories of this process keep open; about so many, which is enough."""

    open: ClassVar[int] = 0

    @classmethod
    def crowded(cls) -> bool:
        """Whether they are so many that others could want for files."""
        return cls.open > MOST_OPEN and cls.open > resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4


class Memory:
    """What is remembered of one agent's authority on one store. Nothing is written before there is something new.

    Args:
        folder: of this user's memory; made if missing. None remembers nothing beyond this process.
        without: why there is no folder, where that is nobody's wish.
        store: the store's name (`store_name`).
        agent: whose authority.
    """

    def __init__(self, folder: Path | None, store: str, agent: str, *, without: str = "") -> None:
        self.seen = Seen()
        """The most that is known."""
        self.problem = f"{NOT_KEPT}: {without}" if without and folder is None else ""
        """Why nothing is kept on disk; empty where it is."""
        self._file = -1
        self._lock = threading.RLock()  # a signal's handler may claim, too
        self._pid = os.getpid()
        self._folder: Path | None = None
        if folder is not None:
            self._folder = folder / f"{agent}-{hashlib.sha256(store.encode()).hexdigest()[:16]}"
            self._try(lambda: self._recall(self._folder or folder, None))

    def _recall(self, folder: Path, left: dict[Path, int] | None) -> None:
        """Take the most that any process on this host remembers.

        Args:
            folder: of this agent and store.
            left: gets the files that nobody has any more, each open and locked; None for nobody who wants them.
        """
        if not folder.is_dir():
            return
        for path in folder.iterdir():
            try:
                file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                continue  # it is gone, or another user's, or no file
            keep = False
            try:
                self.seen = newer(self.seen, read_line(os.read(file, WIDTH)))
                if left is not None and len(left) < MOST_LEFT:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self.seen = newer(self.seen, read_line(os.pread(file, WIDTH, 0)))  # its owner's last words
                    left[path] = file
                    keep = True
            except OSError:
                pass  # somebody has it: what is in it was read all the same
            finally:
                if not keep:
                    os.close(file)

    def _open(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        left: dict[Path, int] = {}
        try:
            self._recall(folder, left)
            self._file = _own_file(folder)
            _Files.open += 1
            os.pwrite(self._file, line_of(self.seen), 0)
            for path in left:
                path.unlink(missing_ok=True)
        except OSError:
            self._drop()
            raise
        finally:
            for file in left.values():  # only now: whoever waits for one of them finds it gone, and makes another
                os.close(file)

    def take(self, seen: Seen) -> None:
        """Remember what the store is now, because it is no less than before, or an operator has begun anew."""
        with self._lock:
            if seen != self.seen:
                self.seen = seen
                self._write()

    def note(self, newest: int, *, at_once: bool) -> None:
        """Remember the number of the newest action alone.

        Args:
            newest: the number.
            at_once: on the disk too, before this returns: for a claim, since what it permits is sent next.
        """
        with self._lock:
            if newest > self.seen.actions.number:
                self.seen = self.seen._replace(actions=self.seen.actions._replace(number=newest))
                if at_once:
                    self._write()

    def _write(self) -> None:
        folder = self._folder
        if folder is None or os.getpid() != self._pid:
            return
        if self._file < 0:
            self._try(lambda: self._open(folder))
            if _Files.crowded():  # a guard of thousands of agents: each time another file, which nobody keeps open
                self._drop()
        else:
            self._try(lambda: os.pwrite(self._file, line_of(self.seen), 0))

    def _try(self, work: Callable[[], object]) -> None:
        """Do something on the disk; a disk that can't be written, or read, is told of and stands in nobody's way."""
        try:
            work()
        except (OSError, ValueError) as error:
            if not self.problem:
                _log.warning("%s: %s", NOT_KEPT, error)
            self.problem = f"{NOT_KEPT}: {getattr(error, 'strerror', None) or error}"
        else:
            self.problem = ""

    def close(self) -> None:
        """Let go of the file; it stays, for whoever starts next. Something new opens another."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
            _Files.open -= 1


def _own_file(folder: Path) -> int:
    """A new file of our own, locked; one that was taken for a dead process's, before we had it, is gone again."""
    while True:
        mine = folder / f"{os.getpid()}-{os.urandom(4).hex()}"
        file = os.open(mine, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:
                return file
        except OSError:
            os.close(file)
            raise
        os.close(file)


def default_memory(client: Any, agent: str) -> Memory:
    """What this user remembers of an agent's authority on the store behind a client."""
    return Memory(default_folder(), store_name(client), agent, without=HOMELESS)


def line_of(seen: Seen) -> bytes:
    """A memory as its line. (The texts are digits and hashes: nothing in them has to be escaped.)

    Raises:
        ValueError: the store's are not: nothing that fits comes of them.
    """
    epoch, lineage, (number, entry, digest), (event, event_entry, event_digest) = seen
    texts = f"{lineage}{entry}{digest}{event_entry}{event_digest}"
    if len(texts) > MOST_TEXT or not (texts.replace("-", "").isalnum() or not texts) or not texts.isascii():
        raise ValueError("the store's hashes are none")
    text = f'[{epoch},"{lineage}",[{number},"{entry}","{digest}"],[{event},"{event_entry}","{event_digest}"]]\n'
    return text.encode().ljust(WIDTH)


def read_line(line: bytes) -> Seen:
    """A memory from its line; an empty one where the line is none."""
    try:
        epoch, lineage, actions, events = json.loads(line)
        return Seen(_whole(epoch), str(lineage), _mark(*actions), _mark(*events))
    except (ValueError, TypeError, RecursionError):
        return Seen()


def _mark(number: object, entry_id: object, digest: object) -> Mark:
    return Mark(_whole(number), str(entry_id), str(digest))


def _whole(number: object) -> int:
    if not isinstance(number, int) or not 0 <= number < MOST_NUMBER:
        raise ValueError(number)
    return number
