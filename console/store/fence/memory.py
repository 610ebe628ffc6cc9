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
import threading
from pathlib import Path
from typing import Any, Final

from console.store.fence.replies import Mark, Seen

WIDTH: Final = 512
"""Bytes of a line: one sector, so that no crash leaves half of it."""

_log: Final = logging.getLogger(__name__)


def default_folder() -> Path:
    """Where this user's memory is: below `$XDG_STATE_HOME`, or `~/.local/state`."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "agent-console" / "seen"


def store_name(client: Any) -> str:
    """What tells this client's store from others: where it is, without passwords; behind Sentinel, the service's
    name."""
    pool = client.connection_pool
    service = getattr(pool, "service_name", None)
    if service:
        return f"sentinel {service}"
    options = pool.connection_kwargs
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


class Memory:
    """What is remembered of one agent's authority on one store. Nothing is written before there is something new.

    Args:
        folder: of this user's memory; made if missing. None remembers nothing beyond this process.
        store: the store's name (`store_name`).
        agent: whose authority.
    """

    def __init__(self, folder: Path | None, store: str, agent: str) -> None:
        self.seen = Seen()
        """The most that is known."""
        self.problem = ""
        """Why nothing is kept on disk; empty where it is."""
        self._file = -1
        self._lock = threading.RLock()  # a signal's handler may claim, too
        self._pid = os.getpid()
        self._folder: Path | None = None
        if folder is not None:
            self._folder = folder / f"{agent}-{hashlib.sha256(store.encode()).hexdigest()[:16]}"
            self._recall(self._folder)

    def _recall(self, folder: Path) -> list[Path]:
        """Take the most that any process on this host remembers; the files that nobody has any more."""
        left: list[Path] = []
        if not folder.is_dir():
            return left
        for path in folder.iterdir():
            try:
                with path.open("rb") as file:
                    self.seen = newer(self.seen, read_line(file.read(WIDTH)))
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    left.append(path)
            except OSError:
                continue  # somebody has it, or it is gone
        return left

    def _open(self, folder: Path) -> None:
        left = self._recall(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = folder / f"{os.getpid()}-{os.urandom(4).hex()}"
        self._file = os.open(mine, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.pwrite(self._file, line_of(self.seen), 0)
        for path in left:
            path.unlink(missing_ok=True)

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
        if self._folder is None or os.getpid() != self._pid:
            return
        try:
            if self._file < 0:
                self._open(self._folder)
            else:
                os.pwrite(self._file, line_of(self.seen), 0)
        except OSError as error:
            if not self.problem:
                _log.warning("what was seen of the store can't be kept on disk: %s", error)
            self.problem = f"what was seen of the store can't be kept on disk: {error.strerror or error}"

    def close(self) -> None:
        """Let go of the file; it stays, for whoever starts next."""
        self._folder = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def line_of(seen: Seen) -> bytes:
    """A memory as its line. (The texts are digits and hashes: nothing in them has to be escaped.)"""
    if not all(
        word.replace("-", "").isalnum() or not word for word in (seen.lineage, *seen.actions[1:], *seen.events[1:])
    ):
        return json.dumps(seen).encode()[: WIDTH - 1].ljust(WIDTH)  # not written by a script of ours
    epoch, lineage, (number, entry, digest), (event, event_entry, event_digest) = seen
    text = f'[{epoch},"{lineage}",[{number},"{entry}","{digest}"],[{event},"{event_entry}","{event_digest}"]]\n'
    return text.encode().ljust(WIDTH)


def read_line(line: bytes) -> Seen:
    """A memory from its line; an empty one where the line is none."""
    try:
        epoch, lineage, actions, events = json.loads(line)
        return Seen(int(epoch), str(lineage), _mark(*actions), _mark(*events))
    except (ValueError, TypeError):
        return Seen()


def _mark(number: int, entry_id: str, digest: str) -> Mark:
    return Mark(int(number), str(entry_id), str(digest))
