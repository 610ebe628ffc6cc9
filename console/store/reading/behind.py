"""What lies behind a roll back, in two round trips, whatever is owed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from console.domain.errors import Refused
from console.domain.fence.behind import Behind, StateSchemas
from console.domain.fence.deployment import Slot
from console.domain.state.kept import Did
from console.store.fence.claims import read_open
from console.store.keys import Keys, StateKeys
from console.store.reading.decode import text
from console.store.records.states import actions_of, one_of, readable

if TYPE_CHECKING:
    from redis.asyncio import Redis

LOOKED_AT: Final = 1_000
"""How many of the newest actions are looked through."""
_DONE: Final = frozenset({"ok", "executed"})


async def read_behind(client: Redis, keys: Keys, target: Slot) -> Behind:
    """What a roll back to a side would leave and find.

    Raises:
        Refused: what was kept of it is damaged, or of another type.
        StoreUnreachable: there was no answer.
    """
    import msgspec

    where = StateKeys.of(keys)
    with readable():
        async with client.pipeline(transaction=True) as pipe:
            pipe.hmget(keys.ctl, "ten", "an")
            pipe.hgetall(keys.instances)
            pipe.hgetall(keys.owed)
            pipe.hgetall(keys.open)
            pipe.hgetall(where.states)
            pipe.xrevrange(keys.actions, count=LOOKED_AT)
            pipe.time()
            control, beats, owed, claims, states, entries, clock = await pipe.execute()
    tenure = int(text(control[0] or b"0"))
    server_ms = int(clock[0]) * 1000 + int(clock[1]) // 1000
    acted = actions_of(entries)
    mine = [one for one in acted if one.epoch >= tenure and one.slot == target.other.value]
    done = {one.key for one in mine if one.did in (Did.SETTLE, Did.RESOLVE) and one.outcome in _DONE}
    opened, goes = _owed(owed, target, tenure)
    reads: list[int] = []
    for raw in beats.values():
        try:
            beat = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # a heartbeat that can't be read vouches for nobody
        if isinstance(beat, dict) and beat.get("slot") == target.value and type(beat.get("schema")) is int:
            reads.append(beat["schema"])
    doubts = tuple(one.key for one in read_open(claims) if one.slot == target.value and one.is_doubt(server_ms))
    whole = len(entries) < LOOKED_AT or min(one.at.timestamp() for one in acted) * 1000 < tenure
    return Behind(target, len(done), whole, opened, goes, doubts, _schemas(states, target, max(reads, default=None)))


def _owed(owed: Mapping[Any, Any], target: Slot, tenure: int) -> tuple[Mapping[str, int], int]:
    """What the other side opened since its tenure began, by kind; and how many become the target's."""
    opened: Counter[str] = Counter()
    goes = 0
    for raw in owed.values():
        parts = text(raw).split("\n", 6)
        if len(parts) != 7:
            raise Refused("A commitment can't be read.", "`agent-console commitments` says which.")
        pin, slot, _version, epoch, _opened, kind, _rest = parts
        goes += not pin
        if slot == target.other.value and epoch.isdecimal() and int(epoch) >= tenure:
            opened[kind] += 1
    return dict(opened), goes


def _schemas(raw: Mapping[Any, Any], target: Slot, reads: int | None) -> StateSchemas | None:
    """Of the newest state, where the other side kept it: one of the target's own it can read."""
    fields = {text(name): text(value) for name, value in raw.items()}
    if not (number := int(fields.get("n", "0"))) or f"s:{number}" not in fields:
        return None
    newest = one_of(fields, number)
    return None if newest.slot == target.value else StateSchemas(number, newest.schema, reads)
