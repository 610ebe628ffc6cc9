"""Hash chains: every entry of the streams `…:acts` and `…:log` carries a SHA-1 over its predecessor's and its own
fields.

A chain shows tampering; it does not prevent it. The input of a hash is the previous hash and then each name and value
in order, each as `length:text` (lengths in bytes), without the field `h` itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

Fields = Mapping[bytes, bytes] | Mapping[str, str] | Mapping[bytes | str, bytes | str]


class ChainVerdict(NamedTuple):
    """What a chain's verification found.

    Args:
        ok: whether every hash fits and, where a head was given, the last one is that head.
        entries: how many entries were looked at.
        head: the hash of the last good entry.
        bad_id: the first entry that doesn't fit; empty when all do.
        problem: in words; empty when there is none.
    """

    ok: bool
    entries: int
    head: str
    bad_id: str = ""
    problem: str = ""


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def link(previous: str, fields: Iterable[tuple[bytes | str, bytes | str]]) -> str:
    """The hash of an entry that follows `previous`."""
    digest = hashlib.sha1(usedforsecurity=False)
    for value in (previous, *(part for pair in fields for part in pair)):
        raw = _bytes(value)
        digest.update(b"%d:%b" % (len(raw), raw))
    return digest.hexdigest()


def verify_chain(
    entries: Iterable[tuple[bytes | str, Fields]], *, after: str = "", head: str | None = None
) -> ChainVerdict:
    """Whether a run of stream entries is whole and unchanged.

    Args:
        entries: (stream id, fields in order), oldest first.
        after: the hash of the entry before the first (a trimmed stream's archived end); empty from the beginning.
        head: the newest hash as the control hash states it; None to leave the end unchecked. A cut tail shows here.
    """
    last, count = after, 0
    for stream_id, fields in entries:
        pairs = [(_bytes(name), _bytes(value)) for name, value in fields.items()]
        stated = next((value.decode("ascii", "replace") for name, value in pairs if name == b"h"), "")
        name = stream_id.decode() if isinstance(stream_id, bytes) else stream_id
        if link(last, (pair for pair in pairs if pair[0] != b"h")) != stated:
            return ChainVerdict(False, count, last, name, f"entry {name} does not follow the one before it")
        last, count = stated, count + 1
    if head is not None and head != last:
        return ChainVerdict(False, count, last, "", "the newest entries are missing: the head is another")
    return ChainVerdict(True, count, last)
