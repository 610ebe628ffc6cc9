"""A record of the decision log as its line: strict JSON of any values, of a bounded size, sealed into the chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from console.agent.plain_secrets import without_secrets_in_json
from console.agent.plain_text import CUT, quoted, size_of
from console.agent.plain_values import as_json, convert, plain_json
from console.domain.fence.sealed import add_seal

MAX_RECORD: Final = 256 << 10
"""Bytes of a line. Readers take 1 MiB."""
MIN_RECORD: Final = 16 << 10
MAX_NAMES: Final = 64
_SEAL: Final = 80
"""Bytes of `,"hash":"…"` and the line's end."""
_NAME: Final = 64
_CUTS: Final = 1024


class Sealed(NamedTuple):
    """A record as it is written.

    Args:
        line: with its end.
        digest: its hash, in the hexadecimal digits that the next record names.
        cut: whether something did not fit; the record's field `cut` counts the places for each name.
    """

    line: bytes
    digest: str
    cut: bool


def seal(body: Mapping[str, object], previous: str, max_bytes: int = MAX_RECORD) -> Sealed:
    """A record as its line of at most `max_bytes` (`MIN_RECORD` or more).

    Args:
        body: without `prev`, `hash` and `cut`. What is no plain data is converted (see `plain_values`).
        previous: the hash before it.
    """
    room = max(max_bytes, MIN_RECORD) - _SEAL
    text, cut = plain_json({**body, "prev": previous}, room), False
    if text is None:
        text, cut = _by_names(body, previous, room)
    text = without_secrets_in_json(text)
    if len(text) > room // 4 and size_of(text) > room:  # what stands in place of a secret may be longer than it
        text, cut = _by_names(body, previous, room // 2)
        text = without_secrets_in_json(text)
    line, digest = add_seal(text.encode())
    return Sealed(line + b"\n", digest, cut)


def _by_names(body: Mapping[str, object], previous: str, room: int) -> tuple[str, bool]:
    """Each value converted for itself; where all don't fit, the largest are cut."""
    end = f'"prev":{as_json(previous)}}}'
    names = _names(body)
    room -= size_of(end) + _CUTS + sum(size_of(name) + 2 for name in names)
    made = [convert(value, room) for value in list(body.values())[: len(names)]]
    places = sorted(range(len(made)), key=lambda place: size_of(made[place].text))
    for left, place in zip(range(len(made), 0, -1), places, strict=True):
        if size_of(made[place].text) > room // left:
            made[place] = convert(list(body.values())[place], room // left)
        room -= size_of(made[place].text)
    cuts: dict[str, int] = {name[1:-1]: one.cuts for name, one in zip(names, made, strict=True) if one.cuts}
    if len(body) > len(names):
        cuts[CUT] = len(body) - len(names)
    fields = [f"{name}:{one.text}" for name, one in zip(names, made, strict=True)]
    if cuts:
        fields.append(f'"cut":{as_json(cuts, max_bytes=_CUTS - 8)}')
    return "{" + ",".join([*fields, end]), bool(cuts)


def _names(body: Mapping[str, object]) -> list[str]:
    """The names as JSON, each another, the first `MAX_NAMES` of them."""
    names: dict[str, None] = {}
    for place, name in enumerate(list(body)[:MAX_NAMES]):
        text, _cuts = quoted(name, _NAME)
        names[text if text not in names else quoted(f"{place}~{name}", _NAME).text] = None
    return list(names)
