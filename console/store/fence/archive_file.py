"""The files of an archive: one for each chained stream, in the order of the stream.

A JSON object a line: `{"id": …, "fields": [[name, value], …]}`. A file that was begun when a part of the chain had been
archived elsewhere says so in its first line: `{"after": {"number": …, "head": …}}`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, Final, NamedTuple

from console.domain.errors import Conflict, Refused
from console.domain.fence.chain import ChainVerdict, Mark, verify_chain
from console.regular import open_regular
from console.store.fence.chains import Chain, Entry
from console.store.keys import Keys
from console.store.server.locks import take_lock

TAIL: Final = 1 << 20
"""The longest line of which an end is looked for, in bytes."""
BEGINNING: Final = Mark(0, "")


class FileEnd(NamedTuple):
    """Where a file ends."""

    last_id: str = ""
    head: str = ""
    empty: bool = True


def file_of(folder: Path, keys: Keys, chain: Chain) -> Path:
    """The file of one stream."""
    return folder / f"{keys.agent}-{chain.name}.jsonl"


def _encode(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _decode(value: str | dict[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


def json_line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def line_of(entry_id: str, fields: dict[bytes, bytes]) -> bytes:
    """One entry as a line."""
    return json_line({"id": entry_id, "fields": [[_encode(name), _encode(value)] for name, value in fields.items()]})


def _parsed(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        body = json.loads(line)
        if isinstance(body, dict) and ("after" in body or ("id" in body and "fields" in body)):
            return body
    except (ValueError, RecursionError):
        pass
    raise ValueError(f"line {number} of {path} is none of an archive's")


def read_archive(path: Path) -> Iterator[Entry]:
    """The entries of an archive file, oldest first.

    Raises:
        ValueError: a line is none.
    """
    with BufferedReader(open_regular(path)) as file:
        for number, line in enumerate(file, 1):
            body = _parsed(line, path, number)
            if "id" in body:
                try:
                    yield str(body["id"]), {_decode(name): _decode(value) for name, value in body["fields"]}
                except (TypeError, KeyError, AttributeError) as error:
                    raise ValueError(f"line {number} of {path} is none of an archive's") from error


def begin_of(path: Path) -> Mark:
    """What an archive file goes on from: the beginning, but for one that was begun later.

    Raises:
        ValueError: its first line is none.
    """
    with BufferedReader(open_regular(path)) as file:
        first = file.readline()
    after = _parsed(first, path, 1).get("after") if first else None
    if after is None:
        return BEGINNING
    if not isinstance(after, dict) or type(after.get("number")) is not int or not isinstance(after.get("head"), str):
        raise ValueError(f"line 1 of {path} is none of an archive's")
    return Mark(after["number"], after["head"])


def verify_archive(path: Path, *, head: str | None = None, prefix: bool = False) -> ChainVerdict:
    """Whether an archive file is whole and unchanged from the first entry on.

    Args:
        path: of the file.
        head: the hash of its last entry as it is stated elsewhere; None to leave the end unchecked.
        prefix: whether entries without a hash may stand before the first with one.

    Raises:
        ValueError: a line is none.
    """
    begins = begin_of(path)
    return verify_chain(read_archive(path), after=begins.head, start=begins.number, head=head, prefix=prefix)


def end_of(path: Path) -> FileEnd:
    """Id and hash of the last archived entry; a torn last line is cut off."""
    if not path.exists():
        return FileEnd()
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - TAIL)
        file.seek(start)
        tail = file.read()
        whole = tail[: tail.rfind(b"\n") + 1]
        if not whole and start:
            raise Refused(
                f"The archive {path} has a last line of more than {TAIL} bytes.", "Look at it; it may be damaged."
            )
        if len(whole) < len(tail):
            file.truncate(start + len(whole))
        if not whole:
            return FileEnd()
        try:
            body = _parsed(whole.splitlines()[-1], path, 0)
        except ValueError as error:
            raise Refused(f"The last line of the archive {path} is damaged.", "Look at it first.") from error
        if "after" in body:
            return FileEnd("", str(body["after"]["head"]), empty=False)
        return FileEnd(str(body["id"]), str(dict(body["fields"]).get("h", "")), empty=False)


@contextmanager
def locked(folder: Path, keys: Keys) -> Iterator[None]:
    """Hold an agent's lock on a folder, so that one process at a time writes its files.

    Raises:
        Conflict: another process holds it.
        ConsoleError: it can't be made there.
    """
    lock = take_lock(folder / f".{keys.agent}.lock")
    if lock is None:
        raise Conflict(f"An archive run is under way in {folder}.", "Try again when it has ended.")
    try:
        yield
    finally:
        os.close(lock)
