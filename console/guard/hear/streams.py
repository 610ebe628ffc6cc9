"""Streams that are listened to, however they are asked: each with the place up to which it is known, who gets what is
new there, and who is told when it can't be listened to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from console.domain.errors import Refused
from console.store.fence.replies import text
from console.store.server.together import absent, together
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

Sink = Callable[[str, Mapping[bytes, bytes]], None]
"""Gets an entry's id and its fields."""
Spoiled = Callable[[Exception], None]
"""Told why a stream is not listened to any more."""
Drop = Callable[[str], None]
"""Ends listening to a stream."""


class Stream:
    """One stream.

    Args:
        after: the id of the last entry that is known; empty for none.
        sink: gets each entry after that.
        spoiled: told, once, if it turns out to be no stream, or if the sink raises; it is dropped then.
    """

    __slots__ = ("after", "packed", "sink", "spoiled")

    def __init__(self, after: str, sink: Sink, spoiled: Spoiled) -> None:
        self.after: str | bytes = after or "0-0"
        self.packed = packed(self.after)
        """The same as it goes over the wire."""
        self.sink = sink
        self.spoiled = spoiled

    def known(self, entry: str | bytes) -> None:
        """Everything up to this entry is known."""
        self.after, self.packed = entry, packed(entry)


def hand_on(stream: Stream, name: str, entries: Iterable[tuple[Any, Mapping[bytes, bytes]]], drop: Drop) -> None:
    """Hand on what is new in a stream; one whose sink raises is dropped, and is told of it.

    Args:
        stream: listened to.
        name: its key.
        entries: id and fields of each, oldest first.
        drop: ends listening to it.
    """
    try:
        for entry, fields in entries:
            stream.sink(text(entry), fields)
            stream.known(entry)
    except Exception as error:  # noqa: BLE001 - one stream's data is that stream's trouble, and is told
        drop(name)
        stream.spoiled(error)


async def weed(client: Redis, streams: Mapping[str, Stream], drop: Drop) -> None:
    """Drop what is no stream, and tell it: one such key must not make the others unheard.

    Args:
        client: connected.
        streams: by their keys; who is added or dropped meanwhile is not harmed.
        drop: ends listening to one.

    Raises:
        StoreUnreachable: no answer, or this user may not ask.
    """
    names: Sequence[str] = list(streams)
    kinds = await together(client, [("TYPE", name) for name in names])
    for name, kind in zip(names, kinds, strict=True):
        stream = streams.get(name)
        if isinstance(kind, Exception):
            if not absent(client, kind):
                with wrap_errors():
                    raise kind
        elif text(kind) not in ("none", "stream") and stream is not None:
            drop(name)
            stream.spoiled(Refused(f"{name} is a {text(kind)} and not a stream.", "Nothing else may use this key."))


def packed(word: str | bytes) -> bytes:
    """A word as it goes over the wire."""
    raw = word if isinstance(word, bytes) else word.encode("utf-8", "surrogateescape")
    return b"$%d\r\n%b\r\n" % (len(raw), raw)
