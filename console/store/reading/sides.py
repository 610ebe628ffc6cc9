"""Who was active when, and by whose order: the newest control events about it, and the newest receipts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from console.domain.fence.deployment import Slot
from console.domain.fence.intent import Aim, Source
from console.domain.fence.way_back import Act, SideEvent, SideHistory
from console.domain.text import clean
from console.store.reading.decode import text
from console.store.records import audit
from console.store.server.trouble import wrap_errors

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from console.store.keys import Keys

NEWEST: Final = 1_000
"""How many events, and how many receipts, are read at most."""
_KINDS: Final = frozenset({"switched", "rollback", "adopted", "drain", "halt", "level", "resumed"})


async def side_history(client: Redis, keys: Keys) -> SideHistory:
    """What the store still tells of who was active; nothing where a stream is missing or holds something else.

    Raises:
        StoreUnreachable: there was no answer.
    """
    from redis.exceptions import ResponseError

    with wrap_errors():
        try:
            entries: Any = await client.xrevrange(keys.log, count=NEWEST)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            entries = []
    receipts = await audit.recent(client, keys, NEWEST)
    events = (_event(fields) for _id, fields in reversed(entries))
    return SideHistory(
        tuple(event for event in events if event is not None),
        {str(entry.id): Act(str(entry.command), str(entry.undoes), entry.epoch) for entry in receipts if entry.id},
        receipts[0].at if receipts else None,
    )


def _event(fields: Mapping[Any, Any] | None) -> SideEvent | None:
    texts = {text(name): text(value) for name, value in (fields or {}).items()}
    kind, ms, epoch = texts.get("k", ""), texts.get("ts", ""), texts.get("ep", "")
    readable = all(number.isascii() and number.isdigit() and len(number) <= 14 for number in (ms, epoch))
    if kind not in _KINDS or not readable:
        return None
    active = texts.get("act", "")
    return SideEvent(
        kind,
        datetime.fromtimestamp(int(ms) / 1000, UTC),
        int(epoch),
        Slot(active) if active in ("blue", "green") else None,
        clean(texts.get("by", ""), 128),
        clean(texts.get("why", "")),
        texts.get("sid", ""),
        Source.of(texts.get("src", "")),
        Aim.of(texts.get("aim", "")),
    )
