"""Archiving the two chained streams to files, so that the store stays bounded and nothing is lost: a stream is trimmed
only past what has been written, verified and synced.

One file for each stream, a JSON object a line: `{"id": …, "fields": [[name, value], …]}`, in the order of the stream.
The chain runs on from the last archived line, so archive and stream verify as one.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import RedisError

from console.domain.errors import Refused
from console.domain.fence.chain import ChainVerdict, verify_chain
from console.store.keys import Keys
from console.store.scripts import translate

if TYPE_CHECKING:
    from redis.asyncio import Redis

BATCH: Final = 1000
TAIL: Final = 1 << 20

Entry = tuple[str, dict[bytes, bytes]]


class Archived(NamedTuple):
    """What was archived of one stream.

    Args:
        stream: "acts" or "log".
        written: entries written to the file now.
        trimmed: entries taken off the stream now.
        left: entries in the stream.
        head: the hash up to which the file is whole.
    """

    stream: str
    written: int
    trimmed: int
    left: int
    head: str


def _encode(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _decode(value: str | dict[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


def line_of(entry_id: str, fields: dict[bytes, bytes]) -> bytes:
    """One entry as a line."""
    pairs = [[_encode(name), _encode(value)] for name, value in fields.items()]
    return json.dumps({"id": entry_id, "fields": pairs}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_archive(path: Path) -> Iterator[Entry]:
    """The entries of an archive file, oldest first.

    Raises:
        ValueError: a line is none.
    """
    with path.open("rb") as file:
        for line in file:
            body = json.loads(line)
            yield body["id"], {_decode(name): _decode(value) for name, value in body["fields"]}


def verify_archive(path: Path, *, head: str | None = None) -> ChainVerdict:
    """Whether an archive file is whole and unchanged from the first entry on."""
    return verify_chain(read_archive(path), head=head)


def _end(path: Path) -> tuple[str, str]:
    """Id and hash of the last archived entry; a torn last line is cut off."""
    if not path.exists():
        return "0-0", ""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - TAIL)
        file.seek(start)
        tail = file.read()
        whole = tail[: tail.rfind(b"\n") + 1]
        if not whole and size:
            raise Refused(
                f"The archive {path} has a last line of more than {TAIL} bytes.", "Look at it; it may be damaged."
            )
        if len(whole) < len(tail):
            file.truncate(start + len(whole))
        if not whole:
            return "0-0", ""
        body = json.loads(whole.splitlines()[-1])
        return body["id"], dict(body["fields"])["h"]


async def archive(client: Redis, keys: Keys, folder: Path, *, keep: int = 10_000) -> tuple[Archived, Archived]:
    """Write what is new to the folder's files, then trim both streams to about `keep` archived entries.

    Args:
        client: a connection that may read and trim.
        keys: whose streams.
        folder: made if missing, for this user only; one process at a time.
        keep: how many of the newest entries stay in each stream although they are archived.

    Raises:
        Refused: a chain does not verify: then nothing of that stream is trimmed, and nothing wrong is written.
        StoreUnreachable: no answer.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return (
            await _one(client, "acts", keys.actions, folder / f"{keys.agent}-acts.jsonl", keep),
            await _one(client, "log", keys.log, folder / f"{keys.agent}-log.jsonl", keep),
        )
    except RedisError as error:
        raise translate(error, "archive") from error


async def _one(client: Redis, name: str, stream: str, path: Path, keep: int) -> Archived:
    last_id, head = _end(path)
    written = 0
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        while True:
            batch: Any = await client.xrange(stream, min=f"({last_id}", count=BATCH)
            entries: list[Entry] = [(entry_id.decode(), fields) for entry_id, fields in batch]
            if not entries:
                break
            verdict = verify_chain(entries, after=head)
            if not verdict.ok:
                raise Refused(
                    f"The chain of {name} does not verify: {verdict.problem}.",
                    "Nothing of it was trimmed. Keep the store as it is and find out who wrote there.",
                )
            os.write(file, b"".join(line_of(*entry) for entry in entries))
            os.fsync(file)
            last_id, head, written = entries[-1][0], verdict.head, written + len(entries)
    finally:
        os.close(file)
    length = int(await client.xlen(stream))
    trimmed = 0
    if length > keep:
        newest: Any = await client.xrevrange(stream, max=last_id, count=keep)
        if len(newest) == keep:
            trimmed = int(await client.xtrim(stream, minid=newest[-1][0].decode(), approximate=False))
    return Archived(name, written, trimmed, length - trimmed, head)
