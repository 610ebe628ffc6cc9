"""The file of heads: what the chains ended with at an earlier look, kept where those can't write who can write the
store. A chain that was written anew, with the heads in the store, shows here and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from console.domain.errors import Refused
from console.domain.fence.chain import Mark
from console.domain.text import clean
from console.regular import read_regular
from console.store.files.private import write_private

MAX_BYTES: Final = 1 << 22


class Head(Struct, frozen=True, omit_defaults=True):
    """Where a chain ended.

    Args:
        count: the number of its last entry, or of a log's lines.
        head: the hash of the last one.
        first: number and hash of the first entry there was, which tells a chain written anew from one that was cut.
    """

    count: int = 0
    head: str = ""
    first: tuple[int, str] | None = None

    def marks(self) -> tuple[Mark, ...]:
        """What has to be in the chain."""
        marks = (Mark(self.count, self.head), *((Mark(*self.first),) if self.first else ()))
        return tuple(mark for mark in marks if mark.number > 0)


class Heads(Struct, frozen=True, kw_only=True):
    """What is remembered of one agent.

    Args:
        agent: its name.
        acts, log, audit: of the streams; None where nothing is remembered yet.
        decisions: path → of each decision log.
    """

    agent: str
    acts: Head | None = None
    log: Head | None = None
    audit: Head | None = None
    decisions: dict[str, Head] = {}

    def of(self, name: str) -> Head | None:
        """Of one stream."""
        head: Head | None = getattr(self, name)
        return head


def read_heads(path: Path, agent: str) -> Heads | None:
    """What is remembered; None where there is no such file yet.

    Raises:
        Refused: it can't be read, or is another agent's.
    """
    try:
        raw = read_regular(path, MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"The file of heads {path} can't be read: {error.strerror or error}.") from error
    try:
        heads = msgspec.json.decode(raw, type=Heads)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Refused(
            f"The file of heads {path} is damaged: {clean(error, 120)}.",
            "Nothing can be compared with it. Keep it, find out why, and name a new one to begin anew.",
        ) from error
    if heads.agent != agent:
        raise Refused(f"The file of heads {path} is {clean(heads.agent, 64)!r}'s, not {agent!r}'s.", "Name its own.")
    return heads


def write_heads(path: Path, heads: Heads) -> None:
    """Remember, for this user alone; after a crash at any moment the old file stands or the new one.

    Raises:
        Refused: it can't be written.
    """
    try:
        write_private(path, msgspec.json.format(msgspec.json.encode(heads), indent=2) + b"\n")
    except OSError as error:
        raise Refused(f"The file of heads {path} can't be written: {error.strerror or error}.") from error
