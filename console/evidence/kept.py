"""What an evidence file keeps of its time, as every timeline takes it: the replay needs no store."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO, Any, Final

from console.domain.errors import Refused
from console.domain.seen.kept import ControlEvent, Kept
from console.domain.state.flags import FlagReading, read_flag
from console.domain.state.kept import Acted
from console.evidence.entries import read_entries
from console.evidence.names import ALERTS, FLAGS, STREAMS
from console.store.reading.past import control_event
from console.store.records.audit import decode_entry
from console.store.records.guards import read_alerts
from console.store.records.states import actions_of

MOST: Final = 20_000
"""Entries of a stream that are shown, the newest; the file has all."""
Open = Callable[[str], IO[bytes]]


def kept_of(open_member: Open, agent: str, span: tuple[datetime, datetime]) -> tuple[Kept, tuple[str, ...]]:
    """What is kept of a time, and what of it can't be read, in words.

    Args:
        open_member: opens a member of the file.
        agent: whose.
        span: from when, and before when.

    Raises:
        ValueError: a member does not hold what it should.
        KeyError: one is missing.
    """
    since = span[0]
    receipts, audit_cut = _newest(open_member, STREAMS["audit"])
    control, log_cut = _newest(open_member, STREAMS["log"])
    acts, acts_cut = _newest(open_member, STREAMS["acts"])
    events: list[ControlEvent] = [
        event for name, fields in control if (event := control_event(name, fields)) is not None
    ]
    read = list(_acts(acts))
    unread = ((STREAMS["log"], len(control) - len(events)), (STREAMS["acts"], len(acts) - len(read)))
    problems = tuple(f"{name}: {count:,} entries can't be read" for name, count in unread if count)
    known = bool(events) and events[0].at < since
    kept = Kept(
        agent=agent,
        read_at=span[1],
        receipts=tuple(decode_entry(name, fields) for name, fields in receipts),
        events=tuple(events),
        acts=tuple(read),
        alerts=read_alerts(_bytes(_load(open_member, ALERTS))),
        flags=_flags(_load(open_member, FLAGS)),
        receipts_from=_first(receipts) if audit_cut else since,
        events_from=_first(control) if log_cut else None if known else since,
        acts_from=_first(acts) if acts_cut else since,
    )
    return kept, problems


def _acts(entries: list[tuple[str, dict[bytes, bytes]]]) -> Iterator[Acted]:
    """Those that can be read: a damaged one is evidence, too, and takes nothing from the others."""
    for entry in entries:
        with suppress(Refused):
            yield from actions_of([entry])


def _newest(open_member: Open, name: str) -> tuple[list[tuple[str, dict[bytes, bytes]]], bool]:
    """The newest entries, oldest first; and whether there are more."""
    newest: deque[tuple[str, dict[bytes, bytes]]] = deque(maxlen=MOST)
    count = 0
    with open_member(name) as file:
        for entry in read_entries(file):
            newest.append(entry)
            count += 1
    return list(newest), count > MOST


def _first(entries: list[tuple[str, dict[bytes, bytes]]]) -> datetime:
    return moment_of(entries[0][0])


def moment_of(entry_id: str) -> datetime:
    """When an entry was written, by its id.

    Raises:
        ValueError: it is no id of an entry.
    """
    try:
        return datetime.fromtimestamp(int(entry_id.partition("-")[0]) / 1000, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("an entry's id is no time") from error


def _load(open_member: Open, name: str) -> Mapping[str, Any]:
    with open_member(name) as file:
        try:
            document = json.loads(file.read())
        except RecursionError as error:
            raise ValueError(f"{name} is nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError(f"{name} is no object")  # noqa: TRY004 - of a file, not of a caller
    return document


def _bytes(document: Mapping[str, Any]) -> dict[str, bytes]:
    return {name: str(value).encode("utf-8", "surrogateescape") for name, value in document.items()}


def _flags(document: Mapping[str, Any]) -> dict[str, FlagReading]:
    """The flags as they were when the time ended."""
    return dict(_readings(document.get("to")))


def _readings(found: Any) -> Iterator[tuple[str, FlagReading]]:
    for name, value in found.items() if isinstance(found, dict) else ():
        if isinstance(value, str) or value is None:
            yield name, read_flag(name, value)
