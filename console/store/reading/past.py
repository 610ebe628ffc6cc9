"""Reading what a store keeps of its past: streams from their ends back, bounded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from console.domain.fence.claims import Level
from console.domain.fence.deployment import Phase, Slot
from console.domain.seen.kept import ControlEvent, Kept
from console.domain.state.flags import FlagReading
from console.store.keys import GuardKeys
from console.store.reading.decode import text
from console.store.reading.events import decode_event
from console.store.records.audit import decode_entry
from console.store.records.guards import read_alerts
from console.store.records.states import actions_of
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.keys import Keys

MOST: Final = 20_000
"""Entries of a stream that are read, from its end back."""
_BATCH: Final = 2_000


def control_event(stream_id: bytes | str, fields: Mapping[Any, Any]) -> ControlEvent | None:
    """A control event; None where it can't be read."""
    texts = {text(name): text(value) for name, value in fields.items()}
    try:
        return ControlEvent(
            number=int(texts["n"]),
            at=datetime.fromtimestamp(int(texts["ts"]) / 1000, UTC),
            epoch=int(texts["ep"]),
            generation=int(texts["gen"]),
            phase=Phase(texts["ph"]),
            active=_slot(texts.get("act", "")),
            target=_slot(texts.get("to", "")),
            previous=_slot(texts.get("prev", "")),
            level=Level.of_rank(int(texts.get("lvl", "0"))),
            was=texts.get("from", ""),
            in_flight=int(texts.get("infl", "0")),
            shown=decode_event(stream_id, fields),
        )
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _slot(name: str) -> Slot | None:
    return Slot(name) if name in (Slot.BLUE.value, Slot.GREEN.value) else None


async def read_kept(client: Redis, keys: Keys, now: datetime, flags: Mapping[str, FlagReading] | None) -> Kept:
    """What the store keeps of an agent's past.

    Args:
        client, keys: whose.
        now: by our own clock.
        flags: as they are now.

    Raises:
        Refused: an action can't be read.
        StoreUnreachable: there was no answer.
    """
    with wrap_errors():
        raw: Any = await client.hgetall(GuardKeys.of(keys).alerts)
        archived: Any = await client.hgetall(keys.archived)
    gone = {text(name) for name in archived}
    receipts, receipts_from = await _entries(client, keys.audit, "audit" in gone)
    events, events_from = await _entries(client, keys.log, "log" in gone)
    acts, acts_from = await _entries(client, keys.actions, "acts" in gone)
    control = (control_event(name, fields) for name, fields in events)
    return Kept(
        agent=keys.agent,
        read_at=now,
        receipts=tuple(decode_entry(name, fields) for name, fields in receipts),
        events=tuple(event for event in control if event is not None),
        acts=tuple(actions_of(acts)),
        alerts=read_alerts(raw),
        flags=flags,
        receipts_from=receipts_from,
        events_from=events_from,
        acts_from=acts_from,
    )


async def _entries(client: Redis, stream: str, archived: bool) -> tuple[list[tuple[Any, Any]], datetime | None]:
    """The newest entries, oldest first, and since when they are all; None where they begin with the first ever."""
    from redis.exceptions import ResponseError

    entries: list[tuple[Any, Any]] = []
    end = "+"
    while len(entries) < MOST:
        with wrap_errors():
            try:
                batch: Any = await client.xrevrange(stream, end, count=min(_BATCH, MOST - len(entries)))
            except ResponseError as error:
                if "WRONGTYPE" not in str(error):
                    raise
                return [], None
        if not batch:
            break
        entries += batch
        end = f"({text(batch[-1][0])}"
    entries.reverse()
    if not entries:
        return [], None
    first = datetime.fromtimestamp(int(text(entries[0][0]).split("-")[0]) / 1000, UTC)
    return entries, first if archived or len(entries) >= MOST else None
