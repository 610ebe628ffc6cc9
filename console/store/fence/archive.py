"""Archiving the chained streams to files, so that the store stays bounded and nothing is lost: a stream is trimmed
only past what has been written, verified and synced.

The chain runs on from the last archived line, so archive and stream verify as one (`console.store.fence.archive_file`).
What was taken off a stream stands in `…:archived`, written in the same step; so a beginning that nobody archived is a
hole.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import WatchError

from console.domain.errors import Conflict, Refused
from console.domain.fence.chain import ChainCheck, ChainVerdict, Mark
from console.store.fence.archive_file import (
    BEGINNING,
    FileEnd,
    begin_of,
    end_of,
    file_of,
    json_line,
    line_of,
    locked,
    read_archive,
)
from console.store.fence.chains import (
    TRIES,
    Chain,
    Ends,
    WrongType,
    chains_of,
    mark_text,
    read_batches,
    read_ends,
    verify_stream,
)
from console.store.keys import Keys
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

KEEP: Final = 10_000
"""Entries left in each stream although they are archived."""


class Archived(NamedTuple):
    """What was archived of one stream.

    Args:
        stream: "acts", "log" or "audit".
        written: entries written to the file now.
        trimmed: entries taken off the stream now.
        left: entries in the stream.
        head: the hash up to which the file is whole.
        begins: where the file begins, if it was begun now and what is before was archived elsewhere.
    """

    stream: str
    written: int
    trimmed: int
    left: int
    head: str
    begins: int = 0


async def archive(client: Redis, keys: Keys, folder: Path, *, keep: int = KEEP) -> tuple[Archived, ...]:
    """Write what is new to the folder's files, then trim each stream to `keep` archived entries.

    Args:
        client: a connection that may read and trim.
        keys: whose streams.
        folder: made if missing, for this user only; one process at a time.
        keep: how many of the newest entries stay in each stream although they are archived.

    Raises:
        Refused: a chain does not verify: then nothing of that stream is trimmed, and nothing wrong is written; or the
            files are not those of this store, or their disk is full.
        StoreUnreachable: no answer.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(folder, keys):
            return await _all(client, keys, folder, keep)
    except OSError as error:
        raise Refused(f"The archive {folder} can't be written: {error.strerror or error}.", "Name another.") from error


async def _all(client: Redis, keys: Keys, folder: Path, keep: int) -> tuple[Archived, ...]:
    return tuple([await _one(client, keys, chain, file_of(folder, keys, chain), keep) for chain in chains_of(keys)])


async def _one(client: Redis, keys: Keys, chain: Chain, path: Path, keep: int) -> Archived:
    end = end_of(path)
    try:
        ends = await read_ends(client, keys, chain)
    except WrongType as error:
        raise Refused(f"The key of {chain.name} holds a value of another type.", "Nothing was trimmed.") from error
    begun = ends.begins.number if end.empty else 0
    if end.empty and begun:
        end = FileEnd("", ends.begins.head)
    run = _Run(client, chain, path, keep, ends, end)
    written = await run.write(ends.begins if begun else None)
    trimmed = await _trim(client, keys, chain, ends, run)
    return Archived(chain.name, written, trimmed, ends.length - trimmed, run.head, begun)


class _Run:
    """One pass over a stream: verified, and what the file lacks written to it."""

    def __init__(self, client: Redis, chain: Chain, path: Path, keep: int, ends: Ends, end: FileEnd) -> None:
        self._client, self._chain, self._path, self._ends, self._end = client, chain, path, ends, end
        self._surplus = max(0, ends.length - max(keep, 0))
        self._position = 0
        self.head = end.head
        self.cut = BEGINNING
        """The newest entry that may be taken off."""
        self.kept_id = ""
        """The oldest entry that stays; empty where none may be taken off, "+" where none stays."""

    async def write(self, begins: Mark | None) -> int:
        """Verify all, and write what is new; how many entries that were."""
        chain, ends = self._chain, self._ends
        after, number = ends.start()
        check = ChainCheck(after=after, count=number, prefix=chain.prefix)
        written, joined = 0, self._goes_on()
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            if begins is not None:
                self._append(file, json_line({"after": {"number": begins.number, "head": begins.head}}))
            async for batch in read_batches(self._client, chain.stream, until=ends.last_id or "0-0"):
                fresh: list[bytes] = []
                for entry_id, fields in batch:
                    new = not self._end.last_id or _order(entry_id) > _order(self._end.last_id)
                    joined = joined or (
                        entry_id == self._end.last_id and fields.get(b"h", b"") == self._end.head.encode()
                    )
                    if new and not joined:
                        raise self._foreign()
                    check.take(entry_id, fields)
                    self._note(check, entry_id)
                    if new:
                        fresh.append(line_of(entry_id, fields))
                self._sound(check.verdict() if check.findings else None)
                if fresh:
                    self._append(file, b"".join(fresh))
                    written += len(fresh)
            self._sound(check.verdict(head=ends.head.head, count=ends.head.number))
            if ends.length and not joined:
                raise self._foreign()
        finally:
            os.close(file)
        if check.last is not None and check.last.head:
            self.head = check.last.head
        return written

    def _goes_on(self) -> bool:
        """Whether the stream begins right after the file's end."""
        first = self._ends.first
        later = first is None or not self._end.last_id or _order(first[0]) > _order(self._end.last_id)
        return later and self._end.head == self._ends.begins.head

    def _foreign(self) -> Refused:
        return Refused(
            f"The archive {self._path} does not end where the stream {self._chain.name} goes on.",
            "Name the folder of the last run, or an empty one: there a new archive begins. Nothing was trimmed.",
        )

    def _note(self, check: ChainCheck, entry_id: str) -> None:
        self._position += 1
        if self._position == self._surplus:
            self.cut, self.kept_id = check.last or BEGINNING, "+"
        elif self._position == self._surplus + 1 and self._surplus:
            self.kept_id = entry_id

    def _sound(self, verdict: ChainVerdict | None) -> None:
        if verdict is not None and not verdict.ok:
            raise Refused(
                f"The chain of {self._chain.name} does not verify: {verdict.problem}.",
                "Nothing of it was trimmed. Keep the store as it is and find out who wrote there.",
            )

    def _append(self, file: int, data: bytes) -> None:
        size = os.fstat(file).st_size
        try:
            done = 0
            while done < len(data):
                done += os.write(file, data[done:])
            os.fsync(file)
        except OSError as error:
            os.ftruncate(file, size)
            raise Refused(
                f"The archive {self._path} can't be written: {error.strerror or error}.", "Nothing was trimmed."
            ) from error


async def _trim(client: Redis, keys: Keys, chain: Chain, ends: Ends, run: _Run) -> int:
    """Take off what is archived, and say so in the same step; how many entries that were."""
    if not run.kept_id:
        return 0
    with wrap_errors():
        async with client.pipeline(transaction=True) as pipe:
            await pipe.watch(keys.archived)
            now: Any = await pipe.hget(keys.archived, chain.name)
            if now is not None and now.decode() != mark_text(ends.begins):
                raise _moved(chain)
            pipe.multi()  # type: ignore[no-untyped-call]
            pipe.hset(keys.archived, chain.name, mark_text(run.cut))
            if run.kept_id == "+":
                milliseconds, _, part = ends.last_id.partition("-")
                pipe.xtrim(chain.stream, minid=f"{milliseconds}-{int(part) + 1}", approximate=False)
            else:
                pipe.xtrim(chain.stream, minid=run.kept_id, approximate=False)
            try:
                _set, trimmed = await pipe.execute()
            except WatchError:
                raise _moved(chain) from None
    return int(trimmed)


def _moved(chain: Chain) -> Conflict:
    return Conflict(f"Another archive run trimmed {chain.name} meanwhile.", "Run one, into one folder.")


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, part = entry_id.partition("-")
    return int(milliseconds), int(part or 0)


async def verify_with_stream(client: Redis, keys: Keys, folder: Path, chain: Chain) -> ChainVerdict:
    """Whether a stream's file and what the stream goes on with are one whole chain, up to the head in `…:ctl`; and the
    stream by itself.

    Raises:
        ValueError: a line of the file is none.
        StoreUnreachable: no answer.
    """
    path = file_of(folder, keys, chain)
    verdict = await verify_stream(client, keys, chain)
    for _ in range(TRIES):
        if not verdict.ok or not path.exists():
            break
        ends = await read_ends(client, keys, chain)
        verdict = await _verify_both(client, path, chain, ends)
        if verdict.ok or (await read_ends(client, keys, chain)).begins == ends.begins:
            break  # else a run took entries away between our look at the file and at the stream
        verdict = await verify_stream(client, keys, chain)
    return verdict


async def _verify_both(client: Redis, path: Path, chain: Chain, ends: Ends) -> ChainVerdict:
    begins, last_id = begin_of(path), ""
    check = ChainCheck(after=begins.head, count=begins.number, prefix=chain.prefix)
    for entry_id, fields in read_archive(path):
        check.take(entry_id, fields)
        last_id = entry_id
    if ends.last_id and _order(ends.last_id) > _order(last_id or "0-0"):
        async for batch in read_batches(client, chain.stream, after=last_id, until=ends.last_id):
            for entry_id, fields in batch:
                check.take(entry_id, fields)
    return check.verdict(head=ends.head.head, count=ends.head.number)
