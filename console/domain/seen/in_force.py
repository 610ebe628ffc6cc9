"""What was in force at a moment of the past: who was active, and each flag, by what the audit tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from console.domain.operator.receipt import AuditEntry

MOST_TEXTS: Final = 2_000
MOST_DEEP: Final = 8
LONGEST_KEY: Final = 200


class Held(NamedTuple):
    """A value as it was at a moment.

    Args:
        value: None where nothing was set.
        since: by which entry it had become so; None where no entry is known that did.
        known: whether any entry tells; what nobody is known to have changed may have been anything.
    """

    value: str | None = None
    since: AuditEntry | None = None
    known: bool = True


def held_at(entries: Sequence[AuditEntry], what: str, at: datetime) -> Held:
    """What a thing was at a moment, by what changed it last before, or found it first after.

    Args:
        entries: from before the moment until now, oldest first.
        what: by the name that changes of it have.
        at: aware UTC.
    """
    held = Held(known=False)
    for entry in entries:
        for change in entry.changes:
            if change.what != what:
                continue
            if entry.at <= at:
                held = Held(change.after, entry)
            elif not held.known:
                held = Held(change.before)
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
