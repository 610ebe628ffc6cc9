"""What a recording says of itself, in its first chunk, and what its index holds."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.domain.errors import Refused
from console.domain.seen.timeline import Mark, MarkKind
from console.domain.text import clean
from console.recording.chunks import FORMAT, moment_of
from console.recording.errors import Damaged


class Head(msgspec.Struct, frozen=True):
    """What a recording is.

    Args:
        format: see `console.recording.chunks`.
        made_by: name and release of the program.
        agent: whose keys were watched.
        names: the names of the fields of each record, in the order in which they are written.
    """

    format: int
    made_by: str
    agent: str
    names: dict[str, tuple[str, ...]]


class Index(msgspec.Struct, frozen=True):
    """Where is what.

    Args:
        keys: time and place of each key frame.
        marks: time, kind and text of each event.
        last: the time of the last frame.
    """

    keys: list[tuple[int, int]]
    marks: list[tuple[int, str, str]]
    last: int


class _Format(msgspec.Struct, frozen=True):
    format: int


def read_head(payload: bytes | None, name: str) -> Head:
    """What a recording is.

    Args:
        payload: of its first chunk; None where that is damaged.
        name: of the file, for the message.

    Raises:
        Refused: it was written by a newer release.
        Damaged: it can't be read.
    """
    try:
        if payload is None:
            raise Damaged(f"The head of {name} is damaged; without it nothing can be read.")
        told = msgspec.msgpack.decode(payload, type=_Format).format
        if told > FORMAT:
            raise Refused(
                f"{name} is a recording of format {told}, and this release reads up to {FORMAT}.",
                "A newer agent-console wrote it; open it with that release.",
            )
        return msgspec.msgpack.decode(payload, type=Head)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Damaged(f"The head of {name} can't be read.") from error


def mark_of(at: int, kind: object, text: object) -> Mark:
    """An event as a recording tells it; a kind that this release does not know is another."""
    return Mark(
        moment_of(at),
        MarkKind(kind) if isinstance(kind, str) and kind in set(MarkKind) else MarkKind.OTHER,
        clean(text),
    )


def mark_payload(mark: Mark) -> bytes:
    """An event's kind and text."""
    return msgspec.msgpack.encode((mark.kind.value, str(mark.text)))


def read_mark(at: int, payload: bytes) -> Mark | None:
    """What `mark_payload` wrote; None where it can't be."""
    try:
        kind, text = msgspec.msgpack.decode(payload, type=tuple[str, str])
    except (msgspec.DecodeError, ValueError):
        return None
    return mark_of(at, kind, text)


def in_order(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Events, oldest first, each once."""
    return tuple(sorted(dict.fromkeys(marks), key=lambda mark: mark.at))
