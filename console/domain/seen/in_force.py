"""What was in force at a moment of the past: who was active, and each flag, by what the audit tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from console.domain.operator.receipt import AuditEntry

ACTIVE: Final = "active version"
FLAG: Final = "flag:"
MOST_TEXTS: Final = 2_000
MOST_DEEP: Final = 8
LONGEST_KEY: Final = 200


class Held(NamedTuple):
    """A value as it was at a moment.

    Args:
        value: None where nothing was set.
        since: by which entry it had become so; None where none is known that did.
    """

    value: str | None
    since: AuditEntry | None = None


def held_at(entries: Sequence[AuditEntry], now: Mapping[str, str | None], at: datetime) -> dict[str, Held]:
    """What each thing was at a moment: what it is now, less what was changed since.

    Args:
        entries: every entry from before the moment until now, oldest first.
        now: each thing, by the name that changes of it have, as it is now.
        at: aware UTC.
    """
    held = {what: Held(value) for what, value in now.items()}
    for entry in reversed(entries):
        for change in reversed(entry.changes):
            if change.what != ACTIVE and not change.what.startswith(FLAG):
                continue
            if entry.at > at:
                held[change.what] = Held(change.before)
            elif change.what not in held or held[change.what].since is None:
                held[change.what] = Held(held[change.what].value if change.what in held else change.after, entry)
    return held


def reaches_back(entries: Sequence[AuditEntry], at: datetime, most: int) -> bool:
    """Whether entries are all there are since a moment.

    Args:
        entries: oldest first.
        at: the moment.
        most: as many as were asked for; fewer are all there are.
    """
    return len(entries) < most or entries[0].at <= at


def texts_in(record: Any, name: str = "", deep: int = 0) -> Iterator[tuple[str, str]]:
    """Each short text of a record, with where it stands, as names joined by dots; at most `MOST_TEXTS` are looked at
    by `key_in`."""
    if isinstance(record, str):
        if 0 < len(record) <= LONGEST_KEY:
            yield name, record
    elif deep < MOST_DEEP and isinstance(record, Mapping):
        for key, value in record.items():
            yield from texts_in(value, f"{name}.{key}" if name else str(key), deep + 1)
    elif deep < MOST_DEEP and isinstance(record, list | tuple):
        for number, value in enumerate(record):
            yield from texts_in(value, f"{name}.{number}" if name else str(number), deep + 1)


def keys_in(record: Any, keys: Iterable[str]) -> dict[str, str]:
    """Which keys of actions a record names, each with where it stands: a text of it that is that key, all of it."""
    known, found = frozenset(keys), dict[str, str]()
    for number, (where, value) in enumerate(texts_in(record)):
        if number >= MOST_TEXTS:
            break
        if value in known:
            found.setdefault(value, where)
    return found
